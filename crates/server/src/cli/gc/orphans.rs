//! Objects that no job needs.
//!
//! A job's row is deleted before its objects, so an object without a job remains from a
//! crash or an outage of the storage. The exception is a new object: `lectern process`
//! stores a recording shortly before it inserts the row. An existing job does not need
//! the files of deleted clips and replaced subtitles, unless a row refers to these files.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use lectern_db::{Database, Reader};
use lectern_domain::{Clip, ClipId, JobId, StorageKey};
use lectern_storage::{ObjectInfo, ObjectKey};

/// A file that may belong to a request in progress is kept for at least this long, even if
/// `--older-than` is shorter. Such a file is a part of an upload, or an object of an
/// existing job to which no row refers yet.
const MIN_IN_PROGRESS_AGE: TimeDelta = TimeDelta::hours(1);

/// Files last modified before these times may be moved or removed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cutoffs {
    /// For every object: `--older-than`. A new recording, whose row is not inserted yet, is
    /// younger.
    pub(super) any_object: DateTime<Utc>,
    /// For files that may belong to a request in progress.
    pub(super) in_progress: DateTime<Utc>,
}

impl Cutoffs {
    pub(super) fn at(now: DateTime<Utc>, older_than: TimeDelta) -> Self {
        let older_than = now - older_than;
        Self {
            any_object: older_than,
            in_progress: older_than.min(now - MIN_IN_PROGRESS_AGE),
        }
    }
}

/// A batch of objects that were checked.
#[derive(Debug)]
pub(super) struct CheckedBatch {
    /// The number of objects that were old enough to be checked.
    pub(super) objects: u64,
    /// The objects that no job needs.
    pub(super) orphans: Vec<ObjectInfo>,
}

/// Finds the objects that are old enough and that no job needs.
pub(super) fn find_orphans(
    database: &Database,
    mut objects: Vec<ObjectInfo>,
    cutoffs: Cutoffs,
) -> anyhow::Result<CheckedBatch> {
    objects.retain(|object| object.last_modified < cutoffs.any_object);
    let count = objects.len() as u64;
    let job_ids: HashSet<JobId> = objects
        .iter()
        .filter_map(|object| object.key.job_id())
        .collect();
    let job_ids: Vec<_> = job_ids.into_iter().collect();
    let query = |conn: &mut Reader<'_>| {
        let existing = conn.jobs().existing(&job_ids)?;
        let clips = conn.clips().for_jobs(&job_ids)?;
        Ok::<_, lectern_db::Error>((existing, clips))
    };
    let (existing, clips) = database.read(query)?;
    let clip_objects = ClipObjects::of(clips.values().flatten());
    let mut orphans = Vec::new();
    for object in objects {
        let Some(job_id) = object.key.job_id() else {
            continue;
        };
        if !existing.contains(&job_id)
            || (clip_objects.is_unused(&object, cutoffs)
                && !is_referenced_by_job(database, job_id, &object.key)?)
        {
            orphans.push(object);
        }
    }
    Ok(CheckedBatch {
        objects: count,
        orphans,
    })
}

/// The existing clips of some jobs, and the storage keys they refer to.
struct ClipObjects<'a> {
    clip_ids: HashSet<ClipId>,
    keys: HashSet<&'a str>,
}

impl<'a> ClipObjects<'a> {
    fn of(clips: impl Iterator<Item = &'a Clip> + Clone) -> Self {
        let keys = clips.clone().flat_map(|clip| clip.media.storage_keys());
        Self {
            keys: keys.map(StorageKey::as_str).collect(),
            clip_ids: clips.map(|clip| clip.clip_id).collect(),
        }
    }

    /// Whether an object was made for a deleted clip, or is a replaced subtitle
    /// file.
    fn is_unused(&self, object: &ObjectInfo, cutoffs: Cutoffs) -> bool {
        let key = &object.key;
        // A subtitle file has a new key whenever it is replaced; a clip has the same key.
        let needs_reference =
            |clip_id| key.is_custom_subtitles() || !self.clip_ids.contains(&clip_id);
        object.last_modified < cutoffs.in_progress
            && key.clip_id().is_some_and(needs_reference)
            && !self.keys.contains(key.as_str())
    }
}

/// Whether the job refers to the object. Also true if the job was deleted in the meantime;
/// the next run removes the objects of that job.
fn is_referenced_by_job(
    database: &Database,
    job_id: JobId,
    key: &ObjectKey,
) -> anyhow::Result<bool> {
    let job = database.read(|conn| conn.jobs().find(job_id))?;
    Ok(job.is_none_or(|job| {
        job.storage_keys()
            .any(|referenced| referenced.as_str() == key.as_str())
    }))
}
