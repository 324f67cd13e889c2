//! JSON bodies of requests.

use std::cell::Cell;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::web::{self, Bytes};
use actix_web::{FromRequest, HttpRequest};
use lectern_api::{Code, FieldError, Request};
use lectern_domain::{
    ClipUpdate, ContentSegmentUpdate, JobUpdate, Reason, TranscriptSegmentUpdate, TypedErrors,
};
use serde_path_to_error::Track;

use crate::http::error::ApiError;
use crate::http::extract::deserialize_error::field_error;
use crate::http::extract::receive_body::{
    BodyBounds, MAX_BYTES_WITHOUT_PERMIT, ReceivedBody, announced_length, check_headers,
    check_json, collect, inflate, is_gzip, malformed, receive_json, receive_patch,
};
use crate::http::memory_budget::WithPermit;

/// Larger bodies are parsed on a blocking thread.
const MAX_INLINE_BYTES: usize = 128 << 10;

pub(crate) type BodyFuture<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

/// A body with the output of a stage, which may be large, validated and converted.
#[derive(Debug)]
pub(crate) struct OutputBody<T: Request>(pub(crate) WithPermit<T::Domain>);

/// A body without required fields, which may be omitted.
#[derive(Debug)]
pub(crate) struct OptionalBody<T: Request>(pub(crate) WithPermit<T::Domain>);

/// A body with changes, of which JSON objects are merged into the stored ones or replace
/// them, depending on the media type.
#[derive(Debug)]
pub(crate) struct PatchBody<T: Request>(pub(crate) WithPermit<T::Domain>);

/// As [`PatchBody`], of the output of a stage, which may be large.
#[derive(Debug)]
pub(crate) struct OutputPatchBody<T: Request>(pub(crate) WithPermit<T::Domain>);

/// Changes that may contain JSON objects.
pub(crate) trait Changes: Sized {
    /// The same changes, with the objects as patches to be merged. By default, there are none.
    fn merging(self) -> Self {
        self
    }
}

impl Changes for JobUpdate {
    fn merging(self) -> Self {
        Self::merging(self)
    }
}

impl Changes for ClipUpdate {
    fn merging(self) -> Self {
        Self::merging(self)
    }
}

impl Changes for TranscriptSegmentUpdate {}

impl Changes for ContentSegmentUpdate {}

impl<T> FromRequest for OutputBody<T>
where
    T: Request + 'static,
    T::Domain: Send,
{
    type Error = ApiError;
    type Future = BodyFuture<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = receive_json(request, payload, BodyBounds::output(request));
        Box::pin(async move { decode::<T>(body.await?).await.map(Self) })
    }
}

impl<T> FromRequest for OptionalBody<T>
where
    T: Request + 'static,
    T::Domain: Send,
{
    type Error = ApiError;
    type Future = BodyFuture<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = receive_optional(request, payload);
        Box::pin(async move { decode::<T>(body.await?).await.map(Self) })
    }
}

impl<T> FromRequest for PatchBody<T>
where
    T: Request + 'static,
    T::Domain: Changes + Send,
{
    type Error = ApiError;
    type Future = BodyFuture<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let changes = changes::<T>(request, payload, BodyBounds::general(request));
        Box::pin(async move { changes.await.map(Self) })
    }
}

impl<T> FromRequest for OutputPatchBody<T>
where
    T: Request + 'static,
    T::Domain: Changes + Send,
{
    type Error = ApiError;
    type Future = BodyFuture<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let changes = changes::<T>(request, payload, BodyBounds::output(request));
        Box::pin(async move { changes.await.map(Self) })
    }
}

fn changes<T>(
    request: &HttpRequest,
    payload: &mut Payload,
    bounds: Result<BodyBounds, ApiError>,
) -> impl Future<Output = Result<WithPermit<T::Domain>, ApiError>> + use<T>
where
    T: Request + 'static,
    T::Domain: Changes + Send,
{
    let received = receive_patch(request, payload, bounds);
    async move {
        let (body, is_merge) = received.await?;
        let changes = decode::<T>(body).await?;
        Ok(if is_merge {
            changes.map(Changes::merging)
        } else {
            changes
        })
    }
}

