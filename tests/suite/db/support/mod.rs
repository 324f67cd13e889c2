//! Helpers shared by several test files.

pub(crate) mod random_operations;
pub(crate) mod worker;

use lectern_db::Database;
use lectern_domain::{Job, JobId, Window};

/// The window `[from, to)` in seconds.
pub(crate) fn window(from: impl Into<Option<f64>>, to: impl Into<Option<f64>>) -> Window {
    Window::new(from.into(), to.into()).unwrap()
}

/// The job as it is stored now.
pub(crate) fn stored(db: &Database, job_id: JobId) -> Job {
    db.read(|conn| conn.jobs().find(job_id))
        .unwrap()
        .expect("a stored job")
}

/// An id that no row has.
pub(crate) fn unknown_id<Id: From<uuid::Uuid>>() -> Id {
    Id::from(uuid::Uuid::nil())
}
