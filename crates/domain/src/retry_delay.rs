//! The pause between a failed attempt at a stage and the next attempt.

use std::time::Duration;

/// The delay before the next attempt after attempt number `attempt` (from 1) has
/// failed: 2 seconds, doubled with each attempt, at most 5 minutes. `jitter`, from
/// 0 to 1, shortens the delay by up to half, so that stages which failed at the same
/// time are not retried at the same time.
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
    const FIRST: f64 = 2.0;
    const LONGEST: f64 = 300.0;
    let delay = (FIRST * 2_f64.powi(attempt - 1)).min(LONGEST);
    Duration::from_secs_f64(delay * (1.0 - jitter.clamp(0.0, 1.0) / 2.0))
}
