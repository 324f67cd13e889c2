-- Rules that only the domain's constructors enforced: a row that another program
-- writes past them could not be read back. Among them is one that PostgreSQL
-- has by itself: no NUL character in a text or in a string of a JSON value, where it
-- is written as \u0000 (a backslash that is itself escaped does not count).
--
-- Triggers, because a CHECK cannot be added to a table that exists, and none may
-- look into an array. They fail with the words of a CHECK. Rows that break a rule
-- already stay where they are; new and changed rows are checked.

CREATE TRIGGER jobs_rules_insert BEFORE INSERT ON jobs
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: jobs_content_type_length')
    WHERE length(NEW.content_type) NOT BETWEEN 1 AND 255;
    SELECT RAISE(ABORT, 'CHECK constraint failed: jobs_celery_task_id_length')
    WHERE length(NEW.celery_task_id) NOT BETWEEN 1 AND 255;
    SELECT RAISE(ABORT, 'CHECK constraint failed: jobs_original_s3_key_not_empty')
    WHERE NEW.original_s3_key = '';
    SELECT RAISE(ABORT, 'CHECK constraint failed: jobs_compiled_video_s3_key_not_empty')
    WHERE NEW.compiled_video_s3_key = '';
    SELECT RAISE(ABORT, 'CHECK constraint failed: jobs_processing_config_processing_mode')
    WHERE COALESCE(json_type(iif(json_valid(NEW.processing_config), NEW.processing_config, '{}'), '$.processing_mode'), 'null') <> 'null'
      AND (json_type(NEW.processing_config, '$.processing_mode') <> 'text'
           OR json_extract(NEW.processing_config, '$.processing_mode') NOT IN ('audio', 'vision'));
    SELECT RAISE(ABORT, 'CHECK constraint failed: jobs_processing_config_resolution')
    WHERE COALESCE(json_type(iif(json_valid(NEW.processing_config), NEW.processing_config, '{}'), '$.resolution'), 'null') <> 'null'
      AND (json_type(NEW.processing_config, '$.resolution') <> 'text'
           OR json_extract(NEW.processing_config, '$.resolution') NOT IN ('720p', '1080p', '1440p', '2160p'));
    SELECT RAISE(ABORT, 'CHECK constraint failed: jobs_processing_config_pipeline')
    WHERE COALESCE(json_type(iif(json_valid(NEW.processing_config), NEW.processing_config, '{}'), '$.pipeline'), 'null') <> 'null'
      AND (json_type(NEW.processing_config, '$.pipeline') <> 'text'
           OR length(json_extract(NEW.processing_config, '$.pipeline')) NOT BETWEEN 1 AND 50);
    SELECT RAISE(ABORT, 'CHECK constraint failed: jobs_text_no_nul')
    WHERE instr(NEW.filename, char(0)) > 0
      OR instr(NEW.content_type, char(0)) > 0
      OR instr(NEW.original_s3_key, char(0)) > 0
      OR instr(NEW.compiled_video_s3_key, char(0)) > 0
      OR instr(NEW.error_message, char(0)) > 0
      OR instr(NEW.celery_task_id, char(0)) > 0
      OR instr(NEW.progress_message, char(0)) > 0;
    SELECT RAISE(ABORT, 'CHECK constraint failed: jobs_json_no_nul')
    WHERE instr(replace(NEW.video_metadata, '\\', ''), '\u0000') > 0
      OR instr(replace(NEW.processing_config, '\\', ''), '\u0000') > 0
      OR instr(replace(NEW.extra_metadata, '\\', ''), '\u0000') > 0;
END;

