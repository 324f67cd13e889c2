//! Stores mapped jobs, except those that an earlier import has stored.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use lectern_domain::{
    ContentSegmentId, Event, Job, JobId, JobStatus, JsonObject, ProcessingConfig,
};
use uuid::Uuid;

use super::mapping::{LEGACY_ID, MappedJob, derived_uuid};
use super::{ImportAction, ImportNote};
use crate::connection::{Conn, Tx};
use crate::dialect::{NewLogRow, insert_all};
use crate::error::{Doing, Error};
use crate::repositories::job_events::JobChange;
use crate::repositories::replace_set::{JobSetItem, rows_of_insert};
use crate::schema::{
    clips, content_segments, jobs, layout_analysis, processing_logs, silence_regions, transcripts,
};
use crate::sql::types::{DbJson, DbTime, Id};

/// The number of ids in a query. SQLite has at most 32,766 parameters.
const IDS_PER_QUERY: usize = 1_000;

/// The jobs to be stored, with ids that no other row has.
pub(super) struct Plan {
    new: Vec<MappedJob>,
    present: Vec<MappedJob>,
    pub(super) notes: Vec<ImportNote>,
}

impl Plan {
    /// The rows of each table that are added, and that are present.
    pub(super) fn counts(&self) -> [(&'static str, u64, u64); 7] {
        let counts = |table, rows: fn(&MappedJob) -> usize| {
            let sum = |jobs: &[MappedJob]| jobs.iter().map(rows).sum::<usize>() as u64;
            (table, sum(&self.new), sum(&self.present))
        };
        [
            counts("jobs", |_| 1),
            counts("transcripts", |job| job.transcripts.len()),
            counts("silence_regions", |job| job.silence_regions.len()),
            counts("layout_analysis", |job| job.layout.len()),
            counts("content_segments", |job| job.content_segments.len()),
            counts("clips", |job| job.clips.len()),
            counts("processing_logs", |job| job.logs.len()),
        ]
    }
}

fn existing_jobs<Mode>(
    conn: &mut Conn<'_, Mode>,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Option<String>>, Error> {
    let ids: Vec<_> = ids.iter().copied().map(Id).collect();
    let rows: Vec<(Id<Uuid>, DbJson)> = jobs::table
        .filter(jobs::job_id.eq_any(ids))
        .select((jobs::job_id, jobs::extra_metadata))
        .load(conn.raw)
        .doing("find imported jobs")?;
    let legacy_id = |metadata: DbJson| Some(metadata.0.get(LEGACY_ID)?.as_str()?.to_owned());
    Ok(rows
        .into_iter()
        .map(|(id, metadata)| (id.0, legacy_id(metadata)))
        .collect())
}

/// Separates the jobs that are stored from the others, and gives a new id to rows whose id
/// another row has.
pub(super) fn plan<Mode>(conn: &mut Conn<'_, Mode>, batch: Vec<MappedJob>) -> Result<Plan, Error> {
    let mut plan = Plan {
        new: Vec::new(),
        present: Vec::new(),
        notes: Vec::new(),
    };
    let ids: Vec<_> = batch.iter().map(|job| job.job.job_id.as_uuid()).collect();
    let mut known = existing_jobs(conn, &ids)?;
    for mut job in batch {
        let old_id = job.old_id.replace('\0', "\u{fffd}");
        // A client may have removed the old id from the metadata; the job is still the same.
        let is_same =
            |legacy: &Option<String>| legacy.as_ref().is_none_or(|legacy| *legacy == old_id);
        let mut id = job.job.job_id.as_uuid();
        if known.get(&id).is_some_and(|legacy| !is_same(legacy)) {
            // Two spellings of one UUID.
            id = derived_uuid("jobs", &job.old_id);
            known.extend(existing_jobs(conn, &[id])?);
            if !known.contains_key(&id) {
                plan.notes
                    .push(renamed("jobs", &job.old_id, &job.old_id, "job_id"));
            }
            set_job_id(&mut job, id.into());
        }
        match known.entry(id) {
            Entry::Occupied(_) => plan.present.push(job),
            Entry::Vacant(free) => {
                free.insert(Some(old_id));
                plan.new.push(job);
            }
        }
    }
    let Plan { new, notes, .. } = &mut plan;
    // The rows that were renamed: the number of the job, the old id and the new one.
    macro_rules! rename_duplicates {
        ($table:ident, $field:ident, $id:ident) => {{
            let ids: Vec<_> = new
                .iter()
                .flat_map(|job| job.$field.iter().map(|(_, row)| row.$id))
                .collect();
            let mut taken: HashSet<Uuid> = HashSet::new();
            for ids in ids.chunks(IDS_PER_QUERY) {
                let ids: Vec<_> = ids.iter().copied().map(Id).collect();
                let found: Vec<Id<Uuid>> = $table::table
                    .filter($table::$id.eq_any(ids))
                    .select($table::$id)
                    .load(conn.raw)
                    .doing("compare ids")?;
                taken.extend(found.into_iter().map(|id| id.0));
            }
            let mut all_renamed = Vec::new();
            for (number, job) in new.iter_mut().enumerate() {
                let mut own = HashSet::new();
                for (index, (row_id, row)) in job.$field.iter_mut().enumerate() {
                    let old = row.$id.as_uuid();
                    if taken.insert(old) {
                        own.insert(old);
                        continue;
                    }
                    let name = format!("{}:{row_id}:{index}", job.old_id);
                    let renamed_to = derived_uuid(stringify!($table), &name);
                    notes.push(renamed(
                        stringify!($table),
                        row_id,
                        &job.old_id,
                        stringify!($id),
                    ));
                    taken.insert(renamed_to);
                    row.$id = renamed_to.into();
                    if !own.contains(&old) {
                        all_renamed.push((number, old, renamed_to));
                    }
                }
            }
            all_renamed
        }};
    }
    rename_duplicates!(transcripts, transcripts, segment_id);
    rename_duplicates!(silence_regions, silence_regions, region_id);
    rename_duplicates!(layout_analysis, layout, layout_id);
    let segments = rename_duplicates!(content_segments, content_segments, segment_id);
    rename_duplicates!(clips, clips, clip_id);
    rename_duplicates!(processing_logs, logs, log_id);
    for (number, old, renamed_to) in segments {
        for (_, clip) in &mut new[number].clips {
            let segment = &mut clip.data.content_segment_id;
            if segment.is_some_and(|id| id.as_uuid() == old) {
                *segment = Some(ContentSegmentId::from(renamed_to));
            }
        }
    }
    Ok(plan)
}

fn set_job_id(job: &mut MappedJob, id: JobId) {
    job.job.job_id = id;
    job.transcripts
        .iter_mut()
        .for_each(|(_, row)| row.job_id = id);
    job.silence_regions
        .iter_mut()
        .for_each(|(_, row)| row.job_id = id);
    job.layout.iter_mut().for_each(|(_, row)| row.job_id = id);
    job.content_segments
        .iter_mut()
        .for_each(|(_, row)| row.job_id = id);
    job.clips.iter_mut().for_each(|(_, row)| row.job_id = id);
    job.logs.iter_mut().for_each(|(_, row)| row.job_id = id);
}

fn renamed(table: &'static str, id: &str, job_id: &str, column: &'static str) -> ImportNote {
    ImportNote {
        table,
        id: id.to_owned(),
        job_id: job_id.to_owned(),
        column: Some(column),
        action: ImportAction::Changed,
        reason: "another row has this id: a new one",
        value: Some(id.to_owned()),
    }
}

#[derive(Insertable)]
#[diesel(table_name = jobs, treat_none_as_default_value = false)]
struct ImportedJobRow<'a> {
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
}

