-- The language of each segment, because a recording may have several, and its words with their
-- times, at which clips can be cut.
ALTER TABLE transcripts ADD COLUMN language TEXT
    CONSTRAINT transcripts_language_tag
    CHECK (length(language) <= 35
           AND (language GLOB '[A-Za-z][A-Za-z]' OR language GLOB '[A-Za-z][A-Za-z][A-Za-z]'
                OR language GLOB '[A-Za-z][A-Za-z][-_]*'
                OR language GLOB '[A-Za-z][A-Za-z][A-Za-z][-_]*')
           AND language NOT GLOB '*[^A-Za-z0-9_-]*'
           AND language NOT GLOB '*[-_][-_]*'
           AND language NOT GLOB '*[-_]'
           AND language NOT GLOB '*[A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9]*'
           AND instr(language, char(0)) = 0);
ALTER TABLE transcripts ADD COLUMN words TEXT
    CONSTRAINT transcripts_words_array
    CHECK (CASE WHEN json_valid(words)
           THEN json_type(words) = 'array' AND json_array_length(words) BETWEEN 1 AND 2000
           ELSE words IS NULL END);

CREATE TRIGGER transcripts_words_insert BEFORE INSERT ON transcripts WHEN NEW.words IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: transcripts_words_objects')
    WHERE EXISTS (SELECT 1 FROM json_each(iif(json_valid(NEW.words), NEW.words, '[]')) AS word
                  WHERE word.type <> 'object'
                     OR coalesce(json_type(word.value, '$.start'), '') NOT IN ('integer', 'real')
                     OR coalesce(json_type(word.value, '$.end'), '') NOT IN ('integer', 'real')
                     OR json_type(word.value, '$.text') IS NOT 'text'
                     OR (word.value ->> '$.start') < 0
                     OR (word.value ->> '$.end') < (word.value ->> '$.start')
                     OR length(word.value ->> '$.text') NOT BETWEEN 1 AND 200
                     OR instr(word.value ->> '$.text', char(0)) > 0
                     OR json_type(word.value, '$.probability') NOT IN ('integer', 'real')
                     OR (word.value ->> '$.probability') NOT BETWEEN 0 AND 1);
END;

CREATE TRIGGER transcripts_words_update BEFORE UPDATE OF words ON transcripts WHEN NEW.words IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: transcripts_words_objects')
    WHERE EXISTS (SELECT 1 FROM json_each(iif(json_valid(NEW.words), NEW.words, '[]')) AS word
                  WHERE word.type <> 'object'
                     OR coalesce(json_type(word.value, '$.start'), '') NOT IN ('integer', 'real')
                     OR coalesce(json_type(word.value, '$.end'), '') NOT IN ('integer', 'real')
                     OR json_type(word.value, '$.text') IS NOT 'text'
                     OR (word.value ->> '$.start') < 0
                     OR (word.value ->> '$.end') < (word.value ->> '$.start')
                     OR length(word.value ->> '$.text') NOT BETWEEN 1 AND 200
                     OR instr(word.value ->> '$.text', char(0)) > 0
                     OR json_type(word.value, '$.probability') NOT IN ('integer', 'real')
                     OR (word.value ->> '$.probability') NOT BETWEEN 0 AND 1);
END;
