//! Updates of jobs.

use lectern_domain::{self as domain, InField, Invalid, JobStatus, Patch};
use lectern_domain::{Filename, JsonObject, LongText, ObjectUpdate, TaskId, VideoDuration};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use validator::Validate;

use crate::wire::Request;
use crate::wire::integer::present_integer;
use crate::wire::request::{optional, patch, present};
use crate::wire::validation::chars;

/// A partial change of a job: fields left out keep their values, and `null` clears
/// nullable fields.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("example" = {
        "filename": "Lecture 7.mp4",
        "extra_metadata": { "course": "ML 101", "lecture": 7 },
    }))]
pub struct JobUpdate {
    /// Name of the recording as its owner knows it.
    #[validate(length(min = chars(Filename::MIN), max = chars(Filename::MAX)))]
    #[serde(deserialize_with = "present")]
    #[schemars(with = "String")]
    pub filename: Option<String>,
    /// The next status; the current status limits the choice.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "JobStatus")]
    pub status: Option<JobStatus>,
    /// Why the job failed.
    #[serde(deserialize_with = "present")]
    pub error_message: Option<Option<String>>,
    /// Length of the recording in seconds.
    #[validate(range(min = f64::MIN_POSITIVE, message = "must be more than 0"))]
    #[serde(deserialize_with = "present")]
    pub video_duration: Option<Option<f64>>,
    /// Properties of the recording. Replaces the whole object, or is merged into it, depending
    /// on the media type.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "crate::wire::field_schemas::JsonObject")]
    pub video_metadata: Option<Map<String, Value>>,
    /// Data of the owner, which the service does not interpret. Replaces the whole object, or
    /// is merged into it, depending on the media type.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "crate::wire::field_schemas::JsonObject")]
    pub extra_metadata: Option<Map<String, Value>>,
    /// Jobs with a higher priority are claimed first. Only admins may give
    /// more than 1000 or less than -1000, if the service asks for keys.
    #[validate(range(min = i32::MIN, max = i32::MAX))]
    #[serde(deserialize_with = "present_integer")]
    #[schemars(with = "i32")]
    pub priority: Option<i32>,
    /// Id of the task in an external queue; no response contains it.
    #[validate(length(min = chars(TaskId::MIN), max = chars(TaskId::MAX)))]
    #[serde(deserialize_with = "present")]
    pub celery_task_id: Option<Option<String>>,
}

impl Request for JobUpdate {
    type Domain = domain::JobUpdate;
}

impl TryFrom<JobUpdate> for domain::JobUpdate {
    type Error = Invalid;

    fn try_from(update: JobUpdate) -> Result<Self, Invalid> {
        let object = |object: Option<Map<_, _>>| {
            let object = object.map(JsonObject::new).transpose()?;
            Ok::<_, Invalid>(object.map(ObjectUpdate::from))
        };
        Ok(Self {
            filename: optional("filename", update.filename, Filename::new)?,
            status: update.status,
            error_message: patch(update.error_message, LongText::new).in_field("error_message")?,
            video_duration: patch(update.video_duration, VideoDuration::new)
                .in_field("video_duration")?,
            video_metadata: object(update.video_metadata).in_field("video_metadata")?,
            extra_metadata: object(update.extra_metadata).in_field("extra_metadata")?,
            priority: update.priority,
            celery_task_id: patch(update.celery_task_id, TaskId::new).in_field("celery_task_id")?,
            compiled_video_s3_key: Patch::Keep,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn update(body: Value) -> Result<domain::JobUpdate, String> {
        let update = JobUpdate::read(body).map_err(|error| error.to_string())?;
        update.into_domain().map_err(|errors| format!("{errors:?}"))
    }

    #[test]
    fn absent_keeps_null_clears_and_a_value_sets() {
        assert_eq!(update(json!({})).unwrap(), domain::JobUpdate::default());
        let cleared = update(json!({ "error_message": null, "video_duration": null })).unwrap();
        assert_eq!(cleared.error_message, Patch::Clear);
        assert_eq!(cleared.video_duration, Patch::Clear);
        assert_eq!(cleared.celery_task_id, Patch::Keep);
        let set = json!({ "video_duration": 3600, "status": "running", "priority": 7.0 });
        let set = update(set).unwrap();
        assert_eq!(
            set.video_duration.new_value().map(|length| length.get()),
            Some(3600.0)
        );
        assert_eq!(set.status, Some(JobStatus::Running));
        assert_eq!(set.priority, Some(7));
    }

    #[test]
    fn null_is_refused_for_fields_that_are_not_nullable() {
        for field in [
            "filename",
            "status",
            "video_metadata",
            "extra_metadata",
            "priority",
        ] {
            let error = update(json!({ field: null })).unwrap_err();
            assert!(error.contains("null"), "{field}: {error}");
        }
    }

    #[test]
    fn unknown_fields_are_refused() {
        assert!(JobUpdate::read(json!([])).is_err());
        let error = update(json!({ "version": 1 })).unwrap_err();
        assert!(error.contains("unknown field `version`"));
    }
}
