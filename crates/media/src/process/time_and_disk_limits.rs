//! Limits on time and disk space.

use std::time::{Duration, Instant};

use super::cancellation::CancellationToken;
use super::error::ChildError;
use crate::scratch::Scratch;

/// By how much one file may exceed the scratch space before the space is measured again.
const SPACE_CHECK_BYTES: u64 = 64 << 20;

/// The limits of one piece of work, which may run several child processes. The
/// time starts when the value is created.
///
/// ```
/// use std::time::Duration;
/// use lectern_media::{CancellationToken, Limits};
///
/// let token = CancellationToken::new();
/// let limits = Limits::within(Duration::from_secs(3600)).cancelled_by(&token);
/// assert!(limits.check().is_ok());
/// token.cancel();
/// assert!(limits.check().is_err());
/// ```
#[derive(Debug, Clone)]
pub struct Limits {
    timeout: Duration,
    started: Instant,
    cancellation: CancellationToken,
    scratch: Option<Scratch>,
}

impl Limits {
    /// Allows the work to run for `timeout` from now on.
    pub fn within(timeout: Duration) -> Self {
        Self {
            timeout,
            started: Instant::now(),
            cancellation: CancellationToken::new(),
            scratch: None,
        }
    }

    /// Counts the time from `started` instead of from now on.
    pub fn since(mut self, started: Instant) -> Self {
        self.started = started;
        self
    }

    /// Also ends the work when `token` is cancelled.
    pub fn cancelled_by(mut self, token: &CancellationToken) -> Self {
        self.cancellation = token.clone();
        self
    }

    /// Also ends the work when `scratch` holds more than its limit.
    pub fn in_scratch(mut self, scratch: &Scratch) -> Self {
        self.scratch = Some(scratch.clone());
        self
    }

    /// Fails with [`ChildError::Cancelled`] or [`ChildError::TimedOut`] if the
    /// work must end.
    pub fn check(&self) -> Result<(), ChildError> {
        if self.cancellation.is_cancelled() {
            return Err(ChildError::Cancelled);
        }
        if self.remaining().is_zero() {
            return Err(ChildError::TimedOut {
                limit: self.timeout,
            });
        }
        Ok(())
    }

    /// Fails with [`ChildError::NoSpace`] if the scratch space is full. Not part of
    /// [`Limits::check`], because this check has to walk through the directory.
    pub(crate) fn check_space(&self) -> Result<(), ChildError> {
        match &self.scratch {
            Some(scratch) => Ok(scratch.check()?),
            None => Ok(()),
        }
    }

    /// The greatest size of one file: more than the scratch space may hold, so that
    /// [`Limits::check_space`] has the time to report that the scratch space is full.
    pub(crate) fn max_file_bytes(&self) -> Option<u64> {
        let scratch = self.scratch.as_ref()?;
        Some(scratch.limit().saturating_add(SPACE_CHECK_BYTES))
    }

    pub(crate) fn remaining(&self) -> Duration {
        self.timeout.saturating_sub(self.started.elapsed())
    }

    /// The token that ends the work.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancellation
    }
}
