//! Lists of jobs, whole or without their large values.

use std::ops::ControlFlow;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use lectern_domain::{
    AgentName, Clip, ContentType, FileSize, Filename, Invalid, Job, JobCursor, JobFilter, JobId,
    JobPageRequest, JobProgress, JobStatus, JobSummary, JsonObject, LongText, NonNegativeInt,
    OwnerName, Page, Percent, ProcessingConfig, ProcessingMode, Progress, ProgressMessage, Stage,
    StorageKey, SummaryMetadata, Total, TranscriptSource, VideoDuration,
};

use super::Jobs;
use super::bound_query::BoundQuery;
use super::list_query::{ListedTimes, Section, Selection, count_query, distinct};
use super::row::JobRow;
use crate::connection::{each_row, on_either};
use crate::error::{Doing, Error};
use crate::schema::jobs;
use crate::sql::page::{self, BoundedPage};
use crate::sql::row::RowDecoder;
use crate::sql::stored::Stored;
use crate::sql::stored_time::StoredTime;
use crate::sql::types::{Id, Jsonb};

/// The columns of `jobs` that a list shows.
#[derive(QueryableByName)]
#[diesel(table_name = jobs)]
struct SummaryRow {
    job_id: Id<JobId>,
    owner_id: Option<Stored<OwnerName>>,
    filename: Stored<Filename>,
    file_size: Option<Stored<FileSize>>,
    content_type: Stored<ContentType>,
    original_s3_key: Option<Stored<StorageKey>>,
    source_job_id: Option<Id<JobId>>,
    transcript_source: Option<Stored<TranscriptSource>>,
    video_duration: Option<Stored<VideoDuration>>,
    status: Stored<JobStatus>,
    error_message: Option<Stored<LongText>>,
    current_stage: Option<Stored<Stage>>,
    progress_percent: Stored<Percent>,
    progress_message: Option<Stored<ProgressMessage>>,
    eta_seconds: Option<Stored<NonNegativeInt>>,
    progress_agent_name: Option<Stored<AgentName>>,
    #[diesel(sql_type = Nullable<Text>)]
    processing_mode: Option<String>,
    processing_config: Option<Stored<ProcessingConfig>>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    video_metadata: Option<Stored<JsonObject>>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    extra_metadata: Option<Stored<JsonObject>>,
    priority: i32,
    created_at: StoredTime,
    updated_at: StoredTime,
    completed_at: Option<StoredTime>,
}

/// SQL for the columns of a [`SummaryRow`].
fn summary_columns(with_metadata: bool) -> String {
    let small = |column: &str| {
        let max = JobSummary::MAX_JSON;
        format!(
            "CASE WHEN octet_length(CAST(jobs.{column} AS text)) <= {max} \
             THEN jobs.{column} END AS {column}"
        )
    };
    let metadata = ["video_metadata", "extra_metadata"].map(|column| {
        if with_metadata {
            small(column)
        } else {
            format!("CAST(NULL AS jsonb) AS {column}")
        }
    });
    format!(
        "jobs.job_id, jobs.owner_id, jobs.filename, jobs.file_size, jobs.content_type, jobs.original_s3_key, \
         jobs.source_job_id, jobs.transcript_source, jobs.video_duration, jobs.status, jobs.error_message, jobs.current_stage, \
         jobs.progress_percent, jobs.progress_message, jobs.eta_seconds, \
         jobs.progress_agent_name, \
         jobs.processing_config ->> 'processing_mode' AS processing_mode, \
         {}, {}, jobs.priority, jobs.created_at, jobs.updated_at, jobs.completed_at",
        small("processing_config"),
        metadata.join(", ")
    )
}

impl SummaryRow {
    fn times(&self) -> ListedTimes {
        ListedTimes {
            created: self.created_at,
            updated: self.updated_at,
            completed: self.completed_at,
        }
    }

    /// Approximate number of bytes in the values of unbounded size.
    fn memory(&self) -> usize {
        fn readable<T>(value: Option<&Stored<T>>) -> Option<&T> {
            value.and_then(Stored::readable)
        }
        let error = readable(self.error_message.as_ref());
        let objects = [
            readable(self.processing_config.as_ref()).map(ProcessingConfig::settings),
            readable(self.video_metadata.as_ref()),
            readable(self.extra_metadata.as_ref()),
        ];
        let objects = objects.into_iter().flatten().map(JsonObject::memory);
        error.map_or(0, |text| text.len()) + objects.sum::<usize>()
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
                agent_name: decoder.column("progress_agent_name", row.progress_agent_name)?,
            }),
        };
        let processing_mode = match row.processing_mode {
            None => ProcessingMode::Vision,
            Some(mode) => decoder.converted("processing_config", mode.parse())?,
        };
        Ok(Self {
            job_id: row.job_id.0,
            owner_id: decoder.column("owner_id", row.owner_id)?,
            status: decoder.column("status", row.status)?,
            filename: decoder.column("filename", row.filename)?,
            file_size: decoder.column("file_size", row.file_size)?,
            content_type: decoder.column("content_type", row.content_type)?,
            processing_mode,
            processing_config: decoder.column("processing_config", row.processing_config)?,
            priority: row.priority,
            original_s3_key: decoder.column("original_s3_key", row.original_s3_key)?,
            source_job_id: row.source_job_id.map(|id| id.0),
            transcript_source: decoder.column("transcript_source", row.transcript_source)?,
            video_duration: decoder.column("video_duration", row.video_duration)?,
            created_at: decoder.column("created_at", row.created_at)?,
            updated_at: decoder.column("updated_at", row.updated_at)?,
            completed_at: decoder.column("completed_at", row.completed_at)?,
            progress,
            error_message: decoder.column("error_message", row.error_message)?,
            metadata: Some(SummaryMetadata {
                video: decoder.column("video_metadata", row.video_metadata)?,
                extra: decoder.column("extra_metadata", row.extra_metadata)?,
            }),
        })
    }
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

