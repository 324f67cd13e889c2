//! Jobs.

pub(crate) mod list;
pub(crate) mod progress;
pub(crate) mod update;

pub use list::{JobListInclude, JobListQuery, JobListRequest, JobListResponse};
pub use progress::{JobProgress, ProgressReport};
pub use update::JobUpdate;

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use lectern_domain::{
    self as domain, InField, Invalid, JobId, JobStatus, OwnerName, ProcessingMode, Stage,
    TranscriptSource,
};
use lectern_domain::{
    ContentType, FileSize, Filename, JsonObject, LongText, NewJob, NewJobOfSource,
    ProcessingConfig, StorageKey, VideoDuration,
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use validator::Validate;

use crate::upload::EXAMPLE_ID;
use crate::wire::Request;
use crate::wire::integer::{optional_integer, present_integer};
use crate::wire::request::{not_empty, optional, present};
use crate::wire::validation::{FieldError, FieldErrors, chars};

/// A job for a recording that is already in the storage.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend(
    "required" = ["filename", "file_size", "s3_key"],
    "example" = {
        "filename": "lecture.mp4",
        "file_size": 734_003_200,
        "s3_key": "uploads/lecture.mp4",
        "content_type": "video/mp4",
        "processing_config": { "language": "en" },
        "extra_metadata": { "course": "ML 101" },
    },
))]
pub struct JobCreate {
    /// Name of the recording as its owner knows it.
    #[validate(length(min = chars(Filename::MIN), max = chars(Filename::MAX)))]
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String")]
    pub filename: Option<String>,
    /// Size of the recording in bytes.
    #[validate(range(min = 1, max = i64::MAX))]
    #[serde(default, deserialize_with = "present_integer")]
    #[schemars(with = "i64")]
    pub file_size: Option<i64>,
    /// Storage key of the recording.
    #[validate(length(min = chars(StorageKey::MIN), max = chars(StorageKey::MAX)))]
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String")]
    pub s3_key: Option<String>,
    /// Another job whose recording this job processes, instead of the other fields that
    /// describe one.
    #[serde(default, deserialize_with = "present")]
    #[schemars(skip)]
    pub source_job_id: Option<JobId>,
    /// Media type of the recording, possibly with parameters. If it is left out or empty,
    /// it follows from the extension of the name; `video/mp4` for an unknown one.
    #[validate(length(max = chars(ContentType::MAX)))]
    #[serde(default, deserialize_with = "not_empty")]
    pub content_type: Option<String>,
    /// Settings of the job.
    #[schemars(with = "Option<crate::wire::field_schemas::ProcessingConfig>")]
    pub processing_config: Option<Map<String, Value>>,
    /// Jobs with a higher priority are claimed first; 0 by default. Only admins may give
    /// more than 1000 or less than -1000, if the service asks for keys.
    #[validate(range(min = i32::MIN, max = i32::MAX))]
    #[serde(default, deserialize_with = "optional_integer")]
    pub priority: Option<i32>,
    /// Data of the owner, which the service does not interpret.
    #[schemars(with = "Option<crate::wire::field_schemas::JsonObject>")]
    pub extra_metadata: Option<Map<String, Value>>,
}

/// The fields that a [`JobCreate`] with `source_job_id` does not have.
const FIELDS_OF_OBJECT: [&str; 3] = ["file_size", "s3_key", "content_type"];

/// A [`JobCreate`] with `source_job_id`. Only stands for its JSON schema, because client
/// generators do not support a type that requires either some fields or others.
#[derive(Debug)]
pub(crate) struct JobOfSourceCreate;

impl JsonSchema for JobOfSourceCreate {
    fn schema_name() -> Cow<'static, str> {
        "JobOfSourceCreate".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut source = JobId::json_schema(generator);
        source.insert(
            "description".into(),
            "Another job with an uploaded recording. The jobs share the object in the storage \
             until the last of them is deleted."
                .into(),
        );
        source.insert("example".into(), EXAMPLE_ID.into());
        let mut schema = JobCreate::json_schema(generator);
        schema.remove("example");
        schema.insert(
            "description".into(),
            "A job for the recording of another job.".into(),
        );
        schema.insert("required".into(), json!(["source_job_id"]));
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        if let Some(properties) = properties {
            properties.retain(|name, _| !FIELDS_OF_OBJECT.contains(&name.as_str()));
            properties.insert("source_job_id".into(), source.into());
            if let Some(filename) = properties.get_mut("filename") {
                filename["description"] =
                    "Name of the recording as its owner knows it; by default that of the source."
                        .into();
            }
        }
        schema
    }
}

