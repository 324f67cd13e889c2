//! Decides what becomes of each job: it is new, is merged into what an earlier import has
//! stored, or stays as it is.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::prelude::*;
use lectern_domain::{ContentSegmentId, JobId};
use uuid::Uuid;

use super::compare::{Difference, ImportedRow, is_same_job, load, stored_digest};
use super::mapping::{LEGACY_ID, MappedJob, derived_uuid};
use super::source::beginning;
use super::{ImportAction, ImportNote, TableCounts};
use crate::connection::Conn;
use crate::error::{Doing, Error};
use crate::schema::{
    clips, content_segments, imported_jobs, jobs, layout_analysis, processing_logs,
    silence_regions, transcripts,
};
use crate::sql::types::{DbJson, Id};

/// The number of ids in a query. SQLite has at most 32,766 parameters.
pub(super) const IDS_PER_QUERY: usize = 1_000;

const REASON_CHANGED_HERE: &str = "the job was imported before, and changed here since";
const REASON_DELETED_HERE: &str = "the job was imported before, and deleted here since";
const REASON_OTHER: &str = "a job that was not imported has this id here";

/// What is stored. No other row has the ids of the rows.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) new: Vec<MappedJob>,
    pub(super) merges: Vec<Merge>,
    /// The digests of jobs that were imported before: in the source, and as stored here.
    pub(super) records: Vec<(JobId, String, String)>,
    pub(super) counts: BTreeMap<&'static str, TableCounts>,
    pub(super) notes: Vec<ImportNote>,
}

/// A job that was imported before and has not been changed here since, but in the source.
pub(super) struct Merge {
    /// The job, with the rows that are inserted.
    pub(super) inserted: MappedJob,
    pub(super) deleted: DeletedRows,
}

/// The ids of rows that are inserted again, or that the source does not have any more.
#[derive(Default)]
pub(super) struct DeletedRows {
    pub(super) transcripts: Vec<Uuid>,
    pub(super) silence_regions: Vec<Uuid>,
    pub(super) layout: Vec<Uuid>,
    pub(super) content_segments: Vec<Uuid>,
    pub(super) clips: Vec<Uuid>,
    pub(super) logs: Vec<Uuid>,
}

/// What an earlier import has stored.
struct Record {
    source_digest: String,
    digest: String,
}

impl Plan {
    fn table(&mut self, table: &'static str) -> &mut TableCounts {
        self.counts.entry(table).or_default()
    }

    fn count(&mut self, job: &MappedJob, counter: fn(&mut TableCounts) -> &mut u64) {
        for (table, rows) in job.rows_by_table() {
            *counter(self.table(table)) += rows as u64;
        }
    }

