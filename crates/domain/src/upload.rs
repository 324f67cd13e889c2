//! Uploads of recordings.

use chrono::{DateTime, Utc};

use crate::id::{AppendId, JobId};
use crate::job::ProcessingConfig;
use crate::value::text::bounded_texts;
use crate::value::{ContentType, FileSize, Filename};

bounded_texts! {
    /// What a client says about its resumable upload, in the form of the header
    /// `Upload-Metadata`, at most 8,192 characters.
    UploadMetadata: 0 to 8192;
    /// The id that a bucket gave to a multipart upload, 1 to 1,024 characters.
    MultipartId: 1 to 1024;
    /// The `ETag` of a part in a bucket, 1 to 255 characters.
    PartEtag: 1 to 255;
}

/// A recording to be uploaded.
#[derive(Debug, Clone, PartialEq)]
pub struct NewUpload {
    /// Must end in the extension of a [recording](crate::RECORDING_TYPES).
    pub filename: Filename,
    /// The uploaded file must have exactly this size.
    pub file_size: FileSize,
    /// Must match the extension; see [`check_recording`](crate::check_recording).
    pub content_type: ContentType,
    /// Settings of the job; `None`: defaults.
    pub processing_config: Option<ProcessingConfig>,
    /// Jobs with a higher priority are claimed first.
    pub priority: i32,
}

/// The state of a resumable upload.
#[derive(Debug, Clone, PartialEq)]
pub struct ResumableUpload {
    /// The job whose recording is uploaded.
    pub job_id: JobId,
    /// Bytes that are stored durably.
    pub received: u64,
    /// As sent by the client; `None` if it sent none.
    pub metadata: Option<UploadMetadata>,
    /// `None` on local disk.
    pub multipart_id: Option<MultipartId>,
    /// The append that stored the bytes after the last part in an object of their own;
    /// `None` if there are no such bytes.
    pub tail: Option<AppendId>,
    /// When the upload can no longer be resumed. Each append postpones this time.
    pub expires_at: DateTime<Utc>,
    /// Whether `expires_at` has passed, by the clock of the database.
    pub is_expired: bool,
}

/// What an append to a resumable upload has stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppendedBytes {
    /// Bytes of the upload that are stored now, from its start.
    pub received: u64,
    /// New parts in a bucket, which follow the parts of earlier appends.
    pub parts: Vec<PartEtag>,
    /// Whether this append has stored bytes after the last part.
    pub has_tail: bool,
}
