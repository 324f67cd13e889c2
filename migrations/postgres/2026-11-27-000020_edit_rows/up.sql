-- Clients correct single clips. A clip whose times have changed is stale until it is cut
-- again; the record of how its files were made shows a worker whether they are still right.
ALTER TABLE clips ADD COLUMN stale_since TIMESTAMPTZ;
ALTER TABLE clips ADD COLUMN cut_record TEXT
    CONSTRAINT clips_cut_record_length CHECK (char_length(cut_record) BETWEEN 1 AND 4000);
-- Counts the changes of single rows of the job's sets. A reader of pages compares it, because
-- a row that moves could otherwise be on two pages, or on none.
ALTER TABLE jobs ADD COLUMN row_edits BIGINT NOT NULL DEFAULT 0
    CONSTRAINT jobs_row_edits_range CHECK (row_edits >= 0);
