DROP TRIGGER jobs_count_created_at;
DROP TRIGGER jobs_count_update;
DROP TRIGGER jobs_count_delete;
DROP TRIGGER jobs_count_insert;
DROP TRIGGER jobs_record_deletion;

CREATE TABLE counts_of_all_owners AS
SELECT id, status, jobs, gibibytes, bytes FROM job_status_counts WHERE owner_id = '';
DROP TABLE job_status_counts;
CREATE TABLE job_status_counts (
    id INTEGER NOT NULL PRIMARY KEY,
    status TEXT NOT NULL CONSTRAINT job_status_counts_status_key UNIQUE,
    jobs INTEGER NOT NULL,
    gibibytes INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT;
INSERT INTO job_status_counts SELECT * FROM counts_of_all_owners;
DROP TABLE counts_of_all_owners;

DELETE FROM job_hour_counts WHERE owner_id <> '';
DROP INDEX job_hour_counts_owner_id_hour_idx;
ALTER TABLE job_hour_counts DROP COLUMN owner_id;
CREATE UNIQUE INDEX job_hour_counts_hour_idx ON job_hour_counts (hour);

ALTER TABLE job_deletions DROP COLUMN owner_id;
DROP INDEX jobs_owner_completed_at_idx;
DROP INDEX jobs_owner_status_settled_at_idx;
DROP INDEX jobs_owner_status_created_at_idx;
DROP INDEX jobs_owner_created_at_idx;
ALTER TABLE jobs DROP COLUMN owner_id;

CREATE TRIGGER jobs_record_deletion AFTER DELETE ON jobs
BEGIN
    INSERT INTO sqlite_sequence (name, seq)
    SELECT 'job_events', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'job_events');
    UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'job_events';
    INSERT INTO job_deletions (id, job_id, seq)
    SELECT seq, OLD.job_id, min(OLD.last_seq, 9223372036854775806) + 1
    FROM sqlite_sequence WHERE name = 'job_events';
END;

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
