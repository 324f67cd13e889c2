//! `lectern process`: turns one recording into clips.

mod export;
mod output_manifest;
mod source;
mod stage_settings;
mod summary;
mod transcript_file;

use std::fs::{self, File, TryLockError};
use std::io::{Write as _, stderr};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Args;
use lectern_db::Database;
use lectern_domain::{Job, JobId, JobStatus, JobUpdate, JsonObject, ObjectUpdate};
use lectern_media::{CancellationToken, Tools};
use lectern_storage::Storage;
use lectern_worker::BlockingStorage;
use log::LevelFilter;

use self::output_manifest::OutputManifest;
use self::source::Source;
use self::stage_settings::StageSettings;
use crate::cli::open::{self, PrivateFiles};
use crate::cli::signals::stop_at_signal;
use crate::cli::stage_progress::{self, Display, StageProgress};
use crate::cli::stdout::{print, print_line};
use crate::cli::work;
use crate::config::{CommonWorkerSettings, Settings, WorkerSettings};

/// Time between two updates of the progress display.
const REDRAW_INTERVAL: Duration = Duration::from_millis(200);

/// Arguments of `lectern process`.
#[derive(Debug, Clone, Args)]
pub struct Process {
    /// The recording
    pub file: PathBuf,
    /// Directory for the clips [default: the recording's name with -clips]
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// File with the transcript, in place of the files beside the recording
    #[arg(long, value_name = "FILE")]
    pub transcript: Option<PathBuf>,
    /// Starts over if this recording was processed before, and deletes the
    /// previous job
    #[arg(long)]
    pub fresh: bool,
    /// Keeps the job and its copies of the recording and the clips, for `lectern serve` for
    /// example; without it they are deleted when the clips are written
    #[arg(long)]
    pub keep: bool,
    /// Settings of the worker.
    #[command(flatten)]
    pub worker: CommonWorkerSettings,
}

/// Runs the whole pipeline on a recording and writes the results to a directory.
/// After a signal, returns the leased stages to the queue; running the command again
/// continues with them. After a success the job is deleted unless it is to be kept.
///
/// # Errors
///
/// When the recording cannot be read, a tool is missing, a stage failed
/// permanently, or a signal arrived.
pub fn run(process: &Process, settings: &Settings) -> anyhow::Result<()> {
    if stage_progress::has_bars() {
        // Log lines below warnings would disturb the progress bars.
        log::set_max_level(log::max_level().min(LevelFilter::Warn));
    }
    let started = Instant::now();
    let source = Source::new(&process.file, process.transcript.as_deref())?;
    let worker = WorkerSettings {
        stages: Vec::new(),
        common: process.worker.clone(),
    };
    settings.check_storage_location(process.worker.scratch_dir.as_deref())?;
    let tools = worker.tools()?;
    let out = process
        .out
        .clone()
        .unwrap_or_else(|| source.default_out_dir());
    fs::create_dir_all(&out)
        .with_context(|| format!("cannot create the directory {}", out.display()))?;
    let _lock = lock_directory(&out)?;
    let mut manifest = OutputManifest::read(&out)?;
    // Fails now rather than when all stages are done.
    manifest.check(export::FIXED_FILES.map(Path::new))?;
    let stage_settings = StageSettings::new(&process.worker);
    let state = source.state(&stage_settings)?;
    if !process.fresh && !process.keep && manifest.is_made_from(&state) {
        let out = out.display();
        return print_line(&format!(
            "{out} is ready: nothing has changed (--fresh starts over)"
        ));
    }
    // Temporary and stored files are private; the results get the permissions that the
    // user's files usually have.
    let private = PrivateFiles::begin(&settings.data_dir);
    let database = open::database(settings)?;
    let storage = open::storage(settings, &database)?;
    let store = BlockingStorage::new(storage.clone())?;
    let previous = source.previous_job(&database, &manifest)?;
    let (job, replaced) = match previous {
        Some(job) if !process.fresh && source.is_up_to_date(&job) => {
            let metadata = source.job_metadata(&state)?;
            (resume(&database, job, &stage_settings, metadata)?, None)
        }
        previous => {
            let job = source.create_job(&database, &store, &mut manifest, &state)?;
            (job, previous)
        }
    };
    let job_id = job.job_id;
    let interruption = CancellationToken::new();
    stop_at_signal(interruption.clone(), settings.http.exit_timeout())?;
    let ran = match job.status {
        JobStatus::Completed => Ok(()),
        _ => run_stages(
            worker,
            settings,
            &database,
            storage,
            tools,
            job_id,
            &interruption,
        ),
    };
    drop(private);
    let written = ran.and_then(|()| {
        export::write(
            &database,
            &store,
            job_id,
            &source.path,
            &out,
            &mut manifest,
            &interruption,
        )
    });
    let kept = || {
        let data_dir = settings.data_dir.display();
        format!("{data_dir} keeps job {job_id} with a copy of the recording.")
    };
    let summary = written.inspect_err(|_| {
        let kept = kept();
        let _ = writeln!(
            stderr(),
            "{kept} The same command continues with it, --fresh starts over."
        );
    })?;
    manifest.finish(&state)?;
    let unneeded = (!process.keep).then_some(job_id);
    let replaced = replaced.filter(|_| process.fresh || !process.keep);
    for job_id in replaced.map(|job| job.job_id).into_iter().chain(unneeded) {
        delete_job(&database, &store, job_id);
    }
    let kept = process.keep.then(kept);
    print(
        summary
            .text(&out, started.elapsed(), kept.as_deref())
            .as_bytes(),
    )
}

