-- Lists of one stage read all jobs. Jobs that wait for their first stage have none, and
-- are not in the indexes.
-- An update that leaves the stage as it is, such as a report of progress, still changes
-- no index.
--
-- The second index is for lists of one stage and one status: few of the many jobs at a
-- stage may have a status, and few of the many with a status may be at a stage.
CREATE INDEX jobs_current_stage_created_at_idx ON jobs (current_stage, created_at, job_id)
    WHERE current_stage IS NOT NULL;
CREATE INDEX jobs_current_stage_status_idx ON jobs (current_stage, status, created_at, job_id)
    WHERE current_stage IS NOT NULL;
