//! Log entries, the audit trail of the stages: the table `processing_logs`.

use std::ops::ControlFlow;

use diesel::prelude::*;
use lectern_domain::{
    AgentName, Cursor, JobId, JsonObject, LogEntry, LogEntryFilter, LogEntryId, LogStatus,
    LongText, NewLogEntry, Page, PageRequest, Seconds, Stage,
};

use crate::connection::context::TransactionContext;
use crate::connection::{Conn, MultiBackend, ReadWrite, each_row};
use crate::dialect::{JobRef, NewLogRow};
use crate::error::{Doing, Error};
use crate::schema::processing_logs;
use crate::sql::page::{self, BoundedPage};
use crate::sql::row::{RowDecoder, columns};
use crate::sql::stored::Stored;
use crate::sql::stored_time::StoredTime;
use crate::sql::types::{DbTime, Id};

/// A row of `processing_logs`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = processing_logs)]
struct LogRow {
    log_id: Id<LogEntryId>,
    job_id: Id<JobId>,
    stage: Stored<Stage>,
    agent_name: Option<Stored<AgentName>>,
    status: Stored<LogStatus>,
    message: Option<Stored<LongText>>,
    error_details: Option<Stored<JsonObject>>,
    duration_seconds: Option<Stored<Seconds>>,
    timestamp: StoredTime,
    created_at: StoredTime,
}

impl LogRow {
    fn cursor(&self) -> Option<Cursor> {
        self.timestamp.ascending_cursor(self.log_id.0)
    }

    /// Approximate number of bytes in the values of unbounded size.
    fn memory(&self) -> usize {
        let message = self.message.as_ref().and_then(Stored::readable);
        let details = self.error_details.as_ref().and_then(Stored::readable);
        message.map_or(0, |text| text.len()) + details.map_or(0, JsonObject::memory)
    }
}

impl TryFrom<LogRow> for LogEntry {
    type Error = Error;

    fn try_from(row: LogRow) -> Result<Self, Error> {
        let decoder = RowDecoder::new("processing_logs", row.log_id.0);
        Ok(Self {
            log_id: row.log_id.0,
            job_id: row.job_id.0,
            data: NewLogEntry {
                stage: decoder.column("stage", row.stage)?,
                status: decoder.column("status", row.status)?,
                agent_name: decoder.column("agent_name", row.agent_name)?,
                message: decoder.column("message", row.message)?,
                error_details: decoder.column("error_details", row.error_details)?,
                duration_seconds: decoder.column("duration_seconds", row.duration_seconds)?,
            },
            timestamp: decoder.column("timestamp", row.timestamp)?,
            created_at: decoder.column("created_at", row.created_at)?,
        })
    }
}

/// The repository of the processing logs: `conn.processing_logs()`.
#[derive(Debug)]
pub struct ProcessingLogs<'c, Mode>(pub(crate) Conn<'c, Mode>);

type JobQuery<'a> = processing_logs::BoxedQuery<'a, MultiBackend>;

