-- One row per recording. Children refer to the public job_id, so the integer
-- key never has to leave the database. STRICT makes the column types mean what
-- they say; the GLOBs make text the uuids and timestamps it stands for.
CREATE TABLE jobs (
    id INTEGER NOT NULL PRIMARY KEY,
    job_id TEXT NOT NULL
        DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2)
                 || '-' || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2)
                 || '-' || hex(randomblob(6))))
        CONSTRAINT jobs_job_id_key UNIQUE
        CONSTRAINT jobs_job_id_uuid
        CHECK (job_id GLOB '????????-????-????-????-????????????' AND job_id NOT GLOB '*[^-0-9a-f]*'),
    filename TEXT NOT NULL
        CONSTRAINT jobs_filename_length CHECK (length(filename) BETWEEN 1 AND 255),
    file_size INTEGER
        CONSTRAINT jobs_file_size_positive CHECK (file_size > 0),
    content_type TEXT NOT NULL DEFAULT 'video/mp4',
    original_s3_key TEXT
        CONSTRAINT jobs_original_s3_key_length CHECK (length(original_s3_key) <= 500),
    compiled_video_s3_key TEXT
        CONSTRAINT jobs_compiled_video_s3_key_length CHECK (length(compiled_video_s3_key) <= 500),
    -- 9e999 is infinity; NaN is stored as NULL.
    video_duration REAL
        CONSTRAINT jobs_video_duration_positive CHECK (video_duration > 0 AND video_duration < 9e999),
    video_metadata TEXT NOT NULL DEFAULT '{}'
        CONSTRAINT jobs_video_metadata_object
        CHECK (CASE WHEN json_valid(video_metadata) THEN json_type(video_metadata) = 'object' ELSE FALSE END),
    status TEXT NOT NULL DEFAULT 'queued'
        CONSTRAINT jobs_status_known
        CHECK (status IN ('pending', 'queued', 'running', 'completed', 'failed', 'cancelled')),
    error_message TEXT,
    celery_task_id TEXT,
    current_stage TEXT
        CONSTRAINT jobs_current_stage_known
        CHECK (current_stage IN ('uploading', 'silence_detection', 'transcription', 'layout_analysis',
                                 'content_analysis', 'segmentation', 'compilation', 'complete')),
    progress_percent REAL NOT NULL DEFAULT 0
        CONSTRAINT jobs_progress_percent_range CHECK (progress_percent BETWEEN 0 AND 100),
    progress_message TEXT
        CONSTRAINT jobs_progress_message_length CHECK (length(progress_message) <= 500),
    eta_seconds INTEGER
        CONSTRAINT jobs_eta_seconds_range CHECK (eta_seconds BETWEEN 0 AND 2147483647),
    processing_config TEXT
        CONSTRAINT jobs_processing_config_object
        CHECK (processing_config IS NULL
               OR CASE WHEN json_valid(processing_config) THEN json_type(processing_config) = 'object' ELSE FALSE END),
    extra_metadata TEXT NOT NULL DEFAULT '{}'
        CONSTRAINT jobs_extra_metadata_object
        CHECK (CASE WHEN json_valid(extra_metadata) THEN json_type(extra_metadata) = 'object' ELSE FALSE END),
    version INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
        CONSTRAINT jobs_created_at_utc
        CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
        CONSTRAINT jobs_updated_at_utc
        CHECK (updated_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    completed_at TEXT
        CONSTRAINT jobs_completed_at_utc
        CHECK (completed_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT jobs_completed_at_iff_completed CHECK ((status = 'completed') = (completed_at IS NOT NULL))
) STRICT;

-- Lists go newest first and break ties by the public id, which is also what a
-- page's cursor holds.
CREATE INDEX jobs_status_created_at_idx ON jobs (status, created_at, job_id);
CREATE INDEX jobs_created_at_idx ON jobs (created_at, job_id);
CREATE INDEX jobs_celery_task_id_idx ON jobs (celery_task_id) WHERE celery_task_id IS NOT NULL;
