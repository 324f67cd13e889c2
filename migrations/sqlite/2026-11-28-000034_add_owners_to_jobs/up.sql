-- Whose a job is: the owner of the key with which it was created. NULL: nobody's, and only
-- callers without an owner find it. What belongs to a job has its owner.
ALTER TABLE jobs ADD COLUMN owner_id TEXT
    CONSTRAINT jobs_owner_id_length
    CHECK (length(owner_id) BETWEEN 1 AND 100 AND instr(owner_id, char(0)) = 0);

-- An owner's lists and counts read only the owner's jobs, in their order. Jobs without an
-- owner are in none of these indexes.
CREATE INDEX jobs_owner_created_at_idx ON jobs (owner_id, created_at, job_id, filename)
    WHERE owner_id IS NOT NULL;
CREATE INDEX jobs_owner_status_created_at_idx ON jobs (owner_id, status, created_at, job_id)
    WHERE owner_id IS NOT NULL;
CREATE INDEX jobs_owner_status_settled_at_idx ON jobs (owner_id, status, settled_at, job_id)
    WHERE owner_id IS NOT NULL;
CREATE INDEX jobs_owner_completed_at_idx ON jobs (owner_id, completed_at, job_id)
    WHERE owner_id IS NOT NULL AND completed_at IS NOT NULL;

DROP TRIGGER jobs_count_created_at;
DROP TRIGGER jobs_count_update;
DROP TRIGGER jobs_count_delete;
DROP TRIGGER jobs_count_insert;
DROP TRIGGER jobs_record_deletion;

-- The events of a job are deleted with it, so its deletion needs an owner of its own.
ALTER TABLE job_deletions ADD COLUMN owner_id TEXT;

CREATE TRIGGER jobs_record_deletion AFTER DELETE ON jobs
BEGIN
    INSERT INTO sqlite_sequence (name, seq)
    SELECT 'job_events', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'job_events');
    UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'job_events';
    INSERT INTO job_deletions (id, job_id, seq, owner_id)
    SELECT seq, OLD.job_id, min(OLD.last_seq, 9223372036854775806) + 1, OLD.owner_id
    FROM sqlite_sequence WHERE name = 'job_events';
END;

-- The jobs of an owner are counted twice: among all jobs, whose counts have an empty text as
-- owner, and with those of the owner. So the counts of all jobs are as few as before.
CREATE TABLE new_job_status_counts (
    id INTEGER NOT NULL PRIMARY KEY,
    status TEXT NOT NULL,
    jobs INTEGER NOT NULL,
    gibibytes INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    owner_id TEXT NOT NULL DEFAULT ''
) STRICT;
INSERT INTO new_job_status_counts (id, status, jobs, gibibytes, bytes)
SELECT id, status, jobs, gibibytes, bytes FROM job_status_counts;
DROP TABLE job_status_counts;
ALTER TABLE new_job_status_counts RENAME TO job_status_counts;
CREATE UNIQUE INDEX job_status_counts_owner_id_status_idx ON job_status_counts (owner_id, status);

ALTER TABLE job_hour_counts ADD COLUMN owner_id TEXT NOT NULL DEFAULT '';
DROP INDEX job_hour_counts_hour_idx;
CREATE UNIQUE INDEX job_hour_counts_owner_id_hour_idx ON job_hour_counts (owner_id, hour);

CREATE TRIGGER jobs_count_insert AFTER INSERT ON jobs
BEGIN
    INSERT INTO job_status_counts (owner_id, status, jobs, gibibytes, bytes)
    SELECT value, NEW.status, 1, COALESCE(NEW.file_size >> 30, 0), COALESCE(NEW.file_size & 1073741823, 0)
    FROM (SELECT '' AS value UNION ALL SELECT NEW.owner_id) WHERE value IS NOT NULL
    ON CONFLICT (owner_id, status) DO UPDATE
    SET jobs = jobs + 1, gibibytes = gibibytes + excluded.gibibytes, bytes = bytes + excluded.bytes;
    INSERT INTO job_hour_counts (owner_id, hour, jobs)
    SELECT value, substr(NEW.created_at, 1, 13) || ':00:00.000000Z', 1
    FROM (SELECT '' AS value UNION ALL SELECT NEW.owner_id) WHERE value IS NOT NULL
    ON CONFLICT (owner_id, hour) DO UPDATE SET jobs = jobs + 1;
END;

CREATE TRIGGER jobs_count_delete AFTER DELETE ON jobs
BEGIN
    UPDATE job_status_counts
    SET jobs = jobs - 1,
        gibibytes = gibibytes - COALESCE(OLD.file_size >> 30, 0),
        bytes = bytes - COALESCE(OLD.file_size & 1073741823, 0)
    WHERE owner_id IN ('', OLD.owner_id) AND status = OLD.status;
    UPDATE job_hour_counts SET jobs = jobs - 1
    WHERE owner_id IN ('', OLD.owner_id) AND hour = substr(OLD.created_at, 1, 13) || ':00:00.000000Z';
END;

CREATE TRIGGER jobs_count_update AFTER UPDATE OF status, file_size, owner_id ON jobs
WHEN OLD.status <> NEW.status OR OLD.file_size IS NOT NEW.file_size OR OLD.owner_id IS NOT NEW.owner_id
BEGIN
    UPDATE job_status_counts
    SET jobs = jobs - 1,
        gibibytes = gibibytes - COALESCE(OLD.file_size >> 30, 0),
        bytes = bytes - COALESCE(OLD.file_size & 1073741823, 0)
    WHERE owner_id IN ('', OLD.owner_id) AND status = OLD.status;
    INSERT INTO job_status_counts (owner_id, status, jobs, gibibytes, bytes)
    SELECT value, NEW.status, 1, COALESCE(NEW.file_size >> 30, 0), COALESCE(NEW.file_size & 1073741823, 0)
    FROM (SELECT '' AS value UNION ALL SELECT NEW.owner_id) WHERE value IS NOT NULL
    ON CONFLICT (owner_id, status) DO UPDATE
    SET jobs = jobs + 1, gibibytes = gibibytes + excluded.gibibytes, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER jobs_count_created_at AFTER UPDATE OF created_at, owner_id ON jobs
WHEN OLD.created_at <> NEW.created_at OR OLD.owner_id IS NOT NEW.owner_id
BEGIN
    UPDATE job_hour_counts SET jobs = jobs - 1
    WHERE owner_id IN ('', OLD.owner_id) AND hour = substr(OLD.created_at, 1, 13) || ':00:00.000000Z';
    INSERT INTO job_hour_counts (owner_id, hour, jobs)
    SELECT value, substr(NEW.created_at, 1, 13) || ':00:00.000000Z', 1
    FROM (SELECT '' AS value UNION ALL SELECT NEW.owner_id) WHERE value IS NOT NULL
    ON CONFLICT (owner_id, hour) DO UPDATE SET jobs = jobs + 1;
END;
