//! The part of the disk that uploads leave free, for the database and the workers.

use lectern_api::Code;
use lectern_storage::DiskSpace;

use super::handle::{Objects, STORAGE_TIMEOUT, within};
use crate::http::error::ApiError;

/// The default reserve: 1 GiB, or a twentieth of the disk if that is less.
const DEFAULT_BYTES: u64 = 1 << 30;
const DEFAULT_DIVISOR: u64 = 20;

/// The disk is too full for an upload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DiskFull;

impl Objects {
    /// The space of the disk with the objects; `None` for a bucket, and if it does not respond.
    pub(crate) async fn disk_space(&self) -> Option<DiskSpace> {
        let space = within(STORAGE_TIMEOUT, self.storage.disk_space()).await;
        space.ok().flatten()
    }

    /// Checks that the reserve stays free after `size` more bytes; if not, returns
    /// `Ok(Err(DiskFull))`. A bucket is never full.
    pub(crate) async fn check_space(&self, size: u64) -> Result<Result<(), DiskFull>, ApiError> {
        let Some(space) = within(STORAGE_TIMEOUT, self.storage.disk_space()).await? else {
            return Ok(Ok(()));
        };
        let reserve = reserve(self.limits.disk_reserve, space);
        if space.available >= size.saturating_add(reserve) {
            return Ok(Ok(()));
        }
        let available = space.available;
        log::warn!(
            "no room for an upload: {size} more bytes are needed, {available} are free, and {reserve} \
             must stay free"
        );
        Ok(Err(DiskFull))
    }
}

impl From<DiskFull> for ApiError {
    fn from(DiskFull: DiskFull) -> Self {
        let detail = "the disk of the server is too full for this upload";
        Self::new(Code::InsufficientStorage, detail)
    }
}

fn reserve(configured: Option<u64>, space: DiskSpace) -> u64 {
    configured.unwrap_or_else(|| DEFAULT_BYTES.min(space.total / DEFAULT_DIVISOR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_is_smaller_on_a_small_disk_unless_configured() {
        let reserve = |configured, total| {
            let space = DiskSpace {
                available: 0,
                total,
            };
            super::reserve(configured, space)
        };
        assert_eq!(reserve(None, 1 << 40), 1 << 30);
        assert_eq!(reserve(None, 20 << 20), 1 << 20);
        assert_eq!(reserve(Some(7), 20 << 20), 7);
        assert_eq!(reserve(Some(0), 1 << 40), 0);
    }
}
