//! The rules of the data model by column, with values that break them.

/// A stored job.
pub(crate) const JOB: &str = "'00000000-0000-7000-8000-000000000001'";
/// An unknown job.
pub(crate) const UNKNOWN_JOB: &str = "'00000000-0000-7000-8000-00000000dead'";
/// A stored content segment.
pub(crate) const SEGMENT: &str = "'00000000-0000-7000-8000-000000000002'";
/// The id of the row to be inserted.
pub(crate) const NEW_ID: &str = "'00000000-0000-7000-8000-000000000003'";
/// An id that differs from it.
pub(crate) const OTHER_ID: &str = "'00000000-0000-7000-8000-000000000004'";

/// A time.
const TIME: &str = "'2026-01-01T00:00:00.000000Z'";
/// A request fingerprint.
const FINGERPRINT: &str = "'0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'";

/// A SHA-1 digest.
const DIGEST: &str = "'0123456789abcdef0123456789abcdef01234567'";

/// Columns and their values, as SQL.
pub(crate) type Values = &'static [(&'static str, &'static str)];

/// A valid row of each table.
#[rustfmt::skip]
pub(crate) const VALID_ROWS: &[(&str, Values)] = &[
    ("jobs", &[("filename", "'a'"), ("job_id", NEW_ID)]),
    ("transcripts", &[("segment_id", NEW_ID), ("job_id", JOB), ("start_time", "1"), ("end_time", "2"), ("text", "'a'")]),
    ("silence_regions", &[("region_id", NEW_ID), ("job_id", JOB), ("start_time", "1"), ("end_time", "2"), ("silence_type", "'both'")]),
    ("layout_analysis", &[("layout_id", NEW_ID), ("job_id", JOB), ("layout_type", "'unknown'"), ("confidence_score", "0.5")]),
    ("content_segments", &[("segment_id", NEW_ID), ("job_id", JOB), ("start_time", "1"), ("end_time", "2"), ("topic", "'a'"), ("importance_score", "0.5"), ("segment_order", "0")]),
    ("clips", &[("clip_id", NEW_ID), ("job_id", JOB), ("title", "'a'"), ("start_time", "1"), ("end_time", "2"), ("clip_order", "0")]),
    ("processing_logs", &[("log_id", NEW_ID), ("job_id", JOB), ("stage", "'complete'"), ("status", "'started'")]),
    ("stage_runs", &[("run_id", NEW_ID), ("job_id", JOB), ("stage", "'transcription'"), ("status", "'running'"), ("started_at", TIME), ("lease_id", NEW_ID), ("lease_expires_at", TIME), ("lease_seconds", "60")]),
    ("job_events", &[("job_id", JOB), ("seq", "1"), ("type", "'progress'"), ("data", "'{}'")]),
    ("job_deletions", &[("job_id", JOB), ("seq", "1")]),
    ("event_feed", &[("id", "1")]),
    ("database_identity", &[("id", "1"), ("database_id", NEW_ID)]),
    ("idempotency_keys", &[("key", "'a'"), ("fingerprint", FINGERPRINT), ("job_id", JOB)]),
    ("uploads", &[("job_id", JOB), ("expires_at", TIME), ("received", "0"), ("append_id", NEW_ID), ("append_expires_at", TIME)]),
    ("upload_parts", &[("job_id", JOB), ("part_number", "1"), ("etag", "'a'")]),
    ("imported_jobs", &[("job_id", NEW_ID), ("source_digest", DIGEST), ("digest", DIGEST)]),
    ("api_keys", &[("key_id", NEW_ID), ("secret_hash", FINGERPRINT), ("role", "'worker'"), ("stages", "'[\"transcription\"]'"), ("person", "'ada'"), ("expires_at", TIME)]),
    ("audit_entries", &[("entry_id", NEW_ID), ("action", "'job.cancel'")]),
    ("stage_pauses", &[("stage", "'transcription'")]),
    ("row_sets", &[("job_id", JOB), ("table_name", "'transcripts'"), ("state", "'staged'"), ("first_id", "1"), ("last_id", "2")]),
];

