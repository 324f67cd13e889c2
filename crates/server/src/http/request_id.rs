//! Request ids, which connect responses with log lines.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    /// The id of the current task's request.
    static CURRENT: RequestId;
}

/// A request id: 1 to 128 characters of `A-Z a-z 0-9 . _ -`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// The client's id if it is well-formed, or else a new one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        match headers.get(X_REQUEST_ID) {
            Some(given) if is_well_formed(given.as_bytes()) => Self(given.clone()),
            _ => Self::new(),
        }
    }

    /// A new id: unique by a random prefix per process and a counter.
    fn new() -> Self {
        static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let id = format!("{:016x}-{count:x}", *PROCESS);
        Self(HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("unknown")))
    }

    /// The id of the current request, if there is one.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Runs `future` with this as the current id.
    pub(crate) fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self.clone(), future)
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    pub(crate) fn to_header(&self) -> HeaderValue {
        self.0.clone()
    }
}

fn is_well_formed(id: &[u8]) -> bool {
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    (1..=128).contains(&id.len()) && id.iter().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_id_is_kept_only_when_it_is_well_formed() {
        let of = |given: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(X_REQUEST_ID, HeaderValue::from_str(given).unwrap());
            RequestId::of(&headers).as_str() == given
        };
        assert!(of("a-B_9.z") && of(&"x".repeat(128)));
        assert!(!of("") && !of("a b") && !of("a\"b") && !of(&"x".repeat(129)));
    }

    #[test]
    fn new_ids_are_well_formed_and_differ() {
        let (one, other) = (RequestId::new(), RequestId::new());
        assert!(is_well_formed(one.as_str().as_bytes()));
        assert_ne!(one, other);
    }
}
