//! Who may call which route.
//!
//! Every route names its [`Access`](lectern_domain::Access) where it is registered: a scope,
//! or that it is public. [`Resource`](super::resource::Resource) calls
//! [`Authenticator::authorize`] before anything else of a request is looked at: its ids are
//! not parsed and its body is not read, so a refused caller does not learn what exists.
//!
//! - **Off**: nothing is asked for, and keys in requests are not looked at.
//! - **Keys**: a request to a route that is not public needs a key, in `X-API-Key` or
//!   `Authorization: Bearer`. Without an accepted key the response is 401, with the key of
//!   another role 403.
//!
//! # From a request to its key
//!
//! 1. `credentials` reads the headers. A malformed key is refused by its checksum.
//! 2. `key_cache` finds the stored key by its id: in memory if it was read within two
//!    seconds, and otherwise in the database. The hash of the secret is compared in constant
//!    time.
//! 3. The stored key, a [`Caller`], is in the extensions of the request, for handlers and
//!    extractors. Its owner separates idempotency keys, and limits the database that a handler
//!    gets (`database/caller_database.rs`).
//!
//! A revoked key is refused within four seconds by every server of the database, because none
//! uses what it has read for longer. What is in progress ends as well: a request that waits is
//! answered with 401, a stream ends, and a read that takes longer than two seconds is checked again
//! before its response.
//!
//! # Watch tokens
//!
//! Browsers cannot send a header with `EventSource` and `WebSocket`. Routes with
//! [`Access::ScopeOrWatchToken`](lectern_domain::Access::ScopeOrWatchToken) therefore also
//! accept a `watch_token` in the parameter `token`, for the job in their path. It is
//! checked with the key that made it, and ends with it.
//!
//! # People
//!
//! A token of an identity provider ([`oidc`]) stands for a key that is not stored. A browser
//! that has signed in has a *session*: a stored key that expires, in a cookie
//! (`session_cookie`). A request with a cookie that changes something must come from a page of
//! this server.
//!
//! # Limits
//!
//! A key that does not exist costs a query for each request. At most two such queries run at
//! a time, and at most a thousand requests wait for them. Stored keys are found in memory and
//! do not wait there, as long as they are used every few seconds.

mod authenticator;
mod caller;
mod credential;
mod credentials;
mod key_cache;
pub(crate) mod oidc;
mod priority_limit;
mod refusal;
mod request_actor;
pub(crate) mod secret;
mod session_cookie;
mod watch_token;
mod watched_body;

pub(crate) use authenticator::{Authenticator, Authorized, make_watch_token};
pub(crate) use caller::{Caller, MaybeCaller};
pub(crate) use key_cache::KeyStore;
pub use oidc::config::{ClaimPath, OidcClient, OidcConfig, RoleClaim, RoleRule};
pub(crate) use priority_limit::PriorityLimit;
pub(crate) use refusal::key_has_ended;
pub(crate) use request_actor::RequestActor;
pub(crate) use session_cookie::ServerCookie;

/// Whether callers need keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Authentication {
    /// Every caller may call every route.
    #[default]
    Off,
    /// Routes that are not public need a key with their scope.
    Keys,
}
