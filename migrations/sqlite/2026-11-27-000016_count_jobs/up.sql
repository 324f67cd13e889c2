-- What GET /stats returns, so that it does not read every job: the jobs and bytes by
-- status, and the jobs by the hour of their creation. Triggers count, so that the jobs of
-- other programs are counted, too, and a rollback takes its counts with it. Only a job
-- that INSERT OR REPLACE removes is still counted, because SQLite calls no trigger then,
-- unless its PRAGMA recursive_triggers is on.
--
-- SQLite has one writer at a time, so one row per status keeps nobody waiting.
--
-- The size of a file is gibibytes * 2^30 + bytes: the sum of all sizes may be more than an
-- INTEGER holds.
CREATE TABLE job_status_counts (
    id INTEGER NOT NULL PRIMARY KEY,
    status TEXT NOT NULL CONSTRAINT job_status_counts_status_key UNIQUE,
    jobs INTEGER NOT NULL,
    gibibytes INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT;

CREATE TABLE job_hour_counts (
    id INTEGER NOT NULL PRIMARY KEY,
    hour TEXT NOT NULL,
    jobs INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX job_hour_counts_hour_idx ON job_hour_counts (hour);

INSERT INTO job_status_counts (status, jobs, gibibytes, bytes)
SELECT value, count(job_id), COALESCE(sum(file_size >> 30), 0), COALESCE(sum(file_size & 1073741823), 0)
FROM json_each('["pending", "queued", "running", "completed", "failed", "cancelled"]')
LEFT JOIN jobs ON status = value
GROUP BY value ORDER BY value;

INSERT INTO job_hour_counts (hour, jobs)
SELECT substr(created_at, 1, 13) || ':00:00.000000Z' AS hour, count(*) FROM jobs GROUP BY 1 ORDER BY 1;

CREATE TRIGGER jobs_count_insert AFTER INSERT ON jobs
BEGIN
    UPDATE job_status_counts
    SET jobs = jobs + 1,
        gibibytes = gibibytes + COALESCE(NEW.file_size >> 30, 0),
        bytes = bytes + COALESCE(NEW.file_size & 1073741823, 0)
    WHERE status = NEW.status;
    INSERT INTO job_hour_counts (hour, jobs) VALUES (substr(NEW.created_at, 1, 13) || ':00:00.000000Z', 1)
    ON CONFLICT (hour) DO UPDATE SET jobs = jobs + 1;
END;

CREATE TRIGGER jobs_count_delete AFTER DELETE ON jobs
BEGIN
    UPDATE job_status_counts
    SET jobs = jobs - 1,
        gibibytes = gibibytes - COALESCE(OLD.file_size >> 30, 0),
        bytes = bytes - COALESCE(OLD.file_size & 1073741823, 0)
    WHERE status = OLD.status;
    UPDATE job_hour_counts SET jobs = jobs - 1 WHERE hour = substr(OLD.created_at, 1, 13) || ':00:00.000000Z';
END;

CREATE TRIGGER jobs_count_update AFTER UPDATE OF status, file_size ON jobs
WHEN OLD.status <> NEW.status OR OLD.file_size IS NOT NEW.file_size
BEGIN
    UPDATE job_status_counts
    SET jobs = jobs - 1,
        gibibytes = gibibytes - COALESCE(OLD.file_size >> 30, 0),
        bytes = bytes - COALESCE(OLD.file_size & 1073741823, 0)
    WHERE status = OLD.status;
    UPDATE job_status_counts
    SET jobs = jobs + 1,
        gibibytes = gibibytes + COALESCE(NEW.file_size >> 30, 0),
        bytes = bytes + COALESCE(NEW.file_size & 1073741823, 0)
    WHERE status = NEW.status;
END;

CREATE TRIGGER jobs_count_created_at AFTER UPDATE OF created_at ON jobs
WHEN OLD.created_at <> NEW.created_at
BEGIN
    UPDATE job_hour_counts SET jobs = jobs - 1 WHERE hour = substr(OLD.created_at, 1, 13) || ':00:00.000000Z';
    INSERT INTO job_hour_counts (hour, jobs) VALUES (substr(NEW.created_at, 1, 13) || ':00:00.000000Z', 1)
    ON CONFLICT (hour) DO UPDATE SET jobs = jobs + 1;
END;
