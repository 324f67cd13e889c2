DROP TRIGGER transcripts_words_update;
DROP TRIGGER transcripts_words_insert;
ALTER TABLE transcripts DROP COLUMN words;
ALTER TABLE transcripts DROP COLUMN language;
