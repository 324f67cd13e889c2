-- Sets of many rows are stored in parts on SQLite, where other writes would wait for all of a set. On
-- PostgreSQL, they do not wait, and all of this stays empty. The columns are those of SQLite, because
-- the same queries are compiled for both.
CREATE TABLE row_sets (
    set_number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id UUID NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    table_name TEXT NOT NULL
        CONSTRAINT row_sets_table_name_known CHECK (table_name IN ('transcripts', 'silence_regions')),
    state TEXT NOT NULL
        CONSTRAINT row_sets_state_known CHECK (state IN ('staged', 'shown', 'hidden')),
    first_id BIGINT NOT NULL,
    last_id BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX row_sets_job_id_idx ON row_sets (job_id, table_name);
CREATE INDEX row_sets_not_shown_idx ON row_sets (state, set_number) WHERE state <> 'shown';

ALTER TABLE transcripts ADD COLUMN set_number BIGINT;
ALTER TABLE silence_regions ADD COLUMN set_number BIGINT;
