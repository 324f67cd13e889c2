//! How long work may take, how much room it may take, and who may stop it.

use std::time::{Duration, Instant};

use crate::{CancellationToken, ChildError, Scratch};

/// The bounds of one piece of work, however many children it needs. Time
/// begins to run when the value is made.
///
/// ```
/// use std::time::Duration;
/// use lectern_media::{CancellationToken, Limits};
///
/// let cancel = CancellationToken::new();
/// let limits = Limits::within(Duration::from_secs(3600)).cancelled_by(&cancel);
/// assert!(limits.check().is_ok());
/// cancel.cancel();
/// assert!(limits.check().is_err());
/// ```
#[derive(Debug, Clone)]
pub struct Limits {
    time: Duration,
    started: Instant,
    cancel: CancellationToken,
    scratch: Option<Scratch>,
}

impl Limits {
    /// May take as long as `time` from now on.
    pub fn within(time: Duration) -> Self {
        Self {
            time,
            started: Instant::now(),
            cancel: CancellationToken::new(),
            scratch: None,
        }
    }

    /// Ends when `cancel` says so.
    pub fn cancelled_by(mut self, cancel: &CancellationToken) -> Self {
        self.cancel = cancel.clone();
        self
    }

    /// Ends when there is more in `scratch` than its limit.
    pub fn in_scratch(mut self, scratch: &Scratch) -> Self {
        self.scratch = Some(scratch.clone());
        self
    }

    /// Whether the work may go on: [`ChildError::Cancelled`] or
    /// [`ChildError::TimedOut`] if not.
    pub fn check(&self) -> Result<(), ChildError> {
        if self.cancel.is_cancelled() {
            return Err(ChildError::Cancelled);
        }
        if self.left().is_zero() {
            return Err(ChildError::TimedOut { limit: self.time });
        }
        Ok(())
    }

    /// Whether there is room left: [`ChildError::NoSpace`] if not.
    pub(crate) fn check_space(&self) -> Result<(), ChildError> {
        match &self.scratch {
            Some(scratch) => Ok(scratch.check()?),
            None => Ok(()),
        }
    }

    /// How much time is left.
    pub(crate) fn left(&self) -> Duration {
        self.time.saturating_sub(self.started.elapsed())
    }

    /// Who may stop the work.
    pub fn cancel(&self) -> &CancellationToken {
        &self.cancel
    }
}
