//! Stores the jobs of a plan.

use diesel::prelude::*;
use lectern_domain::{Event, Job, JobId, JobStatus, JsonObject, ProcessingConfig};
use uuid::Uuid;

use super::compare::stored_digest;
use super::mapping::MappedJob;
use super::plan::{IDS_PER_QUERY, Merge, Plan};
use crate::connection::Tx;
use crate::dialect::{NewLogRow, insert_all};
use crate::error::{Doing, Error};
use crate::repositories::job_events::JobChange;
use crate::repositories::replace_set::{JobSetItem, rows_of_insert};
use crate::schema::{
    clips, content_segments, imported_jobs, jobs, layout_analysis, processing_logs,
    silence_regions, stage_runs, transcripts,
};
use crate::sql::page::row_count;
use crate::sql::types::{DbJson, DbTime, Id};

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = jobs, treat_none_as_default_value = false, treat_none_as_null = true)]
struct JobColumns<'a> {
    job_id: Id<JobId>,
    filename: &'a str,
    file_size: Option<i64>,
    content_type: &'a str,
    original_s3_key: Option<&'a str>,
    compiled_video_s3_key: Option<&'a str>,
    video_duration: Option<f64>,
    video_metadata: DbJson,
    status: &'static str,
    error_message: Option<&'a str>,
    celery_task_id: Option<&'a str>,
    current_stage: Option<&'static str>,
    progress_percent: f64,
    progress_message: Option<&'a str>,
    eta_seconds: Option<i32>,
    processing_config: Option<DbJson>,
    extra_metadata: DbJson,
    priority: i32,
    version: i64,
    last_seq: i64,
    created_at: DbTime,
    updated_at: DbTime,
    completed_at: Option<DbTime>,
    stored_rows: i64,
}

impl<'a> JobColumns<'a> {
    fn new(job: &'a Job, stored_rows: i64) -> Self {
        let json = |object: &JsonObject| DbJson(object.clone().into_value());
        let progress = job.progress.as_ref();
        Self {
            job_id: Id(job.job_id),
            filename: &job.filename,
            file_size: job.file_size.map(lectern_domain::FileSize::get),
            content_type: &job.content_type,
            original_s3_key: job.original_s3_key.as_deref(),
            compiled_video_s3_key: job.compiled_video_s3_key.as_deref(),
            video_duration: job.video_duration.map(lectern_domain::VideoDuration::get),
            video_metadata: json(&job.video_metadata),
            status: job.status.as_str(),
            error_message: job.error_message.as_deref(),
            celery_task_id: job.celery_task_id.as_deref(),
            current_stage: progress.map(|progress| progress.stage.as_str()),
            progress_percent: progress.map_or(0.0, |progress| progress.progress.percent.get()),
            progress_message: progress.and_then(|progress| progress.progress.message.as_deref()),
            eta_seconds: progress
                .and_then(|progress| progress.progress.eta_seconds)
                .map(lectern_domain::NonNegativeInt::get),
            processing_config: job
                .processing_config
                .as_ref()
                .map(ProcessingConfig::settings)
                .map(json),
            extra_metadata: json(&job.extra_metadata),
            priority: job.priority,
            version: job.version,
            last_seq: job.last_seq,
            created_at: DbTime(job.created_at),
            updated_at: DbTime(job.updated_at),
            completed_at: job.completed_at.map(DbTime),
            stored_rows,
        }
    }
}

fn insert<'r, T>(
    tx: &mut Tx<'_>,
    rows: impl Iterator<Item = &'r (String, T)>,
    bytes: impl Fn(&T) -> usize,
) -> Result<(), Error>
where
    T: JobSetItem + Clone + 'r,
{
    let rows: Vec<&T> = rows.map(|(_, row)| row).collect();
    let mut rest = &rows[..];
    while !rest.is_empty() {
        let (next, others) = rest.split_at(rows_of_insert(rest.iter().map(|row| bytes(row))));
        let rows: Vec<T::Row> = next.iter().map(|row| (*row).clone().into()).collect();
        let longest = next.iter().map(|row| bytes(row)).max();
        tx.context.record_value_size(longest.unwrap_or_default());
        T::insert(tx, &rows)?;
        rest = others;
    }
    Ok(())
}

/// A row of `imported_jobs`.
#[derive(Insertable)]
#[diesel(table_name = imported_jobs, treat_none_as_default_value = false)]
struct ImportRecord<'a> {
    job_id: Id<JobId>,
    source_digest: &'a str,
    digest: String,
}

