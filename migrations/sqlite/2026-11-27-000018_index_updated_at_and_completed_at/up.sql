-- Lists in the order of the last change or of completion read all jobs.
--
-- The column is null while a job is running, so that reports of progress do not change
-- the index. Lists read the running jobs, which are few, by their status.
ALTER TABLE jobs ADD COLUMN settled_at TEXT
    GENERATED ALWAYS AS (CASE WHEN status <> 'running' THEN updated_at END) VIRTUAL;
CREATE INDEX jobs_status_settled_at_idx ON jobs (status, settled_at, job_id);
CREATE INDEX jobs_completed_at_idx ON jobs (completed_at, job_id) WHERE completed_at IS NOT NULL;
