DROP TRIGGER jobs_count_rows ON jobs;
DROP FUNCTION lectern_count_stored_rows();

CREATE OR REPLACE FUNCTION lectern_count_jobs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    one CONSTANT INTEGER := TG_ARGV[0];
BEGIN
    INSERT INTO job_status_counts (owner_id, status, jobs, gibibytes, bytes)
    SELECT counted.owner_id, status, one * count(*), one * COALESCE(sum(file_size >> 30), 0),
           one * COALESCE(sum(file_size & 1073741823), 0)
    FROM (SELECT '' AS owner_id, status, file_size FROM changed
          UNION ALL SELECT owner_id, status, file_size FROM changed WHERE owner_id IS NOT NULL) AS counted
    GROUP BY counted.owner_id, status;
    INSERT INTO job_hour_counts (owner_id, hour, jobs)
    SELECT counted.owner_id, date_trunc('hour', created_at, 'UTC'), one * count(*)
    FROM (SELECT '' AS owner_id, created_at FROM changed
          UNION ALL SELECT owner_id, created_at FROM changed WHERE owner_id IS NOT NULL) AS counted
    GROUP BY 1, 2;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION lectern_count_changed_job() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO job_status_counts (owner_id, status, jobs, gibibytes, bytes)
    SELECT owner_id, status, one, one * COALESCE(file_size >> 30, 0), one * COALESCE(file_size & 1073741823, 0)
    FROM (VALUES ('', OLD.status, OLD.file_size, -1), ('', NEW.status, NEW.file_size, 1),
                 (OLD.owner_id, OLD.status, OLD.file_size, -1), (NEW.owner_id, NEW.status, NEW.file_size, 1))
         AS changed (owner_id, status, file_size, one)
    WHERE owner_id IS NOT NULL;
    IF OLD.created_at <> NEW.created_at OR OLD.owner_id IS DISTINCT FROM NEW.owner_id THEN
        INSERT INTO job_hour_counts (owner_id, hour, jobs)
        SELECT owner_id, date_trunc('hour', created_at, 'UTC'), one
        FROM (VALUES ('', OLD.created_at, -1), ('', NEW.created_at, 1),
                     (OLD.owner_id, OLD.created_at, -1), (NEW.owner_id, NEW.created_at, 1))
             AS changed (owner_id, created_at, one)
        WHERE owner_id IS NOT NULL;
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION lectern_sum_status_counts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    WITH locked AS MATERIALIZED (
        SELECT * FROM job_status_counts WHERE id > NEW.id - 4 * (NEW.id & -NEW.id)
        FOR UPDATE SKIP LOCKED
    ), sums AS (
        SELECT array_agg(id) AS ids, owner_id, status, sum(jobs) AS jobs, sum(gibibytes) AS gibibytes, sum(bytes) AS bytes
        FROM locked GROUP BY owner_id, status HAVING count(*) > 1
    ), replaced AS (
        DELETE FROM job_status_counts USING sums WHERE id = ANY (ids)
    )
    INSERT INTO job_status_counts (owner_id, status, jobs, gibibytes, bytes)
    SELECT owner_id, status, jobs, gibibytes, bytes FROM sums;
    RETURN NULL;
END
$$;

DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['lectern_count_jobs', 'lectern_count_changed_job', 'lectern_sum_status_counts']
    LOOP
        EXECUTE format('ALTER FUNCTION %I() SET search_path = pg_catalog, %I, pg_temp', name, current_schema());
    END LOOP;
END
$$;

ALTER TABLE job_status_counts DROP COLUMN stored_rows;
ALTER TABLE jobs DROP COLUMN stored_rows;
