//! An identity provider: its keys, and the tokens that it has signed.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::block;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, Header, TokenData, Validation, decode, decode_header};
use lectern_api::Code;
use parking_lot::RwLock;
use serde_json::{Map, Value};
use tokio::sync::{Mutex, Semaphore};
use ureq::Agent;
use url::Url;

use super::claims::Claims;
use super::config::{OidcClient, OidcConfig};
use super::http::{self, Endpoints};
use super::key_set::KeySet;
use super::signature;
use crate::http::error::ApiError;

/// Keys that were read this long ago are read again: one that the provider has withdrawn is
/// refused after this time.
const REFRESH_AGE: Duration = Duration::from_mins(5);

/// Keys that were read this long ago are not used, if the provider does not respond.
const MAX_AGE: Duration = Duration::from_hours(1);

/// How often the provider is asked at most, because of a token with an unknown key or because
/// it does not respond.
const RETRY_DELAY: Duration = Duration::from_secs(2);

/// Upper bound of the codes that are exchanged at a time.
const MAX_EXCHANGES: usize = 16;

/// Upper bound of a token, in bytes.
const MAX_TOKEN: usize = 16 << 10;

/// Deviation of clocks that is tolerated where a token begins, in seconds.
const LEEWAY: u64 = 30;

/// Why a token is not accepted, to be told to who has sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused(pub(super) String);

/// What was read from the provider.
pub(super) struct Discovered {
    pub(super) endpoints: Endpoints,
    keys: KeySet,
    read_at: Instant,
}

#[derive(Default)]
struct State {
    discovered: Option<Arc<Discovered>>,
    tried_at: Option<Instant>,
}

/// An identity provider.
pub(crate) struct Provider {
    pub(super) config: OidcConfig,
    http: Agent,
    state: RwLock<State>,
    /// Held by who asks the provider.
    refresh: Mutex<()>,
    /// Held by who exchanges a code.
    exchanges: Semaphore,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Provider").field(&self.config).finish()
    }
}

impl Provider {
    /// The provider does not have to respond yet.
    ///
    /// # Errors
    ///
    /// When the issuer is no URL, or the certificates cannot be read.
    pub(crate) fn new(config: OidcConfig) -> anyhow::Result<Self> {
        let issuer = Url::parse(&config.issuer)?;
        if issuer.scheme() == "http" && !http::is_local(&issuer) {
            log::warn!("the connection to the identity provider {issuer} is not encrypted");
        }
        signature::install();
        Ok(Self {
            http: http::agent(&config)?,
            config,
            state: RwLock::default(),
            refresh: Mutex::default(),
            exchanges: Semaphore::new(MAX_EXCHANGES),
        })
    }

    /// The claims of a token that the provider has signed for `audience`, and which is valid
    /// now.
    ///
    /// # Errors
    ///
    /// When the provider's keys are not known, because it does not respond.
    pub(super) async fn verify(
        &self,
        token: &str,
        audience: &str,
    ) -> Result<Result<Claims, Refused>, ApiError> {
        let header = match signed_header(token) {
            Ok(header) => header,
            Err(refused) => return Ok(Err(refused)),
        };
        let key_id = header.kid.as_deref();
        let has_key = |known: &Discovered| known.keys.candidates(key_id).next().is_some();
        let known = self.discovered(has_key).await?;
        let validation = self.validation(header.alg, audience);
        let family = header.alg.family();
        let candidates = known.keys.candidates(key_id);
        let mut refused = Refused("the token is signed with a key that is unknown".to_owned());
        for key in candidates.filter(|key| key.family() == family) {
            match decode::<Map<String, Value>>(token, key, &validation) {
                Ok(TokenData { claims, .. }) => return Ok(Ok(Claims(claims))),
                Err(error) => refused = refusal(&error),
            }
        }
        Ok(Err(refused))
    }

