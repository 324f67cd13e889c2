//! Responses that equal requests share.
//!
//! Many clients poll the same list, or open the same results at once. Requests that
//! arrive while an equal request waits for its turn share its response: the queries run
//! once, and the response is serialized once. This is no cache: a request never gets a
//! response whose queries began before the request arrived, so that a client finds every
//! change that was acknowledged before.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use parking_lot::Mutex;
use tokio::time::timeout;

use crate::http::error::ApiError;
use crate::http::request::app_data::app_data;
use crate::http::response::ApiResult;

/// How long a response waits for the one before it. A database that does not respond must
/// not delay a request by the time limits of two responses.
const MAX_WAIT: Duration = Duration::from_millis(200);

/// A response that is made while any of the requests that share it waits for it.
type Response = Shared<BoxFuture<'static, ApiResult>>;

/// The responses that the requests of one HTTP thread are waiting for.
#[derive(Debug, Clone, Default)]
pub(crate) struct SharedResponses(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The latest response for each key.
    latest: HashMap<String, Latest>,
    next_id: u64,
}

#[derive(Debug)]
struct Latest {
    id: u64,
    /// Whether its queries may have begun, so that later requests need another response.
    has_begun: bool,
    response: WeakShared<BoxFuture<'static, ApiResult>>,
}

impl SharedResponses {
    /// The response for a request, made by `respond` unless a request with the same key
    /// waits for its turn. One response for each key is made at a time, or more if one takes
    /// longer than [`MAX_WAIT`].
    fn get(
        &self,
        key: String,
        respond: impl Future<Output = ApiResult> + Send + 'static,
    ) -> Response {
        let mut state = self.0.lock();
        let found = state.latest.get(&key);
        // Must not be dropped before the lock is released: the last clone drops its turn.
        let previous = found.and_then(|found| found.response.upgrade());
        if let (Some(found), Some(response)) = (found, &previous)
            && !found.has_begun
        {
            return response.clone();
        }
        let id = state.next_id;
        state.next_id += 1;
        let turn = Turn {
            responses: self.clone(),
            key: key.clone(),
            id,
        };
        let response = async move {
            if let Some(previous) = previous {
                let _ = timeout(MAX_WAIT, previous).await;
            }
            turn.begin();
            respond.await
        };
        let response = response.boxed().shared();
        if let Some(weak) = response.downgrade() {
            let latest = Latest {
                id,
                has_begun: false,
                response: weak,
            };
            state.latest.insert(key, latest);
        }
        response
    }
}

/// The turn of a response. Is dropped when the response is made, or when no request waits
/// for it any more.
struct Turn {
    responses: SharedResponses,
    key: String,
    id: u64,
}

impl Turn {
    fn begin(&self) {
        let mut state = self.responses.0.lock();
        let latest = state.latest.get_mut(&self.key);
        if let Some(latest) = latest.filter(|latest| latest.id == self.id) {
            latest.has_begun = true;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.responses.0.lock();
        let latest = state.latest.get(&self.key);
        if latest.is_some_and(|latest| latest.id == self.id) {
            state.latest.remove(&self.key);
        }
    }
}

/// A request that shares its response with requests for the same path and query string.
#[derive(Debug)]
pub(crate) struct SharedRequest {
    responses: SharedResponses,
    key: String,
}

impl SharedRequest {
    /// Shares only with requests whose response has URLs with the same `base`.
    pub(crate) fn with_base_url(mut self, base: &str) -> Self {
        self.key.push(' ');
        self.key.push_str(base);
        self
    }

