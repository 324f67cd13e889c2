//! The responses to requests that are refused (RFC 6750, 3).

use lectern_api::Code;
use lectern_domain::Scope;

use crate::http::error::ApiError;

/// The realm in `WWW-Authenticate`.
const BEARER: &str = "Bearer realm=\"lectern\"";

pub(super) fn key_required() -> ApiError {
    let detail = "send a key in the header Authorization, as in `Bearer lct_…`, or in X-API-Key";
    ApiError::new(Code::AuthenticationRequired, detail).with_challenge(BEARER.to_owned())
}

pub(super) fn invalid_key(detail: &str) -> ApiError {
    let challenge = format!("{BEARER}, error=\"invalid_token\"");
    ApiError::new(Code::InvalidKey, detail).with_challenge(challenge)
}

/// To somebody whose key was accepted, and has ended since.
pub(crate) fn key_has_ended() -> ApiError {
    invalid_key("the key was revoked, or has a new secret")
}

pub(super) fn invalid_token(detail: &str) -> ApiError {
    let challenge = format!("{BEARER}, error=\"invalid_token\"");
    ApiError::new(Code::InvalidToken, detail).with_challenge(challenge)
}

/// To somebody whose key lacks a scope.
pub(super) fn scope_missing(scope: Scope) -> ApiError {
    let challenge = format!("{BEARER}, error=\"insufficient_scope\", scope=\"{scope}\"");
    let detail = format!("the key does not have the scope {scope}");
    ApiError::new(Code::ScopeMissing, detail).with_challenge(challenge)
}

/// To somebody who has no role.
pub(super) fn no_role(detail: &str) -> ApiError {
    let challenge = format!("{BEARER}, error=\"insufficient_scope\"");
    ApiError::new(Code::ScopeMissing, detail).with_challenge(challenge)
}
