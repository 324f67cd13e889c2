ALTER TABLE silence_regions DROP COLUMN set_number;
ALTER TABLE transcripts DROP COLUMN set_number;
DROP TABLE row_sets;
