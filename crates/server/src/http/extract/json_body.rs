//! JSON bodies of requests.

use std::cell::Cell;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::web::{self, Bytes};
use actix_web::{FromRequest, HttpRequest};
use lectern_api::{Code, FieldError, Request};
use lectern_domain::{Reason, TypedErrors};
use serde_path_to_error::Track;

use crate::http::app_data::app_data;
use crate::http::error::ApiError;
use crate::http::extract::deserialize_error::field_error;
use crate::http::extract::limited_body::{
    BodyLimits, check_headers, check_json, collect, malformed, receive_json,
};

/// Larger bodies are parsed on a blocking thread.
const MAX_INLINE_BYTES: usize = 128 << 10;

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
        let body = receive_json(request, payload, limit);
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
        let body = receive_json(request, payload, limit);
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
        let headers = request.headers().clone();
        Box::pin(async move {
            let limit = limit?;
            let body = collect(payload, limit).await?;
            let body = if body.is_empty() {
                // An omitted body needs no Content-Type.
                parse::<T>(b"{}")?
            } else {
                check_json(&headers)?;
                check_headers(&headers, limit)?;
                decode::<T>(body).await?
            };
            Ok(Self(body))
        })
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
            return ApiError::fields(Code::ValidationFailed, error);
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

fn not_json(detail: String, path: &str) -> ApiError {
    match path {
        "" | "." => malformed(detail),
        // A path that ends in `?` is incomplete: the text ended within a field's name.
        incomplete if incomplete.ends_with('?') => malformed(detail),
        path => ApiError::fields(Code::MalformedBody, FieldError::new(path, detail)),
    }
}
