//! Bounds of uploads and of signed URLs.

use std::time::Duration;

use chrono::TimeDelta;

/// Bounds of uploads and of signed URLs.
#[derive(Debug, Clone, Copy)]
pub struct UploadLimits {
    /// Upper bound of a recording, in bytes; 10 GiB by default.
    pub max_size: u64,
    /// Lifetime of an upload URL; 24 hours by default.
    pub upload_ttl: Duration,
    /// How long a pending job is kept after its upload URL has expired, or after the last
    /// bytes of its resumable upload have arrived; seven days by default.
    pub retention: Duration,
    /// Lifetime of a download URL; one hour by default.
    pub download_ttl: Duration,
    /// How long the client of an upload may send nothing; one minute by default.
    pub idle_timeout: Duration,
    /// Minimum rate of an upload in bytes per second; 1024 by default, 0 for no minimum.
    /// A client may fall behind this rate by up to `idle_timeout`.
    pub min_rate: u32,
    /// Bytes of the disk that uploads leave free. `None`, the default: 1 GiB, or 5 % of
    /// a disk of less than 20 GiB.
    pub disk_reserve: Option<u64>,
}

impl UploadLimits {
    /// How long a job is kept that gets an upload URL now.
    pub(crate) fn url_lifetime(&self) -> TimeDelta {
        time_delta(self.upload_ttl.saturating_add(self.retention))
    }

    /// How long a resumable upload is kept whose bytes arrive now.
    pub(crate) fn resumable_lifetime(&self) -> TimeDelta {
        time_delta(self.retention)
    }
}

fn time_delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

impl Default for UploadLimits {
    fn default() -> Self {
        Self {
            max_size: 10 << 30,
            upload_ttl: Duration::from_hours(24),
            retention: Duration::from_hours(7 * 24),
            download_ttl: Duration::from_hours(1),
            idle_timeout: Duration::from_mins(1),
            min_rate: 1024,
            disk_reserve: None,
        }
    }
}
