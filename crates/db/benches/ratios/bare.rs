//! The baseline: the same statements on diesel's own connections. Values are bound
//! and read as plain `Uuid`, `DateTime<Utc>` and `Value`.

use anyhow::Result;
use lectern_domain::{JobId, NewJob, NewTranscriptSegment};

mod postgres;
mod sqlite;
mod statements;

pub(crate) use postgres::Bare as BarePostgres;
pub(crate) use sqlite::Bare as BareSqlite;

/// The calls that lectern-db's are compared with. `ids`, `job_row` and
/// `segment_rows` prepare values outside the measured time.
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

    /// Vacuums and analyzes, so that the database does not do so during a
    /// measurement.
    fn settle(&mut self) -> Result<()>;
    /// Does work that earlier writes have deferred, such as a checkpoint.
    fn catch_up(&mut self) -> Result<()>;
    fn find(&mut self, id: &Self::Id) -> Result<()>;
    fn list(&mut self) -> Result<()>;
    fn create(&mut self, row: &Self::JobRow) -> Result<()>;
    fn store(&mut self, rows: Vec<Self::SegmentRow>) -> Result<()>;
}
