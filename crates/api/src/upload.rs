//! Uploads.

use std::collections::BTreeMap;
use std::time::Duration;

use lectern_domain::{ContentType, FileSize, Filename, ProcessingConfig, StorageKey};
use lectern_domain::{InField, Invalid, JobId, NewJob, NewUpload, check_recording};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use validator::Validate;

use crate::wire::Request;
use crate::wire::integer::{integer, optional_integer};
use crate::wire::request::{not_empty, optional};
use crate::wire::validation::chars;

/// A valid id, for examples in the documentation.
pub(crate) const EXAMPLE_ID: &str = "019b76da-a87b-7763-a830-6c97ee0bf06d";

/// A short recording, for examples in the documentation: a WAV file of one second with a tone
/// of 128 Hz. Every byte is ASCII, so that the file can be the example of a body, which is
/// text in JSON.
pub(crate) fn sample_recording() -> String {
    const RATE: u32 = 1024;
    const HEADER_AFTER_RIFF: u32 = 36;
    let mut bytes = Vec::new();
    bytes.extend(b"RIFF");
    bytes.extend((HEADER_AFTER_RIFF + RATE).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    // PCM, one channel.
    bytes.extend([1, 0, 1, 0]);
    // Samples and bytes per second.
    bytes.extend([RATE.to_le_bytes(); 2].concat());
    // Bytes per sample of all channels, bits per sample.
    bytes.extend([1, 0, 8, 0]);
    bytes.extend(b"data");
    bytes.extend(RATE.to_le_bytes());
    bytes.extend(b"pppp    ".repeat(128));
    bytes.into_iter().map(char::from).collect()
}

/// A recording to be uploaded.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("example" = {
        "filename": "sample.wav",
        "file_size": sample_recording().len(),
        "content_type": "audio/wav",
        "processing_config": { "processing_mode": "audio" },
    }))]
pub struct UploadRequest {
    /// Name of the recording as its owner knows it. Ends in `.mp4`, `.m4v`, `.mov`, `.avi`,
    /// `.mkv`, `.webm`, `.mts`, `.ts`, `.mpg`, `.wmv`, `.3gp`, `.ogg`, `.opus`, `.mp3`,
    /// `.wav`, `.m4a`, `.mka`, `.flac` or `.aac`.
    #[validate(length(min = chars(Filename::MIN), max = chars(Filename::MAX)))]
    #[schemars(extend("pattern" = crate::wire::field_schemas::recording_name_pattern()))]
    pub filename: String,
    /// Size of the recording in bytes; the uploaded file must have exactly this size.
    #[validate(range(min = 1, max = i64::MAX))]
    #[serde(deserialize_with = "integer")]
    pub file_size: i64,
    /// Media type of the recording: `video/…` or `audio/…`, matching its name, and possibly
    /// with parameters. If it is left out or empty, it follows from the name.
    #[validate(length(max = chars(ContentType::MAX)))]
    #[schemars(extend("pattern" = crate::wire::field_schemas::RECORDING_TYPE_PATTERN))]
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
}

impl Request for UploadRequest {
    type Domain = NewUpload;
}

impl TryFrom<UploadRequest> for NewUpload {
    type Error = Invalid;

    fn try_from(upload: UploadRequest) -> Result<Self, Invalid> {
        // The filename comes with the default of the media type.
        let NewJob {
            filename,
            content_type: default,
            ..
        } = NewJob::new(upload.filename)?;
        let content_type = optional("content_type", upload.content_type, ContentType::new)?;
        let new = Self {
            filename,
            file_size: FileSize::new(upload.file_size).in_field("file_size")?,
            content_type: content_type.unwrap_or(default),
            processing_config: optional(
                "processing_config",
                upload.processing_config,
                ProcessingConfig::new,
            )?,
            priority: upload.priority.unwrap_or_default(),
        };
        check_recording(&new.filename, &new.content_type)?;
        Ok(new)
    }
}

/// The URL for the upload of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UploadResponse {
    /// The new job, which is `pending` until the upload is confirmed.
    pub job_id: JobId,
    /// The URL to which the client sends the recording with PUT.
    #[schemars(extend("format" = "uri"))]
    pub upload_url: String,
    /// Form fields to send with the upload; always empty.
    pub upload_fields: BTreeMap<String, String>,
    /// Number of seconds for which the URL is valid.
    #[schemars(with = "i64", range(min = 0))]
    pub expires_in: u64,
    /// Storage key that the recording will have.
    pub s3_key: StorageKey,
}

impl UploadResponse {
    /// The response for a new job. `url` is the URL for the upload, valid for `lifetime`.
    pub fn new(job_id: JobId, s3_key: StorageKey, upload_url: String, lifetime: Duration) -> Self {
        Self {
            job_id,
            upload_url,
            upload_fields: BTreeMap::new(),
            expires_in: lifetime.as_secs(),
            s3_key,
        }
    }
}

/// Confirms that the recording of a job was uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("example" = { "job_id": EXAMPLE_ID }))]
pub struct UploadConfirmBody {
    /// The `job_id` in the response to the upload request.
    pub job_id: JobId,
}

