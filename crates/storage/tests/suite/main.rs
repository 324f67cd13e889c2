//! The storage on local disk and on an S3 server.
//!
//! The tests on S3 are ignored unless `tests/e2e/with-s3` starts a server for them:
//!
//! ```console
//! $ tests/e2e/with-s3 cargo test -p lectern-storage -- --include-ignored
//! ```

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

mod failing_service;
mod keys;
mod operations;
mod secret;
mod signed_urls;
mod symlinks;
mod test_storage;
mod unfinished_files;
mod uploads;
