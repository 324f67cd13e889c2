//! `Idempotency-Key`: a repeated request is not executed again, and its response is the
//! response to the first request.

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::{FromRequest, HttpRequest};
use lectern_api::Request;
use lectern_db::Tx;
use lectern_domain::{Fingerprint, IdempotencyKey, InField, Invalid, JobId};
use ring::digest::{Context, SHA256};
use serde_json::Value;

use crate::http::error::ApiError;
use crate::http::extract::json_body::{self, BodyFuture};
use crate::http::extract::receive_body::{self, BodyBounds};
use crate::http::memory_budget::WithPermit;
use crate::http::response::{ApiResponse, ApiResult};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A body that creates a job, once per idempotency key.
#[derive(Debug)]
pub(crate) struct IdempotentBody<T: Request> {
    pub(crate) body: WithPermit<T::Domain>,
    /// Identifies repetitions of the request.
    pub(crate) key: RequestKey,
}

/// The idempotency key and the fingerprint of the request; `None`: the request is
/// executed each time.
#[derive(Debug)]
pub(crate) struct RequestKey(Option<(IdempotencyKey, Fingerprint)>);

impl RequestKey {
    pub(crate) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Runs `create` and stores the response together with the id of the created job. For
    /// a repeated request, returns the stored response instead.
    pub(crate) fn run_once(
        &self,
        tx: &mut Tx<'_>,
        create: impl FnOnce(&mut Tx<'_>) -> Result<(JobId, ApiResponse), ApiError>,
    ) -> ApiResult {
        let Some((key, fingerprint)) = &self.0 else {
            return create(tx).map(|(_, response)| response);
        };
        if let Some(stored) = tx.idempotency_keys().take(key, *fingerprint)? {
            return ApiResponse::restore(stored);
        }
        let (job_id, response) = create(tx)?;
        tx.idempotency_keys()
            .store_response(key, job_id, &response.store()?)?;
        Ok(response)
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
        let (key, path) = (key(request.headers()), request.path().to_owned());
        Box::pin(async move {
            let (key, received) = (key?, received.await?);
            let raw = received.bytes.clone();
            let body = json_body::decode::<T>(received).await?;
            let fingerprint = match &key {
                Some(_) => {
                    let read = move |body: &[u8]| fingerprint(&path, body);
                    Some(json_body::inline_or_blocking(raw, read).await?)
                }
                None => None,
            };
            Ok(Self {
                body,
                key: RequestKey(key.zip(fingerprint)),
            })
        })
    }
}

fn key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Invalid> {
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
    let mut hash = Context::new(&SHA256);
    // Paths contain no line breaks, so path and body cannot be confused.
    hash.update(path.as_bytes());
    hash.update(b"\n");
    hash.update(json.to_string().as_bytes());
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
