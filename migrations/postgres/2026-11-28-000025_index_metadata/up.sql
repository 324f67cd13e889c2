-- Lists of the jobs with a value in extra_metadata (`metadata.<key>=<value>`) read all jobs.
--
-- Jobs without metadata are not in the index and cost nothing. New entries are gathered, and
-- moved into the index when they have 512 kB: every list reads the gathered ones, and the
-- statement that moves them waits for it, 30 ms or so.
CREATE INDEX jobs_extra_metadata_idx ON jobs USING gin (extra_metadata jsonb_path_ops)
    WITH (gin_pending_list_limit = 512) WHERE extra_metadata <> '{}';
