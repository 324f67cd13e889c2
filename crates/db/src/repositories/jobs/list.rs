//! Lists of jobs without their large values.

use std::ops::ControlFlow;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use lectern_domain::{
    ContentType, Cursor, FileSize, Filename, JobFilter, JobId, JobProgress, JobStatus, JobSummary,
    JsonObject, LongText, NonNegativeInt, Page, PageRequest, Percent, ProcessingMode, Progress,
    ProgressMessage, Stage, VideoDuration,
};

use super::Jobs;
use crate::connection::each_row;
use crate::error::{Doing, Error};
use crate::schema::jobs;
use crate::sql::page::{self, BoundedPage};
use crate::sql::prepared::Prepared;
use crate::sql::row::RowDecoder;
use crate::sql::stored::Stored;
use crate::sql::stored_time::StoredTime;
use crate::sql::types::{DbTime, Id, Jsonb};

/// The columns of `jobs` that a list shows.
#[derive(Queryable)]
struct SummaryRow {
    job_id: Id<JobId>,
    filename: Stored<Filename>,
    file_size: Option<Stored<FileSize>>,
    content_type: Stored<ContentType>,
    video_duration: Option<Stored<VideoDuration>>,
    status: Stored<JobStatus>,
    error_message: Option<Stored<LongText>>,
    current_stage: Option<Stored<Stage>>,
    progress_percent: Stored<Percent>,
    progress_message: Option<Stored<ProgressMessage>>,
    eta_seconds: Option<Stored<NonNegativeInt>>,
    processing_mode: Option<String>,
    extra_metadata: Option<Stored<JsonObject>>,
    created_at: StoredTime,
    updated_at: StoredTime,
    completed_at: Option<StoredTime>,
}

/// SQL for `extra_metadata`, or `NULL` if it is too large for a list.
fn listed_extra_metadata() -> String {
    let max = JobSummary::MAX_EXTRA_METADATA;
    format!(
        "CASE WHEN octet_length(CAST(jobs.extra_metadata AS text)) <= {max} \
         THEN jobs.extra_metadata END"
    )
}

impl SummaryRow {
    fn cursor(&self) -> Option<Cursor> {
        self.created_at.descending_cursor(self.job_id.0)
    }

    /// Approximate number of bytes in the values of unbounded size.
    fn memory(&self) -> usize {
        let error = self.error_message.as_ref().and_then(Stored::readable);
        let extra = self.extra_metadata.as_ref().and_then(Stored::readable);
        error.map_or(0, |text| text.len()) + extra.map_or(0, JsonObject::memory)
    }
}

impl TryFrom<SummaryRow> for JobSummary {
    type Error = Error;

    fn try_from(row: SummaryRow) -> Result<Self, Error> {
        let decoder = RowDecoder::new("jobs", row.job_id.0);
        let progress = match decoder.column("current_stage", row.current_stage)? {
            None => None,
            Some(stage) => Some(JobProgress {
                stage,
                progress: Progress {
                    percent: decoder.column("progress_percent", row.progress_percent)?,
                    message: decoder.column("progress_message", row.progress_message)?,
                    eta_seconds: decoder.column("eta_seconds", row.eta_seconds)?,
                },
            }),
        };
        let processing_mode = match row.processing_mode {
            None => ProcessingMode::Vision,
            Some(mode) => decoder.converted("processing_config", mode.parse())?,
        };
        Ok(Self {
            job_id: row.job_id.0,
            status: decoder.column("status", row.status)?,
            filename: decoder.column("filename", row.filename)?,
            file_size: decoder.column("file_size", row.file_size)?,
            content_type: decoder.column("content_type", row.content_type)?,
            processing_mode,
            video_duration: decoder.column("video_duration", row.video_duration)?,
            created_at: decoder.column("created_at", row.created_at)?,
            updated_at: decoder.column("updated_at", row.updated_at)?,
            completed_at: decoder.column("completed_at", row.completed_at)?,
            progress,
            error_message: decoder.column("error_message", row.error_message)?,
            extra_metadata: decoder.column("extra_metadata", row.extra_metadata)?,
        })
    }
}

impl<Mode> Jobs<'_, Mode> {
    /// Like [`list`](Self::list), without the large values of the jobs. A page ends
    /// before its limit when its texts have a megabyte.
    pub fn list_summaries(
        &mut self,
        filter: &JobFilter,
        page: PageRequest,
    ) -> Result<Page<JobSummary>, Error> {
        let context = self.0.context;
        let mut summaries = BoundedPage::new(page.limit);
        each_row!(
            self.0.raw,
            {
                let mut query = jobs::table
                    .select((
                        jobs::job_id,
                        jobs::filename,
                        jobs::file_size,
                        jobs::content_type,
                        jobs::video_duration,
                        jobs::status,
                        jobs::error_message,
                        jobs::current_stage,
                        jobs::progress_percent,
                        jobs::progress_message,
                        jobs::eta_seconds,
                        sql::<Nullable<Text>>("jobs.processing_config ->> 'processing_mode'"),
                        sql::<Nullable<Jsonb>>(&listed_extra_metadata()),
                        jobs::created_at,
                        jobs::updated_at,
                        jobs::completed_at,
                    ))
                    .order((jobs::created_at.desc(), jobs::job_id.desc()))
                    .limit(page::query_limit(page.limit))
                    .into_boxed::<Db>();
                if let Some(status) = filter.status {
                    query = query.filter(jobs::status.eq(status.as_str()));
                }
                if let Some(stage) = filter.stage {
                    query = query.filter(jobs::current_stage.eq(stage.as_str()));
                }
                if let Some(time) = filter.created_after {
                    query = query.filter(jobs::created_at.ge(DbTime::bound(time)));
                }
                if let Some(time) = filter.created_before {
                    query = query.filter(jobs::created_at.lt(DbTime::bound(time)));
                }
                if let Some(Cursor { time, id }) = page.after {
                    let (time, id) = (DbTime::bound(time), Id(id));
                    // The first condition follows from the second, but lets the
                    // database start in the index at the cursor.
                    query = query
                        .filter(jobs::created_at.le(time))
                        .filter(jobs::created_at.lt(time).or(jobs::job_id.lt(id)));
                }
                Prepared(query)
            } => SummaryRow,
            "list jobs",
            |row: SummaryRow| {
                // The cursor is that of the last row, even if that row is unreadable.
                if summaries.admit(row.cursor(), row.memory()).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                summaries.push(context.readable(row)?);
                Ok::<_, Error>(ControlFlow::Continue(()))
            }
        );
        Ok(summaries.finish())
    }
}
