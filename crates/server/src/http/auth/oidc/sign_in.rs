//! A sign-in that has begun: the browser is at the identity provider, and will come back with
//! a code (OpenID Connect Core 1.0, 3.1, with PKCE of RFC 7636).
//!
//! What must be known then is in a cookie of the browser. It is no secret from its user, and
//! a page of another site can neither read it nor, under its name, set it.

use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::http::error::ApiError;

/// A sign-in that has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PendingSignIn {
    /// Comes back with the code: the browser that brings it is the one that was sent.
    pub(super) state: String,
    /// Comes back in the token: it was made for this sign-in.
    pub(super) nonce: String,
    /// Its hash was sent with the browser: whoever intercepts the code cannot use it.
    pub(super) verifier: String,
    /// The path to which the browser goes afterwards.
    pub(crate) return_to: String,
}

impl PendingSignIn {
    /// # Errors
    ///
    /// When the operating system returns no random bytes.
    pub(super) fn begin(return_to: String) -> Result<Self, ApiError> {
        Ok(Self {
            state: random_text()?,
            nonce: random_text()?,
            verifier: random_text()?,
            return_to,
        })
    }

    /// The address at the provider to which the browser is sent.
    pub(super) fn address(&self, endpoint: &Url, client_id: &str, redirect_uri: &str) -> Url {
        let challenge = digest(&SHA256, self.verifier.as_bytes());
        let challenge = BASE64URL_NOPAD.encode(challenge.as_ref());
        let mut address = endpoint.clone();
        address
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", "openid profile email")
            .append_pair("state", &self.state)
            .append_pair("nonce", &self.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        address
    }

    /// The value of the cookie.
    pub(crate) fn to_cookie(&self) -> Result<String, ApiError> {
        let json = serde_json::to_vec(self).map_err(ApiError::internal)?;
        Ok(BASE64URL_NOPAD.encode(&json))
    }

    /// Reads the value of the cookie; `None` if it has another form.
    pub(crate) fn from_cookie(value: &str) -> Option<Self> {
        let json = BASE64URL_NOPAD.decode(value.as_bytes()).ok()?;
        serde_json::from_slice(&json).ok()
    }
}

/// 256 random bits as text.
fn random_text() -> Result<String, ApiError> {
    let mut bytes = [0; 32];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| ApiError::internal("the system returned no random bytes"))?;
    Ok(BASE64URL_NOPAD.encode(&bytes))
}