CREATE TRIGGER jobs_rules_update BEFORE UPDATE OF content_type, celery_task_id, original_s3_key, compiled_video_s3_key, processing_config, filename, error_message, progress_message, video_metadata, extra_metadata ON jobs
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: jobs_content_type_length')
    WHERE length(NEW.content_type) NOT BETWEEN 1 AND 255;
    SELECT RAISE(ABORT, 'CHECK constraint failed: jobs_celery_task_id_length')
    WHERE length(NEW.celery_task_id) NOT BETWEEN 1 AND 255;
    SELECT RAISE(ABORT, 'CHECK constraint failed: jobs_original_s3_key_not_empty')
    WHERE NEW.original_s3_key = '';
    SELECT RAISE(ABORT, 'CHECK constraint failed: jobs_compiled_video_s3_key_not_empty')
    WHERE NEW.compiled_video_s3_key = '';
    SELECT RAISE(ABORT, 'CHECK constraint failed: jobs_processing_config_processing_mode')
    WHERE COALESCE(json_type(iif(json_valid(NEW.processing_config), NEW.processing_config, '{}'), '$.processing_mode'), 'null') <> 'null'
      AND (json_type(NEW.processing_config, '$.processing_mode') <> 'text'
           OR json_extract(NEW.processing_config, '$.processing_mode') NOT IN ('audio', 'vision'));
    SELECT RAISE(ABORT, 'CHECK constraint failed: jobs_processing_config_resolution')
    WHERE COALESCE(json_type(iif(json_valid(NEW.processing_config), NEW.processing_config, '{}'), '$.resolution'), 'null') <> 'null'
      AND (json_type(NEW.processing_config, '$.resolution') <> 'text'
           OR json_extract(NEW.processing_config, '$.resolution') NOT IN ('720p', '1080p', '1440p', '2160p'));
    SELECT RAISE(ABORT, 'CHECK constraint failed: jobs_processing_config_pipeline')
    WHERE COALESCE(json_type(iif(json_valid(NEW.processing_config), NEW.processing_config, '{}'), '$.pipeline'), 'null') <> 'null'
      AND (json_type(NEW.processing_config, '$.pipeline') <> 'text'
           OR length(json_extract(NEW.processing_config, '$.pipeline')) NOT BETWEEN 1 AND 50);
    SELECT RAISE(ABORT, 'CHECK constraint failed: jobs_text_no_nul')
    WHERE instr(NEW.filename, char(0)) > 0
      OR instr(NEW.content_type, char(0)) > 0
      OR instr(NEW.original_s3_key, char(0)) > 0
      OR instr(NEW.compiled_video_s3_key, char(0)) > 0
      OR instr(NEW.error_message, char(0)) > 0
      OR instr(NEW.celery_task_id, char(0)) > 0
      OR instr(NEW.progress_message, char(0)) > 0;
    SELECT RAISE(ABORT, 'CHECK constraint failed: jobs_json_no_nul')
    WHERE instr(replace(NEW.video_metadata, '\\', ''), '\u0000') > 0
      OR instr(replace(NEW.processing_config, '\\', ''), '\u0000') > 0
      OR instr(replace(NEW.extra_metadata, '\\', ''), '\u0000') > 0;
END;

CREATE TRIGGER transcripts_rules_insert BEFORE INSERT ON transcripts
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: transcripts_text_not_blank')
    WHERE trim(NEW.text, char(9, 10, 11, 12, 13, 32, 133, 160, 5760, 8192, 8193, 8194, 8195, 8196, 8197, 
                           8198, 8199, 8200, 8201, 8202, 8232, 8233, 8239, 8287, 12288)) = '';
    SELECT RAISE(ABORT, 'CHECK constraint failed: transcripts_text_no_nul')
    WHERE instr(NEW.text, char(0)) > 0
      OR instr(NEW.speaker_id, char(0)) > 0;
END;

CREATE TRIGGER transcripts_rules_update BEFORE UPDATE OF text, speaker_id ON transcripts
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: transcripts_text_not_blank')
    WHERE trim(NEW.text, char(9, 10, 11, 12, 13, 32, 133, 160, 5760, 8192, 8193, 8194, 8195, 8196, 8197, 
                           8198, 8199, 8200, 8201, 8202, 8232, 8233, 8239, 8287, 12288)) = '';
    SELECT RAISE(ABORT, 'CHECK constraint failed: transcripts_text_no_nul')
    WHERE instr(NEW.text, char(0)) > 0
      OR instr(NEW.speaker_id, char(0)) > 0;
