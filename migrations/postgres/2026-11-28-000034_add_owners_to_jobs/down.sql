DROP TRIGGER jobs_count_update ON jobs;
CREATE TRIGGER jobs_count_update AFTER UPDATE OF status, file_size, created_at ON jobs
    FOR EACH ROW WHEN (OLD.status <> NEW.status OR OLD.file_size IS DISTINCT FROM NEW.file_size
                       OR OLD.created_at <> NEW.created_at)
    EXECUTE FUNCTION lectern_count_changed_job();

CREATE OR REPLACE FUNCTION lectern_record_deleted_jobs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO job_deletions (job_id, seq) SELECT job_id, LEAST(last_seq, 9223372036854775806) + 1 FROM deleted;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION lectern_count_jobs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    one CONSTANT INTEGER := TG_ARGV[0];
BEGIN
    INSERT INTO job_status_counts (status, jobs, gibibytes, bytes)
    SELECT status, one * count(*), one * COALESCE(sum(file_size >> 30), 0),
           one * COALESCE(sum(file_size & 1073741823), 0)
    FROM changed GROUP BY status;
    INSERT INTO job_hour_counts (hour, jobs)
    SELECT date_trunc('hour', created_at, 'UTC'), one * count(*) FROM changed GROUP BY 1;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION lectern_count_changed_job() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO job_status_counts (status, jobs, gibibytes, bytes) VALUES
        (OLD.status, -1, -COALESCE(OLD.file_size >> 30, 0), -COALESCE(OLD.file_size & 1073741823, 0)),
        (NEW.status, 1, COALESCE(NEW.file_size >> 30, 0), COALESCE(NEW.file_size & 1073741823, 0));
    IF OLD.created_at <> NEW.created_at THEN
        INSERT INTO job_hour_counts (hour, jobs) VALUES
            (date_trunc('hour', OLD.created_at, 'UTC'), -1),
            (date_trunc('hour', NEW.created_at, 'UTC'), 1);
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
        SELECT array_agg(id) AS ids, status, sum(jobs) AS jobs, sum(gibibytes) AS gibibytes, sum(bytes) AS bytes
        FROM locked GROUP BY status HAVING count(*) > 1
    ), replaced AS (
        DELETE FROM job_status_counts USING sums WHERE id = ANY (ids)
    )
    INSERT INTO job_status_counts (status, jobs, gibibytes, bytes)
    SELECT status, jobs, gibibytes, bytes FROM sums;
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
        SELECT array_agg(id) AS ids, hour, sum(jobs) AS jobs
        FROM locked GROUP BY hour HAVING count(*) > 1
    ), replaced AS (
        DELETE FROM job_hour_counts USING sums WHERE id = ANY (ids)
    )
    INSERT INTO job_hour_counts (hour, jobs) SELECT hour, jobs FROM sums WHERE jobs <> 0;
    RETURN NULL;
END
$$;

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

DELETE FROM job_hour_counts WHERE owner_id <> '';
DROP INDEX job_hour_counts_owner_id_hour_idx;
ALTER TABLE job_hour_counts DROP COLUMN owner_id;
CREATE INDEX job_hour_counts_hour_idx ON job_hour_counts (hour);
DELETE FROM job_status_counts WHERE owner_id <> '';
DROP INDEX job_status_counts_owner_id_status_idx;
ALTER TABLE job_status_counts DROP COLUMN owner_id;
ALTER TABLE job_deletions DROP COLUMN owner_id;
DROP INDEX jobs_owner_completed_at_idx;
DROP INDEX jobs_owner_status_settled_at_idx;
DROP INDEX jobs_owner_status_created_at_idx;
DROP INDEX jobs_owner_created_at_idx;
ALTER TABLE jobs DROP COLUMN owner_id;
