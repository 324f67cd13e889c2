-- What happened to each job, for those who watch it. The number of an event is
-- given while the job's row is held, so that it has no gaps and the order of
-- the numbers is the order of the commits. The number is all the identity an
-- event needs.
ALTER TABLE jobs ADD COLUMN last_seq INTEGER NOT NULL DEFAULT 0
    CONSTRAINT jobs_last_seq_range CHECK (last_seq >= 0);

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