/// Table, column, a valid value, invalid values. `text(n)` is a text of n
/// characters of two bytes each.
#[rustfmt::skip]
pub(crate) const RULES: &[(&str, &str, &str, &[&str])] = &[
    ("jobs", "filename", "text(255)", &["text(256)", "''", NUL]),
    ("jobs", "file_size", "2147483648", &["0", "-1"]),
    ("jobs", "original_s3_key", "text(500)", &["text(501)", "''"]),
    ("jobs", "compiled_video_s3_key", "text(500)", &["text(501)", "''"]),
    ("jobs", "celery_task_id", "text(255)", &["text(256)", "''"]),
    ("jobs", "video_duration", "0.001", &["0", "-1", "infinity", "nan"]),
    ("jobs", "video_metadata", "'{\"a\": 1}'", &["'[]'", "'1'", "'null'", "'not json'", "NULL"]),
    ("jobs", "status", "'pending'", &["'done'", "'Queued'", "''", "NULL"]),
    ("jobs", "current_stage", "'uploading'", &["'upload'", "''"]),
    ("jobs", "progress_percent", "100", &["101", "-0.5", "infinity", "nan"]),
    ("jobs", "progress_message", "text(500)", &["text(501)", NUL]),
    ("jobs", "eta_seconds", "0", &["-1", "2147483648"]),
    ("jobs", "processing_config", PROCESSING_CONFIG, INVALID_PROCESSING_CONFIGS),
    ("jobs", "extra_metadata", r#"'{"a": "\\u0000"}'"#, &[JSON_NUL, JSON_NUL_KEY, "'[]'", "'null'", "'not json'", "NULL"]),
    ("jobs", "job_id", NEW_ID, &["'00000000'", "NULL"]),
    ("jobs", "content_type", "text(255)", &["text(256)", "''", "NULL"]),
    ("jobs", "version", "1", &["NULL"]),
    ("jobs", "created_at", TIME, &["'not a time'", "NULL"]),
    ("jobs", "updated_at", TIME, &["'not a time'", "NULL"]),
    ("jobs", "priority", "-2147483648", &["-2147483649", "2147483648", "NULL"]),
    ("jobs", "last_seq", "9223372036854775807", &["-1", "NULL"]),
    ("jobs", "progress_agent_name", "text(50)", &["text(51)", NUL]),
    ("transcripts", "start_time", "0", &["-1", "3", "infinity", "nan", "NULL"]),
    ("transcripts", "end_time", "1", &["0.5", "infinity", "nan", "NULL"]),
    ("transcripts", "text", "' a\u{3000}'", &["''", "' \t\n'", BLANK, NUL, "NULL"]),
    ("transcripts", "confidence", "1", &["1.1", "-0.1", "infinity", "nan"]),
    ("transcripts", "speaker_id", "text(50)", &["text(51)", NUL]),
    ("transcripts", "language", "'zh-Hant-TW-x-12345678-12345678-1234'", INVALID_LANGUAGES),
    ("transcripts", "words", WORDS, INVALID_WORDS),
    ("silence_regions", "start_time", "0", &["-1", "3", "infinity", "nan", "NULL"]),
    ("silence_regions", "end_time", "1", &["0.5", "infinity", "nan", "NULL"]),
    ("silence_regions", "silence_type", "'blank_screen'", &["'silence'", "NULL"]),
    ("silence_regions", "amplitude_threshold", "-60", &["infinity", "-infinity", "nan"]),
    ("layout_analysis", "layout_type", "'camera_only'", &["'camera'", "NULL"]),
    ("layout_analysis", "split_ratio", "1", &["1.1", "-0.1", "nan"]),
    ("layout_analysis", "confidence_score", "0", &["1.1", "-0.1", "nan", "NULL"]),
    ("layout_analysis", "sample_frame_time", "0", &["-1", "infinity", "nan"]),
    ("layout_analysis", "stretches", STRETCHES, INVALID_STRETCHES),
    ("layout_analysis", "screen_region", REGION, INVALID_REGIONS),
    ("layout_analysis", "camera_region", REGION, INVALID_REGIONS),
    ("content_segments", "start_time", "0", &["-1", "3", "infinity", "nan", "NULL"]),
    ("content_segments", "end_time", "1", &["0.5", "infinity", "nan", "NULL"]),
    ("content_segments", "topic", "text(200)", &["text(201)", "''", NUL, "NULL"]),
    ("content_segments", "description", "''", &[NUL]),
    ("content_segments", "importance_score", "1", &["1.1", "-0.1", "nan", "NULL"]),
    ("content_segments", "keywords", KEYWORDS, INVALID_KEYWORDS),
    ("content_segments", "concepts", KEYWORDS, INVALID_KEYWORDS),
    ("content_segments", "segment_order", "2147483647", &["-1", "2147483648", "NULL"]),
    ("clips", "title", "text(200)", &["text(201)", "''", "NULL"]),
    ("clips", "topic", "text(200)", &["text(201)", NUL]),
    ("clips", "importance_score", "0", &["1.1", "-0.1", "nan"]),
    ("clips", "start_time", "0", &["-1", "3", "infinity", "nan", "NULL"]),
    ("clips", "end_time", "1", &["0.5", "infinity", "nan", "NULL"]),
    ("clips", "s3_key", "text(500)", &["text(501)", "''", NUL]),
    ("clips", "thumbnail_s3_key", "text(500)", &["text(501)", "''", NUL]),
    ("clips", "subtitle_s3_key", "text(500)", &["text(501)", "''", NUL]),
    ("clips", "clip_order", "2147483647", &["-1", "2147483648", "NULL"]),
    ("clips", "extra_metadata", "'{}'", &[JSON_NUL, "'[]'", "'null'", "NULL"]),
    ("clips", "content_segment_id", SEGMENT, &[UNKNOWN_JOB]),
    ("clips", "stale_since", TIME, &["'not a time'"]),
    ("clips", "cut_record", "text(4000)", &["text(4001)", "''", NUL]),
    ("jobs", "transcript_source", "'client'", &["'somebody'", "''"]),
    ("jobs", "owner_id", "text(100)", &["text(101)", "''", NUL]),
    ("jobs", "source_job_id", OTHER_ID, &["'00000000'"]),
    ("jobs", "row_edits", "9223372036854775807", &["-1", "NULL"]),
    ("jobs", "stored_rows", "4611686018427387903", &["-1", "NULL"]),
    ("processing_logs", "stage", "'uploading'", &["'upload'", "NULL"]),
    ("processing_logs", "agent_name", "text(50)", &["text(51)", NUL]),
    ("processing_logs", "message", "''", &[NUL]),
    ("processing_logs", "status", "'failed'", &["'queued'", "NULL"]),
    ("processing_logs", "error_details", "'{}'", &["'[]'", "'not json'", JSON_NUL]),
    ("processing_logs", "duration_seconds", "0", &["-1", "infinity", "nan"]),
    ("processing_logs", "timestamp", TIME, &["'not a time'", "NULL"]),
    ("stage_runs", "stage", "'compilation'", &["'uploading'", "'complete'", "'transcode'", "NULL"]),
    ("stage_runs", "status", "'waiting'", &["'queued'", "'Ready'", "''", "NULL"]),
    ("stage_runs", "waits_for", "'[\"transcription\"]'", INVALID_STAGE_LISTS),
    ("stage_runs", "priority", "2147483647", &["-2147483649", "2147483648", "NULL"]),
    ("stage_runs", "attempt", "3", &["4", "-1", "NULL"]),
    ("stage_runs", "max_attempts", "1", &["0", "-1", "2147483648", "NULL"]),
    ("stage_runs", "timeout_seconds", "604800", &["0", "-1", "604801"]),
    ("stage_runs", "backoff_first_seconds", "0", &["-1", "301", "86401", "NULL"]),
    ("stage_runs", "backoff_factor", "100", &["0.9", "100.1", "infinity", "nan", "NULL"]),
    ("stage_runs", "backoff_max_seconds", "86400", &["1", "86401", "NULL"]),
    ("stage_runs", "worker", "text(50)", &["text(51)", "''"]),
    ("stage_runs", "lease_id", OTHER_ID, &["'00000000'", "NULL"]),
    ("stage_runs", "lease_expires_at", TIME, &["'not a time'", "NULL"]),
    ("stage_runs", "lease_seconds", "3600", &["0", "-1", "3601", "NULL"]),
    ("stage_runs", "available_at", TIME, &["'not a time'"]),
    ("stage_runs", "percent", "100", &["101", "-0.5", "infinity", "nan", "NULL"]),
    ("stage_runs", "message", "text(500)", &["text(501)", NUL]),
    ("stage_runs", "agent_name", "text(50)", &["text(51)", NUL]),
    ("stage_runs", "error", "''", &[NUL]),
    ("stage_runs", "notes", NOTES, INVALID_NOTES),
    ("stage_runs", "eta_seconds", "0", &["-1", "2147483648"]),
    ("stage_runs", "started_at", TIME, &["'not a time'", "NULL"]),
    ("stage_runs", "finished_at", TIME, &["'not a time'"]),
    ("stage_runs", "ready_at", TIME, &["'not a time'"]),
    ("stage_pauses", "stage", "'compilation'", &["'uploading'", "'complete'", "'transcode'", "''", "NULL"]),
    ("stage_pauses", "paused_at", TIME, &["'not a time'", "NULL"]),
    ("row_sets", "table_name", "'silence_regions'", &["'clips'", "''", "NULL"]),
    ("row_sets", "state", "'hidden'", &["'new'", "''", "NULL"]),
    ("row_sets", "created_at", TIME, &["'not a time'", "NULL"]),
    ("job_events", "seq", "9223372036854775807", &["0", "-1", "NULL"]),
    ("job_events", "type", "'error'", &["'snapshot'", "''", "NULL"]),
    ("job_events", "data", "'{\"status\": \"queued\"}'", &["'[]'", "'null'", "'not json'", "NULL"]),
    ("job_events", "at", TIME, &["'not a time'", "NULL"]),
    ("job_events", "transaction_id", "9223372036854775807", &["-1", "NULL"]),
    ("job_deletions", "transaction_id", "9223372036854775807", &["-1", "NULL"]),
    ("job_deletions", "job_id", OTHER_ID, &["'00000000'", "NULL"]),
    ("job_deletions", "seq", "9223372036854775807", &["0", "-1", "NULL"]),
    ("job_deletions", "at", TIME, &["'not a time'", "NULL"]),
    ("event_feed", "id", "1", &["0", "2"]),
    ("event_feed", "generation", "2147483647", &["-1", "2147483648", "NULL"]),
    ("event_feed", "pruned_transaction_id", "9223372036854775807", &["-1", "NULL"]),
    ("event_feed", "pruned_id", "9223372036854775807", &["-1", "NULL"]),
    ("database_identity", "id", "1", &["0", "2"]),
    ("database_identity", "database_id", NEW_ID, &["'00000000'", "NULL"]),
    ("idempotency_keys", "key", "'!~'", &["text(256)", "''", "'a b'", "'é'", "NULL"]),
    ("idempotency_keys", "fingerprint", FINGERPRINT, INVALID_FINGERPRINTS),
    ("idempotency_keys", "job_id", "NULL", &[UNKNOWN_JOB]),
    ("idempotency_keys", "answer", "'[1]'", &["'not json'"]),
    ("idempotency_keys", "created_at", TIME, &["'not a time'", "NULL"]),
    ("api_keys", "key_id", OTHER_ID, &["'00000000'", "NULL"]),
    ("api_keys", "secret_hash", FINGERPRINT, &["'0123'", "'G123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'", "NULL"]),
    ("api_keys", "name", "text(100)", &["text(101)", "''", NUL]),
    ("api_keys", "role", "'worker'", &["'client'", "'Worker'", "'root'", "''", "NULL"]),
    ("api_keys", "owner", "text(100)", &["text(101)", "''", NUL]),
    ("api_keys", "stages", "'[\"compilation\", \"segmentation\"]'", &["'{}'", "'[]'", "'\"transcription\"'", "'null'", "'not json'", "'[\"uploading\"]'", "'[1]'"]),
    ("api_keys", "expires_at", TIME, &["'not a time'", "NULL"]),
    ("api_keys", "revoked_at", TIME, &["'not a time'"]),
    ("api_keys", "last_used_at", TIME, &["'not a time'"]),
    ("api_keys", "person", "text(200)", &["text(201)", "''", NUL]),
    ("api_keys", "parent_key_id", "NULL", &["'00000000'", OTHER_ID]),
    ("api_keys", "created_at", TIME, &["'not a time'", "NULL"]),
    ("audit_entries", "entry_id", OTHER_ID, &["'00000000'", "NULL"]),
    ("audit_entries", "at", TIME, &["'not a time'", "NULL"]),
    ("audit_entries", "action", "'stage.resume'", &["'job.create'", "'Job.cancel'", "''", "NULL"]),
    ("audit_entries", "job_id", UNKNOWN_JOB, &["'00000000'"]),
    ("audit_entries", "changed_key_id", OTHER_ID, &["'00000000'"]),
    ("audit_entries", "owner", "text(100)", &["text(101)", "''", NUL]),
    ("audit_entries", "key_id", OTHER_ID, &["'00000000'"]),
    ("audit_entries", "address", "'2001:db8::1'", &["text(46)", "''", NUL]),
    ("audit_entries", "command_line_user", "text(100)", &["text(101)", "''", NUL]),
    ("audit_entries", "person", "text(200)", &["text(201)", "''", NUL]),
    ("audit_entries", "old_values", "'{\"a\": 1}'", &["'[]'", "'1'", "'null'", "'not json'", "NULL"]),
    ("audit_entries", "new_values", "'{\"a\": 1}'", &["'[]'", "'1'", "'null'", "'not json'", "NULL"]),
    ("uploads", "expires_at", TIME, &["'not a time'", "NULL"]),
    ("uploads", "received", "9223372036854775807", &["-1", "NULL"]),
    ("uploads", "metadata", "text(8192)", &["text(8193)", NUL]),
    ("uploads", "multipart_id", "text(1024)", &["text(1025)", "''", NUL]),
    ("uploads", "tail_id", NEW_ID, &["'00000000'"]),
    ("uploads", "append_id", OTHER_ID, &["'00000000'", "NULL"]),
    ("uploads", "append_expires_at", TIME, &["'not a time'", "NULL"]),
    ("uploads", "created_at", TIME, &["'not a time'", "NULL"]),
    ("upload_parts", "part_number", "10000", &["0", "10001", "NULL"]),
    ("upload_parts", "etag", "text(255)", &["text(256)", "''", NUL, "NULL"]),
    ("upload_parts", "created_at", TIME, &["'not a time'", "NULL"]),
    ("imported_jobs", "job_id", UNKNOWN_JOB, &["'00000000'", "NULL"]),
    ("imported_jobs", "source_digest", DIGEST, &["''", "'0123'", "text(40)", "NULL"]),
    ("imported_jobs", "digest", DIGEST, &["''", "'0123'", "text(40)", "NULL"]),
];

const REGION: &str = r#"'{"x": 0, "y": 0, "width": 2147483647, "height": 1}'"#;
const INVALID_REGIONS: &[&str] = &[
    "'[]'",
    "'{}'",
    r#"'{"x": 0, "y": 0, "width": 1}'"#,
    r#"'{"x": 0, "y": 0, "width": 1, "height": 1, "depth": 1}'"#,
    r#"'{"x": -1, "y": 0, "width": 1, "height": 1}'"#,
    r#"'{"x": 0.5, "y": 0, "width": 1, "height": 1}'"#,
    r#"'{"x": "0", "y": 0, "width": 1, "height": 1}'"#,
    r#"'{"x": null, "y": 0, "width": 1, "height": 1}'"#,
    r#"'{"x": [0], "y": 0, "width": 1, "height": 1}'"#,
    r#"'{"x": 0, "y": 0, "width": 2147483648, "height": 1}'"#,
];

const STRETCHES: &str = r#"'[
    {"start_time": 0, "end_time": 1.5, "layout_type": "unknown", "confidence_score": 1},
    {"start_time": 1.5, "end_time": 10, "layout_type": "side_by_side", "confidence_score": 0, "split_ratio": 1,
     "screen_region": {"x": 0, "y": 0, "width": 2147483647, "height": 1}, "camera_region": null},
    {"start_time": 10, "end_time": 10, "layout_type": "unknown", "confidence_score": 1, "split_ratio": null}
]'"#;

