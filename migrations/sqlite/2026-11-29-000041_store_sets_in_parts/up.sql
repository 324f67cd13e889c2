-- Sets of many rows are stored in parts, so that other writes need not wait for all of a set.
-- A row with a set_number is part of a set, and is there for readers while the set is "shown":
-- it is "staged" while its parts are stored, and "hidden" from its replacement until the last of
-- its rows is deleted. Rows without a number are always there. Why: see "Large sets on SQLite" in
-- docs/architecture.md.
CREATE TABLE row_sets (
    set_number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    job_id TEXT NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    table_name TEXT NOT NULL
        CONSTRAINT row_sets_table_name_known CHECK (table_name IN ('transcripts', 'silence_regions')),
    state TEXT NOT NULL
        CONSTRAINT row_sets_state_known CHECK (state IN ('staged', 'shown', 'hidden')),
    -- The ids of its rows are in this range, in which there may be rows of others.
    first_id INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
        CONSTRAINT row_sets_created_at_utc
        CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z')
) STRICT;

CREATE INDEX row_sets_job_id_idx ON row_sets (job_id, table_name);
-- What readers must leave out: usually nothing.
CREATE INDEX row_sets_not_shown_idx ON row_sets (state, set_number) WHERE state <> 'shown';

ALTER TABLE transcripts ADD COLUMN set_number INTEGER;
ALTER TABLE silence_regions ADD COLUMN set_number INTEGER;

-- Finds the rows that a new set replaces beside those of sets.
CREATE INDEX transcripts_without_set_idx ON transcripts (job_id) WHERE set_number IS NULL;
CREATE INDEX silence_regions_without_set_idx ON silence_regions (job_id) WHERE set_number IS NULL;