/// The recording of a job to be created.
#[derive(Debug, Clone, PartialEq)]
pub enum JobCreation {
    /// An object in the storage.
    Object(NewJob),
    /// The recording of another job.
    Source(NewJobOfSource),
}

impl Request for JobCreate {
    type Domain = JobCreation;

    fn out_of_bounds(&self) -> FieldErrors {
        let required = [
            ("filename", self.filename.is_some()),
            ("file_size", self.file_size.is_some()),
            ("s3_key", self.s3_key.is_some()),
        ];
        let missing = required.iter().find(|(_, is_given)| !is_given);
        match missing {
            Some((field, _)) if self.source_job_id.is_none() => {
                FieldError::new(*field, "is required").into()
            }
            _ => FieldErrors::of(self),
        }
    }
}

impl TryFrom<JobCreate> for JobCreation {
    type Error = Invalid;

    fn try_from(job: JobCreate) -> Result<Self, Invalid> {
        let processing_config = optional(
            "processing_config",
            job.processing_config,
            ProcessingConfig::new,
        )?;
        let extra_metadata = optional("extra_metadata", job.extra_metadata, JsonObject::new)?;
        let extra_metadata = extra_metadata.unwrap_or_default();
        let priority = job.priority.unwrap_or_default();
        if let Some(source_job_id) = job.source_job_id {
            let given = [
                job.file_size.is_some(),
                job.s3_key.is_some(),
                job.content_type.is_some(),
            ];
            let mut fields = FIELDS_OF_OBJECT.iter().zip(given);
            if let Some((field, _)) = fields.find(|(_, is_given)| *is_given) {
                return Err(Invalid::field(
                    *field,
                    "must be left out with source_job_id",
                ));
            }
            return Ok(Self::Source(NewJobOfSource {
                source_job_id,
                filename: optional("filename", job.filename, Filename::new)?,
                processing_config,
                priority,
                extra_metadata,
            }));
        }
        let mut new = NewJob::new(job.filename.unwrap_or_default())?;
        new.file_size = optional("file_size", job.file_size, FileSize::new)?;
        new.original_s3_key = optional("s3_key", job.s3_key, StorageKey::new)?;
        if let Some(content_type) = job.content_type {
            new.content_type = ContentType::new(content_type).in_field("content_type")?;
        }
        new.processing_config = processing_config;
        new.priority = priority;
        new.extra_metadata = extra_metadata;
        Ok(Self::Object(new))
    }
}

/// Runs stages of a finished job again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("example" = { "from_stage": "compilation" }))]
pub struct RerunBody {
    /// The first stage that is run again; those that depend on it are run after it.
    #[schemars(with = "crate::wire::field_schemas::WorkStage")]
    pub from_stage: Stage,
}

impl Request for RerunBody {
    type Domain = Stage;
}

impl TryFrom<RerunBody> for Stage {
    type Error = Invalid;

