-- Claims go round the owners, and take the highest priority of each. The owner of a run is that
-- of its job, kept here so that one index holds the order of an owner's claims. An empty text
-- stands for jobs without an owner, which are those of one more.
ALTER TABLE stage_runs ADD COLUMN owner_id TEXT NOT NULL DEFAULT '';
UPDATE stage_runs SET owner_id = (SELECT owner_id FROM jobs WHERE jobs.job_id = stage_runs.job_id)
WHERE job_id IN (SELECT job_id FROM jobs WHERE owner_id IS NOT NULL);

CREATE TRIGGER jobs_owner_of_runs AFTER UPDATE OF owner_id ON jobs
WHEN OLD.owner_id IS NOT NEW.owner_id
BEGIN
    UPDATE stage_runs SET owner_id = COALESCE(NEW.owner_id, '') WHERE job_id = NEW.job_id;
END;

DROP INDEX stage_runs_ready_idx;
CREATE INDEX stage_runs_ready_idx ON stage_runs (owner_id, priority DESC, created_at, id)
    WHERE status = 'ready';
DROP INDEX stage_runs_ready_stage_idx;
CREATE INDEX stage_runs_ready_stage_idx ON stage_runs (stage, owner_id, priority DESC, created_at, id)
    WHERE status = 'ready';
-- When an owner's turn was last: the latest start of one of its runs.
CREATE INDEX stage_runs_owner_id_started_at_idx ON stage_runs (owner_id, started_at)
    WHERE started_at IS NOT NULL;
