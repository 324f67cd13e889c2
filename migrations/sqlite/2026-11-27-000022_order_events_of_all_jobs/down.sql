DROP TABLE event_feed;
DROP TRIGGER jobs_record_deletion;
DROP TABLE job_deletions;

ALTER TABLE job_events RENAME TO ordered_job_events;
CREATE TABLE job_events (
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
    PRIMARY KEY (job_id, seq)
) STRICT, WITHOUT ROWID;

INSERT INTO job_events (job_id, seq, type, data, at)
SELECT job_id, seq, type, data, at FROM ordered_job_events;
DROP TABLE ordered_job_events;
