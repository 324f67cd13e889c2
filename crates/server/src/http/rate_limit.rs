//! Bounds the number of requests of each caller.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock as _, MonotonicClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter as Governor};

use crate::fair_share::CallerShare;
use crate::http::error::ApiError;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// After so many requests, the callers are forgotten who could send a whole burst again.
const CLEAN_UP_INTERVAL: usize = 1_000;

/// How many requests a caller may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests in each second, on average.
    pub per_second: NonZeroU32,
    /// Requests at once, by a caller that has sent none for a while.
    pub burst: NonZeroU32,
}

type ByCaller = Governor<
    CallerShare,
    HashMapStateStore<CallerShare>,
    MonotonicClock,
    StateInformationMiddleware,
>;

/// Counts the requests of each caller, if they are limited.
#[derive(Debug)]
pub(crate) struct RateLimiter(Option<Limited>);

#[derive(Debug)]
struct Limited {
    limit: RateLimit,
    by_caller: ByCaller,
    requests_since_clean_up: AtomicUsize,
}

/// What a caller may still send; the headers of its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestAllowance {
    /// The size of a burst.
    limit: u32,
    /// Requests that the caller may send at once.
    remaining: u32,
    /// Seconds until `remaining` is `limit` or, after a refusal, until it is 1.
    reset_seconds: u64,
}

impl RateLimiter {
    /// The headers of responses, if requests are limited.
    pub(crate) const HEADERS: [HeaderName; 3] = [LIMIT, REMAINING, RESET];

    pub(crate) fn new(limit: Option<RateLimit>) -> Self {
        Self(limit.map(|limit| {
            let quota = Quota::per_second(limit.per_second).allow_burst(limit.burst);
            Limited {
                limit,
                by_caller: Governor::new(quota, HashMapStateStore::default(), MonotonicClock),
                requests_since_clean_up: AtomicUsize::new(0),
            }
        }))
    }

    /// Counts a request of `caller`; `None`: requests are not limited.
    ///
    /// # Errors
    ///
    /// What remains, if the caller has sent too many. The request is not counted then.
    pub(crate) fn count(
        &self,
        caller: &CallerShare,
    ) -> Option<Result<RequestAllowance, RequestAllowance>> {
        self.0.as_ref().map(|limited| limited.count(caller))
    }
}

impl Limited {
    fn count(&self, caller: &CallerShare) -> Result<RequestAllowance, RequestAllowance> {
        if self.requests_since_clean_up.fetch_add(1, Ordering::Relaxed) >= CLEAN_UP_INTERVAL {
            self.requests_since_clean_up.store(0, Ordering::Relaxed);
            self.by_caller.retain_recent();
            self.by_caller.shrink_to_fit();
        }
        let limit = self.limit.burst.get();
        match self.by_caller.check_key(caller) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let missing = u64::from(limit.saturating_sub(remaining));
                Ok(RequestAllowance {
                    limit,
                    remaining,
                    reset_seconds: missing.div_ceil(self.limit.per_second.get().into()),
                })
            }
            Err(until) => {
                let wait = until.wait_time_from(self.by_caller.clock().now());
                Err(RequestAllowance {
                    limit,
                    remaining: 0,
                    reset_seconds: whole_seconds(wait),
                })
            }
        }
    }
}

/// Seconds rounded up, at least one: a client that waits for them is not refused again.
fn whole_seconds(wait: Duration) -> u64 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    seconds.max(1)
}

impl RequestAllowance {
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, self.limit.into());
        headers.insert(REMAINING, self.remaining.into());
        headers.insert(RESET, HeaderValue::from(self.reset_seconds));
    }

    /// The refusal of a request.
    pub(crate) fn refusal(&self) -> ApiError {
        ApiError::rate_limited(self.reset_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(per_second: u32, burst: u32) -> RateLimiter {
        let number = |number| NonZeroU32::new(number).unwrap();
        RateLimiter::new(Some(RateLimit {
            per_second: number(per_second),
            burst: number(burst),
        }))
    }

    #[test]
    fn each_caller_has_a_burst_of_its_own() {
        let limiter = limiter(1, 3);
        let count = |caller: &str| limiter.count(&CallerShare::named(caller)).unwrap();
        let remaining: Vec<_> = (0..3).map(|_| count("a").unwrap().remaining).collect();
        assert_eq!(remaining, [2, 1, 0]);
        let refused = count("a").unwrap_err();
        assert_eq!(
            (refused.limit, refused.remaining, refused.reset_seconds),
            (3, 0, 1)
        );
        assert_eq!(count("b").unwrap().remaining, 2);
    }

    #[test]
    fn callers_that_may_send_a_burst_again_are_forgotten() {
        let limiter = limiter(1_000_000_000, 1);
        for caller in 0..=CLEAN_UP_INTERVAL * 3 {
            let _ = limiter.count(&CallerShare::named(caller.to_string()));
        }
        assert!(limiter.0.unwrap().by_caller.len() <= CLEAN_UP_INTERVAL + 1);
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let limiter = RateLimiter::new(None);
        assert_eq!(limiter.count(&CallerShare::named("a")), None);
    }
}
