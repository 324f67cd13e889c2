//! The test harness of Lectern, also usable by programs that test against
//! Lectern.
//!
//! A test function runs on SQLite and on PostgreSQL, each time with a new
//! database, and creates its rows with builders. Its name states the tested
//! behaviour:
//!
//! ```
//! use lectern_domain::JobStatus;
//! use lectern_tests::{TestDb, a_job, on_both_backends, segments};
//!
//! on_both_backends!(storing_a_transcript_twice_keeps_one_copy);
//!
//! fn storing_a_transcript_twice_keeps_one_copy(db: TestDb) {
//!     let job = a_job().status(JobStatus::Running).create(&db);
//!     for _ in 0..2 {
//!         db.write(|tx| tx.transcripts().replace_for_job(job.job_id, &segments(1_500)))
//!             .unwrap();
//!     }
//!     let count = db.read(|conn| conn.transcripts().count(job.job_id)).unwrap();
//!     assert_eq!(count, 1_500);
//! }
//! ```
//!
//! | item | purpose |
//! |---|---|
//! | [`on_both_backends!`] | runs a test function on both backends |
//! | [`TestDb`], [`EmptyDb`] | a new database, migrated or without tables, with a manual clock |
//! | [`Sql`] | raw SQL on a separate connection |
//! | [`Cluster`] | a temporary PostgreSQL server, started by the first test that needs it |
//! | [`TestServer`], [`Lectern`] | a server in this process, or the real binary |
//! | [`Client`], [`Response`] | HTTP; checks each response for internal keys, and errors for their documented shape |
//! | [`a_job`], [`segments`], [`clips`], … | builders of rows |
//! | [`Body`] | the request bodies of the same rows |
//! | [`snapshot!`], [`redacted`] | snapshots of JSON without ids and times |
//! | [`queries`], [`TestDb::record_statements`] | the statements of a call, or all statements sent to a database |
//!
//! PostgreSQL comes from `TEST_DATABASE_URL` or from the programs installed on
//! the machine; without either, tests on PostgreSQL fail. No test sleeps, is
//! retried or depends on the order of tests.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a failure of the harness fails the test that uses it"
)]

/// Runs the examples of the document.
#[cfg(doctest)]
#[doc = include_str!("../../docs/from-sqlalchemy.md")]
mod from_sqlalchemy {}

mod backend;
mod body;
mod builders;
mod client;
mod cluster;
mod database;
mod lectern;
mod queries;
mod response;
mod server;
mod snapshot;
mod sql;

#[doc(hidden)]
pub use insta;

pub use lectern_db::Backend;

pub use backend::Fixture;
pub use body::Body;
pub use builders::{
    JobBuilder, a_clip_of, a_completed_job, a_job, a_layout, a_log_entry, a_report, a_segment,
    a_silence, clips, content_segments, segments, silence_regions, store_output, two_words, words,
};
pub use client::{Client, RequestBuilder};
pub use cluster::{Cluster, TEST_DATABASE_URL, server_url};
pub use database::{EmptyDb, TestDb};
pub use lectern::Lectern;
pub use queries::{BlockedStatements, StatementLog, queries};
pub use response::Response;
pub use server::TestServer;
pub use snapshot::redacted;
pub use sql::Sql;
