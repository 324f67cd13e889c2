//! Checks the key of a request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::header::UPGRADE;
use chrono::{DateTime, Utc};
use lectern_api::Code;
use lectern_domain::{Access, ApiKey, ApiKeyId, ApiKeyState, ApiKeyText, JobId};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::time::sleep;
use uuid::Uuid;

use super::Authentication;
use super::caller::Caller;
use super::credential::Credential;
use super::credentials::Credentials;
use super::key_cache::{KeyCache, KeyStore, Refusal, is_fresh};
use super::oidc::Provider;
use super::refusal::{invalid_key, invalid_token, key_required, scope_missing};
use super::secret;
use super::session_cookie;
use super::watch_token::{TokenParameter, WatchToken};
use super::watched_body::WatchedBody;
use crate::http::address::{AllowedOrigins, RequestAddress, TrustedProxies};
use crate::http::error::ApiError;
use crate::http::request::app_data::app_data;
use crate::http::response::long_lived::LongLived;

const MALFORMED_TOKEN: &str = "the token is malformed, or is given twice";
const EXPIRED_TOKEN: &str = "the token has expired";
const WRONG_TOKEN: &str =
    "the token is for another job, or its key has a new secret since, or it was changed";

/// Upper bound of the time until an expired token is noticed.
const TOKEN_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// How often a token of the identity provider is checked again while a stream lasts: its key
/// may be withdrawn.
const PROVIDER_CHECK_INTERVAL: Duration = Duration::from_mins(1);

/// Checks keys, if any are asked for.
#[derive(Debug)]
pub(crate) struct Authenticator {
    /// `None`: nothing is asked for.
    checks: Option<Arc<Checks>>,
}

/// What credentials are checked with.
#[derive(Debug)]
struct Checks {
    keys: KeyCache,
    /// `None`: people cannot sign in.
    provider: Option<Arc<Provider>>,
}

/// A request that may be handled.
pub(crate) struct Authorized {
    pub(crate) caller: Caller,
    arrived: Instant,
    checks: Arc<Checks>,
    proof: Proof,
}

/// What has proved who the caller is, and is checked again while a request lasts.
enum Proof {
    Stored(Credential),
    /// A token of the identity provider.
    Token(String),
}

impl Authenticator {
    /// `provider` counts only if keys are asked for.
    pub(crate) fn new(
        authentication: Authentication,
        store: Box<dyn KeyStore>,
        provider: Option<Arc<Provider>>,
    ) -> Self {
        Self {
            checks: match authentication {
                Authentication::Off => None,
                Authentication::Keys => Some(Arc::new(Checks {
                    keys: KeyCache::new(store),
                    provider,
                })),
            },
        }
    }

    /// The identity provider at which people sign in.
    ///
    /// # Errors
    ///
    /// [`Code::NotFound`] when there is none.
    pub(crate) fn provider(&self) -> Result<&Arc<Provider>, ApiError> {
        let provider = self
            .checks
            .as_ref()
            .and_then(|checks| checks.provider.as_ref());
        provider.ok_or_else(|| ApiError::new(Code::NotFound, "there is nothing at this path"))
    }

    /// Checks that the caller of a request has access to its route. `None`: everyone has.
    /// `arrived` is when the request was received, or later.
    ///
    /// # Errors
    ///
    /// [`Code::AuthenticationRequired`], [`Code::InvalidKey`] or [`Code::ScopeMissing`]; also
    /// when the database does not respond.
    pub(crate) async fn authorize(
        &self,
        request: &HttpRequest,
        access: Access,
        arrived: Instant,
    ) -> Result<Option<Authorized>, ApiError> {
        let Some(checks) = &self.checks else {
            return Ok(None);
        };
        let (scope, takes_token) = match access {
            Access::Public => return Ok(None),
            Access::AnyKey => (None, false),
            Access::Scope(scope) => (Some(scope), false),
            Access::ScopeOrWatchToken(scope) => (Some(scope), true),
        };
        let proof = proof(checks, request, takes_token)?;
        let caller = checks.caller(&proof, arrived).await?;
        if let Some(scope) = scope
            && !caller.key().has(scope)
        {
            return Err(scope_missing(scope));
        }
        Ok(Some(Authorized {
            caller,
            arrived,
            checks: Arc::clone(checks),
            proof,
        }))
    }
}

/// What a request proves itself with. A header takes precedence over a token in the URL,
/// because gateways have parameters of their own, and both over the cookie of a session, which
/// a browser sends unasked.
fn proof(checks: &Checks, request: &HttpRequest, takes_token: bool) -> Result<Proof, ApiError> {
    let of_key = |key: &ApiKeyText| {
        Proof::Stored(Credential::Key {
            key_id: key.id(),
            secret_hash: secret::hash(key),
        })
    };
    match Credentials::of(request.headers()) {
        Credentials::Key(key) => return Ok(of_key(&key)),
        Credentials::Token(token) if checks.accepts_tokens() => {
            return Ok(Proof::Token(token.to_owned()));
        }
        Credentials::Token(_) => return Err(invalid_key("the key is malformed: it is no key")),
        Credentials::Malformed(invalid) => {
            return Err(invalid_key(&format!("the key {invalid}")));
        }
        Credentials::Missing => {}
    }
    if takes_token && let Some(token) = watch_token(request, checks.keys.now())? {
        return Ok(Proof::Stored(token));
    }
    match session_cookie::session_key(request)? {
        Some(key) if is_of_own_page(request)? => Ok(of_key(&key)),
        Some(_) => {
            let detail = "a session is for pages of this server; send a key in a header";
            Err(ApiError::new(Code::OriginNotAllowed, detail))
        }
        None => Err(key_required()),
    }
}

