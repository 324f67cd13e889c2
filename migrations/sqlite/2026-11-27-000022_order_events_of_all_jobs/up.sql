-- One order for the events of all jobs, for programs that follow everything: the order of
-- their ids. SQLite has one writer at a time, so a lower id never appears after a higher
-- one. AUTOINCREMENT, because the id of a deleted event must not be used again: a reader
-- may have seen it. The columns are those of PostgreSQL, where transaction_id comes first
-- in the order.
CREATE TABLE new_job_events (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    transaction_id INTEGER NOT NULL DEFAULT 0
        CONSTRAINT job_events_transaction_id_range CHECK (transaction_id >= 0),
    job_id TEXT NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    seq INTEGER NOT NULL
        CONSTRAINT job_events_seq_range CHECK (seq >= 1),
    type TEXT NOT NULL
        CONSTRAINT job_events_type_known CHECK (type IN ('progress', 'stage', 'complete', 'error')),
    data TEXT NOT NULL
        CONSTRAINT job_events_data_object
        CHECK (CASE WHEN json_valid(data) THEN json_type(data) = 'object' ELSE FALSE END),
    at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
        CONSTRAINT job_events_at_utc
        CHECK (at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT job_events_pkey UNIQUE (job_id, seq)
) STRICT;

INSERT INTO new_job_events (job_id, seq, type, data, at)
SELECT job_id, seq, type, data, at FROM job_events ORDER BY at, job_id, seq;
DROP TABLE job_events;
ALTER TABLE new_job_events RENAME TO job_events;

-- The events of a job are deleted with it. What remains is that it was deleted, in the same
-- order. A job of this id may be created again, and deleted again.
CREATE TABLE job_deletions (
    id INTEGER NOT NULL PRIMARY KEY,
    transaction_id INTEGER NOT NULL DEFAULT 0
        CONSTRAINT job_deletions_transaction_id_range CHECK (transaction_id >= 0),
    job_id TEXT NOT NULL
        CONSTRAINT job_deletions_job_id_uuid
        CHECK (job_id GLOB '????????-????-????-????-????????????' AND job_id NOT GLOB '*[^-0-9a-f]*'),
    seq INTEGER NOT NULL
        CONSTRAINT job_deletions_seq_range CHECK (seq >= 1),
    at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
        CONSTRAINT job_deletions_at_utc
        CHECK (at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z')
) STRICT;

CREATE INDEX job_deletions_at_idx ON job_deletions (at);

-- A deletion takes its id from the ids of the events.
CREATE TRIGGER jobs_record_deletion AFTER DELETE ON jobs
BEGIN
    INSERT INTO sqlite_sequence (name, seq)
    SELECT 'job_events', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'job_events');
    UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'job_events';
    INSERT INTO job_deletions (id, job_id, seq)
    SELECT seq, OLD.job_id, min(OLD.last_seq, 9223372036854775806) + 1
    FROM sqlite_sequence WHERE name = 'job_events';
END;

-- Which positions in this order are valid. Events up to the pruned one are incomplete,
-- because some of them were deleted after their retention. The generation is another one
-- once the numbers have lost their meaning, as in a restored database. Without a row, all
-- three are 0.
CREATE TABLE event_feed (
    id INTEGER NOT NULL PRIMARY KEY
        CONSTRAINT event_feed_one_row CHECK (id = 1),
    generation INTEGER NOT NULL DEFAULT 0
        CONSTRAINT event_feed_generation_range CHECK (generation BETWEEN 0 AND 2147483647),
    pruned_transaction_id INTEGER NOT NULL DEFAULT 0
        CONSTRAINT event_feed_pruned_transaction_id_range CHECK (pruned_transaction_id >= 0),
    pruned_id INTEGER NOT NULL DEFAULT 0
        CONSTRAINT event_feed_pruned_id_range CHECK (pruned_id >= 0)
) STRICT;
