//! Tests of the database crate and the service through their public interfaces.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a panic fails the test"
)]
#![expect(
    clippy::needless_pass_by_value,
    reason = "a test owns its fixture, which is removed at its end"
)]

mod db;
mod harness;
mod http;
mod many_jobs;
mod pseudo_random;
mod readme;
mod upgrades;
