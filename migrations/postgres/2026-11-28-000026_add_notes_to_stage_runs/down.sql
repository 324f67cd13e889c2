ALTER TABLE stage_runs DROP COLUMN notes;
