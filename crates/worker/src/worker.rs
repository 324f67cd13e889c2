//! A worker: claims stages, works on them, and stores what they found.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use lectern_db::{Database, Error};
use lectern_domain::{Claim, ClaimLimit, ClaimRequest, Invalid, JobId, Stage, Stages};
use lectern_media::{Cancel, Scratch, Tools};
use lectern_storage::ObjectKey;

use crate::failure::{chain, storable};
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
    /// What each thread works on, or what it worked on last as long as it has not
    /// looked for more.
    at_work: Mutex<Vec<Option<JobId>>>,
}

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
        let at_work = Mutex::new(vec![None; settings.concurrency.max(1)]);
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
            at_work,
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
            for thread in 0..self.at_work().len() {
                let request = &request;
                scope.spawn(move || self.serve(thread, request));
            }
        });
        Ok(())
    }

    fn at_work(&self) -> MutexGuard<'_, Vec<Option<JobId>>> {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a thread turn to a job, or to none. The copies of recordings that no
    /// thread has to do with any more make room: the scratch space is for what
    /// is worked on. Between two stages of one job its copy stays.
    fn turn_to(&self, thread: usize, job: Option<JobId>) {
        let mut at_work = self.at_work();
        at_work[thread] = job;
        self.recordings.tidy(&at_work);
    }

    /// Claims and works, one stage after the other.
    fn serve(&self, thread: usize, request: &ClaimRequest) {
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
                        self.turn_to(thread, Some(claim.job.job_id));
                        self.attempt(&claim);
                    }
                    continue;
                }
                Err(error) => {
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    log::warn!("cannot claim: {}", chain(&error));
                }
            }
            self.turn_to(thread, None);
            self.bell.wait(heard, pause);
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
        let done = self
            .find_under_lease(claim)
            .and_then(|findings| caught(|| self.complete(claim, &findings)));
        let Err(undone) = done else {
            return Ok(());
        };
        // The next attempt looks anew: somebody may replace a recording that is
        // at fault. It may begin as soon as the stage is given back.
        self.recordings.forget(claim.job.job_id);
        match undone {
            Undone::Lost(failure) => Err(failure),
            Undone::Failed(failure) => {
                self.give_back(claim, &failure);
                Err(failure)
            }
        }
    }

    /// Works on a stage, and keeps its lease meanwhile.
    fn find_under_lease(&self, claim: &Claim) -> Result<Findings, Undone> {
        let cancel = Cancel::new();
        let stopped = cancel.clone();
        let _link = self.bell.on_stop(move || stopped.cancel());
        let lease = self.settings.lease;
        let keeper = Keeper::new(self.db.clone(), claim, lease, cancel.clone())?;
        let found = caught(|| self.find(claim, &cancel, &keeper));
        let over = keeper.is_over();
        // What is left takes less than the rest of the lease, and a heartbeat
        // after it would find no lease any more.
        drop(keeper);
        if over {
            return Err(Undone::Lost(Failure::Stopped));
        }
        // A stage that stops says so in its own words, or in those of a tool.
        if cancel.is_cancelled() && found.is_err() {
            return Err(Failure::Stopped.into());
        }
        Ok(found?)
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
    fn complete(&self, claim: &Claim, findings: &Findings) -> Result<(), Undone> {
        let (job_id, lease_id) = (claim.job.job_id, claim.lease_id);
        let note = findings.note.as_deref().map(storable).transpose()?;
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
            Error::LeaseLost { .. } => Undone::Lost(Failure::Stopped),
            Error::Unavailable { .. } => Undone::Lost(error.into()),
            // The same findings would be refused again.
            Error::Constraint { .. } | Error::Invalid(_) => Failure::last(chain(&error)).into(),
            // A deadlock, a full disk: no reason to throw hours of work away.
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

/// What `act` answers; a panic is a failure like others. Stages of others run
/// here, and their mistakes end neither the thread nor the attempt unseen.
fn caught<T, E: From<Failure>>(act: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(act))
        .unwrap_or_else(|_| Err(Failure::passing("the worker made a mistake: it panicked").into()))
}

#[cfg(test)]
mod tests;
