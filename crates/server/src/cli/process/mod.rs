//! `lectern process`: one recording, from the file to its clips.

mod display;
mod export;
mod files;
mod output_manifest;
mod source;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use lectern_db::Database;
use lectern_domain::{Job, JobId, JobStatus};
use lectern_media::CancellationToken;
use lectern_worker::BlockingStorage;
use log::LevelFilter;

use self::display::Display;
use self::output_manifest::OutputManifest;
use self::source::Source;
use crate::cli::database;
use crate::cli::signals::stop_at_signal;
use crate::cli::work;
use crate::config::{Settings, StageSettings, WorkerSettings};

/// How often the display is drawn.
const REDRAW_INTERVAL: Duration = Duration::from_millis(200);

/// A recording that is to become clips.
#[derive(Debug, Clone, Args)]
pub struct Process {
    /// The recording
    pub file: PathBuf,
    /// Where the clips go [default: the recording's name with -clips]
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Begins anew even if this recording was worked on before, and forgets that
    #[arg(long)]
    pub fresh: bool,
    /// How it is worked on.
    #[command(flatten)]
    pub how: StageSettings,
}

/// Takes a recording through the whole pipeline and leaves what came of it in a
/// directory. Told to stop, it gives back what it is on; called again, it goes
/// on from there.
///
/// # Errors
///
/// When the recording cannot be read, a tool is missing, a stage failed for
/// good, or it was told to stop.
pub fn run(process: &Process, settings: &Settings) -> anyhow::Result<()> {
    if display::has_bars() {
        // Who looks at them does not read a log as well.
        log::set_max_level(log::max_level().min(LevelFilter::Warn));
    }
    let source = Source::new(&process.file)?;
    let mut worker = WorkerSettings {
        stages: Vec::new(),
        how: process.how.clone(),
    };
    let tools = worker.tools()?;
    let out = process.out.clone().unwrap_or_else(|| source.out());
    fs::create_dir_all(&out)
        .with_context(|| format!("cannot make the directory {}", out.display()))?;
    let _lock = lock_directory(&out)?;
    let mut manifest = OutputManifest::read(&out)?;
    // To be told now, and not when all is done.
    manifest.check(export::FIXED_FILES.map(Path::new))?;
    let database = database::open(settings)?;
    let storage = settings.storage.open(&settings.data_dir)?;
    let store = BlockingStorage::new(storage.clone())?;
    let earlier = source.previous_job(&database, &manifest)?;
    let (job, earlier) = match earlier {
        Some(job) if !process.fresh && source.is_up_to_date(&job) => {
            (resume(&database, job)?, None)
        }
        earlier => (
            source.create_job(&database, &store, &mut manifest)?,
            earlier,
        ),
    };
    let stopped = CancellationToken::new();
    stop_at_signal(stopped.clone())?;
    if job.status != JobStatus::Completed {
        // Nobody else is there to wait for; after a crash this is how long the
        // next call does.
        worker.how.lease = worker.how.lease.min(10);
        let worker = work::worker(&worker, settings, &database, storage, tools)?;
        run_worker(worker.for_job(job.job_id), &database, job.job_id, &stopped)?;
    }
    export::write(
        &database,
        &store,
        job.job_id,
        &source,
        &out,
        &mut manifest,
        &stopped,
    )?;
    // Asked to begin anew; else what was made of the recording as it was before
    // may matter to others who use the database.
    if let Some(earlier) = earlier.filter(|_| process.fresh) {
        delete_job(&database, &store, earlier.job_id);
    }
    crate::cli::output::print_line(&format!("{} is ready", out.display()))
}

/// Holds a directory until it is dropped, so that of two calls on it the second
/// does not work for nothing.
fn lock_directory(dir: &Path) -> anyhow::Result<File> {
    let name = dir.display();
    let lock = File::open(dir).with_context(|| format!("cannot read {name}"))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            bail!("{name} is where another `lectern process` is at work: name another with -o")
        }
        Err(TryLockError::Error(error)) => {
            log::warn!("whether another is at work in {name} cannot be told: {error}");
            Ok(lock)
        }
    }
}

/// Lets a job go on that was left.
fn resume(database: &Database, job: Job) -> anyhow::Result<Job> {
    match job.status {
        JobStatus::Failed | JobStatus::Cancelled => {
            Ok(database.write(|tx| tx.jobs().retry(job.job_id))?)
        }
        _ => Ok(job),
    }
}

/// Removes a job that is over, with all it owns. What cannot be removed harms
/// nobody.
fn delete_job(database: &Database, store: &BlockingStorage, job_id: JobId) {
    let removed = database
        .write(|tx| match tx.jobs().find(job_id)? {
            Some(job) if job.status.is_finished() => tx.jobs().delete(job_id).map(|()| true),
            _ => Ok(false),
        })
        .map_err(lectern_worker::Failure::from)
        .and_then(|deleted| {
            if deleted {
                store.remove(job_id)?;
            }
            Ok(())
        });
    if let Err(error) = removed {
        log::warn!("the job of the last time stays: {error}");
    }
}

/// Works on a job until it has ended or there is a signal, and shows how far it is.
fn run_worker(
    worker: lectern_worker::Worker,
    database: &Database,
    job_id: JobId,
    stopped: &CancellationToken,
) -> anyhow::Result<()> {
    let cancellation = worker.cancellation().clone();
    let _link = stopped.on_cancel({
        let cancellation = cancellation.clone();
        move || cancellation.cancel()
    });
    let working = thread::Builder::new()
        .name("worker".into())
        .spawn(move || worker.run())?;
    let mut display = Display::new();
    let ended = wait_for_job(database, job_id, &mut display, &cancellation, || {
        working.is_finished()
    });
    cancellation.cancel();
    let joined = working.join();
    display.finish();
    match joined {
        Ok(ran) => ended.and(Ok(ran?)),
        Err(_) => bail!("the worker made a mistake: it panicked"),
    }
}

/// Shows how far a job is until it is completed; an error when it ends in
/// another way, or the worker does.
fn wait_for_job(
    database: &Database,
    job_id: JobId,
    display: &mut Display,
    cancellation: &CancellationToken,
    is_stopped: impl Fn() -> bool,
) -> anyhow::Result<()> {
    loop {
        let stopped = is_stopped();
        let (job, runs) = database.read(|conn| {
            let job = conn.jobs().find(job_id)?;
            Ok::<_, lectern_db::Error>((job, conn.stage_runs().for_job(job_id)?))
        })?;
        if cancellation.is_cancelled() {
            display.freeze();
        }
        display.show(&runs);
        match job {
            None => bail!("the job was deleted"),
            Some(job) if job.status == JobStatus::Completed => return Ok(()),
            Some(job) if job.status.is_finished() => match job.error_message {
                Some(why) => bail!("{}", why.as_str()),
                None => bail!("the job is {}", job.status),
            },
            Some(_) if stopped => bail!(export::INTERRUPTED),
            Some(_) => thread::sleep(REDRAW_INTERVAL),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_held_by_one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let lock = lock_directory(dir.path()).unwrap();
        let refused = lock_directory(dir.path()).unwrap_err();
        assert!(refused.to_string().contains("at work"), "{refused}");
        drop(lock);
        lock_directory(dir.path()).unwrap();
    }
}
