DROP TRIGGER stage_runs_notes_update;
DROP TRIGGER stage_runs_notes_insert;
ALTER TABLE stage_runs DROP COLUMN notes;
