//! A worker: claims stages and runs their handlers.

mod attempt;
mod work_signal;

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use lectern_domain::{ClaimLimit, ClaimRequest, JobId, Stages};
use lectern_media::{CancellationToken, Scratch, Tools};
use parking_lot::Mutex;

use self::work_signal::WorkSignal;
use crate::failure::Failure;
use crate::recording_cache::RecordingCache;
use crate::settings::Settings;
use crate::stage_handler::StageHandler;
use crate::work_source::{WorkError, WorkSource};

/// Longest pause after repeated errors of the service.
const MAX_ERROR_PAUSE: Duration = Duration::from_secs(30);

/// Threads that claim stages, run their handlers, and store the results.
///
/// A worker that is cancelled releases its stages, which another worker can claim
/// at once. The stages of a worker that was killed can be claimed when their
/// leases have expired.
pub struct Worker {
    source: Arc<dyn WorkSource>,
    tools: Tools,
    scratch: Scratch,
    recordings: RecordingCache,
    settings: Settings,
    handlers: Vec<Box<dyn StageHandler>>,
    only_job: Option<JobId>,
    /// Why the service refused all further claims.
    refusal: Mutex<Option<WorkError>>,
    cancellation: CancellationToken,
    work_signal: Arc<WorkSignal>,
    active_jobs: Mutex<ActiveJobs>,
}

/// The jobs whose recordings are needed now, or probably soon.
struct ActiveJobs {
    /// For each thread, the job of its current stage. Between two stages it is the
    /// job of the last one, whose next stage the thread may claim.
    by_thread: Vec<Option<JobId>>,
    /// Jobs with a stage that will be retried, each with the time at which the
    /// entry expires.
    retries: Vec<(JobId, Instant)>,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("settings", &self.settings)
            .field("only_job", &self.only_job)
            .finish_non_exhaustive()
    }
}

impl Worker {
    /// A worker with these handlers for the stages of `source`. It claims only stages that have
    /// a handler and are in the settings.
    pub fn new(
        source: impl WorkSource + 'static,
        tools: Tools,
        settings: Settings,
        handlers: Vec<Box<dyn StageHandler>>,
    ) -> Result<Self, Failure> {
        let scratch = Scratch::new(&settings.scratch_dir, settings.scratch_limit)?;
        let active_jobs = Mutex::new(ActiveJobs {
            by_thread: vec![None; settings.concurrency.max(1)],
            retries: Vec::new(),
        });
        Ok(Self {
            source: Arc::new(source),
            tools,
            scratch,
            recordings: RecordingCache::default(),
            settings,
            handlers,
            only_job: None,
            refusal: Mutex::new(None),
            cancellation: CancellationToken::new(),
            work_signal: Arc::default(),
            active_jobs,
        })
    }

    /// Restricts the worker to one job.
    pub fn for_job(self, job_id: JobId) -> Self {
        Self {
            only_job: Some(job_id),
            ..self
        }
    }

    /// Cancelling this token stops the worker.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancellation
    }

    /// Runs until the worker is cancelled.
    ///
    /// # Errors
    ///
    /// If no stage in the settings has a handler, or the service does not let this worker claim
    /// them.
    pub fn run(&self) -> Result<(), Failure> {
        let wanted = Stages::new(self.settings.stages.clone())?;
        let stages = self
            .handlers
            .iter()
            .map(|handler| handler.stage())
            .filter(|stage| wanted.as_slice().contains(stage))
            .collect();
        let request = ClaimRequest {
            worker: self.settings.name.clone(),
            stages: Stages::new(stages)?,
            max: ClaimLimit::default(),
            lease: self.settings.lease,
        };
        let work_signal = Arc::clone(&self.work_signal);
        let _wake_on_cancel = self.cancellation.on_cancel(move || work_signal.notify());
        let thread_count = self.active_jobs.lock().by_thread.len();
        thread::scope(|scope| {
            for thread in 0..thread_count {
                let request = &request;
                scope.spawn(move || self.run_thread(thread, request));
            }
        });
        match self.refusal.lock().take() {
            Some(refusal) => Err(refusal.into()),
            None => Ok(()),
        }
    }

    /// Records which job a thread works on, and removes the recordings of jobs
    /// that are no longer active.
    ///
    /// `polled_at` is the time just before the thread's last claim. Retries that had
    /// expired by then are forgotten: the claim could have returned them. Retries that
    /// expired later, during a long attempt, are kept until the next claim.
    fn set_active_job(&self, thread: usize, job: Option<JobId>, polled_at: Instant) {
        let mut active = self.active_jobs.lock();
        active.by_thread[thread] = job;
        active.retries.retain(|(_, until)| *until > polled_at);
        let retries = active.retries.iter().map(|(job, _)| job);
        let jobs: Vec<_> = active.by_thread.iter().flatten().chain(retries).collect();
        self.recordings.remove_unused(&jobs);
    }

    fn run_thread(&self, thread: usize, request: &ClaimRequest) {
        let mut pause = self.settings.poll_interval;
        loop {
            let polled_at = Instant::now();
            let seen = self.work_signal.notification_count();
            if self.cancellation.is_cancelled() {
                return;
            }
            let claimed = self
                .source
                .claim(request, self.only_job, &self.cancellation);
            match claimed {
                Ok(claims) if claims.is_empty() => pause = self.settings.poll_interval,
                Ok(claims) => {
                    pause = self.settings.poll_interval;
                    for claim in claims {
                        self.set_active_job(thread, Some(claim.job.job_id), polled_at);
                        self.attempt(&claim);
                    }
                    continue;
                }
                Err(error @ WorkError::NotAllowed(_)) => {
                    // It would be refused again.
                    self.refusal.lock().get_or_insert(error);
                    self.cancellation.cancel();
                    return;
                }
                Err(error) => {
                    pause = (pause * 2).min(MAX_ERROR_PAUSE);
                    log::warn!("failed to claim a stage: {error}");
                }
            }
            self.set_active_job(thread, None, polled_at);
            self.work_signal.wait(seen, pause);
        }
    }
}

#[cfg(test)]
mod tests;
