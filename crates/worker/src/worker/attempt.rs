//! One attempt at a claimed stage, and the report of its outcome.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use lectern_domain::{Job, Stage, VideoDuration};
use lectern_media::CancellationToken;
use lectern_storage::ObjectKey;

use super::Worker;
use crate::failure::Failure;
use crate::stage_handler::{StageContext, StageHandler};
use crate::stage_output::StageOutput;
use crate::supervision::{LeaseHeartbeat, StageDeadline};
use crate::work_source::{ClaimedStage, WorkError};

/// How long a request is retried that the service answers with a failure.
const FAILING_RETRY_TIME: Duration = Duration::from_secs(30);
/// First pause before a retry. It doubles with each retry.
const MIN_RETRY_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause before a retry.
const MAX_RETRY_PAUSE: Duration = Duration::from_secs(5);

/// Why a stage was not completed.
enum Incomplete {
    /// The lease is lost, so the failure must not be reported.
    LeaseLost(Failure),
    /// The failure has to be reported.
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for Incomplete {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Worker {
    /// Runs a claimed stage and logs the outcome.
    pub(super) fn attempt(&self, claim: &ClaimedStage) {
        let (job, stage, attempt) = (claim.job.job_id, claim.stage, claim.attempt);
        let started = Instant::now();
        log::info!("job {job}: {stage} started, attempt {attempt}");
        let outcome = self.run_claim(claim);
        let seconds = started.elapsed().as_secs_f64();
        match outcome {
            Ok(()) => {
                log::info!("job {job}: {stage} completed after {seconds:.1} s");
                // Its dependents may be ready.
                self.work_signal.notify();
            }
            Err(Failure::Cancelled) => {
                log::info!("job {job}: {stage} cancelled after {seconds:.1} s");
            }
            Err(failure) => {
                log::error!("job {job}: {stage} failed after {seconds:.1} s: {failure}");
                if will_be_retried(claim, &failure) {
                    let until = Instant::now() + claim.backoff.delay(attempt, 0.0) * 2;
                    self.active_jobs.lock().retries.push((job, until));
                }
            }
        }
    }

    /// Runs a claimed stage and reports a failure.
    pub(super) fn run_claim(&self, claim: &ClaimedStage) -> Result<(), Failure> {
        match self.run_with_heartbeat(claim) {
            Ok(()) => Ok(()),
            Err(Incomplete::LeaseLost(failure)) => Err(failure),
            Err(Incomplete::Failed(failure)) => {
                // The next attempt has to look up the recording again, because a
                // client may replace a damaged one. That attempt can start as soon
                // as the failure is reported, so the cache is cleared first. A copy is
                // expensive to fetch, so it is only removed after the last attempt.
                let is_last = !will_be_retried(claim, &failure);
                self.recordings.forget(claim.job.job_id, is_last);
                self.report_failure(claim, &failure);
                Err(failure)
            }
        }
    }

    fn run_with_heartbeat(&self, claim: &ClaimedStage) -> Result<(), Incomplete> {
        let cancellation = CancellationToken::new();
        let token = cancellation.clone();
        let _callback = self.cancellation.on_cancel(move || token.cancel());
        let heartbeat = LeaseHeartbeat::start(
            Arc::clone(&self.source),
            claim,
            self.settings.lease,
            cancellation.clone(),
        )?;
        let deadline = StageDeadline::start(
            claim.stage,
            self.initial_time_limit(&claim.job),
            cancellation.clone(),
        )?;
        let result = catch_panic(|| self.run_handler(claim, &cancellation, &heartbeat, &deadline));
        if !heartbeat.handler_returned() {
            return Err(Incomplete::LeaseLost(Failure::Cancelled));
        }
        // A cancelled handler may return any failure, such as that of a tool.
        if result.is_err()
            && !self.cancellation.is_cancelled()
            && let Some(limit) = deadline.exceeded()
        {
            let seconds = limit.as_secs_f64();
            let message = format!("the stage exceeded its time limit of {seconds} s");
            return Err(Failure::transient(message).into());
        }
        if cancellation.is_cancelled() && result.is_err() {
            return Err(Failure::Cancelled.into());
        }
        let output = result?;
        catch_panic(|| self.complete(claim, &output))
    }

    /// The time limit of a stage until it has probed the recording. The length stored
    /// with the job may come from a client, and counts up to the longest recording
    /// that is allowed.
    fn initial_time_limit(&self, job: &Job) -> Duration {
        let max = self.settings.recording_limits.max_duration.get();
        let seconds = job.video_duration.map_or(0.0, VideoDuration::get);
        self.settings.time_limit.of_recording(seconds.min(max))
    }

    fn run_handler(
        &self,
        claim: &ClaimedStage,
        cancellation: &CancellationToken,
        heartbeat: &LeaseHeartbeat,
        deadline: &StageDeadline,
    ) -> Result<StageOutput, Failure> {
        let (job_id, stage) = (claim.job.job_id, claim.stage);
        let handler = self.handler(stage)?;
        let key = claim.job.original_s3_key.as_ref();
        let key = key.ok_or_else(|| Failure::permanent("the job has no recording"))?;
        let key = ObjectKey::new(key.as_str())?;
        // Clients choose the key. It must not give them access to the files of
        // another job.
        let owner = claim.job.owner_id.as_ref();
        if key.is_forbidden_to_owner(claim.job.recording_owner(), owner) {
            let message = "the recording is among the files of another job or owner";
            return Err(Failure::permanent(message));
        }
        let dir = self.scratch.dir(&format!("{job_id}-{stage}"))?;
        let objects = self.source.objects(claim);
        handler.run(&StageContext {
            claim,
            recording_key: &key,
            recordings: &self.recordings,
            recording: OnceLock::new(),
            scratch_dir: dir.path(),
            source: self.source.as_ref(),
            objects: objects.as_ref(),
            tools: &self.tools,
            scratch: &self.scratch,
            scratch_limit: self.settings.scratch_limit,
            recording_limits: &self.settings.recording_limits,
            default_options: &self.settings.options,
            time_limit: self.settings.time_limit,
            deadline,
            cancellation,
            heartbeat,
        })
    }

    fn handler(&self, stage: Stage) -> Result<&dyn StageHandler, Failure> {
        self.handlers
            .iter()
            .find(|handler| handler.stage() == stage)
            .map(AsRef::as_ref)
            .ok_or_else(|| Failure::permanent(format!("this worker has no handler for {stage}")))
    }

    /// Completes the stage and stores its output.
    fn complete(&self, claim: &ClaimedStage, output: &StageOutput) -> Result<(), Incomplete> {
        let notes = output.notes.to_stored()?;
        self.retry(|| self.source.complete(claim, &output.rows, &notes))
            .map_err(|error| match error {
                // Also if an earlier try was successful, but its response was lost.
                WorkError::LeaseLost => Incomplete::LeaseLost(Failure::Cancelled),
                // The service was unavailable for as long as a lease lasts.
                WorkError::Unavailable(_) => Incomplete::LeaseLost(error.into()),
                // Another attempt would have the same output.
                _ => error.into(),
            })
    }

    /// Reports a failure, or releases a cancelled stage.
    fn report_failure(&self, claim: &ClaimedStage, failure: &Failure) {
        let report = failure.report();
        let reported = self.retry(|| match &report {
            Some(report) => self.source.fail(claim.lease_id, report),
            None => self.source.release(claim.lease_id),
        });
        match reported {
            Ok(()) | Err(WorkError::LeaseLost) => {}
            Err(error) => log::warn!("failed to report the outcome: {error}"),
        }
    }

    /// Retries while the service is unavailable, at most as long as a lease lasts, so that
    /// hours of work are not lost. What the service fails to do, as after a deadlock or on a
    /// full disk, is retried for [`FAILING_RETRY_TIME`].
    fn retry<T>(&self, act: impl Fn() -> Result<T, WorkError>) -> Result<T, WorkError> {
        let lease = Duration::from_secs(self.settings.lease.seconds().into());
        let (started, mut pause) = (Instant::now(), MIN_RETRY_PAUSE);
        loop {
            let (error, retry_time) = match act() {
                Err(error @ WorkError::Unavailable(_)) => (error, lease),
                Err(error @ WorkError::Failing(_)) => (error, lease.min(FAILING_RETRY_TIME)),
                result => return result,
            };
            if started.elapsed() + pause >= retry_time {
                return Err(error);
            }
            log::warn!("{error}; trying again");
            thread::sleep(pause);
            pause = (pause * 2).min(MAX_RETRY_PAUSE);
        }
    }
}

/// Whether there will be another attempt after this failure.
fn will_be_retried(claim: &ClaimedStage, failure: &Failure) -> bool {
    matches!(failure, Failure::Transient { .. }) && claim.attempt < claim.max_attempts
}

/// Turns a panic into a failure. Handlers may come from other crates, and their
/// panics must neither end the thread nor leave the attempt without a report.
fn catch_panic<T, E: From<Failure>>(act: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(act))
        .unwrap_or_else(|_| Err(Failure::transient("the stage's handler panicked").into()))
}
