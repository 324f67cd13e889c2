-- Lists of the jobs with a value in extra_metadata (`metadata.<key>=<value>`) read all jobs.
-- SQLite has no index of the values in a JSON object, so triggers keep them in a table.
--
-- It only finds candidates, whose metadata is then compared. So a long text is cut, true,
-- false and null are texts, and a job that INSERT OR REPLACE has removed, for which SQLite
-- calls no trigger, may stay. ANY keeps integers and other numbers apart from texts. There is
-- no foreign key, because deleting a job would read the whole table.
CREATE TABLE job_metadata (
    key TEXT NOT NULL,
    value ANY NOT NULL,
    job INTEGER NOT NULL,
    PRIMARY KEY (key, value, job)
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO job_metadata (key, value, job)
SELECT key, CASE WHEN type IN ('true', 'false', 'null') THEN type WHEN type = 'text' THEN substr(value, 1, 100) ELSE value END, jobs.id
FROM jobs, json_each(extra_metadata)
WHERE extra_metadata <> '{}' AND type NOT IN ('array', 'object')
ORDER BY 1, 2, 3;

CREATE TRIGGER jobs_metadata_insert AFTER INSERT ON jobs WHEN NEW.extra_metadata <> '{}'
BEGIN
    INSERT OR IGNORE INTO job_metadata (key, value, job)
    SELECT key, CASE WHEN type IN ('true', 'false', 'null') THEN type WHEN type = 'text' THEN substr(value, 1, 100) ELSE value END, NEW.id
    FROM json_each(NEW.extra_metadata) WHERE type NOT IN ('array', 'object');
END;

CREATE TRIGGER jobs_metadata_delete AFTER DELETE ON jobs WHEN OLD.extra_metadata <> '{}'
BEGIN
    DELETE FROM job_metadata WHERE (key, value, job) IN (
        SELECT key, CASE WHEN type IN ('true', 'false', 'null') THEN type WHEN type = 'text' THEN substr(value, 1, 100) ELSE value END, OLD.id
        FROM json_each(OLD.extra_metadata) WHERE type NOT IN ('array', 'object'));
END;

CREATE TRIGGER jobs_metadata_update AFTER UPDATE OF id, extra_metadata ON jobs
WHEN OLD.id <> NEW.id OR OLD.extra_metadata <> NEW.extra_metadata
BEGIN
    DELETE FROM job_metadata WHERE (key, value, job) IN (
        SELECT key, CASE WHEN type IN ('true', 'false', 'null') THEN type WHEN type = 'text' THEN substr(value, 1, 100) ELSE value END, OLD.id
        FROM json_each(OLD.extra_metadata) WHERE type NOT IN ('array', 'object'));
    INSERT OR IGNORE INTO job_metadata (key, value, job)
    SELECT key, CASE WHEN type IN ('true', 'false', 'null') THEN type WHEN type = 'text' THEN substr(value, 1, 100) ELSE value END, NEW.id
    FROM json_each(NEW.extra_metadata) WHERE type NOT IN ('array', 'object');
END;

-- Lists of a part of a filename read the names of all jobs. Here, without their rows.
DROP INDEX jobs_created_at_idx;
CREATE INDEX jobs_created_at_idx ON jobs (created_at, job_id, filename);