    fn try_from(body: RerunBody) -> Result<Self, Invalid> {
        if body.from_stage.is_work() {
            return Ok(body.from_stage);
        }
        let message = "must be a stage that workers process";
        Err(Invalid::field("from_stage", message))
    }
}

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct JobResponse {
    /// Id of the job.
    pub job_id: JobId,
    /// Owner of the key with which the job was created; `null` if it has none, or no keys were
    /// asked for. Keys with another owner do not find the job.
    pub owner_id: Option<OwnerName>,
    /// Status of the job.
    pub status: JobStatus,
    /// Name of the recording as its owner knows it.
    pub filename: Filename,
    /// Size of the recording in bytes; `null` until it is known.
    pub file_size: Option<FileSize>,
    /// Media type of the recording.
    pub content_type: ContentType,
    /// Storage key of the recording.
    pub s3_key: Option<StorageKey>,
    /// The job for which the recording was uploaded, if it was another one: that of the
    /// request's `source_job_id`, or the job whose recording that one shares. The id stays
    /// when that job is deleted.
    #[schemars(extend("example" = EXAMPLE_ID))]
    pub source_job_id: Option<JobId>,
    /// Which parts of the recording are analysed.
    pub processing_mode: ProcessingMode,
    /// Settings of the job; `null` if it was created without. In a list also `null` if they
    /// have more than 16 KiB.
    #[schemars(with = "Option<crate::wire::field_schemas::ProcessingConfig>")]
    pub processing_config: Option<JsonObject>,
    /// Jobs with a higher priority are claimed first.
    pub priority: i32,
    /// Length of the recording in seconds; `null` until it is known.
    pub video_duration: Option<VideoDuration>,
    /// Who made the transcript; `null` if there is none, or it was made by an earlier version.
    /// A transcript of a client is used as it is.
    pub transcript_source: Option<TranscriptSource>,
    /// When the job was created.
    pub created_at: DateTime<Utc>,
    /// When the job was last changed.
    pub updated_at: DateTime<Utc>,
    /// When the job was completed.
    pub completed_at: Option<DateTime<Utc>>,
    /// `null` until the first report.
    pub progress: Option<JobProgress>,
    /// Why the job failed.
    pub error_message: Option<LongText>,
    /// Properties of the recording. Left out of a list unless it is requested with
    /// `include=metadata`, and then `null` if it has more than 16 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video_metadata: Option<Option<JsonObject>>,
    /// Data of the owner, which the service does not interpret. Left out of a list unless it
    /// is requested with `include=metadata`, and then `null` if it has more than 16 KiB; the
    /// request for the single job returns all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_metadata: Option<Option<JsonObject>>,
}

impl From<domain::Job> for JobResponse {
    fn from(job: domain::Job) -> Self {
        Self {
            job_id: job.job_id,
            owner_id: job.owner_id,
            status: job.status,
            filename: job.filename,
            file_size: job.file_size,
            content_type: job.content_type,
            s3_key: job.original_s3_key,
            source_job_id: job.source_job_id,
            processing_mode: processing_mode(job.processing_config.as_ref()),
            processing_config: job.processing_config.map(ProcessingConfig::into_settings),
            priority: job.priority,
            video_duration: job.video_duration,
            transcript_source: job.transcript_source,
            created_at: job.created_at,
            updated_at: job.updated_at,
            completed_at: job.completed_at,
            progress: job.progress.map(Into::into),
            error_message: job.error_message,
            video_metadata: Some(Some(job.video_metadata)),
            extra_metadata: Some(Some(job.extra_metadata)),
        }
    }
}

fn processing_mode(config: Option<&ProcessingConfig>) -> ProcessingMode {
    config.map_or(ProcessingMode::Vision, ProcessingConfig::processing_mode)
}

