ALTER TABLE jobs DROP COLUMN transcript_source;