    /// The response, made by `respond` or shared.
    pub(crate) async fn respond(
        self,
        respond: impl Future<Output = ApiResult> + Send + 'static,
    ) -> ApiResult {
        self.responses.get(self.key, respond).await
    }
}

impl FromRequest for SharedRequest {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let responses = app_data::<SharedResponses>(request);
        ready(responses.map(|responses| Self {
            responses: SharedResponses::clone(responses),
            key: request.uri().to_string(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicU32, Ordering};

    use lectern_api::Code;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::http::response::ApiResponse;

    /// Responses that are numbered in the order in which they begin, and end one by one.
    #[derive(Clone)]
    struct Numbered {
        shared: SharedResponses,
        begun: Arc<AtomicU32>,
        may_end: Arc<Semaphore>,
    }

    impl Numbered {
        fn new() -> Self {
            Self {
                shared: SharedResponses::default(),
                begun: Arc::default(),
                may_end: Arc::new(Semaphore::new(0)),
            }
        }

        /// The number of the response to a request.
        fn request(&self, key: &str) -> impl Future<Output = String> + use<> {
            let this = self.clone();
            let response = self.shared.get(key.to_owned(), async move {
                let number = this.begun.fetch_add(1, Ordering::SeqCst);
                this.may_end.acquire().await.unwrap().forget();
                match number {
                    9 => Err(ApiError::new(Code::Overloaded, "no")),
                    _ => ApiResponse::ok(&number),
                }
            });
            async move {
                match response.await {
                    Ok(response) => response.body.to_text().unwrap(),
                    Err(error) => error.code().as_str().to_owned(),
                }
            }
        }

        fn end(&self, responses: usize) {
            self.may_end.add_permits(responses);
        }

        fn keys(&self) -> usize {
            self.shared.0.lock().latest.len()
        }
    }

    #[tokio::test]
    async fn requests_that_wait_share_one_response_and_none_gets_one_that_had_begun() {
        let responses = Numbered::new();
        let mut first = pin!(responses.request("list"));
        assert!((&mut first).now_or_never().is_none());
        let mut waiting = pin!(responses.request("list"));
        assert!((&mut waiting).now_or_never().is_none());
        let also_waiting = responses.request("list");
        let other = responses.request("other");
        assert_eq!(responses.begun.load(Ordering::SeqCst), 1);

        responses.end(3);
        assert_eq!(first.await, "0");
        assert_eq!(waiting.await, "1");
        assert_eq!(also_waiting.await, "1");
        assert_eq!(other.await, "2");
        assert_eq!(responses.keys(), 0);
        responses.end(1);
        assert_eq!(responses.request("list").await, "3");
    }

    #[tokio::test]
    async fn a_request_that_is_abandoned_neither_stops_the_others_nor_leaves_anything() {
        let responses = Numbered::new();
        let mut abandoned = Box::pin(responses.request("list"));
        assert!((&mut abandoned).now_or_never().is_none());
        let waiting = responses.request("list");
        let mut also_abandoned = Box::pin(responses.request("list"));
        assert!((&mut also_abandoned).now_or_never().is_none());
        drop((abandoned, also_abandoned));
        responses.end(2);
        assert_eq!(waiting.await, "1");

        drop(responses.request("list"));
        let mut begun = Box::pin(responses.request("list"));
        assert!((&mut begun).now_or_never().is_none());
        assert_eq!(responses.keys(), 1);
        drop(begun);
        assert_eq!(responses.keys(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_begins_although_the_one_before_it_does_not_end() {
        let responses = Numbered::new();
        let mut stuck = pin!(responses.request("list"));
        assert!((&mut stuck).now_or_never().is_none());
        let mut waiting = pin!(responses.request("list"));
        assert!(timeout(MAX_WAIT / 2, &mut waiting).await.is_err());
        assert_eq!(responses.begun.load(Ordering::SeqCst), 1);
        assert!(timeout(MAX_WAIT, &mut waiting).await.is_err());
        assert_eq!(responses.begun.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn an_error_reaches_every_request_that_shares_it_and_no_later_one() {
        let responses = Numbered::new();
        responses.begun.store(9, Ordering::SeqCst);
        let (one, two) = (responses.request("list"), responses.request("list"));
        responses.end(2);
        assert_eq!(one.await, "overloaded");
        assert_eq!(two.await, "overloaded");
        assert_eq!(responses.request("list").await, "10");
    }
}
