//! A worker: claims stages, works on them, and stores what they found.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use lectern_db::{Database, Error};
use lectern_domain::{Claim, ClaimLimit, ClaimRequest, Invalid, JobId, LongText, Stage, Stages};
use lectern_media::{Cancel, Scratch, Tools};
use lectern_storage::ObjectKey;

use crate::failure::chain;
use crate::keeper::Keeper;
use crate::recordings::Recordings;
use crate::task::{Findings, StageWork, Task};
use crate::{Bell, Failure, Settings, Store};

/// The longest pause after an error of the database.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A worker: some threads that claim stages, work on them, and store what they
/// found.
///
/// Whatever it is told to stop for, a stage it gives back can be claimed by
/// another at once. What it could not give back, because it was killed, can be
/// claimed when its lease has expired.
pub struct Worker {
    db: Database,
    store: Store,
    tools: Tools,
    scratch: Scratch,
    recordings: Recordings,
    settings: Settings,
    works: Vec<Box<dyn StageWork>>,
    only: Option<JobId>,
    bell: Arc<Bell>,
    /// How many threads wait for something to do.
    idle: AtomicUsize,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("settings", &self.settings)
            .field("only", &self.only)
            .finish_non_exhaustive()
    }
}

impl Worker {
    /// A worker that does `works`, as far as its settings name them.
    pub fn new(
        db: Database,
        store: Store,
        tools: Tools,
        settings: Settings,
        works: Vec<Box<dyn StageWork>>,
    ) -> Result<Self, Failure> {
        let scratch = Scratch::new(&settings.scratch, settings.scratch_limit)?;
        Ok(Self {
            db,
            store,
            tools,
            scratch,
            recordings: Recordings::default(),
            settings,
            works,
            only: None,
            bell: Arc::default(),
            idle: AtomicUsize::new(0),
        })
    }

    /// The same for one job only.
    pub fn only(self, job_id: JobId) -> Self {
        Self {
            only: Some(job_id),
            ..self
        }
    }

    /// What wakes it and ends it.
    pub fn bell(&self) -> Arc<Bell> {
        Arc::clone(&self.bell)
    }

    /// Works until it is told to stop.
    ///
    /// # Errors
    ///
    /// When it is to do nothing at all.
    pub fn run(&self) -> Result<(), Invalid> {
        let mut request = ClaimRequest {
            worker: self.settings.name.clone(),
            stages: Stages::new(self.settings.stages.clone())?,
            max: ClaimLimit::default(),
            lease: self.settings.lease,
        };
        request.stages = Stages::new(
            self.works
                .iter()
                .map(|work| work.stage())
                .filter(|stage| request.stages.as_slice().contains(stage))
                .collect(),
        )?;
        thread::scope(|scope| {
            for _ in 0..self.threads() {
                scope.spawn(|| self.serve(&request));
            }
        });
        Ok(())
    }

    fn threads(&self) -> usize {
        self.settings.concurrency.max(1)
    }