    fn note(
        &mut self,
        table: &'static str,
        id: &str,
        job: &MappedJob,
        action: ImportAction,
        reason: &'static str,
    ) {
        self.notes.push(ImportNote {
            table,
            id: beginning(id),
            job_id: beginning(&job.old_id),
            column: None,
            action,
            reason,
            value: None,
        });
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

fn records<Mode>(conn: &mut Conn<'_, Mode>, ids: &[Uuid]) -> Result<HashMap<Uuid, Record>, Error> {
    let ids: Vec<_> = ids.iter().copied().map(Id).collect();
    let rows: Vec<(Id<Uuid>, String, String)> = imported_jobs::table
        .filter(imported_jobs::job_id.eq_any(ids))
        .select((
            imported_jobs::job_id,
            imported_jobs::source_digest,
            imported_jobs::digest,
        ))
        .load(conn.raw)
        .doing("find imported jobs")?;
    let record = |(id, source_digest, digest): (Id<Uuid>, _, _)| {
        let record = Record {
            source_digest,
            digest,
        };
        (id.0, record)
    };
    Ok(rows.into_iter().map(record).collect())
}

/// Decides what becomes of the jobs, and gives a new id to rows whose id another row has.
/// `lock` keeps others from changing a job until the plan is carried out.
pub(super) fn plan<Mode>(
    conn: &mut Conn<'_, Mode>,
    batch: Vec<MappedJob>,
    lock: impl Fn(&mut Conn<'_, Mode>, JobId) -> Result<(), Error>,
) -> Result<Plan, Error> {
    let mut plan = Plan::default();
    let ids: Vec<_> = batch.iter().map(|job| job.job.job_id.as_uuid()).collect();
    let mut known = existing_jobs(conn, &ids)?;
    let mut imported = records(conn, &ids)?;
    // Those that are new, and those that may have to be merged, in the order of the source.
    let mut jobs = Vec::new();
    let mut existing = HashSet::new();
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
            imported.extend(records(conn, &[id])?);
            if !known.contains_key(&id) {
                plan.notes
                    .push(renamed("jobs", &job.old_id, &job.old_id, "job_id"));
            }
            set_job_id(&mut job, id.into());
        }
        let record = imported.get(&id);
        match known.entry(id) {
            Entry::Occupied(_)
                if record.is_some_and(|record| record.source_digest == job.source_digest) =>
            {
                plan.count(&job, |counts| &mut counts.present);
            }
            Entry::Occupied(_) => {
                existing.insert(id);
                jobs.push(job);
            }
            Entry::Vacant(free) => {
                free.insert(Some(old_id));
                if record.is_some() {
                    leave_deleted(&mut plan, &job);
                } else {
                    jobs.push(job);
                }
            }
        }
    }
    rename_duplicates(conn, &mut jobs, &existing, &mut plan.notes)?;
    for job in jobs {
        let id = job.job.job_id.as_uuid();
        if !existing.contains(&id) {
            plan.count(&job, |counts| &mut counts.added);
            plan.new.push(job);
            continue;
        }
        match lock(conn, job.job.job_id) {
            Err(Error::JobNotFound { .. }) => {
                leave_deleted(&mut plan, &job);
                continue;
            }
            locked => locked?,
        }
        match load(conn, job.job.job_id)? {
            None => leave_deleted(&mut plan, &job),
            Some(stored) => compare(&mut plan, job, &stored, imported.get(&id)),
        }
    }
    Ok(plan)
}

fn leave_deleted(plan: &mut Plan, job: &MappedJob) {
    plan.count(job, |counts| &mut counts.not_taken);
    let (action, reason) = (ImportAction::NotTaken, REASON_DELETED_HERE);
    plan.note("jobs", &job.old_id, job, action, reason);
}

/// Merges a job that exists, or notes which of its rows differ.
fn compare(plan: &mut Plan, mut job: MappedJob, stored: &MappedJob, record: Option<&Record>) {
    let (is_merged, not_taken) = match record {
        Some(record) if record.digest == stored_digest(stored) => (true, REASON_CHANGED_HERE),
        Some(_) => (false, REASON_CHANGED_HERE),
        None => (false, REASON_OTHER),
    };
    let mut deleted = DeletedRows::default();
    let mut is_different = !is_same_job(&job, &stored.job, !is_merged);
    let counts = plan.table("jobs");
    match (is_different, is_merged) {
        (false, _) => counts.present += 1,
        (true, true) => counts.updated += 1,
        (true, false) => counts.not_taken += 1,
    }
    if is_different {
        let (action, reason) = updated(is_merged, not_taken);
        plan.note("jobs", &job.old_id, &job, action, reason);
    }
    macro_rules! compare_rows {
        ($table:ident, $field:ident) => {{
            let difference = Difference::of(&job.$field, &stored.$field);
            is_different |= !difference.is_empty();
            count_rows(
                plan,
                stringify!($table),
                &job,
                &job.$field,
                &difference,
                is_merged,
                not_taken,
            );
            let changed = difference.updated.iter().map(|i| job.$field[*i].1.id());
            deleted.$field = difference.removed.iter().copied().chain(changed).collect();
            difference
        }};
    }
    let transcripts = compare_rows!(transcripts, transcripts);
    let silence_regions = compare_rows!(silence_regions, silence_regions);
    let layout = compare_rows!(layout_analysis, layout);
    let content_segments = compare_rows!(content_segments, content_segments);
    let clips = compare_rows!(clips, clips);
    let logs = compare_rows!(processing_logs, logs);
    if !is_merged {
        return;
    }
    job.job.version = stored.job.version;
    if !job.has_times {
        job.job.created_at = stored.job.created_at;
    }
    if is_different {
        job.job.version += 1;
        job.job.last_seq = stored.job.last_seq + 1;
    }
    plan.records.push((
        job.job.job_id,
        job.source_digest.clone(),
        stored_digest(&job),
    ));
    if !is_different {
        return;
    }
    if deleted.content_segments.is_empty() {
        keep(&mut job.clips, &clips);
    } else {
        // The clips lose their reference to a deleted segment.
        deleted.clips = stored.clips.iter().map(|(_, clip)| clip.id()).collect();
    }
    keep(&mut job.transcripts, &transcripts);
    keep(&mut job.silence_regions, &silence_regions);
    keep(&mut job.layout, &layout);
    keep(&mut job.content_segments, &content_segments);
    keep(&mut job.logs, &logs);
    plan.merges.push(Merge {
        inserted: job,
        deleted,
    });
}

/// What is noted of a row that differs from the stored one.
fn updated(is_merged: bool, not_taken: &'static str) -> (ImportAction, &'static str) {
    if is_merged {
        let reason = "changed in the source since the last import";
        (ImportAction::Updated, reason)
    } else {
        (ImportAction::NotTaken, not_taken)
    }
}

/// Keeps the rows that are inserted.
fn keep<T>(rows: &mut Vec<(String, T)>, difference: &Difference) {
    let kept: HashSet<_> = difference.added.iter().chain(&difference.updated).collect();
    let mut position = 0;
    rows.retain(|_| {
        position += 1;
        kept.contains(&(position - 1))
    });
}

fn count_rows<T>(
    plan: &mut Plan,
    table: &'static str,
    job: &MappedJob,
    rows: &[(String, T)],
    difference: &Difference,
    is_merged: bool,
    not_taken: &'static str,
) {
    let Difference {
        added,
        updated: changed,
        removed,
    } = difference;
    let counts = plan.table(table);
    counts.present += (rows.len() - added.len() - changed.len()) as u64;
    if is_merged {
        counts.added += added.len() as u64;
        counts.updated += changed.len() as u64;
        counts.removed += removed.len() as u64;
    } else {
        counts.not_taken += (added.len() + changed.len()) as u64;
    }
    for position in added {
        let (action, reason) = if is_merged {
            let reason = "new in the source since the last import";
            (ImportAction::Added, reason)
        } else {
            (ImportAction::NotTaken, not_taken)
        };
        plan.note(table, &rows[*position].0, job, action, reason);
    }
    for position in changed {
        let (action, reason) = updated(is_merged, not_taken);
        plan.note(table, &rows[*position].0, job, action, reason);
    }
    if is_merged {
        for id in removed {
            let reason = "deleted in the source since the last import";
            plan.note(table, &id.to_string(), job, ImportAction::Removed, reason);
        }
    }
}

/// Gives a new id to rows whose id a row of another job has. `existing` are jobs that are
/// stored already, so their rows may be those of the source.
fn rename_duplicates<Mode>(
    conn: &mut Conn<'_, Mode>,
    jobs: &mut [MappedJob],
    existing: &HashSet<Uuid>,
    notes: &mut Vec<ImportNote>,
) -> Result<(), Error> {
    let existing: Vec<_> = existing.iter().copied().map(Id).collect();
    // The rows that were renamed: the number of the job, the old id and the new one.
    macro_rules! rename_duplicates {
        ($table:ident, $field:ident, $id:ident) => {{
            let ids: Vec<_> = jobs
                .iter()
                .flat_map(|job| job.$field.iter().map(|(_, row)| row.$id))
                .collect();
            let mut taken: HashSet<Uuid> = HashSet::new();
            for ids in ids.chunks(IDS_PER_QUERY) {
                let ids: Vec<_> = ids.iter().copied().map(Id).collect();
                let found: Vec<Id<Uuid>> = $table::table
                    .filter($table::$id.eq_any(ids))
                    .filter($table::job_id.ne_all(existing.clone()))
                    .select($table::$id)
                    .load(conn.raw)
                    .doing("compare ids")?;
                taken.extend(found.into_iter().map(|id| id.0));
            }
            let mut all_renamed = Vec::new();
            for (number, job) in jobs.iter_mut().enumerate() {
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
        for (_, clip) in &mut jobs[number].clips {
            let segment = &mut clip.data.content_segment_id;
            if segment.is_some_and(|id| id.as_uuid() == old) {
                *segment = Some(ContentSegmentId::from(renamed_to));
            }
        }
    }
    Ok(())
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
