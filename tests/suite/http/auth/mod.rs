//! Keys: which routes ask for them, how a caller without one is refused, and when a key ends.

mod key_end;
mod outputs;
mod owners;
mod refusals;
mod requests;
mod routes;
mod shares;
mod watch_tokens;
