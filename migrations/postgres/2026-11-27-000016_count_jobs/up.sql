-- What GET /stats returns, so that it does not read every job: the jobs and bytes by
-- status, and the jobs by the hour of their creation. Triggers count, so that the jobs of
-- other programs are counted, too, and a rollback takes its counts with it.
--
-- One row per status would make each transaction wait for the last one that changed a job
-- of this status, and could deadlock with the locks on jobs. So every statement adds rows,
-- positive and negative ones, and the sum of all rows is the count. No row is updated, and
-- nothing waits. Now and then a trigger replaces the newest rows by their sums. It skips
-- rows that another transaction is replacing, and sees none of other transactions that are
-- not committed.
--
-- The size of a file is gibibytes * 2^30 + bytes: the sum of all sizes may be more than a
-- BIGINT holds.
CREATE TABLE job_status_counts (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    status TEXT NOT NULL,
    jobs BIGINT NOT NULL,
    gibibytes BIGINT NOT NULL,
    bytes BIGINT NOT NULL
);

CREATE TABLE job_hour_counts (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hour TIMESTAMPTZ NOT NULL,
    jobs BIGINT NOT NULL
);

CREATE INDEX job_hour_counts_hour_idx ON job_hour_counts (hour);

-- Counts the jobs of an INSERT or DELETE, which the triggers pass as the table `changed`.
-- The argument is what one job adds to a count, 1 or -1.
CREATE FUNCTION lectern_count_jobs() RETURNS trigger
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

CREATE FUNCTION lectern_count_changed_job() RETURNS trigger
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

CREATE FUNCTION lectern_count_no_jobs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    DELETE FROM job_status_counts;
    DELETE FROM job_hour_counts;
    RETURN NULL;
END
$$;

-- The next two functions replace the newest rows by their sums when a new id is a multiple
-- of 64: the last 256 rows if it is an odd multiple, twice as many for each further factor
-- of 2. So a row that was skipped is replaced later, and the number of rows grows with that
-- of statuses or hours only. If the id of a sum is such a multiple, the function is called
-- again. That ends, because a sum replaces at least two rows.
CREATE FUNCTION lectern_sum_status_counts() RETURNS trigger
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

CREATE FUNCTION lectern_sum_hour_counts() RETURNS trigger
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

-- The functions run with the rights of their owner, so that a program that may only write
-- jobs is counted as well, and with a path of their own, on which it cannot place tables.
DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['lectern_count_jobs', 'lectern_count_changed_job', 'lectern_count_no_jobs',
                                'lectern_sum_status_counts', 'lectern_sum_hour_counts']
    LOOP
        EXECUTE format('ALTER FUNCTION %I() SET search_path = pg_catalog, %I, pg_temp', name, current_schema());
    END LOOP;
END
$$;

-- One INSERT or DELETE adds one row per status and hour, however many jobs it has. The
-- lock of the first trigger also keeps the jobs from changing until the commit.
CREATE TRIGGER jobs_count_insert AFTER INSERT ON jobs REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION lectern_count_jobs('1');
CREATE TRIGGER jobs_count_delete AFTER DELETE ON jobs REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION lectern_count_jobs('-1');
-- Most updates change none of these columns: the condition is all that a report of
-- progress costs. A trigger for each statement could have neither columns nor a condition.
CREATE TRIGGER jobs_count_update AFTER UPDATE OF status, file_size, created_at ON jobs
    FOR EACH ROW WHEN (OLD.status <> NEW.status OR OLD.file_size IS DISTINCT FROM NEW.file_size
                       OR OLD.created_at <> NEW.created_at)
    EXECUTE FUNCTION lectern_count_changed_job();
CREATE TRIGGER jobs_count_truncate AFTER TRUNCATE ON jobs
    FOR EACH STATEMENT EXECUTE FUNCTION lectern_count_no_jobs();

INSERT INTO job_status_counts (status, jobs, gibibytes, bytes)
SELECT status, count(*), COALESCE(sum(file_size >> 30), 0), COALESCE(sum(file_size & 1073741823), 0)
FROM jobs GROUP BY status ORDER BY status;

INSERT INTO job_hour_counts (hour, jobs)
SELECT date_trunc('hour', created_at, 'UTC'), count(*) FROM jobs GROUP BY 1 ORDER BY 1;

-- Above READ COMMITTED, a row that was replaced since the snapshot would be an error
-- instead of being skipped, so nothing is replaced there.
CREATE TRIGGER job_status_counts_sum AFTER INSERT ON job_status_counts
    FOR EACH ROW WHEN (NEW.id % 64 = 0 AND current_setting('transaction_isolation') = 'read committed')
    EXECUTE FUNCTION lectern_sum_status_counts();
CREATE TRIGGER job_hour_counts_sum AFTER INSERT ON job_hour_counts
    FOR EACH ROW WHEN (NEW.id % 64 = 0 AND current_setting('transaction_isolation') = 'read committed')
    EXECUTE FUNCTION lectern_sum_hour_counts();
