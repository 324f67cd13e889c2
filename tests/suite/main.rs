//! Tests of the database crate and the service through their public interfaces.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod db;
mod harness;
mod http;
mod readme;
mod upgrades;
