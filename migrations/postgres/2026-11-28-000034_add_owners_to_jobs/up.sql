-- Whose a job is: the owner of the key with which it was created. NULL: nobody's, and only
-- callers without an owner find it. What belongs to a job has its owner.
ALTER TABLE jobs ADD COLUMN owner_id TEXT
    CONSTRAINT jobs_owner_id_length CHECK (char_length(owner_id) BETWEEN 1 AND 100);

-- An owner's lists and counts read only the owner's jobs, in their order. Jobs without an
-- owner are in none of these indexes.
CREATE INDEX jobs_owner_created_at_idx ON jobs (owner_id, created_at, job_id)
    WHERE owner_id IS NOT NULL;
CREATE INDEX jobs_owner_status_created_at_idx ON jobs (owner_id, status, created_at, job_id)
    WHERE owner_id IS NOT NULL;
CREATE INDEX jobs_owner_status_settled_at_idx ON jobs (owner_id, status, settled_at, job_id)
    WHERE owner_id IS NOT NULL;
CREATE INDEX jobs_owner_completed_at_idx ON jobs (owner_id, completed_at, job_id)
    WHERE owner_id IS NOT NULL AND completed_at IS NOT NULL;

-- The events of a job are deleted with it, so its deletion needs an owner of its own.
ALTER TABLE job_deletions ADD COLUMN owner_id TEXT;

CREATE OR REPLACE FUNCTION lectern_record_deleted_jobs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO job_deletions (job_id, seq, owner_id)
    SELECT job_id, LEAST(last_seq, 9223372036854775806) + 1, owner_id FROM deleted;
    RETURN NULL;
END
$$;

-- The jobs of an owner are counted twice: among all jobs, whose counts have an empty text as
-- owner, and with those of the owner. So the counts of all jobs are as few as before.
ALTER TABLE job_status_counts ADD COLUMN owner_id TEXT NOT NULL DEFAULT '';
CREATE INDEX job_status_counts_owner_id_status_idx ON job_status_counts (owner_id, status);
ALTER TABLE job_hour_counts ADD COLUMN owner_id TEXT NOT NULL DEFAULT '';
DROP INDEX job_hour_counts_hour_idx;
CREATE INDEX job_hour_counts_owner_id_hour_idx ON job_hour_counts (owner_id, hour);

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

CREATE OR REPLACE FUNCTION lectern_sum_hour_counts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    WITH locked AS MATERIALIZED (
        SELECT * FROM job_hour_counts WHERE id > NEW.id - 4 * (NEW.id & -NEW.id)
        FOR UPDATE SKIP LOCKED
    ), sums AS (
        SELECT array_agg(id) AS ids, owner_id, hour, sum(jobs) AS jobs
        FROM locked GROUP BY owner_id, hour HAVING count(*) > 1
    ), replaced AS (
        DELETE FROM job_hour_counts USING sums WHERE id = ANY (ids)
    )
    INSERT INTO job_hour_counts (owner_id, hour, jobs)
    SELECT owner_id, hour, jobs FROM sums WHERE jobs <> 0;
    RETURN NULL;
END
$$;

-- A replaced function has lost its path.
DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['lectern_record_deleted_jobs', 'lectern_count_jobs', 'lectern_count_changed_job',
                                'lectern_sum_status_counts', 'lectern_sum_hour_counts']
    LOOP
        EXECUTE format('ALTER FUNCTION %I() SET search_path = pg_catalog, %I, pg_temp', name, current_schema());
    END LOOP;
END
$$;

DROP TRIGGER jobs_count_update ON jobs;
CREATE TRIGGER jobs_count_update AFTER UPDATE OF status, file_size, created_at, owner_id ON jobs
    FOR EACH ROW WHEN (OLD.status <> NEW.status OR OLD.file_size IS DISTINCT FROM NEW.file_size
                       OR OLD.created_at <> NEW.created_at OR OLD.owner_id IS DISTINCT FROM NEW.owner_id)
    EXECUTE FUNCTION lectern_count_changed_job();
