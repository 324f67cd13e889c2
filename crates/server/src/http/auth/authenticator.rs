//! Checks the key of a request.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use chrono::{DateTime, Utc};
use lectern_api::Code;
use lectern_domain::{Access, ApiKeyId, JobId, Scope};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::time::sleep;
use uuid::Uuid;

use super::Authentication;
use super::caller::Caller;
use super::credential::Credential;
use super::credentials::Credentials;
use super::key_cache::{KeyCache, KeyStore, Refusal};
use super::secret;
use super::watch_token::{TokenParameter, WatchToken};
use super::watched_body::WatchedBody;
use crate::http::error::ApiError;
use crate::http::middleware::access_log::LongLived;

/// The realm in `WWW-Authenticate`.
const BEARER: &str = "Bearer realm=\"lectern\"";

const MALFORMED_TOKEN: &str = "the token is malformed, or is given twice";
const EXPIRED_TOKEN: &str = "the token has expired";
const WRONG_TOKEN: &str =
    "the token is for another job, or its key has a new secret since, or it was changed";

/// Upper bound of the time until an expired token is noticed.
const TOKEN_CHECK_INTERVAL: Duration = Duration::from_secs(1);

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
    credential: Credential,
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
        let Some(keys) = &self.keys else {
            return Ok(None);
        };
        let (scope, takes_token) = match access {
            Access::Public => return Ok(None),
            Access::Scope(scope) => (scope, false),
            Access::ScopeOrWatchToken(scope) => (scope, true),
        };
        let credential = match Credentials::of(request.headers()) {
            Credentials::Key(key) => Credential::Key {
                key_id: key.id(),
                secret_hash: secret::hash(&key),
            },
            // A key takes precedence, because gateways have parameters of their own.
            Credentials::Missing if takes_token => watch_token(request, keys.now())?,
            Credentials::Missing => return Err(key_required()),
            Credentials::Malformed(invalid) => {
                return Err(invalid_key(&format!("the key {invalid}")));
            }
        };
        let verified = keys.verify(&credential).await?;
        let caller = verified.map_err(|refusal| refused(&credential, refusal))?;
        if !caller.key().has(scope) {
            return Err(scope_missing(scope));
        }
        Ok(Some(Authorized {
            caller,
            keys: Arc::clone(keys),
            credential,
        }))
    }
}

/// A token for watching one job, which ends with the key of the caller. Where no keys are
/// asked for, it is one that no server accepts, because none asks for it.
///
/// # Errors
///
/// When the operating system returns no random bytes.
pub(crate) fn make_watch_token(
    caller: Option<&Caller>,
    job_id: JobId,
    expires_at: DateTime<Utc>,
) -> Result<String, ApiError> {
    let (key_id, secret_hash) = if let Some(caller) = caller {
        let key = caller.key();
        (key.key_id, key.secret_hash.to_bytes())
    } else {
        let mut secret = [0; 32];
        let filled = SystemRandom::new().fill(&mut secret);
        filled.map_err(|_| ApiError::internal("the system returned no random bytes"))?;
        (ApiKeyId::from(Uuid::nil()), secret)
    };
    Ok(WatchToken::sign(key_id, &secret_hash, job_id, expires_at).reveal())
}

/// The token in the query string of a request.
fn watch_token(request: &HttpRequest, now: DateTime<Utc>) -> Result<Credential, ApiError> {
    let token = match TokenParameter::of(request.query_string()) {
        TokenParameter::Missing => return Err(key_required()),
        TokenParameter::Malformed => return Err(invalid_token(MALFORMED_TOKEN)),
        TokenParameter::Token(token) => token,
    };
    // The time is no secret, and an expired token needs no query.
    if token.expires_at().is_none_or(|end| end <= now) {
        return Err(invalid_token(EXPIRED_TOKEN));
    }
    let job_id = request.match_info().get("job_id");
    let job_id = job_id.and_then(|id| id.parse().ok());
    let job_id = job_id.ok_or_else(|| invalid_token(WRONG_TOKEN))?;
    Ok(Credential::WatchToken { token, job_id })
}

impl Authorized {
    /// Waits until the key is not accepted any more, or the token has expired, and returns the
    /// response to a request that is still waiting then.
    pub(crate) async fn key_end(&self) -> ApiError {
        let key_end = self.keys.key_end(&self.credential);
        tokio::select! {
            refusal = key_end => refused(&self.credential, refusal),
            () = self.token_end() => invalid_token(EXPIRED_TOKEN),
        }
    }

    /// Waits until the token expires. Does not return if there is none.
    async fn token_end(&self) {
        let Credential::WatchToken { token, .. } = &self.credential else {
            return std::future::pending().await;
        };
        while let Some(end) = token.expires_at()
            && let Ok(remaining) = (end - self.keys.now()).to_std()
            && !remaining.is_zero()
        {
            // The clock may be set meanwhile.
            sleep(remaining.min(TOKEN_CHECK_INTERVAL)).await;
        }
    }

    /// Ends the body of a response that lasts until client or server ends it, as soon as the
    /// key is not accepted any more, or the token has expired.
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

fn invalid_token(detail: &str) -> ApiError {
    let challenge = format!("{BEARER}, error=\"invalid_token\"");
    ApiError::new(Code::InvalidToken, detail).with_challenge(challenge)
}

fn refused(credential: &Credential, refusal: Refusal) -> ApiError {
    // Expired and revoked keys are named to those only who have the secret.
    match (credential, refusal) {
        (Credential::Key { .. }, Refusal::Unknown) => invalid_key("the key is unknown"),
        (Credential::Key { .. }, Refusal::Expired) => invalid_key("the key has expired"),
        (Credential::Key { .. }, Refusal::Revoked) => invalid_key("the key was revoked"),
        (Credential::WatchToken { .. }, Refusal::Unknown) => invalid_token(WRONG_TOKEN),
        (Credential::WatchToken { .. }, Refusal::Expired) => {
            invalid_token("the key that made the token has expired")
        }
        (Credential::WatchToken { .. }, Refusal::Revoked) => {
            invalid_token("the key that made the token was revoked")
        }
    }
}

fn scope_missing(scope: Scope) -> ApiError {
    let challenge = format!("{BEARER}, error=\"insufficient_scope\", scope=\"{scope}\"");
    let detail = format!("the key does not have the scope {scope}");
    ApiError::new(Code::ScopeMissing, detail).with_challenge(challenge)
}
