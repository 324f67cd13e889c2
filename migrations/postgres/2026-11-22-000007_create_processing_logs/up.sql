-- The audit trail: rows are only ever added.
CREATE TABLE processing_logs (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    log_id UUID NOT NULL CONSTRAINT processing_logs_log_id_key UNIQUE,
    job_id UUID NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    stage TEXT NOT NULL
        CONSTRAINT processing_logs_stage_known
        CHECK (stage IN ('uploading', 'silence_detection', 'transcription', 'layout_analysis', 'content_analysis', 'segmentation', 'compilation', 'complete')),
    agent_name TEXT
        CONSTRAINT processing_logs_agent_name_length CHECK (char_length(agent_name) <= 50),
    status TEXT NOT NULL
        CONSTRAINT processing_logs_status_known
        CHECK (status IN ('started', 'completed', 'failed')),
    message TEXT,
    error_details JSONB
        CONSTRAINT processing_logs_error_details_object CHECK (jsonb_typeof(error_details) = 'object'),
    duration_seconds DOUBLE PRECISION
        CONSTRAINT processing_logs_duration_seconds_range CHECK (duration_seconds >= 0 AND duration_seconds < 'Infinity'),
    "timestamp" TIMESTAMPTZ NOT NULL DEFAULT now(),
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX processing_logs_job_id_timestamp_idx ON processing_logs (job_id, "timestamp", log_id);
CREATE INDEX processing_logs_stage_status_idx ON processing_logs (stage, status);
