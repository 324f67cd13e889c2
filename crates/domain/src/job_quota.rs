//! How many jobs, bytes and rows an owner may have.

use std::fmt;

/// Bounds for the jobs of each owner, and for those without an owner together. `None`: there is
/// no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobQuota {
    /// Jobs that are pending, queued or running.
    pub open_jobs: Option<u64>,
    /// The size in bytes of the recordings of all jobs, whatever their status. A recording that
    /// several jobs share counts for each.
    pub stored_bytes: Option<u64>,
    /// The rows of the outputs of all jobs, and their log entries, without those that the service
    /// itself writes about attempts. Writers at the same time may exceed it by a request each.
    pub stored_rows: Option<u64>,
}

impl JobQuota {
    /// Whether there is a bound that a new or reopened job could exceed.
    pub const fn limits_jobs(&self) -> bool {
        self.open_jobs.is_some() || self.stored_bytes.is_some()
    }

    /// Checks that an owner with `stored` rows may have `more`.
    ///
    /// # Errors
    ///
    /// The bound that they would exceed. No rows more never do.
    pub fn check_rows(&self, stored: u64, more: u64) -> Result<(), ExceededQuota> {
        match self.stored_rows {
            Some(max) if more > 0 && stored.saturating_add(more) > max => {
                Err(ExceededQuota::StoredRows(max))
            }
            _ => Ok(()),
        }
    }
}

/// A bound of [`JobQuota`] that a change would exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExceededQuota {
    /// [`JobQuota::open_jobs`], with its value.
    OpenJobs(u64),
    /// [`JobQuota::stored_bytes`], with its value.
    StoredBytes(u64),
    /// [`JobQuota::stored_rows`], with its value.
    StoredRows(u64),
}

impl fmt::Display for ExceededQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenJobs(max) => write!(
                f,
                "at most {max} jobs may be pending, queued or running at once"
            ),
            Self::StoredBytes(max) => {
                write!(f, "the recordings of all jobs may have at most {max} bytes")
            }
            Self::StoredRows(max) => write!(
                f,
                "the outputs and log entries of all jobs may have at most {max} rows"
            ),
        }
    }
}

/// What an owner has, and may have.
#[derive(Debug, Clone, Copy)]
pub struct JobUsage {
    /// The bounds.
    pub quota: JobQuota,
    /// The open jobs that there are.
    pub open_jobs: u64,
    /// The bytes that there are.
    pub stored_bytes: u64,
}

impl JobUsage {
    /// Counts another open job, whose recording has this size in bytes.
    ///
    /// # Errors
    ///
    /// The bound that it would exceed; it is not counted then.
    pub fn add(&mut self, bytes: u64) -> Result<(), ExceededQuota> {
        let open_jobs = self.open_jobs.saturating_add(1);
        let stored_bytes = self.stored_bytes.saturating_add(bytes);
        if let Some(max) = self.quota.open_jobs
            && open_jobs > max
        {
            return Err(ExceededQuota::OpenJobs(max));
        }
        if let Some(max) = self.quota.stored_bytes
            && bytes > 0
            && stored_bytes > max
        {
            return Err(ExceededQuota::StoredBytes(max));
        }
        (self.open_jobs, self.stored_bytes) = (open_jobs, stored_bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_exceeds_a_bound_is_not_counted() {
        let quota = JobQuota {
            open_jobs: Some(2),
            stored_bytes: Some(10),
            stored_rows: None,
        };
        let mut usage = JobUsage {
            quota,
            open_jobs: 0,
            stored_bytes: 4,
        };
        assert_eq!(usage.add(7), Err(ExceededQuota::StoredBytes(10)));
        assert_eq!(usage.add(6), Ok(()));
        // A job that is opened again stores nothing more.
        assert_eq!(usage.add(0), Ok(()));
        assert_eq!(usage.add(0), Err(ExceededQuota::OpenJobs(2)));
        assert_eq!((usage.open_jobs, usage.stored_bytes), (2, 10));
    }
    #[test]
    fn rows_beyond_the_bound_are_refused_but_fewer_rows_never_are() {
        let quota = JobQuota {
            stored_rows: Some(10),
            ..JobQuota::default()
        };
        assert_eq!(quota.check_rows(4, 6), Ok(()));
        assert_eq!(quota.check_rows(4, 7), Err(ExceededQuota::StoredRows(10)));
        assert_eq!(quota.check_rows(12, 0), Ok(()));
        assert_eq!(JobQuota::default().check_rows(u64::MAX, 1), Ok(()));
    }
}