/// A stretch with another field.
macro_rules! stretch {
    ($field:literal) => {
        concat!(
            r#"'[{"start_time": 0, "end_time": 1, "layout_type": "unknown", "confidence_score": 1, "#,
            $field,
            "}]'"
        )
    };
}

const INVALID_STRETCHES: &[&str] = &[
    "'{}'",
    "'null'",
    "'not json'",
    "'[1]'",
    "'[{}]'",
    "NULL",
    r#"'[{"start_time": -1, "end_time": 1, "layout_type": "unknown", "confidence_score": 1}]'"#,
    r#"'[{"start_time": "0", "end_time": 1, "layout_type": "unknown", "confidence_score": 1}]'"#,
    r#"'[{"start_time": 2, "end_time": 1, "layout_type": "unknown", "confidence_score": 1}]'"#,
    r#"'[{"start_time": 0, "end_time": null, "layout_type": "unknown", "confidence_score": 1}]'"#,
    r#"'[{"start_time": 0, "end_time": 1, "layout_type": "camera", "confidence_score": 1}]'"#,
    r#"'[{"start_time": 0, "end_time": 1, "layout_type": null, "confidence_score": 1}]'"#,
    r#"'[{"start_time": 0, "end_time": 1, "layout_type": "unknown", "confidence_score": 1.1}]'"#,
    r#"'[{"start_time": 0, "end_time": 1, "layout_type": "unknown"}]'"#,
    r#"'[{"start_time": 0, "end_time": 1e400, "layout_type": "unknown", "confidence_score": 1}]'"#,
    r#"'[{"start_time": 0, "end_time": 10, "layout_type": "unknown", "confidence_score": 1},
         {"start_time": 9.9, "end_time": 11, "layout_type": "unknown", "confidence_score": 1}]'"#,
    stretch!(r#""split_ratio": 1.1"#),
    stretch!(r#""split_ratio": -0.1"#),
    stretch!(r#""split_ratio": "1""#),
    stretch!(r#""screen_region": []"#),
    stretch!(r#""screen_region": "left""#),
    stretch!(r#""screen_region": {}"#),
    stretch!(r#""screen_region": {"x": 0, "y": 0, "width": 1}"#),
    stretch!(r#""screen_region": {"x": 0, "y": 0, "width": 1, "height": 1, "depth": 1}"#),
    stretch!(r#""screen_region": {"x": -1, "y": 0, "width": 1, "height": 1}"#),
    stretch!(r#""camera_region": {"x": 0, "y": 0.5, "width": 1, "height": 1}"#),
    stretch!(r#""camera_region": {"x": 0, "y": 0, "width": "1", "height": 1}"#),
    stretch!(r#""camera_region": {"x": 0, "y": 0, "width": 1, "height": null}"#),
    stretch!(r#""camera_region": {"x": 0, "y": 0, "width": 2147483648, "height": 1}"#),
    stretch!(r#""camera_region": [{"x": 0, "y": 0, "width": 1, "height": 1}]"#),
];

const NOTES: &str = "note(1000)";

const INVALID_NOTES: &[&str] = &[
    "note(1001)",
    "'{}'",
    "'null'",
    "'not json'",
    "'[1]'",
    "'[{}]'",
    "'[{\"level\": \"info\"}]'",
    "'[{\"message\": \"m\"}]'",
    "'[{\"level\": \"info\", \"message\": \"\"}]'",
    "'[{\"level\": \"info\", \"message\": 1}]'",
    "'[{\"level\": \"error\", \"message\": \"m\"}]'",
    "'[{\"level\": \"info\", \"message\": \"\\u0000\"}]'",
    "NULL",
];

const INVALID_LANGUAGES: &[&str] = &[
    "''",
    "'e'",
    "'engl'",
    "'e1'",
    "'en-'",
    "'en--gb'",
    "'en gb'",
    "'é1-gb'",
    "'en-123456789'",
    "'zh-Hant-TW-x-12345678-12345678-12345'",
    NUL,
];

const WORDS: &str = r#"'[{"start": 0, "end": 0, "text": "é"}, {"start": 0.5, "end": 1, "text": "a\nb", "probability": 1}]'"#;

const INVALID_WORDS: &[&str] = &[
    "'{}'",
    "'[]'",
    "'null'",
    "'not json'",
    "'[1]'",
    r#"'[{"start": 0, "end": 1}]'"#,
    r#"'[{"start": 0, "text": "a"}]'"#,
    r#"'[{"end": 1, "text": "a"}]'"#,
    r#"'[{"start": "0", "end": 1, "text": "a"}]'"#,
    r#"'[{"start": -1, "end": 1, "text": "a"}]'"#,
    r#"'[{"start": 1, "end": 0.5, "text": "a"}]'"#,
    r#"'[{"start": 0, "end": 1, "text": ""}]'"#,
    r#"'[{"start": 0, "end": 1, "text": 1}]'"#,
    r#"'[{"start": 0, "end": 1, "text": "\u0000"}]'"#,
    r#"'[{"start": 0, "end": 1, "text": "a", "probability": null}]'"#,
    r#"'[{"start": 0, "end": 1, "text": "a", "probability": 1.5}]'"#,
    r#"'[{"start": 0, "end": 1, "text": "a", "probability": "1"}]'"#,
    r#"'[{"start": 0, "end": 1, "text": "a"}, []]'"#,
];

const INVALID_STAGE_LISTS: &[&str] = &[
    "'{}'",
    "'\"transcription\"'",
    "'null'",
    "'not json'",
    "'[\"uploading\"]'",
    "'[1]'",
    "NULL",
];

/// A text with a NUL character, which PostgreSQL has no literal for.
const NUL: &str = "nul";
const JSON_NUL: &str = r#"'{"a": ["\\\u0000"]}'"#;
const JSON_NUL_KEY: &str = r#"'{"\u0000": 1}'"#;

/// All white space characters that are not ASCII.
const BLANK: &str =
    "'\u{85}\u{a0}\u{1680}\u{2000}\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}'";

const PROCESSING_CONFIG: &str =
    r#"'{"processing_mode": "audio", "resolution": null, "pipeline": "a", "language": "en"}'"#;
const INVALID_PROCESSING_CONFIGS: &[&str] = &[
    "'[]'",
    "'\"audio\"'",
    "'not json'",
    r#"'{"processing_mode": "video"}'"#,
    r#"'{"processing_mode": 1}'"#,
    r#"'{"resolution": "1080"}'"#,
    r#"'{"resolution": ["1080p"]}'"#,
    r#"'{"pipeline": ""}'"#,
    r#"'{"pipeline": {}}'"#,
    r#"'{"pipeline": "123456789 123456789 123456789 123456789 123456789 1"}'"#,
    JSON_NUL,
];

const KEYWORDS: &str = "'[\"a\", \"é\\nb\"]'";
const INVALID_KEYWORDS: &[&str] = &[
    "'{}'",
    "'[\"\"]'",
    "'[\"a\", \"b\\u0000\"]'",
    LONG_KEYWORD,
    "'\"a\"'",
    "'[1]'",
    "'[\"a\", null]'",
    "'[[\"a\"]]'",
    "'not json'",
    "NULL",
];

const INVALID_FINGERPRINTS: &[&str] = &[
    "'0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef'",
    "'0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg'",
    "'0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde'",
    "'0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0'",
    "NULL",
];

/// The public id column of each table. Events and idempotency keys have none.
pub(crate) const IDS: &[(&str, &str)] = &[
    ("jobs", "job_id"),
    ("transcripts", "segment_id"),
    ("silence_regions", "region_id"),
    ("layout_analysis", "layout_id"),
    ("content_segments", "segment_id"),
    ("clips", "clip_id"),
    ("processing_logs", "log_id"),
    ("stage_runs", "run_id"),
];

/// A keyword of 201 characters.
#[rustfmt::skip]
const LONG_KEYWORD: &str = "'[\"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\"]'";
