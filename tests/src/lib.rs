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
//!         let found =
//!             db.write(|tx| tx.transcripts().replace_for_job(job.job_id, &segments(1_500)));
//!         assert!(found.unwrap());
//!     }
//!     let count = db.read(|conn| conn.transcripts().count(job.job_id)).unwrap();
//!     assert_eq!(count, 1_500);
//! }
//! ```
//!
//! | noun | what it gives |
//! |---|---|
//! | [`on_both_backends!`] | two tests from one body |
//! | [`TestDb`], [`EmptyDb`] | a fresh database, migrated or bare, with a clock that stands still |
//! | [`Sql`] | SQL past the repositories: catalogs, broken rules, killed connections |
//! | [`Cluster`] | a throwaway PostgreSQL, started when the first test asks for one |
//! | [`TestServer`], [`Lectern`] | a server in this process, or the real binary |
//! | [`Client`], [`Response`] | HTTP; every answer is searched for internal keys, every error for its shape |
//! | [`a_job`], [`segments`], [`clips`], … | rows, as the repositories take them |
//! | [`Body`] | the same rows as the interface takes them |
//! | [`snapshot!`], [`redacted`] | JSON shapes without ids and times |
//! | [`queries`], [`TestDb::record_statements`] | the statements a call costs, or all that a database is asked |
//!
//! PostgreSQL comes from `TEST_DATABASE_URL` or from the programs installed on
//! the machine; without either, tests on PostgreSQL fail. No test sleeps, is
//! retried or depends on the order of tests.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a harness that cannot do its part fails the test that asked"
)]

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
    a_silence, clips, content_segments, fill, segments, silence_regions, words,
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
