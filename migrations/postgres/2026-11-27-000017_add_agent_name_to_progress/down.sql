ALTER TABLE stage_runs DROP COLUMN agent_name;
ALTER TABLE jobs DROP COLUMN progress_agent_name;
