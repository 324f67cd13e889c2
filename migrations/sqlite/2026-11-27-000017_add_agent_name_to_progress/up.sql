-- The program that reports progress was logged and not stored.
ALTER TABLE jobs ADD COLUMN progress_agent_name TEXT
    CONSTRAINT jobs_progress_agent_name_length CHECK (length(progress_agent_name) <= 50)
    CONSTRAINT jobs_progress_agent_name_no_nul CHECK (instr(progress_agent_name, char(0)) = 0);
ALTER TABLE stage_runs ADD COLUMN agent_name TEXT
    CONSTRAINT stage_runs_agent_name_length CHECK (length(agent_name) <= 50)
    CONSTRAINT stage_runs_agent_name_no_nul CHECK (instr(agent_name, char(0)) = 0);
