//! Checks the key of a request.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use lectern_api::Code;
use lectern_domain::{Access, Scope};

use super::Authentication;
use super::caller::Caller;
use super::credentials::Credentials;
use super::key_cache::{KeyCache, KeyStore, Refusal};
use super::secret;
use super::watched_body::WatchedBody;
use crate::http::error::ApiError;
use crate::http::middleware::access_log::LongLived;

/// The realm in `WWW-Authenticate`.
const BEARER: &str = "Bearer realm=\"lectern\"";

/// Checks keys, if any are asked for.
#[derive(Debug)]
pub(crate) struct Authenticator {
    /// `None`: nothing is asked for.
    keys: Option<Arc<KeyCache>>,
}

/// A request that may be handled.
pub(crate) struct Authorized {
    pub(crate) caller: Caller,
    keys: Arc<KeyCache>,
    secret_hash: [u8; 32],
}

impl Authenticator {
    pub(crate) fn new(authentication: Authentication, store: Box<dyn KeyStore>) -> Self {
        Self {
            keys: match authentication {
                Authentication::Off => None,
                Authentication::Keys => Some(Arc::new(KeyCache::new(store))),
            },
        }
    }

    /// Checks that the caller of a request has access to its route. `None`: everyone has.
    ///
    /// # Errors
    ///
    /// [`Code::AuthenticationRequired`], [`Code::InvalidKey`] or [`Code::ScopeMissing`]; also
    /// when the database does not respond.
    pub(crate) async fn authorize(
        &self,
        request: &HttpRequest,
        access: Access,
    ) -> Result<Option<Authorized>, ApiError> {
        let (Some(keys), Access::Scope(scope)) = (&self.keys, access) else {
            return Ok(None);
        };
        let key = match Credentials::of(request.headers()) {
            Credentials::Key(key) => key,
            Credentials::Missing => return Err(key_required()),
            Credentials::Malformed(invalid) => {
                return Err(invalid_key(&format!("the key {invalid}")));
            }
        };
        let secret_hash = secret::hash(&key);
        let verified = keys.verify(key.id(), &secret_hash).await?;
        let key = verified.map_err(refused)?;
        if !key.has(scope) {
            return Err(scope_missing(scope));
        }
        Ok(Some(Authorized {
            caller: Caller::new(key),
            keys: Arc::clone(keys),
            secret_hash,
        }))
    }
}

impl Authorized {
    /// Waits until the key is not accepted any more, and returns the response to a request
    /// that is still waiting then.
    pub(crate) async fn key_end(&self) -> ApiError {
        let key_id = self.caller.key().key_id;
        refused(self.keys.key_end(key_id, self.secret_hash).await)
    }

    /// Ends the body of a response that lasts until client or server ends it, as soon as the
    /// key is not accepted any more.
    pub(crate) fn watch_stream(
        self,
        response: ServiceResponse<impl MessageBody + 'static>,
    ) -> ServiceResponse<BoxBody> {
        let is_stream = response.response().extensions().contains::<LongLived>();
        let response = response.map_into_boxed_body();
        if !is_stream {
            return response;
        }
        let key_end = Box::pin(async move { drop(self.key_end().await) });
        response.map_body(|_, body| BoxBody::new(WatchedBody { body, key_end }))
    }
}

fn key_required() -> ApiError {
    let detail = "send a key in the header Authorization, as in `Bearer lct_…`, or in X-API-Key";
    ApiError::new(Code::AuthenticationRequired, detail).with_challenge(BEARER.to_owned())
}

fn invalid_key(detail: &str) -> ApiError {
    let challenge = format!("{BEARER}, error=\"invalid_token\"");
    ApiError::new(Code::InvalidKey, detail).with_challenge(challenge)
}

fn refused(refusal: Refusal) -> ApiError {
    // Expired and revoked keys are named to those only who have the secret.
    invalid_key(match refusal {
        Refusal::Unknown => "the key is unknown",
        Refusal::Expired => "the key has expired",
        Refusal::Revoked => "the key was revoked",
    })
}

fn scope_missing(scope: Scope) -> ApiError {
    let challenge = format!("{BEARER}, error=\"insufficient_scope\", scope=\"{scope}\"");
    let detail = format!("the key does not have the scope {scope}");
    ApiError::new(Code::ScopeMissing, detail).with_challenge(challenge)
}
