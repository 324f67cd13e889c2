//! The outermost middleware: assigns the request id, adds the headers that all
//! responses have, logs and counts each response, and turns every failure into a
//! problem document.

use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Instant;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{Error, ResponseError as _};
use lectern_domain::ApiKeyId;

use crate::http::auth::Caller;
use crate::http::connections::{Connection, RequestGuard};
use crate::http::error::ApiError;
use crate::http::error::PROBLEM_JSON;
use crate::http::request::app_data::app_data;
use crate::http::request_id::{RequestId, X_REQUEST_ID};
use crate::http::requests_in_flight::{InFlight, Lifecycle};
use crate::http::response::long_lived::LongLived;
use crate::metrics::{CompletedRequest, Metrics};

/// Runs the handler in `next` and records the response, even when the handler panics.
pub(crate) async fn record_request(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let lifecycle = app_data::<Lifecycle>(request.request())?
        .clone()
        .into_inner();
    let metrics = app_data::<Metrics>(request.request())?.get_ref().clone();
    let mut record = AccessRecord {
        started: Instant::now(),
        request_id: RequestId::of(request.headers()),
        client: request.peer_addr().as_ref().map(SocketAddr::ip),
        key_id: None,
        method: request.method().clone(),
        path: request.path().to_owned(),
        route: "unmatched".to_owned(),
        status: client_gone(),
        bytes: 0,
        in_flight: Some(lifecycle.begin()),
        _request_guard: Connection::of(request.request()).map(Connection::begin_request),
        metrics,
    };
    let request_id = record.request_id.clone();
    let handling = request_id.scope(async move { next.call(request).await });
    let response = match catch_panic(handling).await {
        Some(Ok(response)) => into_problem(response),
        Some(Err(error)) => {
            let status = error.as_response_error().status_code();
            Err(ApiError::from_status(status, error.to_string()))
        }
        None => Err(ApiError::internal("the handler panicked")),
    };
    let mut response = response.map_err(|error| {
        record.status = error.status_code();
        error.with_request_id(request_id)
    })?;
    record.status = response.status();
    record.key_id = Caller::of(response.request()).map(|caller| caller.key().key_id);
    if let Some(route) = response.request().match_pattern() {
        record.route = route;
    }
    if response.response().extensions().contains::<LongLived>() {
        // How long a client watches says nothing about the server's speed, and must
        // not delay the shutdown.
        drop(record.complete());
    }
    let stopping = lifecycle.is_stopping();
    let head = response.response_mut().head_mut();
    if stopping {
        head.set_connection_type(ConnectionType::Close);
    }
    let headers = head.headers_mut();
    headers.insert(X_REQUEST_ID, record.request_id.to_header());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response.map_body(|_, body| RecordedBody { body, record }.boxed()))
}

/// In the extensions of a response with an error that is a page for people.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ErrorPage;

/// Converts an error response of actix into a problem document.
fn into_problem(
    response: ServiceResponse<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ApiError> {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let content_type = response
        .headers()
        .get(CONTENT_TYPE)
        .map(HeaderValue::as_bytes);
    let is_page = response.response().extensions().contains::<ErrorPage>();
    if !is_error || is_page || content_type == Some(PROBLEM_JSON.as_bytes()) {
        return Ok(response.map_into_boxed_body());
    }
    let detail = match response.response().body().size() {
        BodySize::Sized(1..) => response.into_body().try_into_bytes().ok(),
        _ => None,
    };
    let detail = detail.map(|text| String::from_utf8_lossy(&text).into_owned());
    let reason = || status.canonical_reason().unwrap_or("refused").to_owned();
    Err(ApiError::from_status(status, detail.unwrap_or_else(reason)))
}

/// Runs `future`; `None` when it panics.
async fn catch_panic<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        },
    )
    .await
}

/// The status in the log for a client that disconnected before the response;
/// never sent.
fn client_gone() -> StatusCode {
    StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST)
}

