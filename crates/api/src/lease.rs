//! Leases: heartbeats, and the end of an attempt.

use chrono::{DateTime, Utc};
use lectern_domain::{self as domain, InField, Invalid};
use lectern_domain::{
    ClipFiles, ClipId, ClipMediaUpdate, CutRecord, JsonObject, LongText, NonNegativeInt, NoteLevel,
    NoteText, Percent, ProgressMessage, RetryAfter, StageNote, StageNotes, StageResults,
    StorageKey, TranscriptSource, VideoDuration,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use validator::Validate;

use crate::wire::Request;
use crate::wire::integer::optional_integer;
use crate::wire::request::{convert_each, optional, patch, present};
use crate::wire::validation::chars;

/// Extends a lease, and may report progress. Fields left out keep their values.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("example" = {
        "percent": 41.5,
        "message": "at 00:12:00",
        "eta_seconds": 600,
    }))]
pub struct HeartbeatBody {
    /// Completed share of the stage, 0 to 100.
    #[validate(range(min = 0.0, max = 100.0))]
    pub percent: Option<f64>,
    /// What the worker is doing now.
    #[validate(length(max = chars(ProgressMessage::MAX)))]
    pub message: Option<String>,
    /// Remaining time that the worker expects, in seconds.
    #[validate(range(min = 0, max = i32::MAX))]
    #[serde(deserialize_with = "optional_integer")]
    pub eta_seconds: Option<i32>,
}

impl Request for HeartbeatBody {
    type Domain = domain::Heartbeat;
}

impl TryFrom<HeartbeatBody> for domain::Heartbeat {
    type Error = Invalid;

    fn try_from(heartbeat: HeartbeatBody) -> Result<Self, Invalid> {
        let message = heartbeat.message.map(ProgressMessage::new).transpose();
        let eta_seconds = heartbeat.eta_seconds.map(NonNegativeInt::new).transpose();
        Ok(Self {
            percent: optional("percent", heartbeat.percent, Percent::new)?,
            message: message.in_field("message")?,
            eta_seconds: eta_seconds.in_field("eta_seconds")?,
        })
    }
}

/// State of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HeartbeatResponse {
    /// When the lease expires unless it is extended again.
    pub lease_expires_at: DateTime<Utc>,
    /// Whether the job was cancelled, so that the worker should stop.
    pub cancelled: bool,
}

impl From<domain::LeaseState> for HeartbeatResponse {
    fn from(state: domain::LeaseState) -> Self {
        Self {
            lease_expires_at: state.expires_at,
            cancelled: state.cancelled,
        }
    }
}

/// Reports that a stage is completed. Its output was stored by earlier requests.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("example" = {
        "notes": [{ "level": "warning", "message": "3 of 812 cues have no text" }],
    }))]
pub struct StageCompletionBody {
    /// What the stage says about its output, for people to read.
    #[schemars(length(max = 50))]
    pub notes: Vec<StageNoteBody>,
    /// Length of the recording in seconds, if the stage has measured it.
    #[validate(range(min = 0.0))]
    pub video_duration: Option<f64>,
    /// Tracks and format of the recording, if the stage has found them. Replaces the whole object.
    #[schemars(with = "Option<crate::wire::field_schemas::JsonObject>")]
    pub video_metadata: Option<Map<String, Value>>,
    /// Where the words of the transcript are from; `recognizer` if it was stored under the lease.
    /// Only by `transcription`, and not `client`.
    pub transcript_source: Option<TranscriptSource>,
    /// Files of clips that were stored before; the other clips keep theirs. Only by
    /// `segmentation` and `compilation`.
    #[schemars(length(max = 1000))]
    pub clip_files: Vec<ClipFilesBody>,
    /// Storage key of a file with all clips; `null`: there is none. Left out, it stays as it is.
    /// Only by `segmentation` and `compilation`.
    #[validate(length(min = chars(StorageKey::MIN), max = chars(StorageKey::MAX)))]
    #[serde(deserialize_with = "present")]
    pub highlight_s3_key: Option<Option<String>>,
}

/// The files of a clip. Fields that are left out keep their values.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClipFilesBody {
    /// Id of the clip.
    pub clip_id: ClipId,
    /// Storage key of the clip.
    #[validate(length(min = chars(StorageKey::MIN), max = chars(StorageKey::MAX)))]
    #[serde(default, deserialize_with = "present")]
    pub s3_key: Option<Option<String>>,
    /// Storage key of the thumbnail.
    #[validate(length(min = chars(StorageKey::MIN), max = chars(StorageKey::MAX)))]
    #[serde(default, deserialize_with = "present")]
    pub thumbnail_s3_key: Option<Option<String>>,
    /// Storage key of the subtitles.
    #[validate(length(min = chars(StorageKey::MIN), max = chars(StorageKey::MAX)))]
    #[serde(default, deserialize_with = "present")]
    pub subtitle_s3_key: Option<Option<String>>,
    /// How the files were made: a text of the worker's, which it compares to find out whether
    /// they can stay.
    #[validate(length(min = chars(CutRecord::MIN), max = chars(CutRecord::MAX)))]
    #[serde(default)]
    pub cut_record: Option<String>,
}

