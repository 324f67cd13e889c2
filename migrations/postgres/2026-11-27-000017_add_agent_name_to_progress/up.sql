-- The program that reports progress was logged and not stored.
ALTER TABLE jobs ADD COLUMN progress_agent_name TEXT
    CONSTRAINT jobs_progress_agent_name_length CHECK (char_length(progress_agent_name) <= 50);
ALTER TABLE stage_runs ADD COLUMN agent_name TEXT
    CONSTRAINT stage_runs_agent_name_length CHECK (char_length(agent_name) <= 50);