/// The data that is logged and counted when the response is complete.
struct AccessRecord {
    started: Instant,
    request_id: RequestId,
    /// The other end of the connection, which may be a proxy; `None` in tests of
    /// handlers without a connection.
    client: Option<IpAddr>,
    /// The public id of the key, if the request had an accepted one.
    key_id: Option<ApiKeyId>,
    method: Method,
    path: String,
    route: String,
    status: StatusCode,
    bytes: u64,
    /// `Some` while the request counts as in flight.
    in_flight: Option<InFlight>,
    /// Keeps the connection open.
    _request_guard: Option<RequestGuard>,
    metrics: Metrics,
}

impl AccessRecord {
    /// Records the response once. Until the returned [`InFlight`] is dropped, the request
    /// counts as in flight.
    fn complete(&mut self) -> Option<InFlight> {
        let in_flight = self.in_flight.take()?;
        self.metrics.request_completed(&CompletedRequest {
            method: self.method.as_str(),
            route: &self.route,
            status: self.status.as_str(),
            took: self.started.elapsed(),
        });
        Some(in_flight)
    }
}

impl Drop for AccessRecord {
    fn drop(&mut self) {
        let _in_flight = self.complete();
        let took = self.started.elapsed();
        let client = self.client.map(|client| client.to_string());
        let key_id = self.key_id.map(|key_id| key_id.to_string());
        let (method, path, status) = (
            self.method.as_str(),
            self.path.as_str(),
            self.status.as_u16(),
        );
        log::info!(
            target: "lectern::access",
            client, key_id, method, path, status,
            bytes = if self.method == Method::HEAD { 0 } else { self.bytes },
            micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            request_id = self.request_id.as_str();
            "answered"
        );
    }
}

/// A response body whose record is written when it is dropped.
struct RecordedBody {
    body: BoxBody,
    record: AccessRecord,
}

impl MessageBody for RecordedBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_next(cx);
        if let Poll::Ready(Some(Ok(chunk))) = &polled {
            self.record.bytes += chunk.len() as u64;
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use actix_web::middleware::from_fn;
    use actix_web::test::{self, TestRequest};
    use actix_web::{App, HttpResponse, web};
    use lectern_db::Database;

    use super::*;

    async fn panics() -> HttpResponse {
        panic!("on purpose")
    }

    async fn panics_on_a_thread() -> Result<HttpResponse, ApiError> {
        web::block(|| panic!("on purpose")).await?;
        Ok(HttpResponse::Ok().finish())
    }

    async fn returns_an_actix_error() -> HttpResponse {
        HttpResponse::BadRequest().body("not like this")
    }

    #[actix_web::test]
    async fn every_failure_is_a_problem_document() {
        let database = Database::open("sqlite::memory:").unwrap();
        let app = App::new()
            .app_data(web::Data::new(Lifecycle::default()))
            .app_data(web::Data::new(Metrics::new(&database).unwrap()))
            .wrap(from_fn(record_request))
            .route("/panics", web::get().to(panics))
            .route("/thread", web::get().to(panics_on_a_thread))
            .route("/error", web::get().to(returns_an_actix_error));
        let app = test::init_service(app).await;
        for (path, code) in [
            ("/panics", "internal"),
            ("/thread", "internal"),
            ("/error", "malformed_query"),
            ("/nowhere", "not_found"),
        ] {
            let request = TestRequest::get()
                .uri(path)
                .insert_header(("X-Request-Id", "r-1"));
            let response = match test::try_call_service(&app, request.to_request()).await {
                Ok(response) => response.into_parts().1.map_into_boxed_body(),
                Err(error) => error.error_response(),
            };
            assert_eq!(
                response.headers().get(CONTENT_TYPE).unwrap(),
                PROBLEM_JSON,
                "{path}"
            );
            assert_eq!(
                response.headers().get(X_REQUEST_ID).unwrap(),
                "r-1",
                "{path}"
            );
            let body = actix_web::body::to_bytes(response.into_body())
                .await
                .unwrap();
            let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(problem["code"], code, "{path}");
            assert_eq!(problem["request_id"], "r-1", "{path}");
        }
    }
}
