//! Keys: which routes ask for them, how a caller without one is refused, and when a key ends.

mod identity_provider;
mod key_end;
mod outputs;
mod owners;
mod priorities;
mod quotas;
mod refusals;
mod requests;
mod routes;
mod sessions;
mod shares;
mod watch_tokens;
