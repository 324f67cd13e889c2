//! Everything that is proven from outside, noun by noun.

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
