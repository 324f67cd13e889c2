//! The end of an attempt that failed.

use std::time::Duration;

use lectern_domain::{Job, LeaseId, StageFailure, StageRun};

use super::Work;
use super::attempt::FailedAttempt;
use super::locked_jobs::lost;
use crate::error::Error;

impl Work<'_> {
    /// Ends an attempt that failed. If another attempt is allowed, the stage is
    /// ready again after a pause: the one that the worker asks for, or that of the stage's
    /// backoff. Otherwise the stage fails, and the job with it.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when the lease is unknown or has expired.
    pub fn fail(
        &mut self,
        lease_id: LeaseId,
        failure: &StageFailure,
    ) -> Result<(Job, StageRun), Error> {
        let (locked, run) = self.lock_lease(lease_id)?;
        locked.require_live(&run, lease_id)?;
        let pause = match failure.retry_after {
            Some(seconds) => Duration::from_secs(seconds.get().unsigned_abs().into()),
            None => run.backoff.delay(run.attempt, jitter(lease_id)),
        };
        let attempt = FailedAttempt {
            error: &failure.error,
            details: failure.details.as_ref(),
            retry_after: failure.retryable.then_some(pause),
        };
        self.fail_attempt(run, &attempt, locked.now)?
            .ok_or_else(|| lost(lease_id))
    }
}

/// A number from 0 to 1, from the random bits of a lease id.
pub(super) fn jitter(lease_id: LeaseId) -> f64 {
    let bits = lease_id.as_uuid().as_u128() & u128::from(u32::MAX);
    bits as f64 / f64::from(u32::MAX)
}
