-- How many rows the outputs and log entries of a job have, and the sums of these numbers by owner,
-- for the quota of an owner's rows. The library changes a job's number in the transaction that
-- stores or deletes the rows, and knows by how many: a trigger on the tables of the rows would
-- cost something for each row. The log entries that the service writes about attempts are not
-- counted, except those that there are now.
ALTER TABLE jobs ADD COLUMN stored_rows BIGINT NOT NULL DEFAULT 0
    CONSTRAINT jobs_stored_rows_range CHECK (stored_rows >= 0);
ALTER TABLE job_status_counts ADD COLUMN stored_rows BIGINT NOT NULL DEFAULT 0;

UPDATE jobs SET stored_rows = counted.rows
FROM (SELECT job_id, sum(rows) AS rows
      FROM (SELECT job_id, count(*) AS rows FROM transcripts GROUP BY job_id
          UNION ALL SELECT job_id, count(*) AS rows FROM silence_regions GROUP BY job_id
          UNION ALL SELECT job_id, count(*) AS rows FROM layout_analysis GROUP BY job_id
          UNION ALL SELECT job_id, count(*) AS rows FROM content_segments GROUP BY job_id
          UNION ALL SELECT job_id, count(*) AS rows FROM clips GROUP BY job_id
          UNION ALL SELECT job_id, count(*) AS rows FROM processing_logs GROUP BY job_id) AS tables
      GROUP BY job_id) AS counted
WHERE jobs.job_id = counted.job_id;

INSERT INTO job_status_counts (owner_id, status, jobs, gibibytes, bytes, stored_rows)
SELECT counted.owner_id, status, 0, 0, 0, sum(stored_rows)
FROM (SELECT '' AS owner_id, status, stored_rows FROM jobs WHERE stored_rows > 0
      UNION ALL
      SELECT owner_id, status, stored_rows FROM jobs WHERE stored_rows > 0 AND owner_id IS NOT NULL) AS counted
GROUP BY counted.owner_id, status ORDER BY 1, 2;

CREATE OR REPLACE FUNCTION lectern_count_jobs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    one CONSTANT INTEGER := TG_ARGV[0];
BEGIN
    INSERT INTO job_status_counts (owner_id, status, jobs, gibibytes, bytes, stored_rows)
    SELECT counted.owner_id, status, one * count(*), one * COALESCE(sum(file_size >> 30), 0),
           one * COALESCE(sum(file_size & 1073741823), 0), one * sum(stored_rows)
    FROM (SELECT '' AS owner_id, status, file_size, stored_rows FROM changed
          UNION ALL
          SELECT owner_id, status, file_size, stored_rows FROM changed WHERE owner_id IS NOT NULL) AS counted
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
    INSERT INTO job_status_counts (owner_id, status, jobs, gibibytes, bytes, stored_rows)
    SELECT owner_id, status, one, one * COALESCE(file_size >> 30, 0), one * COALESCE(file_size & 1073741823, 0),
           one * stored_rows
    FROM (VALUES ('', OLD.status, OLD.file_size, OLD.stored_rows, -1),
                 ('', NEW.status, NEW.file_size, NEW.stored_rows, 1),
                 (OLD.owner_id, OLD.status, OLD.file_size, OLD.stored_rows, -1),
                 (NEW.owner_id, NEW.status, NEW.file_size, NEW.stored_rows, 1))
         AS changed (owner_id, status, file_size, stored_rows, one)
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
        SELECT array_agg(id) AS ids, owner_id, status, sum(jobs) AS jobs, sum(gibibytes) AS gibibytes,
               sum(bytes) AS bytes, sum(stored_rows) AS stored_rows
        FROM locked GROUP BY owner_id, status HAVING count(*) > 1
    ), replaced AS (
        DELETE FROM job_status_counts USING sums WHERE id = ANY (ids)
    )
    INSERT INTO job_status_counts (owner_id, status, jobs, gibibytes, bytes, stored_rows)
    SELECT owner_id, status, jobs, gibibytes, bytes, stored_rows FROM sums;
    RETURN NULL;
END
$$;

-- A change of nothing else that is counted adds two rows instead of four.
CREATE FUNCTION lectern_count_stored_rows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO job_status_counts (owner_id, status, jobs, gibibytes, bytes, stored_rows)
    SELECT owner_id, NEW.status, 0, 0, 0, NEW.stored_rows - OLD.stored_rows
    FROM (VALUES (''), (NEW.owner_id)) AS changed (owner_id)
    WHERE owner_id IS NOT NULL;
    RETURN NULL;
END
$$;

-- A replaced function has lost its path.
DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['lectern_count_jobs', 'lectern_count_changed_job', 'lectern_count_stored_rows',
                                'lectern_sum_status_counts']
    LOOP
        EXECUTE format('ALTER FUNCTION %I() SET search_path = pg_catalog, %I, pg_temp', name, current_schema());
    END LOOP;
END
$$;

-- The condition excludes that of jobs_count_update, which counts the rows as well.
CREATE TRIGGER jobs_count_rows AFTER UPDATE OF stored_rows ON jobs
    FOR EACH ROW WHEN (OLD.stored_rows <> NEW.stored_rows
                       AND OLD.status = NEW.status AND OLD.file_size IS NOT DISTINCT FROM NEW.file_size
                       AND OLD.created_at = NEW.created_at AND OLD.owner_id IS NOT DISTINCT FROM NEW.owner_id)
    EXECUTE FUNCTION lectern_count_stored_rows();
