DROP INDEX silence_regions_without_set_idx;
DROP INDEX transcripts_without_set_idx;
DELETE FROM transcripts WHERE set_number IN (SELECT set_number FROM row_sets WHERE state <> 'shown');
DELETE FROM silence_regions WHERE set_number IN (SELECT set_number FROM row_sets WHERE state <> 'shown');
ALTER TABLE silence_regions DROP COLUMN set_number;
ALTER TABLE transcripts DROP COLUMN set_number;
DROP TABLE row_sets;
