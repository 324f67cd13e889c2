-- One row per recording. Children refer to the public job_id, so the integer
-- key never has to leave the database.
CREATE TABLE jobs (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id UUID NOT NULL DEFAULT gen_random_uuid() CONSTRAINT jobs_job_id_key UNIQUE,
    filename TEXT NOT NULL
        CONSTRAINT jobs_filename_length CHECK (char_length(filename) BETWEEN 1 AND 255),
    file_size BIGINT
        CONSTRAINT jobs_file_size_positive CHECK (file_size > 0),
    content_type TEXT NOT NULL DEFAULT 'video/mp4',
    original_s3_key TEXT
        CONSTRAINT jobs_original_s3_key_length CHECK (char_length(original_s3_key) <= 500),
    compiled_video_s3_key TEXT
        CONSTRAINT jobs_compiled_video_s3_key_length CHECK (char_length(compiled_video_s3_key) <= 500),
    -- NaN sorts after Infinity, so "< Infinity" refuses both.
    video_duration DOUBLE PRECISION
        CONSTRAINT jobs_video_duration_positive CHECK (video_duration > 0 AND video_duration < 'Infinity'),
    video_metadata JSONB NOT NULL DEFAULT '{}'
        CONSTRAINT jobs_video_metadata_object CHECK (jsonb_typeof(video_metadata) = 'object'),
    status TEXT NOT NULL DEFAULT 'queued'
        CONSTRAINT jobs_status_known
        CHECK (status IN ('pending', 'queued', 'running', 'completed', 'failed', 'cancelled')),
    error_message TEXT,
    celery_task_id TEXT,
    current_stage TEXT
        CONSTRAINT jobs_current_stage_known
        CHECK (current_stage IN ('uploading', 'silence_detection', 'transcription', 'layout_analysis',
                                 'content_analysis', 'segmentation', 'compilation', 'complete')),
    progress_percent DOUBLE PRECISION NOT NULL DEFAULT 0
        CONSTRAINT jobs_progress_percent_range CHECK (progress_percent BETWEEN 0 AND 100),
    progress_message TEXT
        CONSTRAINT jobs_progress_message_length CHECK (char_length(progress_message) <= 500),
    eta_seconds INTEGER
        CONSTRAINT jobs_eta_seconds_range CHECK (eta_seconds >= 0),
    processing_config JSONB
        CONSTRAINT jobs_processing_config_object CHECK (jsonb_typeof(processing_config) = 'object'),
    extra_metadata JSONB NOT NULL DEFAULT '{}'
        CONSTRAINT jobs_extra_metadata_object CHECK (jsonb_typeof(extra_metadata) = 'object'),
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    completed_at TIMESTAMPTZ,
    CONSTRAINT jobs_completed_at_iff_completed CHECK ((status = 'completed') = (completed_at IS NOT NULL))
);

-- Lists go newest first and break ties by the public id, which is also what a
-- page's cursor holds.
CREATE INDEX jobs_status_created_at_idx ON jobs (status, created_at, job_id);
CREATE INDEX jobs_created_at_idx ON jobs (created_at, job_id);
CREATE INDEX jobs_celery_task_id_idx ON jobs (celery_task_id) WHERE celery_task_id IS NOT NULL;