impl From<domain::JobSummary> for JobResponse {
    fn from(job: domain::JobSummary) -> Self {
        let (video_metadata, extra_metadata) = match job.metadata {
            Some(metadata) => (Some(metadata.video), Some(metadata.extra)),
            None => (None, None),
        };
        Self {
            job_id: job.job_id,
            owner_id: job.owner_id,
            status: job.status,
            filename: job.filename,
            file_size: job.file_size,
            content_type: job.content_type,
            s3_key: job.original_s3_key,
            source_job_id: job.source_job_id,
            processing_mode: job.processing_mode,
            processing_config: job.processing_config.map(ProcessingConfig::into_settings),
            priority: job.priority,
            video_duration: job.video_duration,
            transcript_source: job.transcript_source,
            created_at: job.created_at,
            updated_at: job.updated_at,
            completed_at: job.completed_at,
            progress: job.progress.map(Into::into),
            error_message: job.error_message,
            video_metadata,
            extra_metadata,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::completed_job;

    #[test]
    fn a_priority_is_optional_and_has_32_bits() {
        let create = |priority| {
            let body =
                json!({ "filename": "a", "file_size": 1, "s3_key": "k", "priority": priority });
            JobCreate::read(body).map(|job| match job.into_domain().unwrap() {
                JobCreation::Object(job) => job.priority,
                JobCreation::Source(job) => job.priority,
            })
        };
        assert_eq!(create(json!(null)).unwrap(), 0);
        assert_eq!(create(json!(i32::MIN)).unwrap(), i32::MIN);
        assert!(create(json!(i64::from(i32::MAX) + 1)).is_err());
        assert!(create(json!("high")).is_err());
    }

    #[test]
    fn a_recording_is_described_or_another_jobs() {
        let source = JobId::from(uuid::Uuid::nil());
        let read = |body| JobCreate::read(body).unwrap().into_domain();
        let Ok(JobCreation::Source(job)) = read(json!({ "source_job_id": source })) else {
            panic!("a source is enough")
        };
        assert_eq!((job.source_job_id, job.filename), (source, None));
        for (body, field) in [
            (json!({}), "filename"),
            (json!({ "filename": "a" }), "file_size"),
            (json!({ "filename": "a", "file_size": 1 }), "s3_key"),
        ] {
            assert_eq!(
                read(body).unwrap_err(),
                [FieldError::new(field, "is required")]
            );
        }
        let both = json!({ "source_job_id": source, "s3_key": "k" });
        assert_eq!(
            read(both).unwrap_err(),
            [FieldError::new(
                "s3_key",
                "must be left out with source_job_id"
            )]
        );
    }

    #[test]
    fn all_broken_bounds_are_reported_at_once() {
        let body = json!({ "filename": "", "file_size": 0, "s3_key": "k".repeat(501) });
        let errors = JobCreate::read(body).unwrap().into_domain().unwrap_err();
        assert_eq!(
            errors,
            [
                FieldError::new("file_size", "must be 1 or more"),
                FieldError::new("filename", "must be 1 to 255 characters long"),
                FieldError::new("s3_key", "must be 1 to 500 characters long"),
            ]
        );
    }

    #[test]
    fn nul_is_refused_in_every_text() {
        let full = json!({ "filename": "a.mp4", "file_size": 1, "s3_key": "k" });
        for (field, value, path) in [
            ("filename", json!("\0"), "filename"),
            ("s3_key", json!("a\0b"), "s3_key"),
            ("content_type", json!("\0"), "content_type"),
            (
                "extra_metadata",
                json!({ "a": ["\0"] }),
                "extra_metadata.a[0]",
            ),
            (
                "processing_config",
                json!({ "a": "\0" }),
                "processing_config.a",
            ),
        ] {
            let mut body = full.clone();
            body[field] = value;
            let errors = JobCreate::read(body).unwrap().into_domain().unwrap_err();
            assert_eq!(
                errors,
                [FieldError::new(path, "must not contain a NUL character")]
            );
        }
    }

    #[test]
    fn a_body_is_an_object_with_known_fields_only() {
        assert!(JobCreate::read(json!(["a.mp4", 1, "k", null, null, null])).is_err());
        let error = JobCreate::read(json!({ "version": 1 })).unwrap_err();
        assert!(error.to_string().contains("unknown field `version`"));
    }

    #[test]
    fn a_response_has_no_internal_fields_and_null_for_absent_values() {
        let response = serde_json::to_value(JobResponse::from(completed_job())).unwrap();
        let fields: Vec<_> = response.as_object().unwrap().keys().collect();
        assert_eq!(
            fields,
            [
                "completed_at",
                "content_type",
                "created_at",
                "error_message",
                "extra_metadata",
                "file_size",
                "filename",
                "job_id",
                "owner_id",
                "priority",
                "processing_config",
                "processing_mode",
                "progress",
                "s3_key",
                "source_job_id",
                "status",
                "transcript_source",
                "updated_at",
                "video_duration",
                "video_metadata",
            ]
        );
        assert_eq!(response["video_duration"], Value::Null);
        assert_eq!(response["processing_mode"], "audio");
        assert_eq!(
            response["processing_config"],
            json!({ "processing_mode": "audio" })
        );
        assert_eq!(response["priority"], 5);
        assert_eq!(response["s3_key"], "uploads/talk.mp4");
        assert_eq!(response["source_job_id"], Value::Null);
        assert_eq!(response["video_metadata"], json!({}));
        assert_eq!(response["progress"]["agent_name"], "worker-1");
        assert_eq!(response["created_at"], "2026-01-01T00:00:00Z");
        assert_eq!(response["completed_at"], "2026-01-01T00:01:30.500Z");
        assert_eq!(response["extra_metadata"], json!({ "course": "ML 101" }));
    }
}