impl Request for UploadConfirmBody {
    type Domain = JobId;
}

impl TryFrom<UploadConfirmBody> for JobId {
    type Error = Invalid;

    fn try_from(confirm: UploadConfirmBody) -> Result<Self, Invalid> {
        Ok(confirm.job_id)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::samples::completed_job;
    use crate::wire::{FieldError, FieldErrors};

    fn talk() -> Value {
        json!({ "filename": "talk.mp4", "file_size": 1, "content_type": "video/mp4" })
    }

    fn errors(field: &str, value: Value) -> FieldErrors {
        let mut body = talk();
        body[field] = value;
        let upload = UploadRequest::read(body).unwrap();
        upload.into_domain().unwrap_err()
    }

    #[test]
    fn name_and_media_type_must_be_those_of_a_recording() {
        let upload = UploadRequest::read(talk()).unwrap().into_domain().unwrap();
        assert_eq!(upload.file_size.get(), 1);
        assert_eq!((upload.processing_config, upload.priority), (None, 0));
        for (field, value) in [
            ("filename", "talk.pdf"),
            ("filename", "talk"),
            ("content_type", "text/plain"),
            ("content_type", "video/"),
            ("content_type", "video/mp4\n"),
        ] {
            let errors = errors(field, value.into());
            assert_eq!(errors[0].field, field, "{value}");
        }
    }

    #[test]
    fn a_media_type_that_is_missing_follows_from_the_name() {
        let content_type = |filename: &str, content_type: Option<Value>| {
            let mut body = talk();
            body["filename"] = filename.into();
            match content_type {
                Some(given) => body["content_type"] = given,
                None => drop(body.as_object_mut().unwrap().remove("content_type")),
            }
            let upload = UploadRequest::read(body).unwrap().into_domain().unwrap();
            upload.content_type.into_string()
        };
        for missing in [None, Some(Value::Null), Some(json!(""))] {
            assert_eq!(content_type("talk.Opus", missing), "audio/ogg");
        }
        for given in ["audio/webm", "video/webm;codecs=vp8,opus"] {
            assert_eq!(content_type("talk.webm", Some(json!(given))), given);
        }
    }

    #[test]
    fn an_invalid_upload_names_its_field() {
        for (field, value, path, message) in [
            (
                "filename",
                json!("a".repeat(252) + ".mp4"),
                "filename",
                "must be 1 to 255 characters long",
            ),
            ("file_size", json!(0), "file_size", "must be 1 or more"),
            (
                "filename",
                json!("\0.mp4"),
                "filename",
                "must not contain a NUL character",
            ),
            (
                "content_type",
                json!("video/\0"),
                "content_type",
                "must not contain a NUL character",
            ),
            (
                "processing_config",
                json!({ "pipeline": "" }),
                "processing_config.pipeline",
                "must be 1 to 50 characters long",
            ),
        ] {
            assert_eq!(errors(field, value), [FieldError::new(path, message)]);
        }
    }

    #[test]
    fn missing_and_unknown_fields_are_refused() {
        for field in ["filename", "file_size"] {
            let mut body = talk();
            body[field] = Value::Null;
            assert!(UploadRequest::read(body).is_err(), "{field}");
        }
        for field in ["s3_key", "job_id", "extra_metadata"] {
            let mut body = talk();
            body[field] = json!("k");
            let error = UploadRequest::read(body).unwrap_err().to_string();
            assert!(error.contains("unknown field"), "{error}");
        }
        for body in [
            json!({}),
            json!({ "job_id": "7" }),
            json!({ "job_id": null }),
        ] {
            assert!(UploadConfirmBody::read(body).is_err());
        }
    }

    #[test]
    fn every_byte_of_the_sample_recording_is_ascii() {
        let sample = sample_recording();
        assert!(sample.is_ascii());
        let length = |at: usize| {
            let bytes = sample.as_bytes()[at..at + 4].try_into().unwrap();
            u32::from_le_bytes(bytes) as usize
        };
        assert_eq!(length(4), sample.len() - 8);
        assert_eq!(length(40), sample.len() - 44);
    }

    #[test]
    fn the_response_contains_the_upload_url() {
        let job_id = completed_job().job_id;
        let key = StorageKey::new("jobs/7/original/talk.mp4").unwrap();
        let url = "http://localhost/talk.mp4?signature=0f".to_owned();
        let response = UploadResponse::new(job_id, key, url, Duration::from_hours(24));
        assert_eq!(
            serde_json::to_value(response).unwrap(),
            json!({
                "job_id": job_id,
                "upload_url": "http://localhost/talk.mp4?signature=0f",
                "upload_fields": {},
                "expires_in": 86_400,
                "s3_key": "jobs/7/original/talk.mp4",
            })
        );
        let confirm = UploadConfirmBody::read(json!({ "job_id": job_id })).unwrap();
        assert_eq!(confirm.into_domain(), Ok(job_id));
    }
}