/// The notes and the results with which a stage is completed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StageCompletion {
    /// What the stage says about its output.
    pub notes: StageNotes,
    /// What it stores besides its output.
    pub results: StageResults,
}

/// The greatest number of clips whose files are stored with a completion.
const MAX_CLIP_FILES: usize = 1000;

/// A note of a stage about its output.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StageNoteBody {
    /// `warning` if something is missing from the output or may be wrong.
    #[serde(default = "info")]
    #[schemars(extend("default" = NoteLevel::Info))]
    pub level: NoteLevel,
    /// For people to read.
    #[validate(length(min = chars(NoteText::MIN), max = chars(NoteText::MAX)))]
    pub message: String,
}

fn info() -> NoteLevel {
    NoteLevel::Info
}

impl Request for StageCompletionBody {
    type Domain = StageCompletion;
}

impl TryFrom<StageCompletionBody> for StageCompletion {
    type Error = Invalid;

    fn try_from(body: StageCompletionBody) -> Result<Self, Invalid> {
        let notes = convert_each("notes", body.notes, StageNote::try_from)?;
        if body.transcript_source == Some(TranscriptSource::Client) {
            let message = "must not be client: a worker has made the transcript";
            return Err(Invalid::field("transcript_source", message));
        }
        if body.clip_files.len() > MAX_CLIP_FILES {
            let message = format!("must have at most {MAX_CLIP_FILES} items");
            return Err(Invalid::field("clip_files", message));
        }
        Ok(Self {
            notes: StageNotes::new(notes).in_field("notes")?,
            results: StageResults {
                video_duration: optional(
                    "video_duration",
                    body.video_duration,
                    VideoDuration::new,
                )?,
                video_metadata: optional("video_metadata", body.video_metadata, JsonObject::new)?,
                transcript_source: body.transcript_source,
                clip_files: convert_each("clip_files", body.clip_files, ClipFiles::try_from)?,
                reel: patch(body.highlight_s3_key, StorageKey::new).in_field("highlight_s3_key")?,
            },
        })
    }
}

impl TryFrom<ClipFilesBody> for ClipFiles {
    type Error = Invalid;

    fn try_from(files: ClipFilesBody) -> Result<Self, Invalid> {
        let key = |key, field: &str| patch(key, StorageKey::new).in_field(field);
        Ok(Self {
            clip_id: files.clip_id,
            media: ClipMediaUpdate {
                s3_key: key(files.s3_key, "s3_key")?,
                thumbnail_s3_key: key(files.thumbnail_s3_key, "thumbnail_s3_key")?,
                subtitle_s3_key: key(files.subtitle_s3_key, "subtitle_s3_key")?,
            },
            record: optional("cut_record", files.cut_record, CutRecord::new)?,
        })
    }
}

impl TryFrom<StageNoteBody> for StageNote {
    type Error = Invalid;

    fn try_from(note: StageNoteBody) -> Result<Self, Invalid> {
        let message = NoteText::new(note.message).in_field("message")?;
        Ok(Self::new(note.level, message))
    }
}

/// Gives a stage back. The body has no fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("example" = {}))]
pub struct StageReleaseBody {}

impl Request for StageReleaseBody {
    type Domain = ();
}

impl TryFrom<StageReleaseBody> for () {
    type Error = Invalid;

    fn try_from(_: StageReleaseBody) -> Result<(), Invalid> {
        Ok(())
    }
}

/// Reports that an attempt at a stage has failed.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("example" = {
        "error": "out of memory",
        "details": { "exit_code": 137 },
        "retryable": true,
    }))]
pub struct StageFailureBody {
    /// What went wrong.
    #[validate(length(min = 1, message = "must not be empty"))]
    pub error: String,
    /// Machine-readable details of the error.
    #[schemars(with = "Option<crate::wire::field_schemas::JsonObject>")]
    pub details: Option<Map<String, Value>>,
    /// Whether another attempt might succeed.
    #[schemars(extend("default" = true))]
    pub retryable: Option<bool>,
    /// Pause before the next attempt, in seconds. Left out, each pause is about twice the
    /// one before it, or as the pipeline says. Ignored if the failure is not retryable.
    #[validate(range(min = 0, max = RetryAfter::MAX))]
    #[serde(default, deserialize_with = "optional_integer")]
    pub retry_after_seconds: Option<i32>,
}

