DROP INDEX stage_runs_finished_at_idx;
CREATE INDEX stage_runs_completed_idx ON stage_runs (stage, finished_at, started_at, owner_id)
    WHERE status = 'completed';
