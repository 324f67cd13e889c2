// @generated automatically by Diesel CLI.

diesel::table! {
    use crate::sql::types::*;

    api_keys (id) {
        id -> Int8,
        key_id -> Uuid,
        secret_hash -> Text,
        name -> Nullable<Text>,
        role -> Text,
        owner -> Nullable<Text>,
        stages -> Nullable<Jsonb>,
        expires_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        person -> Nullable<Text>,
        parent_key_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    use crate::sql::types::*;

    audit_entries (id) {
        id -> Int8,
        entry_id -> Uuid,
        at -> Timestamptz,
        action -> Text,
        job_id -> Nullable<Uuid>,
        changed_key_id -> Nullable<Uuid>,
        owner -> Nullable<Text>,
        key_id -> Nullable<Uuid>,
        address -> Nullable<Text>,
        command_line_user -> Nullable<Text>,
        old_values -> Jsonb,
        new_values -> Jsonb,
        person -> Nullable<Text>,
    }
}

diesel::table! {
    use crate::sql::types::*;

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
        stale_since -> Nullable<Timestamptz>,
        cut_record -> Nullable<Text>,
    }
}

diesel::table! {
    use crate::sql::types::*;

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
    use crate::sql::types::*;

    database_identity (id) {
        id -> Int4,
        database_id -> Uuid,
    }
}

diesel::table! {
    use crate::sql::types::*;

    event_feed (id) {
        id -> Int4,
        generation -> Int4,
        pruned_transaction_id -> Int8,
        pruned_id -> Int8,
    }
}

diesel::table! {
    use crate::sql::types::*;

    idempotency_keys (id) {
        id -> Int8,
        key -> Text,
        fingerprint -> Text,
        job_id -> Nullable<Uuid>,
        answer -> Nullable<Jsonb>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::sql::types::*;

    imported_jobs (id) {
        id -> Int8,
        job_id -> Uuid,
        source_digest -> Text,
        digest -> Text,
    }
}

diesel::table! {
    use crate::sql::types::*;

    job_deletions (transaction_id, id) {
        transaction_id -> Int8,
        id -> Int8,
        job_id -> Uuid,
        seq -> Int8,
        at -> Timestamptz,
        owner_id -> Nullable<Text>,
    }
}

diesel::table! {
    use crate::sql::types::*;

    job_events (job_id, seq) {
        job_id -> Uuid,
        seq -> Int8,
        #[sql_name = "type"]
        type_ -> Text,
        data -> Jsonb,
        at -> Timestamptz,
        id -> Int8,
        transaction_id -> Int8,
    }
}

diesel::table! {
    use crate::sql::types::*;

    job_hour_counts (id) {
        id -> Int8,
        hour -> Timestamptz,
        jobs -> Int8,
        owner_id -> Text,
    }
}

diesel::table! {
    use crate::sql::types::*;

    job_status_counts (id) {
        id -> Int8,
        status -> Text,
        jobs -> Int8,
        gibibytes -> Int8,
        bytes -> Int8,
        owner_id -> Text,
        stored_rows -> Int8,
    }
}

diesel::table! {
    use crate::sql::types::*;

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
        priority -> Int4,
        last_seq -> Int8,
        progress_agent_name -> Nullable<Text>,
        settled_at -> Nullable<Timestamptz>,
        row_edits -> Int8,
        source_job_id -> Nullable<Uuid>,
        transcript_source -> Nullable<Text>,
        owner_id -> Nullable<Text>,
        stored_rows -> Int8,
    }
}

diesel::table! {
    use crate::sql::types::*;

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
        stretches -> Jsonb,
    }
}

diesel::table! {
    use crate::sql::types::*;

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
    use crate::sql::types::*;

    row_sets (set_number) {
        set_number -> Int8,
        job_id -> Uuid,
        table_name -> Text,
        state -> Text,
        first_id -> Int8,
        last_id -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::sql::types::*;

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
        set_number -> Nullable<Int8>,
    }
}

diesel::table! {
    use crate::sql::types::*;

    stage_pauses (id) {
        id -> Int8,
        stage -> Text,
        paused_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::sql::types::*;

    stage_runs (id) {
        id -> Int8,
        run_id -> Uuid,
        job_id -> Uuid,
        stage -> Text,
        status -> Text,
        waits_for -> Jsonb,
        priority -> Int4,
        attempt -> Int4,
        max_attempts -> Int4,
        worker -> Nullable<Text>,
        lease_id -> Nullable<Uuid>,
        lease_expires_at -> Nullable<Timestamptz>,
        lease_seconds -> Nullable<Int4>,
        available_at -> Nullable<Timestamptz>,
        percent -> Float8,
        message -> Nullable<Text>,
        eta_seconds -> Nullable<Int4>,
        error -> Nullable<Text>,
        started_at -> Nullable<Timestamptz>,
        finished_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        agent_name -> Nullable<Text>,
        timeout_seconds -> Nullable<Int4>,
        backoff_first_seconds -> Int4,
        backoff_factor -> Float8,
        backoff_max_seconds -> Int4,
        notes -> Jsonb,
        owner_id -> Text,
        ready_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    use crate::sql::types::*;

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
        language -> Nullable<Text>,
        words -> Nullable<Jsonb>,
        set_number -> Nullable<Int8>,
    }
}

diesel::table! {
    use crate::sql::types::*;

    upload_parts (id) {
        id -> Int8,
        job_id -> Uuid,
        part_number -> Int4,
        etag -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::sql::types::*;

    uploads (id) {
        id -> Int8,
        job_id -> Uuid,
        expires_at -> Timestamptz,
        received -> Nullable<Int8>,
        metadata -> Nullable<Text>,
        multipart_id -> Nullable<Text>,
        tail_id -> Nullable<Uuid>,
        append_id -> Nullable<Uuid>,
        append_expires_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    api_keys,
    audit_entries,
    clips,
    content_segments,
    database_identity,
    event_feed,
    idempotency_keys,
    imported_jobs,
    job_deletions,
    job_events,
    job_hour_counts,
    job_status_counts,
    jobs,
    layout_analysis,
    processing_logs,
    row_sets,
    silence_regions,
    stage_pauses,
    stage_runs,
    transcripts,
    upload_parts,
    uploads,
);
