//! Objects that no job needs.
//!
//! A job's row is deleted before its objects, so an object without a job remains from a
//! crash or an outage of the storage. The exception is a new object: `lectern process`
//! stores a recording shortly before it inserts the row. An existing job does not need
//! the files of deleted clips and replaced subtitles, unless a row refers to these files.
//! Once it has ended, it does not need the files that were replaced when a clip was cut
//! again: until then, a worker may have stored files that no row refers to yet.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use lectern_db::{Database, Reader};
use lectern_domain::{Clip, ClipId, JobId};
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
        let shared = conn.jobs().shared_recordings(&job_ids)?;
        Ok::<_, lectern_db::Error>((existing, clips, shared))
    };
    let (existing, clips, shared) = database.read(query)?;
    let clip_objects = ClipObjects::of(clips.values().flatten());
    let mut orphans = Vec::new();
    for object in objects {
        let Some(job_id) = object.key.job_id() else {
            continue;
        };
        // Another job may need the recording of a deleted one.
        if shared.contains(object.key.as_str()) {
            continue;
        }
        if !existing.contains(&job_id) || clip_objects.is_unused(database, &object, cutoffs)? {
            orphans.push(object);
        }
    }
    Ok(CheckedBatch {
        objects: count,
        orphans,
    })
}

/// The existing clips of some jobs, and the storage keys they refer to.
struct ClipObjects {
    clip_ids: HashSet<ClipId>,
    keys: HashSet<ObjectKey>,
    /// The keys that each clip refers to.
    keys_by_clip: HashMap<ClipId, Vec<ObjectKey>>,
}

impl ClipObjects {
    fn of<'a>(clips: impl Iterator<Item = &'a Clip>) -> Self {
        let mut objects = Self {
            clip_ids: HashSet::new(),
            keys: HashSet::new(),
            keys_by_clip: HashMap::new(),
        };
        for clip in clips {
            let keys = clip.media.storage_keys().cloned();
            let keys: Vec<_> = keys
                .filter_map(|key| ObjectKey::try_from(key).ok())
                .collect();
            objects.clip_ids.insert(clip.clip_id);
            objects.keys.extend(keys.iter().cloned());
            objects.keys_by_clip.insert(clip.clip_id, keys);
        }
        objects
    }

    /// Whether an object of an existing job was made for a deleted clip, or has been
    /// replaced, and nothing refers to it.
    fn is_unused(
        &self,
        database: &Database,
        object: &ObjectInfo,
        cutoffs: Cutoffs,
    ) -> anyhow::Result<bool> {
        let key = &object.key;
        let (Some(clip_id), Some(job_id)) = (key.clip_id(), key.job_id()) else {
            return Ok(false);
        };
        if object.last_modified >= cutoffs.in_progress || self.keys.contains(key) {
            return Ok(false);
        }
        // If the job was deleted in the meantime, the next run removes its objects.
        let Some(job) = database.read(|conn| conn.jobs().find(job_id))? else {
            return Ok(false);
        };
        let keys_of_job: Vec<_> = job
            .storage_keys()
            .filter_map(|key| ObjectKey::try_from(key.clone()).ok())
            .collect();
        if keys_of_job.contains(key) {
            return Ok(false);
        }
        if key.is_custom_subtitles() || !self.clip_ids.contains(&clip_id) {
            return Ok(true);
        }
        let keys_of_clip = self.keys_by_clip.get(&clip_id).into_iter().flatten();
        let mut newer = keys_of_clip.chain(&keys_of_job);
        Ok(job.status.is_finished() && newer.any(|newer| key.is_replaced_by(newer)))
    }
}
