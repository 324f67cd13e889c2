-- ready_at is kept when a run is claimed and when it ends, so that the history of a stage can be
-- computed from its runs. A run that waits for other stages could not be claimed.
UPDATE stage_runs SET ready_at = NULL WHERE status = 'waiting' AND ready_at IS NOT NULL;

-- The history needs all times of the runs that have ended lately, whatever their outcome. The
-- statistics of the completed ones are read from this index, too.
DROP INDEX stage_runs_completed_idx;
CREATE INDEX stage_runs_finished_at_idx
    ON stage_runs (stage, finished_at, status, started_at, ready_at, owner_id)
    WHERE finished_at IS NOT NULL;
