-- Clients correct single clips. A clip whose times have changed is stale until it is cut
-- again; the record of how its files were made shows a worker whether they are still right.
ALTER TABLE clips ADD COLUMN stale_since TEXT
    CONSTRAINT clips_stale_since_utc
    CHECK (stale_since GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z');
ALTER TABLE clips ADD COLUMN cut_record TEXT
    CONSTRAINT clips_cut_record_length CHECK (length(cut_record) BETWEEN 1 AND 4000 AND instr(cut_record, char(0)) = 0);
-- Counts the changes of single rows of the job's sets. A reader of pages compares it, because
-- a row that moves could otherwise be on two pages, or on none.
ALTER TABLE jobs ADD COLUMN row_edits INTEGER NOT NULL DEFAULT 0
    CONSTRAINT jobs_row_edits_range CHECK (row_edits >= 0);
