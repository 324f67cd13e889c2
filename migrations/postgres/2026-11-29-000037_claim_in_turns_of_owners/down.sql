DROP INDEX stage_runs_owner_id_started_at_idx;
DROP INDEX stage_runs_ready_stage_idx;
DROP INDEX stage_runs_ready_idx;
DROP TRIGGER jobs_owner_of_runs ON jobs;
DROP FUNCTION lectern_set_owner_of_runs();
ALTER TABLE stage_runs DROP COLUMN owner_id;
CREATE INDEX stage_runs_ready_idx ON stage_runs (priority DESC, created_at, id) WHERE status = 'ready';
CREATE INDEX stage_runs_ready_stage_idx ON stage_runs (stage, priority DESC, created_at, id) WHERE status = 'ready';
