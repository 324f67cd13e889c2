//! `lectern gc`: clears the storage of what no job owns.
//!
//! A job's row goes before its last object and is there before its first, or with
//! `lectern process` a moment after, so an object whose job is not there belongs
//! to nobody: the server died between the two, or the storage did not answer. Of a
//! job that is there, what was made for a clip goes when the clip is no more, and
//! subtitles that a client gave a clip when it was given others; whatever a row
//! names stays.

use std::collections::HashSet;

use anyhow::{Context as _, bail};
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _};
use lectern_db::{Database, Reader};
use lectern_domain::{Clip, ClipId, Clock as _, JobId, StorageKey, SystemClock};
use lectern_storage::{ObjectInfo, ObjectKey, ObjectPrefix, Storage};

use crate::cli::output::print_line;
use crate::config::Settings;

/// How many objects are looked at together.
const BATCH_SIZE: usize = 1000;

/// How long what is being written has been left alone at least before it is
/// taken for left behind: a part of an object, or one that no row names yet.
const MIN_UNFINISHED_AGE: TimeDelta = TimeDelta::hours(1);

/// Until when something was written that may go.
#[derive(Debug, Clone, Copy)]
struct Cutoffs {
    /// What is made once and for all.
    finished: DateTime<Utc>,
    /// What somebody may still be at.
    unfinished: DateTime<Utc>,
}

/// What was found and removed.
#[derive(Debug, Default)]
struct Removed {
    objects: u64,
    bytes: u64,
}

/// What is to be cleared away.
#[derive(Debug, Clone, Copy, Args)]
pub struct Gc {
    /// Only tells which objects it would remove
    #[arg(long)]
    pub dry_run: bool,
    /// Leaves alone what is younger than this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    pub older_than: u32,
}

/// Removes objects whose job is gone and what is left of broken uploads, and
/// tells what it did, line by line. Servers may run meanwhile.
///
/// # Errors
///
/// When the database or the storage does not answer, or the database is not up
/// to date: it may be another than the one the objects belong to.
pub fn run(gc: &Gc, settings: &Settings) -> anyhow::Result<()> {
    let database = settings.open()?;
    if database.migrations().pending()? {
        bail!("the database is not up to date; `lectern migrate up` applies what is pending");
    }
    let storage = settings.storage.open(&settings.data_dir)?;
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
    let finished = now - TimeDelta::seconds(gc.older_than.into());
    let cutoffs = Cutoffs {
        finished,
        unfinished: finished.min(now - MIN_UNFINISHED_AGE),
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
    let parts = storage.remove_stale_parts(cutoffs.unfinished).await?;
    print_line(&format!(
        "{objects} objects of {bytes} bytes and {parts} unfinished uploads removed"
    ))
}

/// Those of the objects that are old enough and belong to nobody.
fn orphans(
    database: &Database,
    mut objects: Vec<ObjectInfo>,
    cutoffs: Cutoffs,
) -> anyhow::Result<Vec<ObjectInfo>> {
    objects.retain(|object| object.last_modified < cutoffs.finished);
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
                && !is_named_by_job(database, job_id, &object.key)?)
        {
            orphans.push(object);
        }
    }
    Ok(orphans)
}

/// What was made for the clips there are.
struct ClipObjects<'a> {
    clips: HashSet<ClipId>,
    keys: HashSet<&'a str>,
}

impl<'a> ClipObjects<'a> {
    fn of(clips: impl Iterator<Item = &'a Clip> + Clone) -> Self {
        let keys = clips.clone().flat_map(|clip| clip.media.keys());
        Self {
            keys: keys.map(StorageKey::as_str).collect(),
            clips: clips.map(|clip| clip.clip_id).collect(),
        }
    }

    /// Whether an object was made for a clip that is no more, or that has other
    /// subtitles now.
    fn is_unused(&self, object: &ObjectInfo, cutoffs: Cutoffs) -> bool {
        let key = &object.key;
        let is_outdated = |clip_id| key.is_custom_subtitles() || !self.clips.contains(&clip_id);
        object.last_modified < cutoffs.unfinished
            && key.clip_id().is_some_and(is_outdated)
            && !self.keys.contains(key.as_str())
    }
}

/// Whether the job itself names the object, or is gone meanwhile: the next time
/// will tell.
fn is_named_by_job(database: &Database, job_id: JobId, key: &ObjectKey) -> anyhow::Result<bool> {
    let job = database.read(|conn| conn.jobs().find(job_id))?;
    Ok(job.is_none_or(|job| job.keys().any(|named| named.as_str() == key.as_str())))
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
