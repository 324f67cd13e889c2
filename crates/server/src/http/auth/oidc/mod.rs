//! People, whom an identity provider knows (OpenID Connect).
//!
//! A token of the provider is a key that is not stored: `provider` checks its signature with
//! the provider's public keys, its issuer, its audience and its time, and `claims` says what
//! role and owner its claims stand for.
//!
//! - **`Authorization: Bearer`**: a token for the configured audience.
//! - **A browser** is sent to the provider (`sign_in`), comes back with a code, which the
//!   service exchanges for a token, and gets a session, which is a stored key.

mod claims;
pub(crate) mod config;
mod http;
mod key_set;
mod provider;
pub(crate) mod sign_in;
mod signature;

use lectern_api::Code;
use lectern_domain::{ApiKey, NewApiKey, SecretHash};
use url::Url;

use self::claims::Claims;
use self::config::OidcClient;
use self::provider::Refused;
use self::sign_in::PendingSignIn;
use super::refusal::{invalid_token, no_role};
use crate::http::error::ApiError;

pub(crate) use self::provider::Provider;

impl Provider {
    /// Whether tokens are accepted in `Authorization`.
    pub(super) fn accepts_bearer(&self) -> bool {
        self.config.audience.is_some()
    }

    /// The key of the person for whom a token was issued. It is not stored.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidToken`] and [`Code::ScopeMissing`];
    /// [`Code::IdentityProviderUnavailable`] when its keys are not known.
    pub(super) async fn bearer_key(&self, token: &str) -> Result<ApiKey, ApiError> {
        let Some(audience) = &self.config.audience else {
            return Err(invalid_token(
                "tokens of the identity provider are not accepted here",
            ));
        };
        let claims = self.verify(token, audience).await?;
        let claims = claims.map_err(|Refused(reason)| invalid_token(&reason))?;
        let data = self.access(&claims)?;
        Ok(ApiKey {
            key_id: claims.person_id(),
            // No secret has this hash.
            secret_hash: SecretHash::of_bytes([0; 32]),
            revoked_at: None,
            last_used_at: None,
            created_at: chrono::DateTime::UNIX_EPOCH,
            data,
        })
    }

    fn access(&self, claims: &Claims) -> Result<NewApiKey, ApiError> {
        let access = claims.access(&self.config);
        access.map_err(|no_access| no_role(&no_access.0))
    }

    /// Begins a sign-in: what the browser has to bring back, and where to send it.
    ///
    /// # Errors
    ///
    /// [`Code::NotFound`] when no client is configured, and
    /// [`Code::IdentityProviderUnavailable`].
    pub(crate) async fn begin_sign_in(
        &self,
        redirect_uri: &str,
        return_to: String,
    ) -> Result<(PendingSignIn, Url), ApiError> {
        let client = self.client()?;
        let known = self.discovered(|_| true).await?;
        let endpoint = known.endpoints.authorization.as_ref();
        let endpoint = endpoint.ok_or_else(|| {
            let detail = "the identity provider has no page to sign in at";
            ApiError::new(Code::IdentityProviderUnavailable, detail)
        })?;
        let pending = PendingSignIn::begin(return_to)?;
        let address = pending.address(endpoint, &client.id, redirect_uri);
        Ok((pending, address))
    }

    /// Ends a sign-in: exchanges the code for a token, and returns what the person may do for
    /// whom it was issued, until the token ends.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidToken`] and [`Code::ScopeMissing`];
    /// [`Code::IdentityProviderUnavailable`].
    pub(crate) async fn end_sign_in(
        &self,
        pending: &PendingSignIn,
        state: &str,
        code: String,
        redirect_uri: String,
    ) -> Result<NewApiKey, ApiError> {
        let client = self.client()?;
        if state != pending.state {
            return Err(invalid_token("this sign-in was begun in another browser"));
        }
        let code = http::AuthorizationCode {
            text: code,
            redirect_uri,
            verifier: pending.verifier.clone(),
        };
        let token = self.exchange(client, code).await?.map_err(|error| {
            log::warn!("a sign-in has failed: {error:#}");
            invalid_token("the identity provider did not confirm the sign-in; begin it again")
        })?;
        let claims = self.verify(&token, &client.id).await?;
        let claims = claims.map_err(|Refused(reason)| invalid_token(&reason))?;
        if claims.text("nonce") != Some(&pending.nonce) {
            return Err(invalid_token("the token is of another sign-in"));
        }
        if claims
            .text("azp")
            .is_some_and(|client_id| client_id != client.id)
        {
            return Err(invalid_token("the token is for another client"));
        }
        self.access(&claims)
    }

    fn client(&self) -> Result<&OidcClient, ApiError> {
        let client = self.config.client.as_ref();
        client.ok_or_else(|| ApiError::new(Code::NotFound, "there is nothing at this path"))
    }
}
