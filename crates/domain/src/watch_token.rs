//! Tokens with which a browser watches one job.

use chrono::TimeDelta;

use crate::value::Invalid;

/// How long a token for watching a job is accepted, 1 second to 1 day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchTokenLifetime(u32);

impl WatchTokenLifetime {
    /// The longest lifetime, in seconds.
    pub const MAX: i64 = 86_400;

    /// Checks the bounds.
    pub fn new(seconds: i64) -> Result<Self, Invalid> {
        match u32::try_from(seconds) {
            Ok(seconds @ 1..=86_400) => Ok(Self(seconds)),
            _ => Err(Invalid::new("must be between 1 and 86400")),
        }
    }

    /// The number of seconds.
    pub fn seconds(self) -> u32 {
        self.0
    }

    /// The duration.
    pub fn duration(self) -> TimeDelta {
        TimeDelta::seconds(self.0.into())
    }
}

impl Default for WatchTokenLifetime {
    /// One hour.
    fn default() -> Self {
        Self(3600)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_a_second_to_a_day() {
        for seconds in [1, 3600, WatchTokenLifetime::MAX] {
            let lifetime = WatchTokenLifetime::new(seconds).unwrap();
            assert_eq!(lifetime.duration().num_seconds(), seconds);
        }
        for seconds in [i64::MIN, -1, 0, WatchTokenLifetime::MAX + 1, i64::MAX] {
            assert!(WatchTokenLifetime::new(seconds).is_err(), "{seconds}");
        }
    }
}
