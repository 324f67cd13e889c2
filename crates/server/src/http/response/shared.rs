//! Responses that equal requests share.
//!
//! Many clients poll the same list, or open the same results at once. Requests that
//! arrive while an equal request waits for its turn share its response: the queries run
//! once, and the response is serialized once. This is no cache: a request never gets a
//! response whose queries began before the request arrived, so that a client finds every
//! change that was acknowledged before.
//!
//! Requests of different callers share, too, if their keys have the same owner or none: what
//! these responses contain depends on no more of the caller.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::FutureExt as _;
use futures_util::future::{Shared, WeakShared};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::request::app_data::app_data;
use crate::http::response::ApiResult;

/// How long a response waits for the one before it. A database that does not respond must
/// not delay a request by the time limits of two responses.
const MAX_WAIT: Duration = Duration::from_millis(200);

/// Receives a response that is made while any of the requests that share it waits for it.
/// The thread of the first of these requests makes it; an error means that this thread has
/// ended.
type Response = Shared<oneshot::Receiver<ApiResult>>;

/// The responses that requests are waiting for.
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
    response: WeakShared<oneshot::Receiver<ApiResult>>,
}

impl SharedResponses {
    /// The response for a request, made by `respond` unless a request with the same key
    /// waits for its turn; then `respond` is returned, too. One response for each key is made
    /// at a time, or more if one takes longer than [`MAX_WAIT`].
    fn get<F>(&self, key: String, respond: F) -> (Response, Option<F>)
    where
        F: Future<Output = ApiResult> + 'static,
    {
        let mut state = self.0.lock();
        let found = state.latest.get(&key);
        // Must not be dropped before the lock is released: the last clone drops its turn.
        let previous = found.and_then(|found| found.response.upgrade());
        if let (Some(found), Some(response)) = (found, &previous)
            && !found.has_begun
        {
            return (response.clone(), Some(respond));
        }
        let id = state.next_id;
        state.next_id += 1;
        let turn = Turn {
            responses: self.clone(),
            key: key.clone(),
            id,
        };
        let (mut sender, receiver) = oneshot::channel();
        let response = receiver.shared();
        if let Some(weak) = response.downgrade() {
            let latest = Latest {
                id,
                has_begun: false,
                response: weak,
            };
            state.latest.insert(key, latest);
        }
        drop(state);
        let make = async move {
            if let Some(previous) = previous {
                let _ = timeout(MAX_WAIT, previous).await;
            }
            turn.begin();
            respond.await
        };
        actix_web::rt::spawn(async move {
            let result = tokio::select! {
                response = make => Some(response),
                () = sender.closed() => None,
            };
            if let Some(response) = result {
                let _ = sender.send(response);
            }
        });
        (response, None)
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

/// A request that shares its response with requests for the same path and query string of
/// callers with the same owner.
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
        respond: impl Future<Output = ApiResult> + 'static,
    ) -> ApiResult {
        let (response, respond) = self.responses.get(self.key, respond);
        match (response.await, respond) {
            (Ok(response), _) => response,
            (Err(_), Some(respond)) => respond.await,
            (Err(error), None) => Err(ApiError::internal(error)),
        }
    }
}

impl FromRequest for SharedRequest {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let responses = app_data::<SharedResponses>(request);
        let caller = Caller::of(request);
        let mut key = request.uri().to_string();
        if let Some(owner) = caller.as_ref().and_then(Caller::owner) {
            // A URI has no line break.
            key = format!("{owner}\n{key}");
        }
        ready(responses.map(|responses| Self {
            responses: SharedResponses::clone(responses),
            key,
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc::channel;

    use actix_web::rt::System;
    use futures_util::future::pending;
    use lectern_api::Code;
    use tokio::sync::Semaphore;
    use tokio::task::yield_now;

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
            let (response, _) = self.shared.get(key.to_owned(), async move {
                let number = this.begun.fetch_add(1, Ordering::SeqCst);
                this.may_end.acquire().await.unwrap().forget();
                match number {
                    9 => Err(ApiError::new(Code::Overloaded, "no")),
                    _ => ApiResponse::ok(&number),
                }
            });
            async move {
                match response.await.unwrap() {
                    Ok(response) => response.body.to_text().unwrap(),
                    Err(error) => error.code().as_str().to_owned(),
                }
            }
        }

        /// Lets tasks run until this number of responses has begun.
        async fn until_begun(&self, responses: u32) {
            while self.begun.load(Ordering::SeqCst) < responses {
                yield_now().await;
            }
        }

        fn end(&self, responses: usize) {
            self.may_end.add_permits(responses);
        }

        fn keys(&self) -> usize {
            self.shared.0.lock().latest.len()
        }
    }

    #[actix_web::test]
    async fn requests_that_wait_share_one_response_and_none_gets_one_that_had_begun() {
        let responses = Numbered::new();
        let first = responses.request("list");
        responses.until_begun(1).await;
        let waiting = responses.request("list");
        let also_waiting = responses.request("list");
        let other = responses.request("other");
        responses.until_begun(2).await;

        responses.end(3);
        assert_eq!(first.await, "0");
        assert_eq!(other.await, "1");
        assert_eq!(waiting.await, "2");
        assert_eq!(also_waiting.await, "2");
        assert_eq!(responses.keys(), 0);
        responses.end(1);
        assert_eq!(responses.request("list").await, "3");
    }

    #[actix_web::test]
    async fn a_request_that_is_abandoned_neither_stops_the_others_nor_leaves_anything() {
        let responses = Numbered::new();
        let abandoned = responses.request("list");
        responses.until_begun(1).await;
        let waiting = responses.request("list");
        let also_abandoned = responses.request("list");
        drop((abandoned, also_abandoned));
        responses.end(2);
        assert_eq!(waiting.await, "1");

        drop(responses.request("list"));
        let begun = responses.request("list");
        responses.until_begun(3).await;
        assert_eq!(responses.keys(), 1);
        drop(begun);
        while responses.keys() > 0 {
            yield_now().await;
        }
    }

    #[actix_web::test]
    async fn a_response_begins_although_the_one_before_it_does_not_end() {
        let responses = Numbered::new();
        let _stuck = responses.request("list");
        responses.until_begun(1).await;
        let _waiting = responses.request("list");
        responses.until_begun(2).await;
    }

    #[test]
    fn a_response_whose_thread_has_ended_is_made_by_the_request_that_waited_for_it() {
        let responses = SharedResponses::default();
        let (queued, is_queued) = channel();
        let (end, may_end) = channel();
        let thread = std::thread::spawn({
            let responses = responses.clone();
            move || {
                System::new().block_on(async {
                    // This thread blocks, so that the response does not begin.
                    let _first = responses.get("list".to_owned(), pending());
                    queued.send(()).unwrap();
                    may_end.recv().unwrap();
                });
            }
        });
        is_queued.recv().unwrap();
        let key = "list".to_owned();
        let waiting = SharedRequest { responses, key }.respond(async { ApiResponse::ok(&1) });
        let answered = System::new().block_on(async {
            let mut waiting = pin!(waiting);
            assert!((&mut waiting).now_or_never().is_none());
            end.send(()).unwrap();
            waiting.await.unwrap()
        });
        assert_eq!(answered.body.to_text().unwrap(), "1");
        thread.join().unwrap();
    }

    #[actix_web::test]
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