/// Locks a directory until the returned file is dropped, so that a second run with the
/// same directory fails at once.
fn lock_directory(dir: &Path) -> anyhow::Result<File> {
    let name = dir.display();
    let lock = File::open(dir).with_context(|| format!("cannot read {name}"))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            bail!("{name} is in use by another `lectern process`; choose another directory with -o")
        }
        Err(TryLockError::Error(error)) => {
            log::warn!("cannot lock {name}, so another run could use it too: {error}");
            Ok(lock)
        }
    }
}

/// Queues a failed or cancelled job again. A job that ran with other settings runs again
/// from the first stage that they concern.
fn resume(
    database: &Database,
    job: Job,
    settings: &StageSettings,
    metadata: JsonObject,
) -> anyhow::Result<Job> {
    let Some(first_stage) = settings.first_change(source::stored_settings(&job)) else {
        return match job.status {
            JobStatus::Failed | JobStatus::Cancelled => {
                Ok(database.write(|tx| tx.jobs().retry(job.job_id))?)
            }
            _ => Ok(job),
        };
    };
    let update = JobUpdate {
        extra_metadata: Some(ObjectUpdate::Replace(metadata)),
        ..JobUpdate::default()
    };
    Ok(database.write(|tx| {
        if !job.status.is_finished() {
            tx.jobs().cancel(job.job_id)?;
        }
        tx.jobs().update(job.job_id, &update, None)?;
        tx.jobs().rerun(job.job_id, first_stage)
    })?)
}

/// Deletes a job with its objects if the job is finished. A failure is only logged.
fn delete_job(database: &Database, store: &BlockingStorage, job_id: JobId) {
    let removed = database
        .write(|tx| match tx.jobs().find(job_id)? {
            Some(job) if job.status.is_finished() => tx.jobs().delete(job_id).map(Some),
            _ => Ok(None),
        })
        .map_err(lectern_worker::Failure::from)
        .and_then(|deleted| deleted.map_or(Ok(()), |unneeded| store.remove(&unneeded)));
    if let Err(error) = removed {
        log::warn!("cannot delete the previous job: {error}");
    }
}

/// Runs the open stages of the job in this process.
fn run_stages(
    mut worker: WorkerSettings,
    settings: &Settings,
    database: &Database,
    storage: Storage,
    tools: Tools,
    job_id: JobId,
    interruption: &CancellationToken,
) -> anyhow::Result<()> {
    // Short, because after a crash the next run has to wait until the lease expires.
    worker.common.lease = worker.common.lease.min(10);
    let worker = work::worker(&worker, settings, database, storage, tools)?;
    run_worker(worker.for_job(job_id), database, job_id, interruption)
}

/// Runs a worker until the job has finished or a signal arrives, and shows the
/// progress.
fn run_worker(
    worker: lectern_worker::Worker,
    database: &Database,
    job_id: JobId,
    interruption: &CancellationToken,
) -> anyhow::Result<()> {
    let cancellation = worker.cancellation().clone();
    let _subscription = interruption.on_cancel({
        let cancellation = cancellation.clone();
        move || cancellation.cancel()
    });
    let worker_thread = thread::Builder::new()
        .name("worker".into())
        .spawn(move || worker.run())?;
    let mut display = Display::new();
    let outcome = wait_for_job(database, job_id, &mut display, &cancellation, || {
        worker_thread.is_finished()
    });
    cancellation.cancel();
    let joined = worker_thread.join();
    display.finish();
    match joined {
        Ok(ran) => outcome.and(Ok(ran?)),
        Err(_) => bail!("the worker panicked"),
    }
}

/// Shows a job's progress until the job is completed. Fails when the job ends in
/// another status or the worker stops.
fn wait_for_job(
    database: &Database,
    job_id: JobId,
    display: &mut Display,
    cancellation: &CancellationToken,
    worker_has_ended: impl Fn() -> bool,
) -> anyhow::Result<()> {
    loop {
        // Checked before the job is read, because the worker may complete the job and end
        // in between.
        let worker_has_ended = worker_has_ended();
        let (job, runs) = database.read(|conn| {
            let job = conn.jobs().find(job_id)?;
            Ok::<_, lectern_db::Error>((job, conn.stage_runs().for_job(job_id)?))
        })?;
        if cancellation.is_cancelled() {
            display.freeze();
        }
        display.show(runs.iter().map(StageProgress::from));
        match job {
            None => bail!("the job was deleted"),
            Some(job) if job.status == JobStatus::Completed => return Ok(()),
            Some(job) if job.status.is_finished() => match job.error_message {
                Some(why) => bail!("{}", why.as_str()),
                None => bail!("the job is {}", job.status),
            },
            Some(_) if worker_has_ended => bail!(export::INTERRUPTED),
            Some(_) => thread::sleep(REDRAW_INTERVAL),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_locked_by_one_run_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let lock = lock_directory(dir.path()).unwrap();
        let refused = lock_directory(dir.path()).unwrap_err();
        assert!(refused.to_string().contains("in use"), "{refused}");
        drop(lock);
        lock_directory(dir.path()).unwrap();
    }
}
