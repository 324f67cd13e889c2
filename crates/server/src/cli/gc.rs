//! `lectern gc`: removes objects that no job needs.
//!
//! A job's row is deleted before its objects, so an object without a job is left over
//! from a crash or an outage of the storage, unless it is new: `lectern process`
//! stores a recording shortly before it inserts the row. For existing jobs, the files
//! of deleted clips and replaced subtitles are removed; a file that a row refers to
//! is never removed.

use std::collections::HashSet;

use anyhow::{Context as _, bail};
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _};
use lectern_db::{Database, Reader};
use lectern_domain::{Clip, ClipId, Clock as _, JobId, StorageKey, SystemClock};
use lectern_storage::{ObjectInfo, ObjectKey, ObjectPrefix, Storage};

use crate::cli::open::PrivateFiles;
use crate::cli::output::print_line;
use crate::config::Settings;

/// Objects checked per query.
const BATCH_SIZE: usize = 1000;

/// Minimum age, regardless of `--older-than`, of a removed file that may belong to a
/// request in progress: a part of an upload, or an object of an existing job that no
/// row refers to yet.
const MIN_IN_PROGRESS_AGE: TimeDelta = TimeDelta::hours(1);

/// Files last modified before these times may be removed.
#[derive(Debug, Clone, Copy)]
struct Cutoffs {
    /// For objects of deleted jobs.
    deleted_job: DateTime<Utc>,
    /// For files that may belong to a request in progress.
    in_progress: DateTime<Utc>,
}

/// Totals of the removed objects.
#[derive(Debug, Default)]
struct Removed {
    objects: u64,
    bytes: u64,
}

/// Arguments of `lectern gc`.
#[derive(Debug, Clone, Copy, Args)]
pub struct Gc {
    /// Prints the objects without removing them
    #[arg(long)]
    pub dry_run: bool,
    /// Keeps objects that are younger than this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    pub older_than: u32,
}

/// Removes unneeded objects and stale parts of uploads, and prints each. Servers
/// may run meanwhile.
///
/// # Errors
///
/// When the database or the storage does not respond, or migrations are pending,
/// because the database may then not be the one that the objects belong to.
pub fn run(gc: &Gc, settings: &Settings) -> anyhow::Result<()> {
    let _private = PrivateFiles::begin(&settings.data_dir);
    let database = settings.open()?;
    if database.migrations().pending()? {
        bail!("migrations are pending; `lectern migrate up` applies them");
    }
    let storage = settings.open_storage()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(collect(gc, &database, &storage, SystemClock.now()))
}

async fn collect(
    gc: &Gc,
    database: &Database,
    storage: &Storage,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let older_than = now - TimeDelta::seconds(gc.older_than.into());
    let cutoffs = Cutoffs {
        deleted_job: older_than,
        in_progress: older_than.min(now - MIN_IN_PROGRESS_AGE),
    };
    let mut removed = Removed::default();
    let mut batches = storage.list(&ObjectPrefix::jobs()).try_chunks(BATCH_SIZE);
    while let Some(batch) = batches.next().await {
        let batch = batch
            .map_err(|error| error.1)
            .context("cannot list the storage")?;
        for object in orphans(database, batch, cutoffs)? {
            if !gc.dry_run {
                storage.delete(&object.key).await?;
            }
            removed.objects += 1;
            removed.bytes += object.size;
            print_line(&format!(
                "{} {} ({} bytes)",
                gc.verb(),
                object.key,
                object.size
            ))?;
        }
    }
    let Removed { objects, bytes } = removed;
    if gc.dry_run {
        return print_line(&format!(
            "{objects} objects of {bytes} bytes would be removed"
        ));
    }
    let parts = storage.remove_unfinished_files(cutoffs.in_progress).await?;
    print_line(&format!(
        "{objects} objects of {bytes} bytes and {parts} unfinished uploads removed"
    ))
}

/// The objects that are old enough and that no job needs.
fn orphans(
    database: &Database,
    mut objects: Vec<ObjectInfo>,
    cutoffs: Cutoffs,
) -> anyhow::Result<Vec<ObjectInfo>> {
    objects.retain(|object| object.last_modified < cutoffs.deleted_job);
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
    Ok(orphans)
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
        let is_outdated = |clip_id| key.is_custom_subtitles() || !self.clip_ids.contains(&clip_id);
        object.last_modified < cutoffs.in_progress
            && key.clip_id().is_some_and(is_outdated)
            && !self.keys.contains(key.as_str())
    }
}

/// Whether the job refers to the object. Also true when the job was deleted
/// meanwhile; the next run removes its objects.
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

impl Gc {
    fn verb(self) -> &'static str {
        if self.dry_run {
            "would remove"
        } else {
            "removed"
        }
    }
}
