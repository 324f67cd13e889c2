ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_key_visible;

ALTER TABLE stage_runs DROP CONSTRAINT stage_runs_waits_for_stages;

ALTER TABLE clips
    DROP CONSTRAINT clips_s3_key_not_empty,
    DROP CONSTRAINT clips_thumbnail_s3_key_not_empty,
    DROP CONSTRAINT clips_subtitle_s3_key_not_empty;

ALTER TABLE content_segments
    DROP CONSTRAINT content_segments_keywords_length,
    DROP CONSTRAINT content_segments_concepts_length;

ALTER TABLE transcripts
    DROP CONSTRAINT transcripts_text_not_blank,
    ADD CONSTRAINT transcripts_text_not_blank CHECK (btrim(text, E' \t\n\v\f\r') <> '');

ALTER TABLE jobs
    DROP CONSTRAINT jobs_content_type_length,
    DROP CONSTRAINT jobs_celery_task_id_length,
    DROP CONSTRAINT jobs_original_s3_key_not_empty,
    DROP CONSTRAINT jobs_compiled_video_s3_key_not_empty,
    DROP CONSTRAINT jobs_processing_config_processing_mode,
    DROP CONSTRAINT jobs_processing_config_resolution,
    DROP CONSTRAINT jobs_processing_config_pipeline;