    /// Claims and works, one stage after the other.
    fn serve(&self, request: &ClaimRequest) {
        let mut pause = self.settings.poll;
        loop {
            let heard = self.bell.heard();
            if self.bell.is_stopped() {
                return;
            }
            let claimed = match self.only {
                Some(job_id) => self.db.write(|tx| tx.work().claim_from(job_id, request)),
                None => self.db.claim(request),
            };
            match claimed {
                Ok(claims) if claims.is_empty() => pause = self.settings.poll,
                Ok(claims) => {
                    pause = self.settings.poll;
                    for claim in claims {
                        self.attempt(&claim);
                    }
                    continue;
                }
                Err(error) => {
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    log::warn!("cannot claim: {}", chain(&error));
                }
            }
            // As long as one is at work, its job's next stage is likely to be ours.
            if self.idle.fetch_add(1, Ordering::SeqCst) + 1 == self.threads() {
                self.recordings.tidy();
            }
            self.bell.wait(heard, pause);
            self.idle.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Works on a stage and tells what became of it.
    fn attempt(&self, claim: &Claim) {
        let (job, stage, attempt) = (claim.job.job_id, claim.run.stage, claim.run.attempt);
        let began = Instant::now();
        log::info!("job {job}: {stage} begins, attempt {attempt}");
        let done = self.work_on(claim);
        let took = began.elapsed().as_secs_f64();
        match done {
            Ok(()) => {
                log::info!("job {job}: {stage} is done after {took:.1} s");
                // What waited for it can begin.
                self.bell.wake();
            }
            Err(Failure::Stopped) => log::info!("job {job}: {stage} stopped after {took:.1} s"),
            Err(failure) => log::error!("job {job}: {stage} failed after {took:.1} s: {failure}"),
        }
    }

    fn work_on(&self, claim: &Claim) -> Result<(), Failure> {
        let cancel = Cancel::new();
        let stopped = cancel.clone();
        let _link = self.bell.on_stop(move || stopped.cancel());
        let lease = self.settings.lease;
        let keeper = Keeper::new(self.db.clone(), claim, lease, cancel.clone())?;
        let found = catch_unwind(AssertUnwindSafe(|| self.find(claim, &cancel, &keeper)))
            .unwrap_or_else(|_| Err(Failure::passing("the worker made a mistake: it panicked")));
        // A stage that stops says so in its own words, or in those of a tool.
        let found = if cancel.is_cancelled() && found.is_err() {
            Err(Failure::Stopped)
        } else {
            found
        };
        let over = keeper.is_over();
        // What is left takes less than the rest of the lease, and a heartbeat
        // after it would find no lease any more.
        drop(keeper);
        match found {
            _ if over => Err(Failure::Stopped),
            Ok(findings) => self.complete(claim, &findings),
            Err(failure) => {
                self.give_back(claim, &failure);
                Err(failure)
            }
        }
    }

    fn find(&self, claim: &Claim, cancel: &Cancel, keeper: &Keeper) -> Result<Findings, Failure> {
        let stage = claim.run.stage;
        let work = self.work(stage)?;
        let dir = self.scratch.dir(&format!("{}-{stage}", claim.job.job_id))?;
        let key = claim.job.original_s3_key.as_ref();
        let key = key.ok_or_else(|| Failure::last("the job has no recording"))?;
        let key = ObjectKey::new(key.as_str())?;
        work.run(&Task {
            job: &claim.job,
            original: &key,
            recordings: &self.recordings,
            recording: OnceLock::new(),
            dir: dir.path(),
            db: &self.db,
            store: &self.store,
            tools: &self.tools,
            scratch: &self.scratch,
            cancel,
            keeper,
        })
    }

    fn work(&self, stage: Stage) -> Result<&dyn StageWork, Failure> {
        self.works
            .iter()
            .find(|work| work.stage() == stage)
            .map(AsRef::as_ref)
            .ok_or_else(|| Failure::last(format!("nobody here can do {stage}")))
    }

    /// Stores what was found and completes the stage, all or nothing. Tries for
    /// as long as the lease may last.
    fn complete(&self, claim: &Claim, findings: &Findings) -> Result<(), Failure> {
        let (job_id, lease_id) = (claim.job.job_id, claim.lease_id);
        let note = findings.note.as_deref().map(LongText::new).transpose()?;
        self.insist(|| {
            self.db.write(|tx| {
                tx.work()
                    .guard(job_id, &[claim.run.stage], Some(lease_id))?;
                (findings.store)(tx, job_id)?;
                tx.work().complete_saying(lease_id, note.as_ref())
            })
        })
        .map(drop)
        .map_err(|error| match error {
            // The answer to the first try may be what was lost.
            Error::LeaseLost { .. } => Failure::Stopped,
            Error::Unavailable { .. } => error.into(),
            error => {
                let failure = Failure::last(chain(&error));
                self.give_back(claim, &failure);
                failure
            }
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
    /// lasts.
    fn insist<T>(&self, act: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
        let until = Instant::now() + Duration::from_secs(self.settings.lease.seconds().into());
        let mut pause = Duration::from_millis(100);
        loop {
            match act() {
                Err(error @ Error::Unavailable { .. }) if Instant::now() + pause < until => {
                    log::warn!("{}; trying again", chain(&error));
                    thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
                done => return done,
            }
        }
    }
}

#[cfg(test)]
mod tests;
