ALTER TABLE jobs DROP COLUMN row_edits;
ALTER TABLE clips DROP COLUMN cut_record;
ALTER TABLE clips DROP COLUMN stale_since;
