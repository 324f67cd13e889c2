//! `Idempotency-Key`: a repeated request is not executed again, and its response is the
//! response to the first request.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use data_encoding::HEXLOWER;
use lectern_api::Request;
use lectern_db::Tx;
use lectern_domain::{Fingerprint, IdempotencyKey, InField, Invalid, JobId};
use ring::digest::{Context, SHA256};
use serde_json::Value;

use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::extract::json_body::{self, BodyFuture};
use crate::http::extract::receive_body::{self, BodyBounds, ReceivedBody};
use crate::http::extract::transcript_body::{self, DecodedTranscript};
use crate::http::memory_budget::WithPermit;
use crate::http::response::{ApiResponse, ApiResult};

pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The body of a request that is executed once per idempotency key.
#[derive(Debug)]
pub(crate) struct IdempotentBody<T: Request> {
    pub(crate) body: WithPermit<T::Domain>,
    /// Identifies repetitions of the request.
    pub(crate) key: RequestKey,
}

/// As [`IdempotentBody`], of a body without required fields, which may be omitted.
#[derive(Debug)]
pub(crate) struct IdempotentOptionalBody<T: Request> {
    pub(crate) body: WithPermit<T::Domain>,
    pub(crate) key: RequestKey,
}

/// A transcript that is stored once per idempotency key.
#[derive(Debug)]
pub(crate) struct IdempotentTranscript {
    pub(crate) body: WithPermit<DecodedTranscript>,
    pub(crate) key: RequestKey,
}

/// The idempotency key and the fingerprint of the request; `None`: the request is
/// executed each time.
#[derive(Debug, Clone)]
pub(crate) struct RequestKey(Option<(IdempotencyKey, Fingerprint)>);

impl RequestKey {
    pub(crate) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// The key of a request that is identified by its path and these headers.
    pub(crate) fn of_headers(
        request: &HttpRequest,
        headers: &[&HeaderName],
    ) -> Result<Self, ApiError> {
        let key = key(request)?;
        let fingerprint = || {
            let mut hash = hash_of_path(request.path());
            for header in headers {
                for value in request.headers().get_all(*header) {
                    hash.update(value.as_bytes());
                    hash.update(b"\n");
                }
                // Header values contain no line breaks, so an absent value differs from an
                // empty one.
                hash.update(b"\n");
            }
            finished(hash)
        };
        Ok(Self(match key {
            Some(key) => Some((key, fingerprint()?)),
            None => None,
        }))
    }

    /// Takes the key, and returns what was stored for an earlier request with it. `None`:
    /// the request is the first, or has no key.
    pub(crate) fn take(&self, tx: &mut Tx<'_>) -> Result<Option<Value>, ApiError> {
        match &self.0 {
            Some((key, fingerprint)) => Ok(tx.idempotency_keys().take(key, *fingerprint)?),
            None => Ok(None),
        }
    }

    /// Stores `response` for repetitions of the request that took the key. It is kept for a
    /// day, or until the job, if there is one, is deleted.
    pub(crate) fn store(
        &self,
        tx: &mut Tx<'_>,
        job_id: Option<JobId>,
        response: &Value,
    ) -> Result<(), ApiError> {
        match &self.0 {
            Some((key, _)) => Ok(tx
                .idempotency_keys()
                .store_response(key, job_id, response)?),
            None => Ok(()),
        }
    }

    /// Releases the key, because the request was not executed.
    pub(crate) fn release(&self, tx: &mut Tx<'_>) -> Result<(), ApiError> {
        match &self.0 {
            Some((key, _)) => Ok(tx.idempotency_keys().release(key)?),
            None => Ok(()),
        }
    }

    /// Runs `execute` and stores the response, together with the id of its job. For
    /// a repeated request, returns the stored response instead.
    pub(crate) fn run_once(
        &self,
        tx: &mut Tx<'_>,
        execute: impl FnOnce(&mut Tx<'_>) -> Result<(Option<JobId>, ApiResponse), ApiError>,
    ) -> ApiResult {
        if self.is_none() {
            return execute(tx).map(|(_, response)| response);
        }
        if let Some(stored) = self.take(tx)? {
            return ApiResponse::restore(stored);
        }
        let (job_id, response) = execute(tx)?;
        self.store(tx, job_id, &response.store()?)?;
        Ok(response)
    }
}

/// The key of a request without a body.
impl FromRequest for RequestKey {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of_headers(request, &[]))
    }
}

impl<T> FromRequest for IdempotentBody<T>
where
    T: Request + 'static,
    T::Domain: Send,
{
    type Error = ApiError;
    type Future = BodyFuture<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let received = receive_body::receive_json(request, payload, BodyBounds::general(request));
        let decoded = decode_with_key::<T, _>(request, received);
        Box::pin(async move {
            let (body, key) = decoded.await?;
            Ok(Self { body, key })
        })
    }
}

impl<T> FromRequest for IdempotentOptionalBody<T>
where
    T: Request + 'static,
    T::Domain: Send,
{
    type Error = ApiError;
    type Future = BodyFuture<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let received = json_body::receive_optional(request, payload);
        let decoded = decode_with_key::<T, _>(request, received);
        Box::pin(async move {
            let (body, key) = decoded.await?;
            Ok(Self { body, key })
        })
    }
}

