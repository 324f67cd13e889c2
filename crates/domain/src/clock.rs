//! Sources of the current time.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// A source of the current time. Passed in wherever time matters, so that tests
/// control it.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The current time, truncated to the microsecond because PostgreSQL stores
    /// no more.
    fn now(&self) -> DateTime<Utc>;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "every other place takes a Clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// A clock that changes only when it is advanced.
///
/// ```
/// use chrono::TimeDelta;
/// use lectern_domain::{Clock, ManualClock};
///
/// let clock = ManualClock::default();
/// let before = clock.now();
/// clock.advance(TimeDelta::seconds(90));
/// assert_eq!(clock.now() - before, TimeDelta::seconds(90));
/// ```
#[derive(Debug)]
pub struct ManualClock(Mutex<DateTime<Utc>>);

impl ManualClock {
    /// A clock set to `now`, truncated to the microsecond.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self(Mutex::new(now.trunc_subsecs(6)))
    }

    /// Adds `delta`, which may be negative.
    pub fn advance(&self, delta: TimeDelta) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += delta;
    }
}

impl Default for ManualClock {
    /// Set to 2026-01-01T00:00:00Z.
    fn default() -> Self {
        Self::at(DateTime::UNIX_EPOCH + TimeDelta::days(20_454))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
