// @generated automatically by Diesel CLI.

diesel::table! {
    use crate::sql_types::*;

    clips (id) {
        id -> Int8,
        clip_id -> Uuid,
        job_id -> Uuid,
        content_segment_id -> Nullable<Uuid>,
        title -> Text,
        topic -> Nullable<Text>,
        importance_score -> Nullable<Float8>,
        start_time -> Float8,
        end_time -> Float8,
        duration -> Float8,
        s3_key -> Nullable<Text>,
        thumbnail_s3_key -> Nullable<Text>,
        subtitle_s3_key -> Nullable<Text>,
        clip_order -> Int4,
        extra_metadata -> Jsonb,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::sql_types::*;

    content_segments (id) {
        id -> Int8,
        segment_id -> Uuid,
        job_id -> Uuid,
        start_time -> Float8,
        end_time -> Float8,
        duration -> Float8,
        topic -> Text,
        description -> Nullable<Text>,
        importance_score -> Float8,
        keywords -> Jsonb,
        concepts -> Jsonb,
        segment_order -> Int4,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::sql_types::*;

    jobs (id) {
        id -> Int8,
        job_id -> Uuid,
        filename -> Text,
        file_size -> Nullable<Int8>,
        content_type -> Text,
        original_s3_key -> Nullable<Text>,
        compiled_video_s3_key -> Nullable<Text>,
        video_duration -> Nullable<Float8>,
        video_metadata -> Jsonb,
        status -> Text,
        error_message -> Nullable<Text>,
        celery_task_id -> Nullable<Text>,
        current_stage -> Nullable<Text>,
        progress_percent -> Float8,
        progress_message -> Nullable<Text>,
        eta_seconds -> Nullable<Int4>,
        processing_config -> Nullable<Jsonb>,
        extra_metadata -> Jsonb,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        completed_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    use crate::sql_types::*;

    layout_analysis (id) {
        id -> Int8,
        layout_id -> Uuid,
        job_id -> Uuid,
        layout_type -> Text,
        screen_region -> Nullable<Jsonb>,
        camera_region -> Nullable<Jsonb>,
        split_ratio -> Nullable<Float8>,
        confidence_score -> Float8,
        sample_frame_time -> Nullable<Float8>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::sql_types::*;

    processing_logs (id) {
        id -> Int8,
        log_id -> Uuid,
        job_id -> Uuid,
        stage -> Text,
        agent_name -> Nullable<Text>,
        status -> Text,
        message -> Nullable<Text>,
        error_details -> Nullable<Jsonb>,
        duration_seconds -> Nullable<Float8>,
        timestamp -> Timestamptz,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::sql_types::*;

    silence_regions (id) {
        id -> Int8,
        region_id -> Uuid,
        job_id -> Uuid,
        start_time -> Float8,
        end_time -> Float8,
        duration -> Float8,
        silence_type -> Text,
        amplitude_threshold -> Nullable<Float8>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::sql_types::*;

    transcripts (id) {
        id -> Int8,
        segment_id -> Uuid,
        job_id -> Uuid,
        start_time -> Float8,
        end_time -> Float8,
        text -> Text,
        confidence -> Nullable<Float8>,
        speaker_id -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    clips,
    content_segments,
    jobs,
    layout_analysis,
    processing_logs,
    silence_regions,
    transcripts,
);