fn entries_of_job(context: &TransactionContext<'_>, job_id: JobId) -> JobQuery<'static> {
    processing_logs::table
        .filter(processing_logs::job_id.eq(Id(job_id)))
        .filter(context.owned("processing_logs"))
        .into_boxed()
}

impl<Mode> ProcessingLogs<'_, Mode> {
    /// All entries of a job, oldest first.
    pub fn for_job(&mut self, job_id: JobId) -> Result<Vec<LogEntry>, Error> {
        self.load(entries_of_job(self.0.context, job_id))
    }

    /// The number of entries of a job.
    pub fn count(&mut self, job_id: JobId) -> Result<i64, Error> {
        processing_logs::table
            .filter(processing_logs::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("processing_logs"))
            .count()
            .get_result(self.0.raw)
            .doing("count log entries")
    }

    /// A page of the entries that match `filter`, oldest first. It ends before its limit
    /// when its texts have a megabyte.
    pub fn list(
        &mut self,
        job_id: JobId,
        filter: &LogEntryFilter,
        page: PageRequest,
    ) -> Result<Page<LogEntry>, Error> {
        let context = self.0.context;
        let mut entries = BoundedPage::new(page.limit);
        each_row!(
            self.0.raw,
            {
                let mut query = processing_logs::table
                    .filter(processing_logs::job_id.eq(Id(job_id)))
                    .filter(self.0.context.owned("processing_logs"))
                    .order((processing_logs::timestamp, processing_logs::log_id))
                    .select(columns::<LogRow>())
                    .limit(page::query_limit(page.limit))
                    .into_boxed::<Db>();
                if let Some(stage) = filter.stage {
                    query = query.filter(processing_logs::stage.eq(stage.as_str()));
                }
                if let Some(status) = filter.status {
                    query = query.filter(processing_logs::status.eq(status.as_str()));
                }
                if let Some(Cursor { time, id }) = page.after {
                    let (time, id) = (DbTime::bound(time), Id(id));
                    query = query.filter(processing_logs::timestamp.ge(time)).filter(
                        processing_logs::timestamp
                            .gt(time)
                            .or(processing_logs::log_id.gt(id)),
                    );
                }
                query
            } => LogRow,
            "list processing logs",
            |row: LogRow| {
                // The cursor is that of the last row, even if that row is unreadable.
                if entries.admit(row.cursor(), row.memory()).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                entries.push(context.readable(row)?);
                Ok::<_, Error>(ControlFlow::Continue(()))
            }
        );
        Ok(entries.finish())
    }

    /// The newest entry of each stage that has one, in the order of the pipeline.
    pub fn latest_per_stage(&mut self, job_id: JobId) -> Result<Vec<LogEntry>, Error> {
        let entries = self.for_job(job_id)?;
        let latest = |stage: &Stage| {
            entries
                .iter()
                .rev()
                .find(|entry| entry.stage == *stage)
                .cloned()
        };
        Ok(Stage::ALL.iter().filter_map(latest).collect())
    }

    /// The entries with the status `failed`, oldest first.
    pub fn errors(&mut self, job_id: JobId) -> Result<Vec<LogEntry>, Error> {
        self.load(
            entries_of_job(self.0.context, job_id)
                .filter(processing_logs::status.eq(LogStatus::Failed.as_str())),
        )
    }

    fn load(&mut self, query: JobQuery<'_>) -> Result<Vec<LogEntry>, Error> {
        let rows = self.rows(query)?;
        self.0.readable(rows)
    }

    fn rows(&mut self, query: JobQuery<'_>) -> Result<Vec<LogRow>, Error> {
        query
            .order((processing_logs::timestamp, processing_logs::log_id))
            .select(columns::<LogRow>())
            .load::<LogRow>(self.0.raw)
            .doing("list processing logs")
    }
}

impl ProcessingLogs<'_, ReadWrite> {
    /// Adds an entry with the current time of the database, and returns it.
    ///
    /// # Errors
    ///
    /// [`Error::QuotaExceeded`]; [`Error::JobNotFound`].
    pub fn append(&mut self, job: impl Into<JobRef>, new: &NewLogEntry) -> Result<LogEntry, Error> {
        let lock = self.0.lock_job(job)?;
        self.0.check_row_quota(lock, 1)?;
        self.0.count_rows(lock, 1, 0)?;
        let now = lock.time().0;
        let entry = LogEntry {
            log_id: LogEntryId::new(self.0.clock),
            job_id: lock.job_id(),
            data: new.clone(),
            timestamp: now,
            created_at: now,
        };
        diesel::insert_into(processing_logs::table)
            .values(NewLogRow::from(&entry))
            .returning(columns::<LogRow>())
            .get_result::<LogRow>(self.0.raw)
            .doing("append to the processing log")?
            .try_into()
    }
}