/// Decodes a JSON body when it is received; also returns the key of the request.
fn decode_with_key<T, F>(
    request: &HttpRequest,
    received: F,
) -> impl Future<Output = Result<(WithPermit<T::Domain>, RequestKey), ApiError>> + use<T, F>
where
    T: Request + 'static,
    T::Domain: Send,
    F: Future<Output = Result<ReceivedBody, ApiError>>,
{
    let key = KeyOfBody::of(request);
    async move {
        let (key, received) = (key?, received.await?);
        let raw = received.bytes.clone();
        let body = json_body::decode::<T>(received).await?;
        let key = key.with_json(raw).await?;
        Ok((body, key))
    }
}

impl FromRequest for IdempotentTranscript {
    type Error = ApiError;
    type Future = BodyFuture<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let received = transcript_body::receive(request, payload);
        let key = KeyOfBody::of(request);
        Box::pin(async move {
            let (key, (format, received)) = (key?, received.await?);
            let raw = received.bytes.clone();
            let body = format.decode(received).await?;
            let key = key.with_bytes(raw).await?;
            Ok(Self { body, key })
        })
    }
}

/// The idempotency key of a request whose body was not received yet, and the path.
struct KeyOfBody(Option<(IdempotencyKey, String)>);

impl KeyOfBody {
    fn of(request: &HttpRequest) -> Result<Self, Invalid> {
        let key = key(request)?;
        Ok(Self(key.map(|key| (key, request.path().to_owned()))))
    }

    async fn with_json(self, body: Bytes) -> Result<RequestKey, ApiError> {
        self.with(body, fingerprint).await
    }

    async fn with_bytes(self, body: Bytes) -> Result<RequestKey, ApiError> {
        let of_bytes = |path: &str, body: &[u8]| {
            let mut hash = hash_of_path(path);
            hash.update(body);
            finished(hash)
        };
        self.with(body, of_bytes).await
    }

    async fn with(
        self,
        body: Bytes,
        fingerprint: impl FnOnce(&str, &[u8]) -> Result<Fingerprint, ApiError> + Send + 'static,
    ) -> Result<RequestKey, ApiError> {
        let Some((key, path)) = self.0 else {
            return Ok(RequestKey(None));
        };
        let read = move |body: &[u8]| fingerprint(&path, body);
        let fingerprint = json_body::inline_or_blocking(body, read).await?;
        Ok(RequestKey(Some((key, fingerprint))))
    }
}

/// The key that is stored: the client's, or a hash of it and of the caller, so that no caller
/// gets the response to another's request.
fn key(request: &HttpRequest) -> Result<Option<IdempotencyKey>, Invalid> {
    let given = given_key(request.headers())?;
    match (given, Caller::of(request)) {
        (Some(given), Some(caller)) => of_caller(&given, caller.namespace()).map(Some),
        (given, _) => Ok(given),
    }
}

/// The namespace may have any characters, the key has no line breaks.
fn of_caller(key: &str, namespace: &str) -> Result<IdempotencyKey, Invalid> {
    let mut hash = Context::new(&SHA256);
    hash.update(key.as_bytes());
    hash.update(b"\n");
    hash.update(namespace.as_bytes());
    IdempotencyKey::new(HEXLOWER.encode(hash.finish().as_ref()))
}

fn given_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Invalid> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY);
    let key = match (values.next(), values.next()) {
        (None, _) => Ok(None),
        // A value that is not ASCII becomes an empty key, which is invalid.
        (Some(key), None) => IdempotencyKey::new(key.to_str().unwrap_or_default()).map(Some),
        (Some(_), Some(_)) => Err(Invalid::new("must be given only once")),
    };
    key.in_field("Idempotency-Key")
}

/// A hash of the path and of the JSON value in the body. Does not depend on white space
/// and on the order of the fields.
fn fingerprint(path: &str, body: &[u8]) -> Result<Fingerprint, ApiError> {
    let mut json: Value = serde_json::from_slice(body).map_err(ApiError::internal)?;
    json.sort_all_objects();
    let mut hash = hash_of_path(path);
    hash.update(json.to_string().as_bytes());
    finished(hash)
}

/// A hash that begins with the path. Paths contain no line breaks, so a path and what
/// follows it cannot be confused.
fn hash_of_path(path: &str) -> Context {
    let mut hash = Context::new(&SHA256);
    hash.update(path.as_bytes());
    hash.update(b"\n");
    hash
}

fn finished(hash: Context) -> Result<Fingerprint, ApiError> {
    let hash = hash.finish();
    hash.as_ref()
        .try_into()
        .map(Fingerprint)
        .map_err(ApiError::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, body: &str) -> Fingerprint {
        fingerprint(path, body.as_bytes()).unwrap()
    }

    #[test]
    fn fingerprints_depend_on_the_json_value_and_not_on_its_formatting() {
        let one = of("/a", r#"{"x":1,"y":{"b":[1,2],"a":"é"}}"#);
        let same = of(
            "/a",
            "{ \"y\": {\"a\":\"\\u00e9\", \"b\":[1, 2]},\n\"x\" : 1}",
        );
        assert_eq!(one, same);
        for (path, body) in [
            ("/b", r#"{"x":1,"y":{"b":[1,2],"a":"é"}}"#),
            ("/a", r#"{"x":1,"y":{"b":[2,1],"a":"é"}}"#),
            ("/a", r#"{"x":1,"y":{"b":[1,2],"a":"e"}}"#),
            ("/a", r#"{"x":1,"y":{"b":[1,2],"a":"é"},"z":null}"#),
        ] {
            assert_ne!(of(path, body), one, "{path} {body}");
        }
    }
}
