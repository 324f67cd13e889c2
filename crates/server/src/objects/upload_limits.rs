//! Bounds of uploads and of signed URLs.

use std::time::Duration;

/// Bounds of uploads and of signed URLs.
#[derive(Debug, Clone, Copy)]
pub struct UploadLimits {
    /// Upper bound of a recording, in bytes; 10 GiB by default.
    pub max_size: u64,
    /// Lifetime of an upload URL; 24 hours by default.
    pub upload_ttl: Duration,
    /// Lifetime of a download URL; one hour by default.
    pub download_ttl: Duration,
    /// How long an upload may send nothing; one minute by default.
    pub idle_timeout: Duration,
}

impl Default for UploadLimits {
    fn default() -> Self {
        Self {
            max_size: 10 << 30,
            upload_ttl: Duration::from_hours(24),
            download_ttl: Duration::from_hours(1),
            idle_timeout: Duration::from_mins(1),
        }
    }
}
