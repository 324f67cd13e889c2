-- Lists in the order of the last change or of completion read all jobs.
--
-- Every report of progress changes updated_at. In an index, each report would add an entry
-- to every index of the table. So the time is indexed only while a job is not running, in
-- a column of its own: it is null while a job is running, and PostgreSQL leaves the indexes
-- alone if no value in them changes. Lists read the running jobs, which are few, by their
-- status.
ALTER TABLE jobs ADD COLUMN settled_at TIMESTAMPTZ
    GENERATED ALWAYS AS (CASE WHEN status <> 'running' THEN updated_at END) STORED;
CREATE INDEX jobs_status_settled_at_idx ON jobs (status, settled_at, job_id);
CREATE INDEX jobs_completed_at_idx ON jobs (completed_at, job_id) WHERE completed_at IS NOT NULL;