    fn validation(&self, algorithm: Algorithm, audience: &str) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[&self.config.issuer]);
        validation.set_audience(&[audience]);
        validation
    }

    /// Exchanges the code of a sign-in for the token that says who has signed in.
    pub(super) async fn exchange(
        &self,
        client: &OidcClient,
        code: http::AuthorizationCode,
    ) -> Result<anyhow::Result<String>, ApiError> {
        // Anybody may send a code, and each occupies a thread until the provider responds.
        let Ok(_exchange) = self.exchanges.try_acquire() else {
            let detail = "too many people sign in at this moment; try again";
            return Err(ApiError::new(Code::Overloaded, detail));
        };
        let known = self.discovered(|_| true).await?;
        let (http, client) = (self.http.clone(), client.clone());
        let exchange = move || http::exchange(&http, &known.endpoints, &client, &code);
        block(exchange).await.map_err(ApiError::internal)
    }

    /// What is known of the provider. It is asked if that is old or does not suffice, and it
    /// was not asked just before.
    ///
    /// # Errors
    ///
    /// When nothing is known that is not too old.
    pub(super) async fn discovered(
        &self,
        suffices: impl Fn(&Discovered) -> bool,
    ) -> Result<Arc<Discovered>, ApiError> {
        let is_current =
            |known: &Arc<Discovered>| known.read_at.elapsed() < REFRESH_AGE && suffices(known);
        if let Some(known) = self.known().filter(is_current) {
            return Ok(known);
        }
        let usable = || {
            self.known()
                .filter(|known| known.read_at.elapsed() < MAX_AGE)
        };
        let _refresh = match (self.refresh.try_lock(), usable()) {
            (Ok(refresh), _) => refresh,
            (Err(_), Some(known)) if suffices(&known) => return Ok(known),
            (Err(_), _) => self.refresh.lock().await,
        };
        // Whoever held the lock may have asked.
        if let Some(known) = self.known().filter(is_current) {
            return Ok(known);
        }
        let tried_at = self.state.read().tried_at;
        if tried_at.is_none_or(|tried| tried.elapsed() >= RETRY_DELAY) {
            self.refresh().await?;
        }
        usable().ok_or_else(|| {
            let detail = "the identity provider does not respond; the server's log says why";
            ApiError::new(Code::IdentityProviderUnavailable, detail)
        })
    }

    fn known(&self) -> Option<Arc<Discovered>> {
        self.state.read().discovered.clone()
    }

    async fn refresh(&self) -> Result<(), ApiError> {
        // Before the request, which may be given up while it waits.
        self.state.write().tried_at = Some(Instant::now());
        let read_at = Instant::now();
        let (http, issuer) = (self.http.clone(), self.config.issuer.clone());
        let discovered = block(move || http::discover(&http, &issuer)).await;
        // Those who have waited for this attempt do not make another.
        self.state.write().tried_at = Some(Instant::now());
        match discovered.map_err(ApiError::internal)? {
            Ok((endpoints, keys)) => {
                self.state.write().discovered = Some(Arc::new(Discovered {
                    endpoints,
                    keys,
                    read_at,
                }));
            }
            Err(error) => log::warn!(
                "cannot read the identity provider {}: {error:#}",
                self.config.issuer
            ),
        }
        Ok(())
    }
}

/// The header of a token, if its kind and its algorithm are accepted.
fn signed_header(token: &str) -> Result<Header, Refused> {
    let malformed = || Refused("the token is malformed".to_owned());
    if token.len() > MAX_TOKEN {
        return Err(malformed());
    }
    let header = decode_header(token).map_err(|_| malformed())?;
    if !signature::ALGORITHMS.contains(&header.alg) {
        let algorithm = header.alg;
        return Err(Refused(format!(
            "tokens signed with {algorithm:?} are not accepted"
        )));
    }
    // Providers sign other things too, such as notices of a sign-out.
    let kind = header.typ.as_deref().map(str::to_ascii_lowercase);
    let kind = kind
        .as_deref()
        .map(|kind| kind.strip_prefix("application/").unwrap_or(kind));
    match kind {
        None | Some("jwt" | "at+jwt") => Ok(header),
        Some(kind) => Err(Refused(format!(
            "a token of the type {kind:?} is not accepted"
        ))),
    }
}

fn refusal(error: &Error) -> Refused {
    Refused(match error.kind() {
        ErrorKind::ExpiredSignature => "the token has expired".to_owned(),
        ErrorKind::ImmatureSignature => "the token is not valid yet".to_owned(),
        ErrorKind::InvalidAudience => "the token is for another audience".to_owned(),
        ErrorKind::InvalidIssuer => "the token is of another issuer".to_owned(),
        ErrorKind::InvalidSignature => "the signature of the token is wrong".to_owned(),
        ErrorKind::MissingRequiredClaim(name) => format!("the token has no claim {name}"),
        _ => "the token is malformed".to_owned(),
    })
}
