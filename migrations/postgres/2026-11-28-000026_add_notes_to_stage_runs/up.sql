-- What a stage says about its output, for people to read: where a transcript was taken from, what
-- is missing.
ALTER TABLE stage_runs ADD COLUMN notes JSONB NOT NULL DEFAULT '[]'
    CONSTRAINT stage_runs_notes_array
    CHECK (jsonb_typeof(notes) = 'array' AND jsonb_array_length(notes) <= 50)
    CONSTRAINT stage_runs_notes_objects
    CHECK (NOT jsonb_path_exists(notes, '$[*] ?
        (!(@.level == "info" || @.level == "warning")
         || !(@.message.type() == "string") || @.message == ""
         || !(@.message like_regex "^(.{0,250}){0,4}$" flag "s"))'));
