//! Receives request bodies within bounds of size and time, and reads their headers.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName,
};
use actix_web::web::{self, Bytes};
use actix_web::{Error, FromRequest as _, HttpRequest};
use lectern_api::Code;
use tokio::time::timeout;

use crate::http::error::ApiError;

/// Maximum time for a body to arrive: enough for 32 MiB over a slow connection. It also
/// ends the requests of clients that stop sending.
const RECEIVE_TIMEOUT: Duration = Duration::from_mins(1);

/// Upper bounds of request bodies, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// Bound of bodies in general; 1 MiB by default.
    pub small: usize,
    /// Bound of bodies with the output of a stage; 32 MiB by default.
    pub output: usize,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            small: 1 << 20,
            output: 32 << 20,
        }
    }
}

/// Receives a JSON body of at most `limit` bytes.
pub(crate) fn receive_json(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: Result<usize, ApiError>,
) -> impl Future<Output = Result<Bytes, ApiError>> + use<> {
    let is_json = check_json(request.headers());
    receive(request, payload, is_json.and(limit))
}

/// Receives a body of any type.
pub(crate) fn receive(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: Result<usize, ApiError>,
) -> impl Future<Output = Result<Bytes, ApiError>> + use<> {
    let checked = limit.and_then(|limit| check_headers(request.headers(), limit));
    let payload = web::Payload::from_request(request, payload);
    async move { collect(payload, checked?).await }
}

pub(crate) async fn collect(
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

pub(crate) fn check_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let detail = "the header Content-Type must be application/json";
    is_json(headers)
        .then_some(())
        .ok_or_else(|| ApiError::new(Code::UnsupportedMediaType, detail))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Checks the headers before the body is read; returns `limit`.
pub(crate) fn check_headers(headers: &HeaderMap, limit: usize) -> Result<usize, ApiError> {
    if headers.contains_key(CONTENT_ENCODING)
        && !text(headers, CONTENT_ENCODING)
            .is_some_and(|coding| coding.eq_ignore_ascii_case("identity"))
    {
        let detail = "the body must not be compressed";
        return Err(ApiError::new(Code::UnsupportedMediaType, detail));
    }
    let declared = text(headers, CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    match declared {
        Some(length) if length > limit => Err(too_large(limit)),
        _ => Ok(limit),
    }
}

pub(crate) fn malformed(detail: impl Into<String>) -> ApiError {
    ApiError::new(Code::MalformedBody, detail)
}

fn too_large(limit: usize) -> ApiError {
    ApiError::new(
        Code::BodyTooLarge,
        format!("at most {limit} bytes are allowed here"),
    )
}
