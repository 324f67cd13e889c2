-- The language of each segment, because a recording may have several, and its words with their
-- times, at which clips can be cut.
ALTER TABLE transcripts ADD COLUMN language TEXT
    CONSTRAINT transcripts_language_tag
    CHECK (length(language) <= 35 AND language ~ '^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*$');
ALTER TABLE transcripts ADD COLUMN words JSONB
    CONSTRAINT transcripts_words_array
    CHECK (jsonb_typeof(words) = 'array' AND jsonb_array_length(words) BETWEEN 1 AND 2000)
    CONSTRAINT transcripts_words_objects
    CHECK (NOT jsonb_path_exists(words, 'strict $[*] ? (@.type() != "object")', '{}', TRUE)
           AND NOT jsonb_path_exists(words, '$[*] ?
        (!(@.start.type() == "number") || @.start < 0
         || !(@.end.type() == "number") || @.end < @.start
         || !(@.text.type() == "string") || !(@.text like_regex "^.{1,200}$" flag "s")
         || exists(@.probability) && (!(@.probability.type() == "number")
                                      || @.probability < 0 || @.probability > 1))'));