END;

CREATE TRIGGER content_segments_rules_insert BEFORE INSERT ON content_segments
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: content_segments_keywords_length')
    WHERE EXISTS (SELECT 1 FROM json_each(iif(json_valid(NEW.keywords), NEW.keywords, '[]')) WHERE length(value) NOT BETWEEN 1 AND 200);
    SELECT RAISE(ABORT, 'CHECK constraint failed: content_segments_concepts_length')
    WHERE EXISTS (SELECT 1 FROM json_each(iif(json_valid(NEW.concepts), NEW.concepts, '[]')) WHERE length(value) NOT BETWEEN 1 AND 200);
    SELECT RAISE(ABORT, 'CHECK constraint failed: content_segments_text_no_nul')
    WHERE instr(NEW.topic, char(0)) > 0
      OR instr(NEW.description, char(0)) > 0;
    SELECT RAISE(ABORT, 'CHECK constraint failed: content_segments_json_no_nul')
    WHERE instr(replace(NEW.keywords, '\\', ''), '\u0000') > 0
      OR instr(replace(NEW.concepts, '\\', ''), '\u0000') > 0;
END;

CREATE TRIGGER content_segments_rules_update BEFORE UPDATE OF keywords, concepts, topic, description ON content_segments
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: content_segments_keywords_length')
    WHERE EXISTS (SELECT 1 FROM json_each(iif(json_valid(NEW.keywords), NEW.keywords, '[]')) WHERE length(value) NOT BETWEEN 1 AND 200);
    SELECT RAISE(ABORT, 'CHECK constraint failed: content_segments_concepts_length')
    WHERE EXISTS (SELECT 1 FROM json_each(iif(json_valid(NEW.concepts), NEW.concepts, '[]')) WHERE length(value) NOT BETWEEN 1 AND 200);
    SELECT RAISE(ABORT, 'CHECK constraint failed: content_segments_text_no_nul')
    WHERE instr(NEW.topic, char(0)) > 0
      OR instr(NEW.description, char(0)) > 0;
    SELECT RAISE(ABORT, 'CHECK constraint failed: content_segments_json_no_nul')
    WHERE instr(replace(NEW.keywords, '\\', ''), '\u0000') > 0
      OR instr(replace(NEW.concepts, '\\', ''), '\u0000') > 0;
END;

CREATE TRIGGER clips_rules_insert BEFORE INSERT ON clips
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: clips_s3_key_not_empty')
    WHERE NEW.s3_key = '';
    SELECT RAISE(ABORT, 'CHECK constraint failed: clips_thumbnail_s3_key_not_empty')
    WHERE NEW.thumbnail_s3_key = '';
    SELECT RAISE(ABORT, 'CHECK constraint failed: clips_subtitle_s3_key_not_empty')
    WHERE NEW.subtitle_s3_key = '';
    SELECT RAISE(ABORT, 'CHECK constraint failed: clips_text_no_nul')
    WHERE instr(NEW.title, char(0)) > 0
      OR instr(NEW.topic, char(0)) > 0
      OR instr(NEW.s3_key, char(0)) > 0
      OR instr(NEW.thumbnail_s3_key, char(0)) > 0
      OR instr(NEW.subtitle_s3_key, char(0)) > 0;
    SELECT RAISE(ABORT, 'CHECK constraint failed: clips_json_no_nul')
    WHERE instr(replace(NEW.extra_metadata, '\\', ''), '\u0000') > 0;
END;

