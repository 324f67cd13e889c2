//! What the storage promises, on local disk and on a real S3 server.
//!
//! The tests on S3 are ignored unless `tests/e2e/with-s3` starts a server for them:
//!
//! ```console
//! $ tests/e2e/with-s3 cargo test -p lectern-storage -- --include-ignored
//! ```

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod behaviour;
mod keys;
mod leftovers;
mod place;
mod secrets;
mod service;
mod symlinks;
mod urls;
