//! Compares the limits in the OpenAPI document with those of the domain.

use lectern_api::ClaimWithWait;
use lectern_domain::{
    AgentName, ClaimLimit, ClipTopic, ContentType, Filename, IdempotencyKey, JobStatus, Keyword,
    LayoutType, LeaseDuration, LogStatus, PageLimit, PipelineName, ProcessingMode, ProgressMessage,
    Resolution, SilenceType, SpeakerId, Stage, StageRunStatus, StorageKey, TaskId, Title, Topic,
    TranscriptFormat, WorkerName,
};
use lectern_tests::{TestServer, on_both_backends};
use serde_json::json;

use super::document;

on_both_backends!(
    the_documented_limits_are_those_of_the_domain,
    the_documented_enums_are_those_of_the_domain,
    the_documented_error_codes_are_complete,
);

fn words<T: ToString>(all: &[T]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

#[expect(clippy::too_many_lines, reason = "tables of limits")]
fn the_documented_limits_are_those_of_the_domain(server: TestServer) {
    let document = document(&server);
    let field = |name: &str| {
        document
            .pointer(&format!(
                "/components/schemas/{}",
                name.replace('.', "/properties/")
            ))
            .unwrap()
    };
    for (name, least, greatest) in [
        ("JobCreate.filename", Filename::MIN, Filename::MAX),
        ("JobCreate.s3_key", StorageKey::MIN, StorageKey::MAX),
        ("JobCreate.content_type", 0, ContentType::MAX),
        ("JobUpdate.filename", Filename::MIN, Filename::MAX),
        ("JobUpdate.celery_task_id", TaskId::MIN, TaskId::MAX),
        (
            "ProgressReport.message",
            ProgressMessage::MIN,
            ProgressMessage::MAX,
        ),
        ("ProgressReport.agent_name", AgentName::MIN, AgentName::MAX),
        (
            "TranscriptSegmentBody.speaker_id",
            SpeakerId::MIN,
            SpeakerId::MAX,
        ),
        ("ContentSegmentBody.topic", Topic::MIN, Topic::MAX),
        (
            "ContentSegmentBody.keywords/items",
            Keyword::MIN,
            Keyword::MAX,
        ),
        (
            "ContentSegmentBody.concepts/items",
            Keyword::MIN,
            Keyword::MAX,
        ),
        ("ClipBody.title", Title::MIN, Title::MAX),
        ("ClipBody.topic", ClipTopic::MIN, ClipTopic::MAX),
        ("ClipBody.s3_key", StorageKey::MIN, StorageKey::MAX),
        (
            "ClipBody.thumbnail_s3_key",
            StorageKey::MIN,
            StorageKey::MAX,
        ),
        ("ClipBody.subtitle_s3_key", StorageKey::MIN, StorageKey::MAX),
        ("NewClipBody.title", Title::MIN, Title::MAX),
        ("ClipUpdateBody.title", Title::MIN, Title::MAX),
        ("ClipUpdateBody.topic", ClipTopic::MIN, ClipTopic::MAX),
        ("ClipUpdateBody.s3_key", StorageKey::MIN, StorageKey::MAX),
        ("ContentSegmentUpdateBody.topic", Topic::MIN, Topic::MAX),
        (
            "ContentSegmentUpdateBody.keywords/items",
            Keyword::MIN,
            Keyword::MAX,
        ),
        (
            "TranscriptSegmentUpdateBody.speaker_id",
            SpeakerId::MIN,
            SpeakerId::MAX,
        ),
        ("LogEntryBody.agent_name", AgentName::MIN, AgentName::MAX),
        (
            "ProcessingConfig.pipeline",
            PipelineName::MIN,
            PipelineName::MAX,
        ),
        ("UploadRequest.filename", Filename::MIN, Filename::MAX),
        ("UploadRequest.content_type", 0, ContentType::MAX),
        ("ClaimBody.worker", WorkerName::MIN, WorkerName::MAX),
        (
            "HeartbeatBody.message",
            ProgressMessage::MIN,
            ProgressMessage::MAX,
        ),
    ] {
        let documented = field(name);
        assert_eq!(
            documented["minLength"].as_u64().unwrap_or(0),
            least as u64,
            "{name}"
        );
        assert_eq!(
            documented["maxLength"].as_u64(),
            Some(greatest as u64),
            "{name}"
        );
    }
    for (name, least, greatest) in [
        ("JobCreate.file_size", 1.0, i64::MAX as f64),
        ("ProgressReport.percent", 0.0, 100.0),
        ("ProgressReport.eta_seconds", 0.0, f64::from(i32::MAX)),
        ("TranscriptSegmentBody.confidence", 0.0, 1.0),
        ("LayoutAnalysisBody.split_ratio", 0.0, 1.0),
        ("LayoutAnalysisBody.confidence_score", 0.0, 1.0),
        ("ContentSegmentBody.importance_score", 0.0, 1.0),
        ("ContentSegmentBody.segment_order", 0.0, f64::from(i32::MAX)),
        ("ClipBody.importance_score", 0.0, 1.0),
        ("ClipBody.clip_order", 0.0, f64::from(i32::MAX)),
        ("ClipUpdateBody.clip_order", 0.0, f64::from(i32::MAX)),
        ("ClipUpdateBody.importance_score", 0.0, 1.0),
        ("StageFailureBody.retry_after_seconds", 0.0, 86_400.0),
        ("Region.width", 0.0, f64::from(i32::MAX)),
        (
            "JobCreate.priority",
            f64::from(i32::MIN),
            f64::from(i32::MAX),
        ),
        (
            "JobUpdate.priority",
            f64::from(i32::MIN),
            f64::from(i32::MAX),
        ),
        (
            "UploadRequest.priority",
            f64::from(i32::MIN),
            f64::from(i32::MAX),
        ),
        ("UploadRequest.file_size", 1.0, i64::MAX as f64),
        ("ClaimBody.max", 1.0, ClaimLimit::MAX as f64),
        ("ClaimBody.lease_seconds", 1.0, LeaseDuration::MAX as f64),
        (
            "ClaimBody.wait_seconds",
            0.0,
            ClaimWithWait::MAX_WAIT_SECONDS as f64,
        ),
        ("HeartbeatBody.percent", 0.0, 100.0),
        ("HeartbeatBody.eta_seconds", 0.0, f64::from(i32::MAX)),
    ] {
        let documented = field(name);
        assert_eq!(
            (
                documented["minimum"].as_f64(),
                documented["maximum"].as_f64()
            ),
            (Some(least), Some(greatest)),
            "{name}"
        );
    }
    assert_eq!(
        field("ClaimBody.max")["default"],
        json!(ClaimLimit::default().get())
    );
    assert_eq!(
        field("ClaimBody.lease_seconds")["default"],
        json!(LeaseDuration::default().seconds())
    );
    assert_eq!(field("StageFailureBody.error")["minLength"], json!(1));
    let key = &document["components"]["parameters"]["Idempotency-Key"]["schema"];
    assert_eq!(
        (&key["minLength"], &key["maxLength"]),
        (&json!(1), &json!(IdempotencyKey::MAX))
    );
    for noun in [
        "TranscriptSegment",
        "SilenceRegion",
        "ContentSegment",
        "Clip",
    ] {
        for time in ["start_time", "end_time"] {
            assert_eq!(
                field(&format!("{noun}Body.{time}"))["minimum"].as_f64(),
                Some(0.0),
                "{noun}.{time}"
            );
        }
    }
    for path in ["/api/v1/jobs", "/api/v1/jobs/{job_id}/logs"] {
        let parameters = document["paths"][path]["get"]["parameters"]
            .as_array()
            .unwrap();
        let limit = &parameters
            .iter()
            .find(|parameter| parameter["name"] == "limit")
            .unwrap()["schema"];
        let documented = (&limit["minimum"], &limit["maximum"], &limit["default"]);
        assert_eq!(
            documented,
            (
                &json!(1),
                &json!(PageLimit::MAX),
                &json!(PageLimit::default().get())
            ),
            "{path}"
        );
    }
}

fn the_documented_enums_are_those_of_the_domain(server: TestServer) {
    let document = document(&server);
    for (name, words) in [
        ("JobStatus", words(JobStatus::ALL)),
        ("Stage", words(Stage::ALL)),
        ("SilenceType", words(SilenceType::ALL)),
        ("LayoutType", words(LayoutType::ALL)),
        ("LogStatus", words(LogStatus::ALL)),
        ("StageRunStatus", words(StageRunStatus::ALL)),
        ("WorkStage", words(Stage::WORK)),
        ("ProcessingMode", words(ProcessingMode::ALL)),
        ("Resolution", words(Resolution::ALL)),
        ("TranscriptFormat", words(TranscriptFormat::ALL)),
    ] {
        assert_eq!(
            document["components"]["schemas"][name]["enum"],
            json!(words),
            "{name}"
        );
    }
}

fn the_documented_error_codes_are_complete(server: TestServer) {
    let document = document(&server);
    let documented = &document["components"]["schemas"]["Code"]["enum"];
    assert_eq!(
        documented,
        &json!([
            "malformed_body",
            "malformed_query",
            "checksum_not_supported",
            "authentication_required",
            "invalid_key",
            "invalid_token",
            "scope_missing",
            "host_not_allowed",
            "origin_not_allowed",
            "preflight_refused",
            "lease_required",
            "not_found",
            "job_not_found",
            "clip_not_found",
            "segment_not_found",
            "layout_analysis_not_found",
            "waveform_not_found",
            "thumbnails_not_found",
            "upload_not_found",
            "method_not_allowed",
            "illegal_transition",
            "job_not_completed",
            "job_not_running",
            "lease_lost",
            "idempotency_in_progress",
            "cursor_expired",
            "upload_offset_mismatch",
            "upload_expired",
            "version_mismatch",
            "tus_version_not_supported",
            "body_too_large",
            "unsupported_media_type",
            "validation_failed",
            "idempotency_mismatch",
            "upload_in_progress",
            "quota_exceeded",
            "rate_limited",
            "checksum_mismatch",
            "internal",
            "database_unavailable",
            "identity_provider_unavailable",
            "overloaded",
            "insufficient_storage",
        ])
    );
}
