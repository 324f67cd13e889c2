//! The other side: the same statements on diesel's own connections. Values go
//! in and come out as the plain `Uuid`, `DateTime<Utc>` and `Value` they are.

use anyhow::Result;
use lectern_domain::{JobId, NewJob, NewTranscriptSegment};

mod postgres;
mod sqlite;
mod statements;

pub(crate) use postgres::Bare as BarePostgres;
pub(crate) use sqlite::Bare as BareSqlite;

/// What is timed beside lectern-db. Rows are made before the clock starts: that
/// is what the methods that only make them are for.
pub(crate) trait Bare: Sized {
    type Id;
    type JobRow;
    type SegmentRow;

    fn ids(&self, ids: &[JobId]) -> Vec<Self::Id>;
    fn job_row(&self, job: &NewJob) -> Self::JobRow;
    fn segment_rows(
        &self,
        job_id: JobId,
        segments: &[NewTranscriptSegment],
    ) -> Vec<Self::SegmentRow>;

    /// Lets the database look at what it holds, so that it does not do so in
    /// the middle of a measurement.
    fn settle(&mut self) -> Result<()>;
    /// Does what earlier writes have left for a later one to do.
    fn catch_up(&mut self) -> Result<()>;
    fn find(&mut self, id: &Self::Id) -> Result<()>;
    fn list(&mut self) -> Result<()>;
    fn create(&mut self, row: &Self::JobRow) -> Result<()>;
    fn store(&mut self, rows: Vec<Self::SegmentRow>) -> Result<()>;
}