/// Whether a browser may send a session with this request: one that changes something, or
/// opens a WebSocket, must be made by a page of this server.
fn is_of_own_page(request: &HttpRequest) -> Result<bool, ApiError> {
    let only_reads = request.method().is_safe() && !request.headers().contains_key(UPGRADE);
    if only_reads {
        return Ok(true);
    }
    let address = RequestAddress::of(request, app_data::<TrustedProxies>(request)?);
    Ok(app_data::<AllowedOrigins>(request)?.is_own_page(request, address))
}

impl Checks {
    fn accepts_tokens(&self) -> bool {
        let provider = self.provider.as_ref();
        provider.is_some_and(|provider| provider.accepts_bearer())
    }

    /// The caller who has sent this.
    async fn caller(&self, proof: &Proof, arrived: Instant) -> Result<Caller, ApiError> {
        match proof {
            Proof::Stored(credential) => {
                let verified = self.keys.verify(credential, arrived).await?;
                verified.map_err(|refusal| refused(credential, refusal))
            }
            Proof::Token(token) => {
                let Some(provider) = &self.provider else {
                    return Err(invalid_key("the key is malformed: it is no key"));
                };
                let key = Box::pin(provider.bearer_key(token)).await?;
                match key.state(self.keys.now()) {
                    ApiKeyState::Active => Ok(Caller::of_token(key)),
                    _ => Err(invalid_token(EXPIRED_TOKEN)),
                }
            }
        }
    }
}

/// A token for watching one job, which ends with the key. Where no keys are asked for, it is
/// one that no server accepts, because none asks for it.
///
/// # Errors
///
/// When the operating system returns no random bytes.
pub(crate) fn make_watch_token(
    key: Option<&ApiKey>,
    job_id: JobId,
    expires_at: DateTime<Utc>,
) -> Result<String, ApiError> {
    let (key_id, secret_hash) = if let Some(key) = key {
        (key.key_id, key.secret_hash.to_bytes())
    } else {
        let mut secret = [0; 32];
        let filled = SystemRandom::new().fill(&mut secret);
        filled.map_err(|_| ApiError::internal("the system returned no random bytes"))?;
        (ApiKeyId::from(Uuid::nil()), secret)
    };
    Ok(WatchToken::sign(key_id, &secret_hash, job_id, expires_at).reveal())
}

/// The token in the query string of a request, if there is one.
fn watch_token(request: &HttpRequest, now: DateTime<Utc>) -> Result<Option<Credential>, ApiError> {
    let token = match TokenParameter::of(request.query_string()) {
        TokenParameter::Missing => return Ok(None),
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
    Ok(Some(Credential::WatchToken { token, job_id }))
}

impl Authorized {
    /// Whether the caller was checked so recently that it needs not be checked again.
    pub(crate) fn is_recent(&self) -> bool {
        is_fresh(self.arrived)
    }

    /// Checks again who the caller is.
    ///
    /// # Errors
    ///
    /// The response to a caller whose key is not accepted any more, or whose token has expired.
    pub(crate) async fn check_again(&self) -> Result<(), ApiError> {
        let token_end = self.token_end();
        if token_end.is_some_and(|end| end <= self.checks.keys.now()) {
            return Err(invalid_token(EXPIRED_TOKEN));
        }
        match self.checks.caller(&self.proof, Instant::now()).await {
            Err(refusal) if !refusal.is_unavailable() => Err(refusal),
            _ => Ok(()),
        }
    }

    /// When the token for watching a job ends, if it was one.
    fn token_end(&self) -> Option<DateTime<Utc>> {
        match &self.proof {
            Proof::Stored(Credential::WatchToken { token, .. }) => token.expires_at(),
            Proof::Stored(Credential::Key { .. }) | Proof::Token(_) => None,
        }
    }

    /// Waits until the key is not accepted any more, or the token has expired, and returns the
    /// response to a request that is still waiting then.
    pub(crate) async fn key_end(&self) -> ApiError {
        let credential = match &self.proof {
            Proof::Stored(credential) => credential,
            Proof::Token(_) => {
                return tokio::select! {
                    refusal = self.withdrawal() => refusal,
                    () = self.end_of(self.caller.key().data.expires_at) => {
                        invalid_token(EXPIRED_TOKEN)
                    }
                };
            }
        };
        tokio::select! {
            refusal = self.checks.keys.key_end(credential) => refused(credential, refusal),
            () = self.end_of(self.token_end()) => invalid_token(EXPIRED_TOKEN),
        }
    }

    /// Waits until the identity provider's token is refused.
    async fn withdrawal(&self) -> ApiError {
        loop {
            sleep(PROVIDER_CHECK_INTERVAL).await;
            match self.checks.caller(&self.proof, Instant::now()).await {
                Err(refusal) if !refusal.is_unavailable() => return refusal,
                _ => {}
            }
        }
    }

    /// Waits until a time. Does not return if there is none.
    async fn end_of(&self, end: Option<DateTime<Utc>>) {
        let Some(end) = end else {
            return std::future::pending().await;
        };
        while let Ok(remaining) = (end - self.checks.keys.now()).to_std()
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
        response: ServiceResponse<BoxBody>,
    ) -> ServiceResponse<BoxBody> {
        if !response.response().extensions().contains::<LongLived>() {
            return response;
        }
        let key_end = Box::pin(async move { drop(self.key_end().await) });
        response.map_body(|_, body| BoxBody::new(WatchedBody { body, key_end }))
    }
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
