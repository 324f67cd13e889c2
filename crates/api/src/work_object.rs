//! Objects that workers read and store.

use std::time::Duration;

use chrono::{DateTime, Utc};
use lectern_domain::{
    CutRecord, FileSize, InField, Invalid, NewWorkObject, StorageKey, WorkObjectName,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::upload::EXAMPLE_ID;
use crate::wire::Request;
use crate::wire::integer::integer;
use crate::wire::request::optional;
use crate::wire::validation::chars;

/// A file that a worker is going to send, such as a clip.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("example" = {
        "filename": format!("clips/{EXAMPLE_ID}.mp4"),
        "file_size": 1_048_576,
    }))]
pub struct WorkUploadRequest {
    /// Name of the object below `jobs/{job_id}/`, possibly with directories. Not in `original`,
    /// `upload` or `subtitles`.
    #[validate(length(min = chars(WorkObjectName::MIN), max = chars(WorkObjectName::MAX)))]
    #[schemars(extend("pattern" = "^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$"))]
    pub filename: String,
    /// Size of the file in bytes; the object that is sent must have exactly this size.
    #[validate(range(min = 1, max = i64::MAX))]
    #[serde(deserialize_with = "integer")]
    pub file_size: i64,
}

impl Request for WorkUploadRequest {
    type Domain = NewWorkObject;
}

impl TryFrom<WorkUploadRequest> for NewWorkObject {
    type Error = Invalid;

    fn try_from(upload: WorkUploadRequest) -> Result<Self, Invalid> {
        Ok(Self {
            filename: WorkObjectName::new(upload.filename).in_field("filename")?,
            file_size: FileSize::new(upload.file_size).in_field("file_size")?,
        })
    }
}

/// The URL to which a worker sends a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WorkUploadResponse {
    /// Storage key that the object will have.
    pub s3_key: StorageKey,
    /// The URL to which the worker sends the file with PUT, without its key.
    #[schemars(extend("format" = "uri"))]
    pub upload_url: String,
    /// Number of seconds for which the URL is valid.
    #[schemars(with = "i64", range(min = 0))]
    pub expires_in: u64,
}

impl WorkUploadResponse {
    /// The response with a URL that is valid for `lifetime`.
    pub fn new(s3_key: StorageKey, upload_url: String, lifetime: Duration) -> Self {
        Self {
            s3_key,
            upload_url,
            expires_in: lifetime.as_secs(),
        }
    }
}

/// Selects the objects that a stage reads.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorkObjectsQuery {
    /// The object with this key. It is the recording, one below `jobs/{job_id}/`, or a file of
    /// one of the job's clips. Left out: the recording, and files beside it with its name, such
    /// as subtitles.
    #[validate(length(min = chars(StorageKey::MIN), max = chars(StorageKey::MAX)))]
    #[schemars(extend("example" = "uploads/lecture.mp4"))]
    pub s3_key: Option<String>,
}

impl Request for WorkObjectsQuery {
    type Domain = Option<StorageKey>;
}

impl TryFrom<WorkObjectsQuery> for Option<StorageKey> {
    type Error = Invalid;

    fn try_from(query: WorkObjectsQuery) -> Result<Self, Invalid> {
        optional("s3_key", query.s3_key, StorageKey::new)
    }
}

/// An object that a stage may read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WorkObject {
    /// Storage key of the object.
    pub s3_key: StorageKey,
    /// Size in bytes.
    pub size: u64,
    /// When it was stored.
    pub last_modified: DateTime<Utc>,
    /// Changes whenever the content changes.
    pub etag: Option<String>,
    /// URL of the object, without the worker's key.
    #[schemars(extend("format" = "uri"))]
    pub url: Option<String>,
    /// How the video of a clip was made, as the worker that made it has said.
    pub cut_record: Option<CutRecord>,
}

/// The objects that exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WorkObjectsResponse {
    /// The objects.
    pub objects: Vec<WorkObject>,
}