impl<'a> From<&'a Job> for ImportedJobRow<'a> {
    fn from(job: &'a Job) -> Self {
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
        T::insert(tx.raw, &rows)?;
        rest = others;
    }
    Ok(())
}

/// Stores the jobs of a plan with their rows, events, and the runs of those that are queued.
pub(super) fn store(tx: &mut Tx<'_>, plan: &Plan) -> Result<(), Error> {
    let new = &plan.new;
    let rows: Vec<_> = new
        .iter()
        .map(|job| ImportedJobRow::from(&job.job))
        .collect();
    insert_all!(tx.raw, jobs::table, rows).doing("import jobs")?;
    for MappedJob { job, .. } in new {
        if job.status == JobStatus::Queued {
            let pipeline = tx
                .context
                .pipelines
                .for_config(job.processing_config.as_ref())?;
            let mut repository = tx.stage_runs();
            let runs = repository.new_runs(job.job_id, job.priority, &pipeline);
            repository.insert(&runs, DbTime(job.created_at))?;
        }
    }
    insert(tx, new.iter().flat_map(|job| &job.transcripts), |row| {
        row.text.len()
    })?;
    insert(tx, new.iter().flat_map(|job| &job.silence_regions), |_| 0)?;
    for (_, layout) in new.iter().flat_map(|job| &job.layout) {
        tx.layout_analysis().insert(layout)?;
    }
    insert(
        tx,
        new.iter().flat_map(|job| &job.content_segments),
        |row| row.description.as_ref().map_or(0, |text| text.len()),
    )?;
    insert(tx, new.iter().flat_map(|job| &job.clips), |row| {
        row.extra_metadata.memory()
    })?;
    let logs = new.iter().flat_map(|job| &job.logs);
    let logs: Vec<_> = logs.map(|(_, entry)| NewLogRow::from(entry)).collect();
    insert_all!(tx.raw, processing_logs::table, logs).doing("import log entries")?;
    let changes = new.iter().map(|MappedJob { job, .. }| JobChange {
        job,
        at: job.updated_at,
        events: vec![Event::from(job)],
    });
    tx.job_events().record(changes.collect(), Vec::new())
}
