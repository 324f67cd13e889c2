//! Rows of `jobs`: reading, inserting, changing.

use diesel::prelude::*;
use lectern_domain::{
    AgentName, ContentType, FileSize, Filename, Job, JobId, JobProgress, JobStatus, JobUpdate,
    JsonObject, LongText, NewJob, NonNegativeInt, ObjectUpdate, OwnerName, Percent,
    ProcessingConfig, Progress, ProgressMessage, Stage, StorageKey, TaskId, TranscriptSource,
    VideoDuration,
};

use super::list_query::ListedTimes;
use crate::error::Error;
use crate::schema::jobs;
use crate::sql::current_time::CurrentTime;
use crate::sql::row::{RowDecoder, nullable_change};
use crate::sql::stored::Stored;
use crate::sql::stored_time::StoredTime;
use crate::sql::types::{DbJson, Id};

/// A row of `jobs`.
#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = jobs)]
pub(crate) struct JobRow {
    job_id: Id<JobId>,
    owner_id: Option<Stored<OwnerName>>,
    filename: Stored<Filename>,
    file_size: Option<Stored<FileSize>>,
    content_type: Stored<ContentType>,
    original_s3_key: Option<Stored<StorageKey>>,
    source_job_id: Option<Id<JobId>>,
    compiled_video_s3_key: Option<Stored<StorageKey>>,
    video_duration: Option<Stored<VideoDuration>>,
    video_metadata: Stored<JsonObject>,
    status: Stored<JobStatus>,
    error_message: Option<Stored<LongText>>,
    celery_task_id: Option<Stored<TaskId>>,
    current_stage: Option<Stored<Stage>>,
    progress_percent: Stored<Percent>,
    progress_message: Option<Stored<ProgressMessage>>,
    eta_seconds: Option<Stored<NonNegativeInt>>,
    processing_config: Option<Stored<ProcessingConfig>>,
    extra_metadata: Stored<JsonObject>,
    version: i64,
    created_at: StoredTime,
    updated_at: StoredTime,
    completed_at: Option<StoredTime>,
    priority: i32,
    last_seq: i64,
    progress_agent_name: Option<Stored<AgentName>>,
    transcript_source: Option<Stored<TranscriptSource>>,
}

impl JobRow {
    pub(crate) fn job_id(&self) -> JobId {
        self.job_id.0
    }

    pub(super) fn times(&self) -> ListedTimes {
        ListedTimes {
            created: self.created_at,
            updated: self.updated_at,
            completed: self.completed_at,
        }
    }
}

impl TryFrom<JobRow> for Job {
    type Error = Error;

    fn try_from(row: JobRow) -> Result<Self, Error> {
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
        Ok(Self {
            job_id: row.job_id.0,
            owner_id: decoder.column("owner_id", row.owner_id)?,
            filename: decoder.column("filename", row.filename)?,
            file_size: decoder.column("file_size", row.file_size)?,
            content_type: decoder.column("content_type", row.content_type)?,
            original_s3_key: decoder.column("original_s3_key", row.original_s3_key)?,
            source_job_id: row.source_job_id.map(|id| id.0),
            compiled_video_s3_key: decoder
                .column("compiled_video_s3_key", row.compiled_video_s3_key)?,
            video_duration: decoder.column("video_duration", row.video_duration)?,
            video_metadata: decoder.column("video_metadata", row.video_metadata)?,
            status: decoder.column("status", row.status)?,
            error_message: decoder.column("error_message", row.error_message)?,
            celery_task_id: decoder.column("celery_task_id", row.celery_task_id)?,
            progress,
            processing_config: decoder.column("processing_config", row.processing_config)?,
            extra_metadata: decoder.column("extra_metadata", row.extra_metadata)?,
            transcript_source: decoder.column("transcript_source", row.transcript_source)?,
            priority: row.priority,
            version: row.version,
            last_seq: row.last_seq,
            created_at: decoder.column("created_at", row.created_at)?,
            updated_at: decoder.column("updated_at", row.updated_at)?,
            completed_at: decoder.column("completed_at", row.completed_at)?,
        })
    }
}

// Emits NULL instead of DEFAULT so that the SQL text, and with it the prepared
// statement, stays the same. The columns have no other default than NULL.
#[derive(Insertable)]
#[diesel(table_name = jobs, treat_none_as_default_value = false)]
pub(crate) struct NewJobRow<'a> {
    job_id: Id<JobId>,
    owner_id: Option<&'a str>,
    filename: &'a str,
    file_size: Option<i64>,
    content_type: &'a str,
    original_s3_key: Option<&'a str>,
    source_job_id: Option<Id<JobId>>,
    status: &'static str,
    current_stage: Option<&'static str>,
    processing_config: Option<DbJson>,
    extra_metadata: DbJson,
    priority: i32,
    last_seq: i64,
    created_at: CurrentTime,
    updated_at: CurrentTime,
}