CREATE TRIGGER clips_rules_update BEFORE UPDATE OF s3_key, thumbnail_s3_key, subtitle_s3_key, title, topic, extra_metadata ON clips
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: clips_s3_key_not_empty')
    WHERE NEW.s3_key = '';
    SELECT RAISE(ABORT, 'CHECK constraint failed: clips_thumbnail_s3_key_not_empty')
    WHERE NEW.thumbnail_s3_key = '';
    SELECT RAISE(ABORT, 'CHECK constraint failed: clips_subtitle_s3_key_not_empty')
    WHERE NEW.subtitle_s3_key = '';
    SELECT RAISE(ABORT, 'CHECK constraint failed: clips_text_no_nul')
    WHERE instr(NEW.title, char(0)) > 0
      OR instr(NEW.topic, char(0)) > 0
      OR instr(NEW.s3_key, char(0)) > 0
      OR instr(NEW.thumbnail_s3_key, char(0)) > 0
      OR instr(NEW.subtitle_s3_key, char(0)) > 0;
    SELECT RAISE(ABORT, 'CHECK constraint failed: clips_json_no_nul')
    WHERE instr(replace(NEW.extra_metadata, '\\', ''), '\u0000') > 0;
END;

CREATE TRIGGER processing_logs_rules_insert BEFORE INSERT ON processing_logs
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: processing_logs_text_no_nul')
    WHERE instr(NEW.agent_name, char(0)) > 0
      OR instr(NEW.message, char(0)) > 0;
    SELECT RAISE(ABORT, 'CHECK constraint failed: processing_logs_json_no_nul')
    WHERE instr(replace(NEW.error_details, '\\', ''), '\u0000') > 0;
END;

CREATE TRIGGER processing_logs_rules_update BEFORE UPDATE OF agent_name, message, error_details ON processing_logs
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: processing_logs_text_no_nul')
    WHERE instr(NEW.agent_name, char(0)) > 0
      OR instr(NEW.message, char(0)) > 0;
    SELECT RAISE(ABORT, 'CHECK constraint failed: processing_logs_json_no_nul')
    WHERE instr(replace(NEW.error_details, '\\', ''), '\u0000') > 0;
END;

CREATE TRIGGER stage_runs_rules_insert BEFORE INSERT ON stage_runs
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: stage_runs_waits_for_stages')
    WHERE EXISTS (SELECT 1 FROM json_each(iif(json_valid(NEW.waits_for), NEW.waits_for, '[]')) WHERE type <> 'text'
                 OR value NOT IN ('silence_detection', 'transcription', 'layout_analysis', 'content_analysis', 'segmentation', 'compilation'));
    SELECT RAISE(ABORT, 'CHECK constraint failed: stage_runs_text_no_nul')
    WHERE instr(NEW.worker, char(0)) > 0
      OR instr(NEW.message, char(0)) > 0
      OR instr(NEW.error, char(0)) > 0;
END;

CREATE TRIGGER stage_runs_rules_update BEFORE UPDATE OF waits_for, worker, message, error ON stage_runs
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: stage_runs_waits_for_stages')
    WHERE EXISTS (SELECT 1 FROM json_each(iif(json_valid(NEW.waits_for), NEW.waits_for, '[]')) WHERE type <> 'text'
                 OR value NOT IN ('silence_detection', 'transcription', 'layout_analysis', 'content_analysis', 'segmentation', 'compilation'));
    SELECT RAISE(ABORT, 'CHECK constraint failed: stage_runs_text_no_nul')
    WHERE instr(NEW.worker, char(0)) > 0
      OR instr(NEW.message, char(0)) > 0
      OR instr(NEW.error, char(0)) > 0;
END;

CREATE TRIGGER idempotency_keys_rules_insert BEFORE INSERT ON idempotency_keys
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: idempotency_keys_key_visible')
    WHERE NEW.key GLOB '*[^!-~]*';
END;

CREATE TRIGGER idempotency_keys_rules_update BEFORE UPDATE OF key ON idempotency_keys
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: idempotency_keys_key_visible')
    WHERE NEW.key GLOB '*[^!-~]*';
END;
