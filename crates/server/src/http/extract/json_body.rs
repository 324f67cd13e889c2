//! JSON bodies of requests.

use std::cell::Cell;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName,
};
use actix_web::web::{self, Bytes};
use actix_web::{Error, FromRequest, HttpRequest};
use lectern_api::{Code, FieldError, Request};
use lectern_domain::{Reason, TypedErrors};
use serde_path_to_error::Track;
use tokio::time::timeout;

use crate::http::app_data::app_data;
use crate::http::error::ApiError;
use crate::http::extract::body_limits::BodyLimits;
use crate::http::extract::deserialize_error::field_error;

/// Larger bodies are parsed on a blocking thread.
const MAX_INLINE_BYTES: usize = 128 << 10;

/// Upper bound of the time a body takes to arrive: enough for 32 MiB over a slow
/// connection, and an end for clients that send nothing.
const RECEIVE_TIMEOUT: Duration = Duration::from_mins(1);

pub(crate) type BodyFuture<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

/// A body, validated and converted.
#[derive(Debug)]
pub(crate) struct JsonBody<T: Request>(pub(crate) T::Domain);

/// A body with the output of a stage, which may be large.
#[derive(Debug)]
pub(crate) struct OutputBody<T: Request>(pub(crate) T::Domain);

/// A body that may be omitted, which means the same as `{}`.
#[derive(Debug)]
pub(crate) struct OptionalBody<T: Request>(pub(crate) T::Domain);

impl<T> FromRequest for JsonBody<T>
where
    T: Request + 'static,
    T::Domain: Send,
{
    type Error = ApiError;
    type Future = BodyFuture<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limit = app_data::<BodyLimits>(request).map(|limits| limits.small);
        let body = receive(request, payload, limit);
        Box::pin(async move { decode::<T>(body.await?).await.map(Self) })
    }
}

impl<T> FromRequest for OutputBody<T>
where
    T: Request + 'static,
    T::Domain: Send,
{
    type Error = ApiError;
    type Future = BodyFuture<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limit = app_data::<BodyLimits>(request).map(|limits| limits.output);
        let body = receive(request, payload, limit);
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
        let limit = app_data::<BodyLimits>(request).map(|limits| limits.small);
        let payload = web::Payload::from_request(request, payload);
        let head = request.headers().clone();
        Box::pin(async move {
            let limit = limit?;
            let body = collect(payload, limit).await?;
            let body = if body.is_empty() {
                // An omitted body needs no Content-Type.
                parse::<T>(b"{}")?
            } else {
                check_json(&head)?;
                check_head(&head, limit)?;
                decode::<T>(body).await?
            };
            Ok(Self(body))
        })
    }
}

/// Receives a JSON body of at most `limit` bytes.
pub(crate) fn receive(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: Result<usize, ApiError>,
) -> impl Future<Output = Result<Bytes, ApiError>> + use<> {
    let is_json = check_json(request.headers());
    receive_bytes(request, payload, is_json.and(limit))
}

/// Receives a body of any type.
pub(crate) fn receive_bytes(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: Result<usize, ApiError>,
) -> impl Future<Output = Result<Bytes, ApiError>> + use<> {
    let checked = limit.and_then(|limit| check_head(request.headers(), limit));
    let payload = web::Payload::from_request(request, payload);
    async move { collect(payload, checked?).await }
}

async fn collect(
    payload: impl Future<Output = Result<web::Payload, Error>>,
    limit: usize,
) -> Result<Bytes, ApiError> {
    let payload = payload
        .await
        .map_err(|error| malformed(error.to_string()))?;
    match timeout(RECEIVE_TIMEOUT, payload.to_bytes_limited(limit)).await {
        Ok(Ok(Ok(body))) => Ok(body),
        Ok(Ok(Err(_))) => Err(malformed("the connection ended before the body did")),
        Ok(Err(_)) => Err(too_large(limit)),
        Err(_) => Err(malformed("the body did not arrive in time")),
    }
}

// The media type is parsed here because actix's parser refuses white space before the
// `;`, which RFC 9110 (8.3.1) allows; the charset after it would be lost.

/// The media type of the body, without parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<&str> {
    let declared = text(headers, CONTENT_TYPE)?;
    declared.split(';').next().map(str::trim)
}

/// The declared charset of the body.
pub(crate) fn charset(headers: &HeaderMap) -> Option<&str> {
    let parameters = text(headers, CONTENT_TYPE)?.split(';').skip(1);
    parameters
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .map(|(_, charset)| charset.trim().trim_matches('"'))
}

pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|declared| declared.eq_ignore_ascii_case("application/json"))
}

fn check_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let detail = "the header Content-Type must be application/json";
    is_json(headers)
        .then_some(())
        .ok_or_else(|| ApiError::new(Code::UnsupportedMediaType, detail))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Checks the headers before the body is read; returns `limit`.
fn check_head(headers: &HeaderMap, limit: usize) -> Result<usize, ApiError> {
    if headers.contains_key(CONTENT_ENCODING)
        && !text(headers, CONTENT_ENCODING)
            .is_some_and(|coding| coding.eq_ignore_ascii_case("identity"))
    {
        let detail = "the body must not be compressed";
        return Err(ApiError::new(Code::UnsupportedMediaType, detail));
    }
    let announced = text(headers, CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    match announced {
        Some(length) if length > limit => Err(too_large(limit)),
        _ => Ok(limit),
    }
}

/// Parses, validates and converts a body.
pub(crate) async fn decode<T>(body: Bytes) -> Result<T::Domain, ApiError>
where
    T: Request + 'static,
    T::Domain: Send,
{
    decode_with(body, parse::<T>).await
}

/// Parses a body with `read`.
pub(crate) async fn decode_with<T: Send + 'static>(
    body: Bytes,
    read: impl FnOnce(&[u8]) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    if body.len() > MAX_INLINE_BYTES {
        web::block(move || read(&body)).await?
    } else {
        read(&body)
    }
}

pub(crate) fn parse<T: Request>(body: &[u8]) -> Result<T::Domain, ApiError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let (mut track, reason) = (Track::new(), Cell::default());
    let read = T::read(serde_path_to_error::Deserializer::new(
        TypedErrors::new(&mut json, &reason),
        &mut track,
    ));
    let request = read.map_err(|error| {
        let path = track.path().to_string();
        if error.reason != Reason::Syntax {
            let error = field_error(&path, &error.reason);
            return ApiError::fields(Code::ValidationFailed, vec![error]);
        }
        let position = format!("line {}, column {}", error.line(), error.column());
        not_json(format!("{} at {position}", error.message()), &path)
    })?;
    json.end()
        .map_err(|_| malformed("there is more after the JSON value"))?;
    request
        .into_domain()
        .map_err(|errors| ApiError::fields(Code::ValidationFailed, errors))
}

fn malformed(detail: impl Into<String>) -> ApiError {
    ApiError::new(Code::MalformedBody, detail)
}

fn not_json(detail: String, path: &str) -> ApiError {
    match path {
        "" | "." => malformed(detail),
        // A path that ends in `?` is incomplete: the text ended within a field's name.
        incomplete if incomplete.ends_with('?') => malformed(detail),
        path => ApiError::fields(Code::MalformedBody, vec![FieldError::new(path, detail)]),
    }
}

fn too_large(limit: usize) -> ApiError {
    ApiError::new(
        Code::BodyTooLarge,
        format!("at most {limit} bytes are allowed here"),
    )
}