impl<'a> NewJobRow<'a> {
    /// The row of a new job. Its `last_seq` includes the event of its creation.
    pub(crate) fn new(
        job_id: JobId,
        owner: Option<&'a OwnerName>,
        job: &'a NewJob,
        now: CurrentTime,
    ) -> Self {
        let settings = |config: &ProcessingConfig| DbJson(config.settings().clone().into_value());
        Self {
            job_id: Id(job_id),
            owner_id: owner.map(OwnerName::as_str),
            filename: &job.filename,
            file_size: job.file_size.map(FileSize::get),
            content_type: &job.content_type,
            original_s3_key: job.original_s3_key.as_deref(),
            source_job_id: job.source_job_id.map(Id),
            status: JobStatus::from(job.status).as_str(),
            current_stage: job.stage().map(Stage::as_str),
            processing_config: job.processing_config.as_ref().map(settings),
            extra_metadata: DbJson(job.extra_metadata.clone().into_value()),
            priority: job.priority,
            last_seq: 1,
            created_at: now,
            updated_at: now,
        }
    }
}

/// Changes of a job: the outer `None` keeps a column, the inner one clears it.
#[derive(AsChangeset, Default)]
#[diesel(table_name = jobs)]
pub(crate) struct JobChanges<'a> {
    filename: Option<&'a str>,
    compiled_video_s3_key: Option<Option<&'a str>>,
    video_duration: Option<Option<f64>>,
    video_metadata: Option<DbJson>,
    status: Option<&'static str>,
    error_message: Option<Option<&'a str>>,
    celery_task_id: Option<Option<&'a str>>,
    current_stage: Option<Option<&'static str>>,
    progress_percent: Option<f64>,
    progress_message: Option<Option<&'static str>>,
    progress_agent_name: Option<Option<&'static str>>,
    eta_seconds: Option<Option<i32>>,
    extra_metadata: Option<DbJson>,
    priority: Option<i32>,
}

impl<'a> JobChanges<'a> {
    /// The objects of `update` must be replacements.
    pub(crate) fn new(update: &'a JobUpdate) -> Self {
        let json = |update: &Option<ObjectUpdate>| {
            let object = update.as_ref().and_then(ObjectUpdate::replacement)?;
            Some(DbJson(object.clone().into_value()))
        };
        let mut changes = Self::transition(update.status);
        changes.filename = update.filename.as_deref();
        changes.compiled_video_s3_key =
            nullable_change(&update.compiled_video_s3_key, StorageKey::as_str);
        changes.video_duration = nullable_change(&update.video_duration, |seconds| seconds.get());
        changes.video_metadata = json(&update.video_metadata);
        changes.celery_task_id = nullable_change(&update.celery_task_id, TaskId::as_str);
        changes.priority = update.priority;
        changes.extra_metadata = json(&update.extra_metadata);
        // Otherwise the message is kept, or cleared by a transition to queued.
        if let Some(message) = nullable_change(&update.error_message, LongText::as_str) {
            changes.error_message = Some(message);
        }
        changes
    }

    /// The changes that a transition to `next` makes.
    pub(crate) fn transition(next: Option<JobStatus>) -> Self {
        let changes = Self {
            status: next.map(JobStatus::as_str),
            ..Self::default()
        };
        match next {
            None | Some(JobStatus::Pending | JobStatus::Running) => changes,
            Some(JobStatus::Queued) => Self {
                error_message: Some(None),
                current_stage: Some(None),
                progress_percent: Some(Percent::ZERO.get()),
                progress_message: Some(None),
                progress_agent_name: Some(None),
                eta_seconds: Some(None),
                ..changes
            },
            Some(JobStatus::Completed) => Self {
                current_stage: Some(Some(Stage::Complete.as_str())),
                progress_percent: Some(Percent::DONE.get()),
                progress_message: Some(None),
                progress_agent_name: Some(None),
                eta_seconds: Some(None),
                ..changes
            },
            // The progress stays visible, without an estimate of the end.
            Some(JobStatus::Failed | JobStatus::Cancelled) => Self {
                eta_seconds: Some(None),
                ..changes
            },
        }
    }
}
