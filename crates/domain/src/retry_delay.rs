//! The pause between a failed attempt at a stage and the next attempt.

use std::time::Duration;

use serde::Deserialize;

use crate::value::{InField, Invalid};

/// How the pauses between the attempts at a stage grow.
///
/// ```
/// use std::time::Duration;
/// use lectern_domain::Backoff;
///
/// let backoff = Backoff::new(10, 3.0, 60)?;
/// assert_eq!(backoff.delay(1, 0.0), Duration::from_secs(10));
/// assert_eq!(backoff.delay(2, 0.0), Duration::from_secs(30));
/// assert_eq!(backoff.delay(3, 0.0), Duration::from_secs(60));
/// assert_eq!(backoff.delay(3, 1.0), Duration::from_secs(30));
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    first_seconds: i32,
    factor: f64,
    max_seconds: i32,
}

impl Backoff {
    /// The longest pause, in seconds: a day.
    pub const MAX: i32 = 86_400;
    /// The greatest factor.
    pub const MAX_FACTOR: f64 = 100.0;

    /// Checks the bounds. The error names the field.
    pub fn new(first_seconds: i64, factor: f64, max_seconds: i64) -> Result<Self, Invalid> {
        let first_seconds = pause_in_seconds(first_seconds).in_field("first_seconds")?;
        let max_seconds = pause_in_seconds(max_seconds).in_field("max_seconds")?;
        if !(1.0..=Self::MAX_FACTOR).contains(&factor) {
            return Err(Invalid::field("factor", "must be between 1 and 100"));
        }
        if max_seconds < first_seconds {
            let message = "must not be less than first_seconds";
            return Err(Invalid::field("max_seconds", message));
        }
        Ok(Self {
            first_seconds,
            factor,
            max_seconds,
        })
    }

    /// The pause after the first attempt, in seconds.
    pub fn first_seconds(&self) -> i32 {
        self.first_seconds
    }

    /// Each pause is the one before it, multiplied by this factor.
    pub fn factor(&self) -> f64 {
        self.factor
    }

    /// The longest pause, in seconds.
    pub fn max_seconds(&self) -> i32 {
        self.max_seconds
    }

    /// The delay before the next attempt after attempt number `attempt` (from 1) has
    /// failed. `jitter`, from 0 to 1, shortens the delay by up to half, so that stages
    /// which failed at the same time are not retried at the same time.
    pub fn delay(&self, attempt: i32, jitter: f64) -> Duration {
        if self.first_seconds == 0 {
            return Duration::ZERO;
        }
        let delay = f64::from(self.first_seconds) * self.factor.powi(attempt - 1);
        let delay = delay.min(f64::from(self.max_seconds));
        Duration::from_secs_f64(delay * (1.0 - jitter.clamp(0.0, 1.0) / 2.0))
    }
}

impl Default for Backoff {
    /// 2 seconds, doubled with each attempt, at most 5 minutes.
    fn default() -> Self {
        Self {
            first_seconds: 2,
            factor: 2.0,
            max_seconds: 300,
        }
    }
}

fn pause_in_seconds(seconds: i64) -> Result<i32, Invalid> {
    match i32::try_from(seconds) {
        Ok(seconds @ 0..=Backoff::MAX) => Ok(seconds),
        _ => Err(Invalid::new("must be between 0 and 86400")),
    }
}

/// A [`Backoff`] in JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BackoffJson {
    first_seconds: Option<i64>,
    factor: Option<f64>,
    max_seconds: Option<i64>,
}

impl TryFrom<BackoffJson> for Backoff {
    type Error = Invalid;

    fn try_from(json: BackoffJson) -> Result<Self, Invalid> {
        let default = Self::default();
        let first_seconds = json.first_seconds.unwrap_or(default.first_seconds.into());
        // A long first pause does not need another setting.
        let max_seconds = i64::from(default.max_seconds).max(first_seconds);
        Self::new(
            first_seconds,
            json.factor.unwrap_or(default.factor),
            json.max_seconds.unwrap_or(max_seconds),
        )
    }
}

/// The delay before the next attempt after attempt number `attempt` (from 1) of a stage
/// with the default [`Backoff`].
///
/// ```
/// use std::time::Duration;
/// use lectern_domain::retry_delay;
///
/// assert_eq!(retry_delay(1, 0.0), Duration::from_secs(2));
/// assert_eq!(retry_delay(3, 1.0), Duration::from_secs(4));
/// assert_eq!(retry_delay(99, 0.0), Duration::from_secs(300));
/// ```
pub fn retry_delay(attempt: i32, jitter: f64) -> Duration {
    Backoff::default().delay(attempt, jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backoff_out_of_bounds_is_refused_with_its_field() {
        for (first, factor, max, field) in [
            (-1, 2.0, 300, "first_seconds"),
            (86_401, 2.0, 86_401, "first_seconds"),
            (2, 2.0, 86_401, "max_seconds"),
            (2, 2.0, 1, "max_seconds"),
            (2, 0.5, 300, "factor"),
            (2, 100.5, 300, "factor"),
            (2, f64::NAN, 300, "factor"),
            (2, f64::INFINITY, 300, "factor"),
        ] {
            let error = Backoff::new(first, factor, max).unwrap_err();
            assert_eq!(error.errors()[0].field, field);
        }
        assert!(Backoff::new(86_400, 100.0, 86_400).is_ok());
    }

    #[test]
    fn a_backoff_without_a_pause_stays_without_one() {
        let none = Backoff::new(0, 100.0, 86_400).unwrap();
        assert_eq!(none.delay(100, 0.0), Duration::ZERO);
    }

    #[test]
    fn the_longest_pause_holds_for_any_number_of_attempts() {
        let steep = Backoff::new(1, 100.0, 60).unwrap();
        assert_eq!(steep.delay(i32::MAX, 0.0), Duration::from_mins(1));
    }
}
