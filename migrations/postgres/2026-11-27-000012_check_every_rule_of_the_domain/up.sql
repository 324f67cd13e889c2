-- Rules that only the domain's constructors enforced: a row that another program
-- writes past them could not be read back.
--
-- NOT VALID: rows that break a rule already stay where they are, so that they
-- cannot keep a database from being migrated. New and changed rows are checked.
ALTER TABLE jobs
    ADD CONSTRAINT jobs_content_type_length CHECK (char_length(content_type) BETWEEN 1 AND 255) NOT VALID,
    ADD CONSTRAINT jobs_celery_task_id_length CHECK (char_length(celery_task_id) BETWEEN 1 AND 255) NOT VALID,
    ADD CONSTRAINT jobs_original_s3_key_not_empty CHECK (original_s3_key <> '') NOT VALID,
    ADD CONSTRAINT jobs_compiled_video_s3_key_not_empty CHECK (compiled_video_s3_key <> '') NOT VALID,
    -- A setting that is absent or null is left to its default.
    ADD CONSTRAINT jobs_processing_config_processing_mode
        CHECK (COALESCE(processing_config -> 'processing_mode', 'null') IN ('null', '"audio"', '"vision"')) NOT VALID,
    ADD CONSTRAINT jobs_processing_config_resolution
        CHECK (COALESCE(processing_config -> 'resolution', 'null')
               IN ('null', '"720p"', '"1080p"', '"1440p"', '"2160p"')) NOT VALID,
    ADD CONSTRAINT jobs_processing_config_pipeline
        CHECK (COALESCE(jsonb_typeof(processing_config -> 'pipeline'), 'null') IN ('null', 'string')
               AND char_length(processing_config ->> 'pipeline') BETWEEN 1 AND 50) NOT VALID;

-- The characters with Unicode's property White_Space, which is what Rust trims.
ALTER TABLE transcripts
    DROP CONSTRAINT transcripts_text_not_blank,
    ADD CONSTRAINT transcripts_text_not_blank
        CHECK (btrim(text, E' \t\n\v\f\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000') <> '')
        NOT VALID;

ALTER TABLE content_segments
    ADD CONSTRAINT content_segments_keywords_length
        CHECK (NOT jsonb_path_exists(keywords, 'strict $[*] ? (!(@ like_regex "^.{1,200}$" flag "s"))')) NOT VALID,
    ADD CONSTRAINT content_segments_concepts_length
        CHECK (NOT jsonb_path_exists(concepts, 'strict $[*] ? (!(@ like_regex "^.{1,200}$" flag "s"))')) NOT VALID;

ALTER TABLE clips
    ADD CONSTRAINT clips_s3_key_not_empty CHECK (s3_key <> '') NOT VALID,
    ADD CONSTRAINT clips_thumbnail_s3_key_not_empty CHECK (thumbnail_s3_key <> '') NOT VALID,
    ADD CONSTRAINT clips_subtitle_s3_key_not_empty CHECK (subtitle_s3_key <> '') NOT VALID;

ALTER TABLE stage_runs
    ADD CONSTRAINT stage_runs_waits_for_stages
        CHECK (waits_for <@ '["silence_detection", "transcription", "layout_analysis",
                              "content_analysis", "segmentation", "compilation"]') NOT VALID;

ALTER TABLE idempotency_keys
    ADD CONSTRAINT idempotency_keys_key_visible CHECK (key ~ '^[!-~]+$') NOT VALID;