impl<Mode> Jobs<'_, Mode> {
    /// A page of the jobs that match `filter`; by default, the newest come first.
    ///
    /// A page begins after the last row of the one before, not at an offset, so
    /// pages neither repeat nor skip jobs while others are created and deleted. In the
    /// order of the last change, a job that changes meanwhile moves, and may be on both
    /// pages or on none.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when the cursor is from a list in another order.
    pub fn list(
        &mut self,
        filter: &JobFilter,
        page: JobPageRequest,
    ) -> Result<Page<Job, JobCursor>, Error> {
        check_cursor(page)?;
        let selection = Selection::of(self.0.raw, self.0.context.owner, filter)?;
        let limit = page::query_limit(page.limit);
        let mut found: Vec<(JobRow, Section)> = Vec::new();
        for section in Section::of(filter, page) {
            let missing = limit - page::row_count(found.len());
            if missing <= 0 {
                break;
            }
            let query = section.query(&selection, "jobs.*", page, missing);
            let rows: Vec<JobRow> =
                on_either!(self.0.raw, conn => query.statement().load(conn)).doing("list jobs")?;
            found.extend(rows.into_iter().map(|row| (row, section.clone())));
        }
        // The cursor is that of the last row, even if that row is unreadable.
        let Page { items, next } = page::from_rows(found, page.limit, |(row, section)| {
            section.cursor(&row.times(), row.job_id())
        });
        let rows = items.into_iter().map(|(row, _)| row).collect();
        let items = self.0.readable(rows)?;
        Ok(Page { items, next })
    }

    /// Like [`list`](Self::list), without the large values of the jobs, and with metadata
    /// only on request. A page ends before its limit when its texts have a megabyte.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub fn list_summaries(
        &mut self,
        filter: &JobFilter,
        page: JobPageRequest,
        with_metadata: bool,
    ) -> Result<Page<JobSummary, JobCursor>, Error> {
        check_cursor(page)?;
        let context = self.0.context;
        let selection = Selection::of(self.0.raw, self.0.context.owner, filter)?;
        let columns = summary_columns(with_metadata);
        let limit = page::query_limit(page.limit);
        let mut summaries = BoundedPage::new(page.limit);
        for section in Section::of(filter, page) {
            if summaries.is_full() {
                break;
            }
            let query = section.query(&selection, &columns, page, limit);
            each_row!(
                self.0.raw,
                query.statement::<Db>() => SummaryRow,
                "list jobs",
                |row: SummaryRow| {
                    // The cursor is that of the last row, even if that row is unreadable.
                    let cursor = section.cursor(&row.times(), row.job_id.0);
                    if summaries.admit(cursor, row.memory()).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                    let mut summary: Option<JobSummary> = context.readable(row)?;
                    if let Some(summary) = summary.as_mut().filter(|_| !with_metadata) {
                        summary.metadata = None;
                    }
                    summaries.push(summary);
                    Ok::<_, Error>(ControlFlow::Continue(()))
                }
            );
        }
        Ok(summaries.finish())
    }

    /// The number of jobs that match `filter`.
    pub fn count(&mut self, filter: &JobFilter) -> Result<i64, Error> {
        self.count_rows(filter, i64::MAX)
    }

    /// The number of jobs that match `filter`, of which it counts at most `max`.
    pub fn count_up_to(&mut self, filter: &JobFilter, max: i64) -> Result<Total, Error> {
        let found = self.count_rows(filter, max.saturating_add(1))?;
        Ok(Total::up_to(max, found))
    }

    fn count_rows(&mut self, filter: &JobFilter, limit: i64) -> Result<i64, Error> {
        let selection = Selection::of(self.0.raw, self.0.context.owner, filter)?;
        let statuses: Vec<_> = match distinct(&filter.statuses).as_slice() {
            [] => vec![None],
            statuses => statuses.iter().copied().map(Some).collect(),
        };
        let mut found = 0;
        for status in statuses {
            if found < limit {
                found += self.count_of(&count_query(&selection, status, limit - found))?;
            }
        }
        Ok(found)
    }

    fn count_of(&mut self, query: &BoundQuery) -> Result<i64, Error> {
        let row: CountRow = on_either!(self.0.raw, conn => query.statement().get_result(conn))
            .doing("count jobs")?;
        Ok(row.count)
    }

    /// A page of jobs, each with its clips by `clip_order`: two queries for any
    /// number of jobs.
    pub fn list_with_clips(
        &mut self,
        filter: &JobFilter,
        page: JobPageRequest,
    ) -> Result<Page<(Job, Vec<Clip>), JobCursor>, Error> {
        let Page { items, next } = self.list(filter, page)?;
        let ids: Vec<_> = items.iter().map(|job| job.job_id).collect();
        let mut clips = self.0.clips().list_for_jobs(&ids)?;
        let items = items
            .into_iter()
            .map(|job| {
                let job_clips = clips.remove(&job.job_id).unwrap_or_default();
                (job, job_clips)
            })
            .collect();
        Ok(Page { items, next })
    }
}

fn check_cursor(page: JobPageRequest) -> Result<(), Error> {
    if page.has_matching_cursor() {
        return Ok(());
    }
    let rule = "must be the cursor of a page with the same order and direction";
    Err(Invalid::field("after", rule).into())
}
