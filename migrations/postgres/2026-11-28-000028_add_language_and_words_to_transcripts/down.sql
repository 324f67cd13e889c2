ALTER TABLE transcripts DROP COLUMN words;
ALTER TABLE transcripts DROP COLUMN language;