/// Stores the jobs of a plan with their rows, events, and the runs of those that are queued.
pub(super) fn store(tx: &mut Tx<'_>, plan: &Plan) -> Result<(), Error> {
    let rows: Vec<_> = plan
        .new
        .iter()
        .map(|job| JobColumns::new(&job.job, row_count(job.rows())))
        .collect();
    insert_all!(tx.raw, jobs::table, rows).doing("import jobs")?;
    for merge in &plan.merges {
        begin_merge(tx, merge)?;
    }
    let inserted = || {
        plan.new
            .iter()
            .chain(plan.merges.iter().map(|m| &m.inserted))
    };
    for MappedJob { job, .. } in inserted() {
        if job.status == JobStatus::Queued {
            let pipeline = tx
                .context
                .pipelines
                .for_config(job.processing_config.as_ref())?;
            let mut repository = tx.stage_runs();
            let runs = repository.new_runs(job.job_id, job.priority, &pipeline);
            repository.insert(&runs, job.owner_id.as_ref(), DbTime(job.created_at))?;
        }
    }
    insert(tx, inserted().flat_map(|job| &job.transcripts), |row| {
        row.text.len()
    })?;
    insert(tx, inserted().flat_map(|job| &job.silence_regions), |_| 0)?;
    for (_, layout) in inserted().flat_map(|job| &job.layout) {
        tx.layout_analysis().insert(layout)?;
    }
    insert(
        tx,
        inserted().flat_map(|job| &job.content_segments),
        |row| row.description.as_ref().map_or(0, |text| text.len()),
    )?;
    insert(tx, inserted().flat_map(|job| &job.clips), |row| {
        row.extra_metadata.memory()
    })?;
    let logs = inserted().flat_map(|job| &job.logs);
    let logs: Vec<_> = logs.map(|(_, entry)| NewLogRow::from(entry)).collect();
    insert_all!(tx.raw, processing_logs::table, logs).doing("import log entries")?;
    let changes = inserted().map(|MappedJob { job, .. }| JobChange {
        job,
        at: job.updated_at,
        events: vec![Event::from(job)],
    });
    tx.job_events().record(changes.collect(), Vec::new())?;
    let records: Vec<_> = plan
        .new
        .iter()
        .map(|job| ImportRecord {
            job_id: Id(job.job.job_id),
            source_digest: &job.source_digest,
            digest: stored_digest(job),
        })
        .collect();
    insert_all!(tx.raw, imported_jobs::table, records).doing("record an import")?;
    for (job_id, source_digest, digest) in &plan.records {
        diesel::update(imported_jobs::table.filter(imported_jobs::job_id.eq(Id(*job_id))))
            .set((
                imported_jobs::source_digest.eq(source_digest),
                imported_jobs::digest.eq(digest),
            ))
            .execute(tx.raw)
            .map(drop)
            .doing("record an import")?;
    }
    Ok(())
}

/// Changes the row of a job, and deletes the rows that are inserted again or gone.
fn begin_merge(tx: &mut Tx<'_>, merge: &Merge) -> Result<(), Error> {
    let job = &merge.inserted.job;
    let lock = tx.lock_job(job.job_id)?;
    let mut deleted_rows = 0;
    macro_rules! delete {
        ($table:ident, $id:ident, $ids:expr) => {
            for ids in $ids.chunks(IDS_PER_QUERY) {
                let ids: Vec<_> = ids.iter().copied().map(Id::<Uuid>).collect();
                deleted_rows += diesel::delete($table::table.filter($table::$id.eq_any(ids)))
                    .execute(tx.raw)
                    .doing("delete the rows that have changed")?;
            }
        };
    }
    let deleted = &merge.deleted;
    delete!(transcripts, segment_id, deleted.transcripts);
    delete!(silence_regions, region_id, deleted.silence_regions);
    delete!(layout_analysis, layout_id, deleted.layout);
    delete!(clips, clip_id, deleted.clips);
    delete!(content_segments, segment_id, deleted.content_segments);
    delete!(processing_logs, log_id, deleted.logs);
    let stored_rows: i64 = jobs::table
        .filter(jobs::job_id.eq(Id(job.job_id)))
        .select(jobs::stored_rows)
        .first(tx.raw)
        .doing("read the number of rows of a job")?;
    let stored_rows = stored_rows + row_count(merge.inserted.rows()) - row_count(deleted_rows);
    diesel::delete(stage_runs::table.filter(stage_runs::job_id.eq(Id(job.job_id))))
        .execute(tx.raw)
        .map(drop)
        .doing("delete the runs of a job")?;
    diesel::update(jobs::table.filter(jobs::job_id.eq(Id(job.job_id))))
        .set(JobColumns::new(job, stored_rows.max(0)))
        .execute(tx.raw)
        .map(drop)
        .doing("import a job again")?;
    tx.record_row_edit(lock)
}
