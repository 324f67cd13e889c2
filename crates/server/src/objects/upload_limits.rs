//! Bounds of uploads and of signed addresses.

use std::time::Duration;

/// How large recordings may be, and how long they may take.
#[derive(Debug, Clone, Copy)]
pub struct UploadLimits {
    /// Bytes of a recording; 10 GiB by default.
    pub max_size: u64,
    /// How long a recording can be uploaded to the address that was given out
    /// for it; 24 hours by default.
    pub upload_ttl: Duration,
    /// How long an object can be fetched from an address that was given out for
    /// it; one hour by default.
    pub download_ttl: Duration,
    /// How long an upload that is on its way may send nothing; one minute by
    /// default.
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
