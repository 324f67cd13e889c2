//! The minimum rate of uploads. `Objects::receive` enforces it.

use std::time::Duration;

use super::upload_limits::UploadLimits;

/// How much longer the server waits for the client of an upload.
///
/// Each wait for the client reduces the allowance. Received bytes increase the allowance
/// by the time that they take at the minimum rate, up to the idle timeout. Time that the
/// server spends writing to the disk does not count.
#[derive(Debug)]
pub(super) struct TimeAllowance {
    limits: UploadLimits,
    remaining: Duration,
}

impl TimeAllowance {
    pub(super) fn new(limits: UploadLimits) -> Self {
        Self {
            limits,
            remaining: limits.idle_timeout,
        }
    }

    /// Upper bound of the wait for the next bytes.
    pub(super) fn remaining(&self) -> Duration {
        self.remaining
    }

    /// Records that `bytes` bytes arrived after a wait of `waited`.
    pub(super) fn record(&mut self, waited: Duration, bytes: usize) {
        let scaled_bytes = (bytes as u64).saturating_mul(1_000_000);
        let added = match scaled_bytes.checked_div(self.limits.min_rate.into()) {
            Some(micros) => Duration::from_micros(micros),
            // There is no minimum rate.
            None => Duration::MAX,
        };
        let left = self.remaining.saturating_sub(waited);
        self.remaining = left.saturating_add(added).min(self.limits.idle_timeout);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn new_allowance(min_rate: u32) -> TimeAllowance {
        TimeAllowance::new(UploadLimits {
            idle_timeout: 60 * SECOND,
            min_rate,
            ..UploadLimits::default()
        })
    }

    #[test]
    fn a_client_below_the_minimum_rate_runs_out_of_time() {
        let mut allowance = new_allowance(1000);
        for second in 1..=60 {
            assert!(allowance.remaining() >= SECOND, "after {second} s");
            allowance.record(SECOND, 1);
        }
        assert!(allowance.remaining() < SECOND);
    }

    #[test]
    fn a_client_at_the_minimum_rate_never_runs_out_of_time() {
        let mut allowance = new_allowance(1000);
        for _ in 0..10_000 {
            allowance.record(30 * SECOND, 30_000);
            assert_eq!(allowance.remaining(), 60 * SECOND);
        }
    }

    #[test]
    fn a_client_may_pause_again_after_it_has_caught_up() {
        let mut allowance = new_allowance(1000);
        for _ in 0..100 {
            allowance.record(59 * SECOND, 1000);
            assert_eq!(allowance.remaining(), 2 * SECOND);
            allowance.record(SECOND, 100_000);
            assert_eq!(allowance.remaining(), 60 * SECOND);
        }
    }

    #[test]
    fn the_allowance_never_exceeds_the_idle_timeout() {
        let mut allowance = new_allowance(1);
        allowance.record(SECOND, usize::MAX);
        assert_eq!(allowance.remaining(), 60 * SECOND);
    }

    #[test]
    fn without_a_minimum_rate_each_byte_permits_a_pause() {
        let mut allowance = new_allowance(0);
        allowance.record(59 * SECOND, 1);
        assert_eq!(allowance.remaining(), 60 * SECOND);
    }
}
