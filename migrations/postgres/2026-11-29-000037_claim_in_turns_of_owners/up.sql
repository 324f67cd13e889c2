-- Claims go round the owners, and take the highest priority of each. The owner of a run is that
-- of its job, kept here so that one index holds the order of an owner's claims. An empty text
-- stands for jobs without an owner, which are those of one more.
ALTER TABLE stage_runs ADD COLUMN owner_id TEXT NOT NULL DEFAULT '';
UPDATE stage_runs SET owner_id = jobs.owner_id FROM jobs
WHERE jobs.job_id = stage_runs.job_id AND jobs.owner_id IS NOT NULL;

CREATE FUNCTION lectern_set_owner_of_runs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    UPDATE stage_runs SET owner_id = COALESCE(NEW.owner_id, '') WHERE job_id = NEW.job_id;
    RETURN NULL;
END
$$;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION lectern_set_owner_of_runs() SET search_path = pg_catalog, %I, pg_temp',
                   current_schema());
END
$$;

CREATE TRIGGER jobs_owner_of_runs AFTER UPDATE OF owner_id ON jobs
    FOR EACH ROW WHEN (OLD.owner_id IS DISTINCT FROM NEW.owner_id)
    EXECUTE FUNCTION lectern_set_owner_of_runs();

DROP INDEX stage_runs_ready_idx;
CREATE INDEX stage_runs_ready_idx ON stage_runs (owner_id, priority DESC, created_at, id)
    WHERE status = 'ready';
DROP INDEX stage_runs_ready_stage_idx;
CREATE INDEX stage_runs_ready_stage_idx ON stage_runs (stage, owner_id, priority DESC, created_at, id)
    WHERE status = 'ready';
-- When an owner's turn was last: the latest start of one of its runs.
CREATE INDEX stage_runs_owner_id_started_at_idx ON stage_runs (owner_id, started_at)
    WHERE started_at IS NOT NULL;
