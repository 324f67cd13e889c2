//! An attempt: a claimed stage is worked on, and what was found is stored, or
//! why nothing was.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use lectern_db::Error;
use lectern_domain::{Claim, Stage, retry_delay};
use lectern_media::CancellationToken;
use lectern_storage::ObjectKey;

use super::Worker;
use crate::Failure;
use crate::failure::{chain, storable};
use crate::keeper::Keeper;
use crate::stage::{StageContext, StageHandler, StageOutput};

/// For how long the database is asked again to do what it could not.
const AGAIN: Duration = Duration::from_secs(30);

/// Why a stage is not completed.
enum Undone {
    /// Nothing may be written under its lease any more.
    Lost(Failure),
    /// It has to be given back.
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for Undone {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Worker {
    /// Works on a stage and tells what became of it.
    pub(super) fn attempt(&self, claim: &Claim) {
        let (job, stage, attempt) = (claim.job.job_id, claim.run.stage, claim.run.attempt);
        let began = Instant::now();
        log::info!("job {job}: {stage} begins, attempt {attempt}");
        let done = self.work_on(claim);
        let took = began.elapsed().as_secs_f64();
        match done {
            Ok(()) => {
                log::info!("job {job}: {stage} is done after {took:.1} s");
                // What waited for it can begin.
                self.work_signal.notify();
            }
            Err(Failure::Cancelled) => log::info!("job {job}: {stage} stopped after {took:.1} s"),
            Err(failure) => {
                log::error!("job {job}: {stage} failed after {took:.1} s: {failure}");
                if is_tried_again(claim, &failure) {
                    let until = Instant::now() + retry_delay(attempt, 0.0) * 2;
                    self.at_work().again.push((job, until));
                }
            }
        }
    }

    pub(super) fn work_on(&self, claim: &Claim) -> Result<(), Failure> {
        match self.work_under_lease(claim) {
            Ok(()) => Ok(()),
            Err(Undone::Lost(failure)) => Err(failure),
            Err(Undone::Failed(failure)) => {
                // The next attempt looks anew: somebody may replace a recording that
                // is at fault. It may begin as soon as the stage is given back. Copies
                // cost much: they go only when the job has come to its end.
                let is_over = !is_tried_again(claim, &failure);
                self.recordings.forget(claim.job.job_id, is_over);
                self.give_back(claim, &failure);
                Err(failure)
            }
        }
    }

    /// Works on a stage and completes it, and keeps its lease meanwhile.
    fn work_under_lease(&self, claim: &Claim) -> Result<(), Undone> {
        let cancel = CancellationToken::new();
        let stopped = cancel.clone();
        let _link = self.cancellation.on_cancel(move || stopped.cancel());
        let lease = self.settings.lease;
        let keeper = Keeper::new(self.db.clone(), claim, lease, cancel.clone())?;
        let found = caught(|| self.find(claim, &cancel, &keeper));
        if !keeper.work_is_done() {
            return Err(Undone::Lost(Failure::Cancelled));
        }
        // A stage that stops says so in its own words, or in those of a tool.
        if cancel.is_cancelled() && found.is_err() {
            return Err(Failure::Cancelled.into());
        }
        let findings = found?;
        caught(|| self.complete(claim, &findings))
    }

    fn find(
        &self,
        claim: &Claim,
        cancel: &CancellationToken,
        keeper: &Keeper,
    ) -> Result<StageOutput, Failure> {
        let (job_id, stage) = (claim.job.job_id, claim.run.stage);
        let work = self.work(stage)?;
        let key = claim.job.original_s3_key.as_ref();
        let key = key.ok_or_else(|| Failure::permanent("the job has no recording"))?;
        let key = ObjectKey::new(key.as_str())?;
        // A key is only said: it gives nobody what another job is made of.
        if key.belongs_to_another_job(job_id) {
            let why = "the recording lies with the files of another job";
            return Err(Failure::permanent(why));
        }
        let dir = self.scratch.dir(&format!("{job_id}-{stage}"))?;
        work.run(&StageContext {
            job: &claim.job,
            original: &key,
            recordings: &self.recordings,
            recording: OnceLock::new(),
            dir: dir.path(),
            db: &self.db,
            store: &self.store,
            tools: &self.tools,
            scratch: &self.scratch,
            room: self.settings.scratch_limit,
            cancel,
            keeper,
        })
    }

    fn work(&self, stage: Stage) -> Result<&dyn StageHandler, Failure> {
        self.works
            .iter()
            .find(|work| work.stage() == stage)
            .map(AsRef::as_ref)
            .ok_or_else(|| Failure::permanent(format!("nobody here can do {stage}")))
    }

    /// Stores what was found and completes the stage, all or nothing. Tries for
    /// as long as the lease may last.
    fn complete(&self, claim: &Claim, findings: &StageOutput) -> Result<(), Undone> {
        let (job_id, lease_id) = (claim.job.job_id, claim.lease_id);
        let note = findings.note.as_deref().map(storable).transpose()?;
        self.insist(|| {
            self.db.write(|tx| {
                tx.work()
                    .guard(job_id, &[claim.run.stage], Some(lease_id))?;
                // Before what was found, which may take longer to store than the
                // lease lasts; nobody sees the one without the other.
                tx.work().complete_saying(lease_id, note.as_ref())?;
                (findings.store)(tx, job_id)
            })
        })
        .map_err(|error| match error {
            // The answer to the first try may be what was lost.
            Error::LeaseLost { .. } | Error::JobNotFound { .. } => Undone::Lost(Failure::Cancelled),
            Error::Unavailable { .. } => Undone::Lost(error.into()),
            // The same findings would be refused again.
            Error::Constraint { .. } | Error::Invalid(_) => {
                Failure::permanent(chain(&error)).into()
            }
            _ => error.into(),
        })
    }

    /// Says that the stage came to nothing, or that it was not worked on to its
    /// end.
    fn give_back(&self, claim: &Claim, failure: &Failure) {
        let said = self.insist(|| {
            self.db.write(|tx| match failure.report() {
                Some(report) => tx.work().fail(claim.lease_id, &report),
                None => tx.work().release(claim.lease_id),
            })
        });
        match said {
            Ok(_) | Err(Error::LeaseLost { .. }) => {}
            Err(error) => log::warn!("cannot tell what became of it: {}", chain(&error)),
        }
    }

    /// Tries again while the database does not answer, for as long as a lease
    /// lasts, and for a while what it cannot do (a deadlock, a full disk): no
    /// reason to throw hours of work away.
    fn insist<T>(&self, act: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
        let lease = Duration::from_secs(self.settings.lease.seconds().into());
        let (began, mut pause) = (Instant::now(), Duration::from_millis(100));
        loop {
            let error = match act() {
                Err(error) if error.is_transient() || matches!(error, Error::Query { .. }) => error,
                done => return done,
            };
            let patience = match error {
                Error::Unavailable { .. } => lease,
                _ => lease.min(AGAIN),
            };
            if began.elapsed() + pause >= patience {
                return Err(error);
            }
            log::warn!("{}; trying again", chain(&error));
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }
}

/// Whether there will be another attempt after this failure.
fn is_tried_again(claim: &Claim, failure: &Failure) -> bool {
    matches!(failure, Failure::Transient { .. }) && claim.run.attempt < claim.run.max_attempts
}

/// What `act` answers; a panic is a failure like others. Stages of others run
/// here, and their mistakes end neither the thread nor the attempt unseen.
fn caught<T, E: From<Failure>>(act: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|_| {
        Err(Failure::transient("the worker made a mistake: it panicked").into())
    })
}
