//! Uploads of recordings.

use crate::job::ProcessingConfig;
use crate::value::{ContentType, FileSize, Filename};

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
