//! `lectern gc`: moves objects that no job needs to the trash, and deletes what has been
//! there for long enough.
//!
//! Two guards protect the objects of another database, or of a newer state of this one:
//! nothing is moved if the storage has recorded the id of another database, or if a large
//! share of the objects are orphans, as after restoring an old backup.

mod orphans;

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use lectern_db::Database;
use lectern_domain::{Clock as _, JobId, JobStatus, SystemClock};
use lectern_storage::{ObjectInfo, ObjectPrefix, Storage};

use self::orphans::{CheckedBatch, Cutoffs, find_orphans};
use crate::cli::open::{self, PrivateFiles};
use crate::cli::stdout::print_line;
use crate::config::Settings;
use crate::objects::expired_uploads::{self, BATCH_SIZE as UPLOAD_BATCH_SIZE};

/// Objects checked per query.
const BATCH_SIZE: usize = 1000;

/// The greatest share of orphans that is moved without `--force`.
const MAX_ORPHANS_PERCENT: u64 = 10;

/// Arguments of `lectern gc`.
#[derive(Debug, Clone, Copy, Args)]
pub struct Gc {
    /// Prints the objects without moving or deleting them
    #[arg(long)]
    pub dry_run: bool,
    /// Keeps objects that are younger than this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    pub older_than: u32,
    /// Deletes objects that have been in the trash for this many days
    #[arg(
        long,
        value_name = "DAYS",
        default_value_t = 7,
        value_parser = clap::value_parser!(u32).range(0..=36_500),
    )]
    pub trash_days: u32,
    /// Moves the objects even if they are more than 10 % of all
    #[arg(long)]
    pub force: bool,
    /// Records that the objects belong to this database, which is refused otherwise
    /// if they belong to another one, or to the database before a restore
    #[arg(long)]
    pub adopt: bool,
}

/// Number and size of objects.
#[derive(Debug, Default)]
struct Total {
    objects: u64,
    bytes: u64,
}

impl Total {
    fn add(&mut self, object: &ObjectInfo) {
        self.objects += 1;
        self.bytes += object.size;
    }
}

/// Clears expired uploads, moves unneeded objects to the trash, empties the trash and removes stale parts of
/// uploads; prints each object. Servers may run meanwhile.
///
/// # Errors
///
/// When the database or the storage does not respond, migrations are pending, or the
/// objects seem to belong to another database.
pub fn run(gc: &Gc, settings: &Settings) -> anyhow::Result<()> {
    let _private = PrivateFiles::begin(&settings.data_dir);
    let database = settings.open_database()?;
    if database.migrations().pending()? {
        bail!("migrations are pending; `lectern migrate up` applies them");
    }
    let storage = settings.open_storage()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        check_owner(gc, &database, &storage).await?;
        clear_uploads(gc, &database, &storage).await?;
        collect(gc, &database, &storage, SystemClock.now()).await
    })
}

/// Fails if the objects belong to another database.
async fn check_owner(gc: &Gc, database: &Database, storage: &Storage) -> anyhow::Result<()> {
    if gc.adopt && gc.dry_run {
        return Ok(());
    }
    if gc.adopt {
        return Ok(storage.set_owner(open::database_id(database)?).await?);
    }
    let own = database.read(|conn| conn.database_identity().find())?;
    match storage.owner().await? {
        None => bail!(
            "the storage has no record of the database that its objects belong to: start \
             `lectern serve` once, or use --adopt if it is this one"
        ),
        owner if owner == own => Ok(()),
        Some(_) => bail!(
            "the objects belong to another database, or this one was restored from a backup: \
             see what --adopt --dry-run prints; --adopt records that they belong to this one"
        ),
    }
}

/// Clears pending jobs whose recordings have not arrived in time, as servers do; prints
/// each.
async fn clear_uploads(gc: &Gc, database: &Database, storage: &Storage) -> anyhow::Result<()> {
    loop {
        let expired: Vec<JobId> =
            database.read(|conn| conn.uploads().expired(UPLOAD_BATCH_SIZE))?;
        let mut cleared = 0;
        for job_id in &expired {
            if gc.dry_run {
                let job = database.read(|conn| conn.jobs().find(*job_id))?;
                if job.is_some_and(|job| job.status == JobStatus::Pending) {
                    print_line(&format!("would clear the upload of job {job_id}"))?;
                }
            } else if let Some(upload) = database.write(|tx| tx.uploads().clear(*job_id))? {
                expired_uploads::delete_objects(storage, &upload).await?;
                cleared += 1;
                if upload.is_unfinished {
                    print_line(&format!("cleared the upload of job {job_id}"))?;
                }
            }
        }
        if cleared == 0 || expired.len() < UPLOAD_BATCH_SIZE as usize {
            return Ok(());
        }
    }
}

