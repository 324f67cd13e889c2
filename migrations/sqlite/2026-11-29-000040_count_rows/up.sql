-- How many rows the outputs and log entries of a job have, and the sums of these numbers by owner,
-- for the quota of an owner's rows. The library changes a job's number in the transaction that
-- stores or deletes the rows, and knows by how many: a trigger on the tables of the rows would
-- cost something for each row. The log entries that the service writes about attempts are not
-- counted, except those that there are now.
ALTER TABLE jobs ADD COLUMN stored_rows INTEGER NOT NULL DEFAULT 0
    CONSTRAINT jobs_stored_rows_range CHECK (stored_rows >= 0);
ALTER TABLE job_status_counts ADD COLUMN stored_rows INTEGER NOT NULL DEFAULT 0;

UPDATE jobs SET stored_rows = counted.rows
FROM (SELECT job_id, sum(rows) AS rows
      FROM (SELECT job_id, count(*) AS rows FROM transcripts GROUP BY job_id
          UNION ALL SELECT job_id, count(*) AS rows FROM silence_regions GROUP BY job_id
          UNION ALL SELECT job_id, count(*) AS rows FROM layout_analysis GROUP BY job_id
          UNION ALL SELECT job_id, count(*) AS rows FROM content_segments GROUP BY job_id
          UNION ALL SELECT job_id, count(*) AS rows FROM clips GROUP BY job_id
          UNION ALL SELECT job_id, count(*) AS rows FROM processing_logs GROUP BY job_id)
      GROUP BY job_id) AS counted
WHERE jobs.job_id = counted.job_id;

INSERT INTO job_status_counts (owner_id, status, jobs, gibibytes, bytes, stored_rows)
SELECT owner_id, status, 0, 0, 0, sum(stored_rows)
FROM (SELECT '' AS owner_id, status, stored_rows FROM jobs WHERE stored_rows > 0
      UNION ALL
      SELECT owner_id, status, stored_rows FROM jobs WHERE stored_rows > 0 AND owner_id IS NOT NULL)
WHERE TRUE GROUP BY 1, 2
ON CONFLICT (owner_id, status) DO UPDATE SET stored_rows = excluded.stored_rows;

DROP TRIGGER jobs_count_update;
DROP TRIGGER jobs_count_delete;
DROP TRIGGER jobs_count_insert;

CREATE TRIGGER jobs_count_insert AFTER INSERT ON jobs
BEGIN
    INSERT INTO job_status_counts (owner_id, status, jobs, gibibytes, bytes, stored_rows)
    SELECT value, NEW.status, 1, COALESCE(NEW.file_size >> 30, 0), COALESCE(NEW.file_size & 1073741823, 0),
           NEW.stored_rows
    FROM (SELECT '' AS value UNION ALL SELECT NEW.owner_id) WHERE value IS NOT NULL
    ON CONFLICT (owner_id, status) DO UPDATE
    SET jobs = jobs + 1, gibibytes = gibibytes + excluded.gibibytes, bytes = bytes + excluded.bytes,
        stored_rows = stored_rows + excluded.stored_rows;
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
        bytes = bytes - COALESCE(OLD.file_size & 1073741823, 0),
        stored_rows = stored_rows - OLD.stored_rows
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
        bytes = bytes - COALESCE(OLD.file_size & 1073741823, 0),
        stored_rows = stored_rows - OLD.stored_rows
    WHERE owner_id IN ('', OLD.owner_id) AND status = OLD.status;
    INSERT INTO job_status_counts (owner_id, status, jobs, gibibytes, bytes, stored_rows)
    SELECT value, NEW.status, 1, COALESCE(NEW.file_size >> 30, 0), COALESCE(NEW.file_size & 1073741823, 0),
           NEW.stored_rows
    FROM (SELECT '' AS value UNION ALL SELECT NEW.owner_id) WHERE value IS NOT NULL
    ON CONFLICT (owner_id, status) DO UPDATE
    SET jobs = jobs + 1, gibibytes = gibibytes + excluded.gibibytes, bytes = bytes + excluded.bytes,
        stored_rows = stored_rows + excluded.stored_rows;
END;

-- The condition excludes that of jobs_count_update, which counts the rows as well.
CREATE TRIGGER jobs_count_rows AFTER UPDATE OF stored_rows ON jobs
WHEN OLD.stored_rows <> NEW.stored_rows
     AND OLD.status = NEW.status AND OLD.file_size IS NEW.file_size AND OLD.owner_id IS NEW.owner_id
BEGIN
    UPDATE job_status_counts SET stored_rows = stored_rows + NEW.stored_rows - OLD.stored_rows
    WHERE owner_id IN ('', NEW.owner_id) AND status = NEW.status;
END;