/// Receives a JSON body that may be omitted. An omitted body becomes `{}`, and needs no
/// `Content-Type`.
pub(crate) fn receive_optional(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<ReceivedBody, ApiError>> + use<> {
    let bounds = BodyBounds::general(request);
    let payload = web::Payload::from_request(request, payload);
    let headers = request.headers().clone();
    async move {
        let bounds = bounds?;
        let limit = bounds.limit;
        let announced = announced_length(&headers);
        if announced.is_some_and(|length| length > 0) {
            check_json(&headers)?;
            check_headers(&headers, limit)?;
        }
        let body = collect(payload, bounds, announced).await?;
        if body.bytes.is_empty() {
            return Ok(ReceivedBody {
                bytes: Bytes::from_static(b"{}"),
                ..body
            });
        }
        check_json(&headers)?;
        check_headers(&headers, limit)?;
        if is_gzip(&headers) {
            inflate(body).await
        } else {
            Ok(body)
        }
    }
}

/// Parses, validates and converts a body.
pub(crate) async fn decode<T>(body: ReceivedBody) -> Result<WithPermit<T::Domain>, ApiError>
where
    T: Request + 'static,
    T::Domain: Send,
{
    let max_rows = body.bounds.max_rows;
    let memory = move |body: &[u8]| T::BODY_SHAPE.memory(body, max_rows);
    decode_with(body, memory, move |body| parse::<T>(body, max_rows)).await
}

/// Waits for the memory that `memory` estimates for the values of a body, then parses the
/// body with `read`.
pub(crate) async fn decode_with<T: Send + 'static>(
    body: ReceivedBody,
    memory: impl Fn(&[u8]) -> usize + Send + 'static,
    read: impl FnOnce(&[u8]) -> Result<T, ApiError> + Send + 'static,
) -> Result<WithPermit<T>, ApiError> {
    let ReceivedBody {
        bytes,
        mut permit,
        bounds,
    } = body;
    if bytes.len() > MAX_BYTES_WITHOUT_PERMIT {
        let needed = inline_or_blocking(bytes.clone(), move |body| Ok(memory(body))).await?;
        permit = bounds.memory.resize(permit, bytes.len() + needed).await?;
    }
    // The closure owns the permit, because the closure continues after the request is
    // cancelled.
    let read = move |body: &[u8]| Ok(WithPermit::new(read(body)?, permit));
    inline_or_blocking(bytes, read).await
}

/// Calls `read` with a body, on a blocking thread if the body is large.
pub(crate) async fn inline_or_blocking<T: Send + 'static>(
    body: Bytes,
    read: impl FnOnce(&[u8]) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    if body.len() > MAX_INLINE_BYTES {
        web::block(move || read(&body)).await?
    } else {
        read(&body)
    }
}

/// Parses a body whose lists have at most `max_rows` items.
pub(crate) fn parse<T: Request>(body: &[u8], max_rows: usize) -> Result<T::Domain, ApiError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let (mut track, reason) = (Track::new(), Cell::default());
    let tracked =
        serde_path_to_error::Deserializer::new(TypedErrors::new(&mut json, &reason), &mut track);
    let request = T::read_domain(tracked, max_rows).map_err(|error| {
        let path = track.path().to_string();
        if error.reason != Reason::Syntax {
            let error = field_error(&path, &error.reason);
            return ApiError::fields(Code::ValidationFailed, error);
        }
        let position = format!("line {}, column {}", error.line(), error.column());
        not_json(format!("{} at {position}", error.message()), &path)
    })?;
    json.end()
        .map_err(|_| malformed("there is more after the JSON value"))?;
    request.map_err(|errors| ApiError::fields(Code::ValidationFailed, errors))
}

fn not_json(detail: String, path: &str) -> ApiError {
    match path {
        "" | "." => malformed(detail),
        // A path that ends in `?` is incomplete: the text ended inside the name of a field.
        incomplete if incomplete.ends_with('?') => malformed(detail),
        path => ApiError::fields(Code::MalformedBody, FieldError::new(path, detail)),
    }
}
