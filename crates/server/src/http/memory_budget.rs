//! Bounds the memory of large requests and responses. Callers take turns.
//!
//! A request with a large body takes permits for the bytes that it will need, before the
//! body is read, and keeps them until it is handled. A response takes permits for a large
//! row until the client has read the row. Requests and responses have separate budgets,
//! so that a client that does not read cannot keep others from sending.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use lectern_api::Code;
use tokio::time::timeout;

use crate::fair_share::{FairPermit, FairSemaphore};
use crate::http::error::ApiError;

/// How long a request or response waits for its memory.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// The memory for requests divided by this number is the memory for responses with large
/// rows, which comes in addition.
const RESPONSE_DIVISOR: usize = 3;

/// The memory for large requests and responses.
#[derive(Debug, Clone)]
pub(crate) struct MemoryBudget {
    requests: Budget,
    responses: Budget,
}

#[derive(Debug, Clone)]
struct Budget {
    semaphore: Arc<FairSemaphore>,
    bytes: usize,
}

/// Permission to use memory. Dropping this value returns the memory to the budget.
#[derive(Debug, Default)]
pub(crate) struct MemoryPermit(Option<FairPermit>);

impl MemoryBudget {
    /// `bytes` is the memory for requests.
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            requests: Budget::new(bytes),
            responses: Budget::new(bytes / RESPONSE_DIVISOR),
        }
    }

    /// Waits until a request may use `bytes`, or the whole budget if the budget is smaller.
    pub(crate) async fn for_request(&self, bytes: usize) -> Result<MemoryPermit, ApiError> {
        self.requests.acquire(bytes).await
    }

    /// Changes the memory of a request to `bytes`.
    ///
    /// # Errors
    ///
    /// `body_too_large` when `bytes` exceeds the budget of requests; `overloaded` when
    /// the wait is too long.
    pub(crate) async fn resize(
        &self,
        permit: MemoryPermit,
        bytes: usize,
    ) -> Result<MemoryPermit, ApiError> {
        if bytes > self.requests.bytes {
            let detail = format!(
                "its values would need {bytes} bytes of memory, and {} are allowed",
                self.requests.bytes
            );
            return Err(ApiError::new(Code::BodyTooLarge, detail));
        }
        match permit.0 {
            Some(mut held) if held.units() >= bytes => {
                held.shrink_to(bytes);
                Ok(MemoryPermit(Some(held)))
            }
            // The held permits are returned before more are taken, so that no two
            // requests can wait for each other.
            held => {
                drop(held);
                self.for_request(bytes).await
            }
        }
    }

    /// Waits until a response may use `bytes`, or the whole budget if the budget is smaller.
    pub(crate) async fn for_response(&self, bytes: usize) -> Result<MemoryPermit, ApiError> {
        self.responses.acquire(bytes).await
    }
}

impl Budget {
    fn new(bytes: usize) -> Self {
        let bytes = bytes.max(1);
        Self {
            semaphore: Arc::new(FairSemaphore::new(bytes)),
            bytes,
        }
    }

    async fn acquire(&self, bytes: usize) -> Result<MemoryPermit, ApiError> {
        let permit = self.semaphore.acquire(bytes.min(self.bytes));
        match timeout(MAX_WAIT, permit).await {
            Ok(permit) => Ok(MemoryPermit(Some(permit))),
            Err(_) => Err(ApiError::new(
                Code::Overloaded,
                "too many large requests are in progress; try again",
            )),
        }
    }
}

/// A value with the permit for its memory.
#[derive(Debug)]
pub(crate) struct WithPermit<T> {
    value: T,
    permit: MemoryPermit,
}

impl<T> WithPermit<T> {
    pub(crate) fn new(value: T, permit: MemoryPermit) -> Self {
        Self { value, permit }
    }

    /// Changes the value, which keeps its permit.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> WithPermit<U> {
        WithPermit::new(change(self.value), self.permit)
    }

    /// Whether the value is so large that it needs a permit.
    pub(crate) fn is_large(&self) -> bool {
        self.permit.0.is_some()
    }

    pub(crate) fn into_parts(self) -> (T, MemoryPermit) {
        (self.value, self.permit)
    }

    /// Drops the value.
    pub(crate) fn into_permit(self) -> MemoryPermit {
        self.permit
    }
}

impl<T> Deref for WithPermit<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[actix_web::test]
    async fn a_request_gets_at_most_all_memory_and_returns_it() {
        let memory = MemoryBudget::new(4 * MIB);
        for _ in 0..3 {
            let permit = memory.for_request(100 * MIB).await.unwrap();
            assert_eq!(memory.requests.semaphore.available(), 0);
            drop(permit);
        }
        assert_eq!(memory.requests.semaphore.available(), 4 * MIB);
    }

    #[actix_web::test]
    async fn a_permit_is_resized_to_the_needed_memory() {
        let memory = MemoryBudget::new(4 * MIB);
        let free = || memory.requests.semaphore.available() / MIB;
        let permit = memory.for_request(3 * MIB).await.unwrap();
        let permit = memory.resize(permit, MIB).await.unwrap();
        assert_eq!(free(), 3);
        let permit = memory.resize(permit, 4 * MIB).await.unwrap();
        assert_eq!(free(), 0);
        assert!(memory.resize(permit, 5 * MIB).await.is_err());
        assert_eq!(free(), 4);
    }

    #[actix_web::test]
    async fn two_requests_that_need_more_memory_do_not_wait_for_each_other() {
        let memory = MemoryBudget::new(4 * MIB);
        let first = memory.for_request(2 * MIB).await.unwrap();
        let second = memory.for_request(2 * MIB).await.unwrap();
        let grow = |permit| async { memory.resize(permit, 3 * MIB).await.map(drop) };
        let (first, second) = tokio::join!(grow(first), grow(second));
        assert!(first.is_ok() && second.is_ok());
    }
}
