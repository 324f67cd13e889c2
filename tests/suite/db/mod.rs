//! The repositories and what they stand on, each sentence on both databases.

mod anything;
mod catalog;
mod clips;
mod confirm_cancel_retry;
mod constraints;
mod content_segments;
mod database;
mod drift;
mod events;
mod idempotency_keys;
mod init;
mod job_list;
mod jobs;
mod keys;
mod layout_analysis;
mod migrations;
mod processing_logs;
mod progress;
mod queries;
mod results;
mod rules;
mod silence_regions;
mod stage_runs;
mod transcripts;
mod transitions;
mod url;
mod work;
mod worker;

use lectern_db::Database;
use lectern_domain::{Job, JobId, Window};

/// `[from, to)` in seconds.
fn window(from: impl Into<Option<f64>>, to: impl Into<Option<f64>>) -> Window {
    Window::new(from.into(), to.into()).unwrap()
}

/// The job as it is stored now.
fn stored(db: &Database, job_id: JobId) -> Job {
    db.read(|conn| conn.jobs().find(job_id))
        .unwrap()
        .expect("a job that is there")
}

/// An id that no row has.
fn nobody<Id: From<uuid::Uuid>>() -> Id {
    Id::from(uuid::Uuid::nil())
}
