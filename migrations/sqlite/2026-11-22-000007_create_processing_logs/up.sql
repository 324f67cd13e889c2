-- The audit trail: rows are only ever added.
CREATE TABLE processing_logs (
    id INTEGER NOT NULL PRIMARY KEY,
    log_id TEXT NOT NULL CONSTRAINT processing_logs_log_id_key UNIQUE
        CONSTRAINT processing_logs_log_id_uuid
        CHECK (log_id GLOB '????????-????-????-????-????????????' AND log_id NOT GLOB '*[^-0-9a-f]*'),
    job_id TEXT NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    stage TEXT NOT NULL
        CONSTRAINT processing_logs_stage_known
        CHECK (stage IN ('uploading', 'silence_detection', 'transcription', 'layout_analysis', 'content_analysis', 'segmentation', 'compilation', 'complete')),
    agent_name TEXT
        CONSTRAINT processing_logs_agent_name_length CHECK (length(agent_name) <= 50),
    status TEXT NOT NULL
        CONSTRAINT processing_logs_status_known
        CHECK (status IN ('started', 'completed', 'failed')),
    message TEXT,
    error_details TEXT
        CONSTRAINT processing_logs_error_details_object
        CHECK (error_details IS NULL
               OR CASE WHEN json_valid(error_details) THEN json_type(error_details) = 'object' ELSE FALSE END),
    duration_seconds REAL
        CONSTRAINT processing_logs_duration_seconds_range CHECK (duration_seconds >= 0 AND duration_seconds < 9e999),
    "timestamp" TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
        CONSTRAINT processing_logs_timestamp_utc
        CHECK ("timestamp" GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
        CONSTRAINT processing_logs_created_at_utc
        CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z')
) STRICT;

CREATE INDEX processing_logs_job_id_timestamp_idx ON processing_logs (job_id, "timestamp", log_id);
CREATE INDEX processing_logs_stage_status_idx ON processing_logs (stage, status);
