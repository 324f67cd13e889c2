-- What a stage says about its output, for people to read: where a transcript was taken from, what
-- is missing.
ALTER TABLE stage_runs ADD COLUMN notes TEXT NOT NULL DEFAULT '[]'
    CONSTRAINT stage_runs_notes_array
    CHECK (CASE WHEN json_valid(notes) THEN json_type(notes) = 'array' AND json_array_length(notes) <= 50
           ELSE FALSE END);

CREATE TRIGGER stage_runs_notes_insert BEFORE INSERT ON stage_runs WHEN NEW.notes <> '[]'
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: stage_runs_notes_objects')
    WHERE EXISTS (SELECT 1 FROM json_each(iif(json_valid(NEW.notes), NEW.notes, '[]')) AS note
                  WHERE note.type <> 'object'
                     OR (note.value ->> '$.level') IS NOT 'info' AND (note.value ->> '$.level') IS NOT 'warning'
                     OR json_type(note.value, '$.message') IS NOT 'text'
                     OR length(note.value ->> '$.message') NOT BETWEEN 1 AND 1000
                     OR instr(note.value ->> '$.message', char(0)) > 0);
END;

CREATE TRIGGER stage_runs_notes_update BEFORE UPDATE OF notes ON stage_runs WHEN NEW.notes <> '[]'
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: stage_runs_notes_objects')
    WHERE EXISTS (SELECT 1 FROM json_each(iif(json_valid(NEW.notes), NEW.notes, '[]')) AS note
                  WHERE note.type <> 'object'
                     OR (note.value ->> '$.level') IS NOT 'info' AND (note.value ->> '$.level') IS NOT 'warning'
                     OR json_type(note.value, '$.message') IS NOT 'text'
                     OR length(note.value ->> '$.message') NOT BETWEEN 1 AND 1000
                     OR instr(note.value ->> '$.message', char(0)) > 0);
END;