impl Request for StageFailureBody {
    type Domain = domain::StageFailure;
}

impl TryFrom<StageFailureBody> for domain::StageFailure {
    type Error = Invalid;

    fn try_from(failure: StageFailureBody) -> Result<Self, Invalid> {
        let retry_after = failure.retry_after_seconds.map(RetryAfter::new).transpose();
        Ok(Self {
            retry_after: retry_after.in_field("retry_after_seconds")?,
            error: LongText::new(failure.error).in_field("error")?,
            details: optional("details", failure.details, JsonObject::new)?,
            retryable: failure.retryable.unwrap_or(true),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::claim::ClaimBody;
    use crate::wire::FieldError;

    fn first_error<T: Request>(body: Value) -> FieldError {
        let errors = T::read(body).unwrap().into_domain().err().unwrap();
        errors.into_iter().next().unwrap()
    }

    #[test]
    fn unknown_fields_are_refused() {
        let bodies = |field: &str| {
            [
                ClaimBody::read(json!({ "worker": "w", "stages": [], field: 1 })).err(),
                HeartbeatBody::read(json!({ field: 1 })).err(),
                StageCompletionBody::read(json!({ field: 1 })).err(),
                StageReleaseBody::read(json!({ field: 1 })).err(),
                StageFailureBody::read(json!({ "error": "e", field: 1 })).err(),
            ]
        };
        for error in bodies("lease_id") {
            let error = error.unwrap().to_string();
            assert!(error.contains("unknown field `lease_id`"), "{error}");
        }
        assert!(ClaimBody::read(json!({ "worker": "w", "stages": ["sleeping"] })).is_err());
        assert!(ClaimBody::read(json!({ "worker": null, "stages": [] })).is_err());
        assert!(StageCompletionBody::read(json!([])).is_err());
    }

    #[test]
    fn every_field_of_a_heartbeat_is_optional() {
        let heartbeat = |body| HeartbeatBody::read(body).unwrap().into_domain();
        assert_eq!(heartbeat(json!({})), Ok(domain::Heartbeat::default()));
        let nulls = json!({ "percent": null, "message": null, "eta_seconds": null });
        assert_eq!(heartbeat(nulls), Ok(domain::Heartbeat::default()));
        let full = json!({ "percent": 41.5, "message": "", "eta_seconds": 0 });
        let full = heartbeat(full).unwrap();
        assert_eq!(full.percent, Some(Percent::new(41.5).unwrap()));
        assert_eq!(full.eta_seconds, Some(NonNegativeInt::new(0).unwrap()));
        for (body, field) in [
            (json!({ "percent": 100.1 }), "percent"),
            (json!({ "message": "m".repeat(501) }), "message"),
            (json!({ "message": "\0" }), "message"),
            (json!({ "eta_seconds": -1 }), "eta_seconds"),
        ] {
            assert_eq!(first_error::<HeartbeatBody>(body).field, field);
        }
    }

    #[test]
    fn a_failure_needs_an_error_and_is_retryable_by_default() {
        let failure = |body| StageFailureBody::read(body).unwrap().into_domain().unwrap();
        assert!(failure(json!({ "error": "disk full" })).retryable);
        assert!(failure(json!({ "error": "disk full", "retryable": null })).retryable);
        let full = json!({ "error": "no sound", "details": { "streams": 0 }, "retryable": false });
        let full = failure(full);
        assert!(!full.retryable);
        assert_eq!(full.details.unwrap().get()["streams"], 0);
        assert_eq!(full.retry_after, None);
        let pause = failure(json!({ "error": "busy", "retry_after_seconds": 86_400 })).retry_after;
        assert_eq!(pause, Some(RetryAfter::new(86_400).unwrap()));
        for (body, path, message) in [
            (json!({ "error": "" }), "error", "must not be empty"),
            (
                json!({ "error": "\0" }),
                "error",
                "must not contain a NUL character",
            ),
            (
                json!({ "error": "e", "retry_after_seconds": 86_401 }),
                "retry_after_seconds",
                "must be between 0 and 86400",
            ),
            (
                json!({ "error": "e", "details": { "a": ["\0"] } }),
                "details.a[0]",
                "must not contain a NUL character",
            ),
        ] {
            assert_eq!(
                first_error::<StageFailureBody>(body),
                FieldError::new(path, message)
            );
        }
        assert!(StageFailureBody::read(json!({ "error": null })).is_err());
        assert!(StageFailureBody::read(json!({})).is_err());
    }

    #[test]
    fn a_completion_may_have_results() {
        let clip_id = "019b76da-a87b-7763-a830-6c97ee0bf06d";
        let results = |body| {
            let body = StageCompletionBody::read(body).unwrap();
            body.into_domain().unwrap().results
        };
        let nulls = json!({
            "video_duration": null, "video_metadata": null, "transcript_source": null,
        });
        assert!(results(nulls).is_empty());
        let full = results(json!({
            "video_duration": 300.5,
            "video_metadata": { "format": "wav" },
            "transcript_source": "sidecar",
            "clip_files": [{ "clip_id": clip_id, "s3_key": "a.mp4", "thumbnail_s3_key": null, "cut_record": "1" }],
            "highlight_s3_key": null,
        }));
        assert_eq!(
            full.video_duration,
            Some(VideoDuration::new(300.5).unwrap())
        );
        assert_eq!(full.transcript_source, Some(TranscriptSource::Sidecar));
        assert_eq!(full.reel, domain::Patch::Clear);
        let media = &full.clip_files[0].media;
        assert_eq!(media.s3_key.new_value().unwrap().as_str(), "a.mp4");
        assert_eq!(media.thumbnail_s3_key, domain::Patch::Clear);
        assert_eq!(media.subtitle_s3_key, domain::Patch::Keep);
        for (field, value, path) in [
            ("video_duration", json!(0), "video_duration"),
            ("video_metadata", json!({ "a": "\0" }), "video_metadata.a"),
            ("transcript_source", json!("client"), "transcript_source"),
            ("highlight_s3_key", json!(""), "highlight_s3_key"),
            (
                "clip_files",
                json!([{ "clip_id": clip_id, "s3_key": "" }]),
                "clip_files[0].s3_key",
            ),
            (
                "clip_files",
                json!([{ "clip_id": clip_id, "thumbnail_s3_key": "" }]),
                "clip_files[0].thumbnail_s3_key",
            ),
            (
                "clip_files",
                json!([{ "clip_id": clip_id, "subtitle_s3_key": "" }]),
                "clip_files[0].subtitle_s3_key",
            ),
            (
                "clip_files",
                json!([{ "clip_id": clip_id, "cut_record": "" }]),
                "clip_files[0].cut_record",
            ),
            (
                "clip_files",
                json!(vec![json!({ "clip_id": clip_id }); 1001]),
                "clip_files",
            ),
        ] {
            let error = first_error::<StageCompletionBody>(json!({ field: value }));
            assert_eq!(error.field, path);
        }
        assert!(StageCompletionBody::read(json!({ "clip_files": [{ "s3_key": "a" }] })).is_err());
    }

    #[test]
    fn a_completion_may_have_notes() {
        let notes = |body| StageCompletionBody::read(body).unwrap().into_domain();
        assert_eq!(notes(json!({})), Ok(StageCompletion::default()));
        let two = notes(json!({ "notes": [
            { "message": "taken from talk.srt" },
            { "level": "warning", "message": "3 cues dropped" },
        ] }));
        let two = two.unwrap().notes;
        assert_eq!(two.as_slice()[0].level, NoteLevel::Info);
        assert_eq!(two.as_slice()[1].message.as_str(), "3 cues dropped");
        for (note, field) in [
            (json!({ "message": "" }), "notes[0].message"),
            (json!({ "message": "m".repeat(1001) }), "notes[0].message"),
            (json!({ "message": "\0" }), "notes[0].message"),
        ] {
            let error = first_error::<StageCompletionBody>(json!({ "notes": [note] }));
            assert_eq!(error.field, field);
        }
        let many = vec![json!({ "message": "m" }); 51];
        let error = first_error::<StageCompletionBody>(json!({ "notes": many }));
        assert_eq!(error.field, "notes");
        for body in [
            json!({ "notes": [{ "level": "error", "message": "m" }] }),
            json!({ "notes": [{ "message": "m", "stage": "compilation" }] }),
            json!({ "notes": ["m"] }),
        ] {
            assert!(StageCompletionBody::read(body).is_err());
        }
    }

    #[test]
    fn a_heartbeat_response_contains_expiry_and_cancellation() {
        let state = domain::LeaseState {
            expires_at: crate::samples::new_year(),
            cancelled: true,
        };
        assert_eq!(
            serde_json::to_value(HeartbeatResponse::from(state)).unwrap(),
            json!({ "lease_expires_at": "2026-01-01T00:00:00Z", "cancelled": true })
        );
    }
}
