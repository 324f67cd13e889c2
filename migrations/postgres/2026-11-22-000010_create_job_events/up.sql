-- What happened to each job, for those who watch it. The number of an event is
-- given while the job's row is held, so that it has no gaps and the order of
-- the numbers is the order of the commits. The number is all the identity an
-- event needs.
ALTER TABLE jobs ADD COLUMN last_seq BIGINT NOT NULL DEFAULT 0
    CONSTRAINT jobs_last_seq_range CHECK (last_seq >= 0);

CREATE TABLE job_events (
    job_id UUID NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    seq BIGINT NOT NULL
        CONSTRAINT job_events_seq_range CHECK (seq >= 1),
    type TEXT NOT NULL
        CONSTRAINT job_events_type_known CHECK (type IN ('progress', 'stage', 'complete', 'error')),
    data JSONB NOT NULL
        CONSTRAINT job_events_data_object CHECK (jsonb_typeof(data) = 'object'),
    at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, seq)
);
