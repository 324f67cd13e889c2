DROP TRIGGER jobs_count_rows;
DROP TRIGGER jobs_count_update;
DROP TRIGGER jobs_count_delete;
DROP TRIGGER jobs_count_insert;

ALTER TABLE job_status_counts DROP COLUMN stored_rows;
ALTER TABLE jobs DROP COLUMN stored_rows;

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
