//! `lectern gc`: clears the storage of what no job owns.
//!
//! A job's row is there before its first object and goes before its last, so an
//! object whose job is not there belongs to nobody: the server died between
//! the two, or the storage did not answer.

use std::collections::HashSet;

use anyhow::{Context as _, bail};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt as _, TryStreamExt as _};
use lectern_db::Database;
use lectern_domain::{Clock as _, JobId, SystemClock};
use lectern_storage::{ObjectInfo, ObjectPrefix, Storage};

use crate::config::{Gc, Settings};
use crate::migrate::say;

/// How many objects are looked at together.
const BATCH: usize = 1000;

/// How long a part of an object has been left alone at least before it is
/// taken for one that was left behind.
const PART_AGE: TimeDelta = TimeDelta::hours(1);

/// What was found and removed.
#[derive(Debug, Default)]
struct Sum {
    objects: u64,
    bytes: u64,
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
    let before = now - TimeDelta::seconds(gc.older_than.into());
    let mut sum = Sum::default();
    let mut batches = storage.list(&ObjectPrefix::jobs()).try_chunks(BATCH);
    while let Some(batch) = batches.next().await {
        let batch = batch
            .map_err(|error| error.1)
            .context("cannot list the storage")?;
        for object in orphans(database, batch, before)? {
            if !gc.dry_run {
                storage.delete(&object.key).await?;
            }
            sum.objects += 1;
            sum.bytes += object.size;
            say(&format!(
                "{} {} ({} bytes)",
                gc.verb(),
                object.key,
                object.size
            ))?;
        }
    }
    let Sum { objects, bytes } = sum;
    if gc.dry_run {
        return say(&format!(
            "{objects} objects of {bytes} bytes would be removed"
        ));
    }
    // One that is being written is never that old.
    let parts = storage
        .remove_stale_parts(before.min(now - PART_AGE))
        .await?;
    say(&format!(
        "{objects} objects of {bytes} bytes and {parts} unfinished uploads removed"
    ))
}

/// Those of the objects that are old enough and whose job is gone.
fn orphans(
    database: &Database,
    mut objects: Vec<ObjectInfo>,
    before: DateTime<Utc>,
) -> anyhow::Result<Vec<ObjectInfo>> {
    objects.retain(|object| object.last_modified < before && object.key.job_id().is_some());
    let job_ids: HashSet<JobId> = objects
        .iter()
        .filter_map(|object| object.key.job_id())
        .collect();
    let job_ids: Vec<_> = job_ids.into_iter().collect();
    let existing = database.read(|conn| conn.jobs().existing(&job_ids))?;
    objects.retain(|object| {
        object
            .key
            .job_id()
            .is_some_and(|job_id| !existing.contains(&job_id))
    });
    Ok(objects)
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