async fn collect(
    gc: &Gc,
    database: &Database,
    storage: &Storage,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let cutoffs = Cutoffs::at(now, TimeDelta::seconds(gc.older_than.into()));
    // All orphans are counted before any is moved.
    let (mut checked, mut orphans) = (0, Total::default());
    let mut batches = batches(storage, &ObjectPrefix::jobs());
    while let Some(batch) = batches.next().await {
        let batch = find_orphans(database, batch?, cutoffs)?;
        checked += batch.objects;
        for object in movable(batch, now) {
            orphans.add(&object);
            if gc.dry_run {
                print_object("would move", &object)?;
            }
        }
    }
    let too_many = orphans.objects * 100 > checked * MAX_ORPHANS_PERCENT;
    let share = format!(
        "{} of {checked} objects belong to no job, more than {MAX_ORPHANS_PERCENT} %",
        orphans.objects
    );
    if gc.dry_run {
        let deleted = empty_trash(gc, storage, now).await?;
        if too_many {
            print_line(&format!("{share}: moving them needs --force"))?;
        }
        return print_line(&format!(
            "{} objects of {} bytes would be moved to the trash, {} objects of {} bytes would be \
             deleted from it",
            orphans.objects, orphans.bytes, deleted.objects, deleted.bytes
        ));
    }
    ensure!(
        !too_many || gc.force,
        "{share}; nothing was moved, because the database may be older than the objects: see what \
         --dry-run prints; --force moves them"
    );
    let moved = if orphans.objects > 0 {
        move_orphans(database, storage, cutoffs, now).await?
    } else {
        Total::default()
    };
    let deleted = empty_trash(gc, storage, now).await?;
    let parts = storage.remove_unfinished_files(cutoffs.in_progress).await?;
    print_line(&format!(
        "{} objects of {} bytes moved to the trash, {} objects of {} bytes deleted from it, {parts} \
         unfinished uploads removed",
        moved.objects, moved.bytes, deleted.objects, deleted.bytes
    ))
}

/// Moves the objects that no job needs. Checks all objects again, because rows may have
/// been inserted since the orphans were counted.
async fn move_orphans(
    database: &Database,
    storage: &Storage,
    cutoffs: Cutoffs,
    now: DateTime<Utc>,
) -> anyhow::Result<Total> {
    let mut moved = Total::default();
    let mut batches = batches(storage, &ObjectPrefix::jobs());
    while let Some(batch) = batches.next().await {
        for object in movable(find_orphans(database, batch?, cutoffs)?, now) {
            storage.move_to_trash(&object, now).await?;
            moved.add(&object);
            print_object("moved", &object)?;
        }
    }
    Ok(moved)
}

/// The orphans of a batch that can be moved. Omits and logs objects whose keys are too
/// long for the trash.
fn movable(batch: CheckedBatch, now: DateTime<Utc>) -> impl Iterator<Item = ObjectInfo> {
    let orphans = batch.orphans.into_iter();
    orphans.filter(move |object| {
        let fits = object.key.in_trash(now).is_ok();
        if !fits {
            log::debug!("{} is kept: its name is too long for the trash", object.key);
        }
        fits
    })
}

/// Deletes objects that were moved to the trash at least `--trash-days` ago; with
/// `--dry-run`, only prints them.
async fn empty_trash(gc: &Gc, storage: &Storage, now: DateTime<Utc>) -> anyhow::Result<Total> {
    let moved_before = now - TimeDelta::days(gc.trash_days.into());
    let mut deleted = Total::default();
    let mut batches = batches(storage, &ObjectPrefix::trash());
    while let Some(batch) = batches.next().await {
        for object in batch? {
            let trashed_at = object.key.trashed_at();
            if trashed_at.is_none_or(|trashed_at| trashed_at > moved_before) {
                continue;
            }
            if !gc.dry_run {
                storage.delete(&object.key).await?;
            }
            deleted.add(&object);
            let verb = if gc.dry_run {
                "would delete"
            } else {
                "deleted"
            };
            print_object(verb, &object)?;
        }
    }
    Ok(deleted)
}

/// The objects below a prefix, in batches.
fn batches(
    storage: &Storage,
    prefix: &ObjectPrefix,
) -> BoxStream<'static, anyhow::Result<Vec<ObjectInfo>>> {
    storage
        .list(prefix)
        .try_chunks(BATCH_SIZE)
        .map(|batch| {
            batch
                .map_err(|error| error.1)
                .context("cannot list the storage")
        })
        .boxed()
}

fn print_object(verb: &str, object: &ObjectInfo) -> anyhow::Result<()> {
    print_line(&format!("{verb} {} ({} bytes)", object.key, object.size))
}
