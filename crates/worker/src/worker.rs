//! A worker: claims stages, works on them, and stores what they found.

mod attempt;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use lectern_db::Database;
use lectern_domain::{ClaimLimit, ClaimRequest, Invalid, JobId, Stages};
use lectern_media::{CancellationToken, Scratch, Tools};

use crate::failure::chain;
use crate::recordings::Recordings;
use crate::stage::StageHandler;
use crate::work_signal::WorkSignal;
use crate::{BlockingStorage, Failure, Settings};

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
    store: BlockingStorage,
    tools: Tools,
    scratch: Scratch,
    recordings: Recordings,
    settings: Settings,
    works: Vec<Box<dyn StageHandler>>,
    only: Option<JobId>,
    cancellation: CancellationToken,
    work_signal: Arc<WorkSignal>,
    at_work: Mutex<AtWork>,
}

/// Whose recordings are needed now, or are likely to be in a moment.
struct AtWork {
    /// What each thread works on, or what it worked on last as long as it has not
    /// looked for more.
    threads: Vec<Option<JobId>>,
    /// What is to be tried again, and when whoever asks for work and is not given
    /// it need not count on it any more.
    again: Vec<(JobId, Instant)>,
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
        store: BlockingStorage,
        tools: Tools,
        settings: Settings,
        works: Vec<Box<dyn StageHandler>>,
    ) -> Result<Self, Failure> {
        let scratch = Scratch::new(&settings.scratch, settings.scratch_limit)?;
        let at_work = Mutex::new(AtWork {
            threads: vec![None; settings.concurrency.max(1)],
            again: Vec::new(),
        });
        Ok(Self {
            db,
            store,
            tools,
            scratch,
            recordings: Recordings::default(),
            settings,
            works,
            only: None,
            cancellation: CancellationToken::new(),
            work_signal: Arc::default(),
            at_work,
        })
    }

    /// The same for one job only.
    pub fn for_job(self, job_id: JobId) -> Self {
        Self {
            only: Some(job_id),
            ..self
        }
    }

    /// Stops the worker when it is cancelled.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancellation
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
        let work_signal = Arc::clone(&self.work_signal);
        let _wake_on_cancel = self.cancellation.on_cancel(move || work_signal.notify());
        thread::scope(|scope| {
            for thread in 0..self.at_work().threads.len() {
                let request = &request;
                scope.spawn(move || self.serve(thread, request));
            }
        });
        Ok(())
    }

    fn at_work(&self) -> MutexGuard<'_, AtWork> {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a thread turn to a job, or to none, after it has `asked` for one. The
    /// copies of recordings that no thread has to do with any more make room: the
    /// scratch space is for what is worked on. Between two stages of one job its
    /// copy stays, and between two attempts.
    fn turn_to(&self, thread: usize, job: Option<JobId>, asked: Instant) {
        let mut at_work = self.at_work();
        at_work.threads[thread] = job;
        at_work.again.retain(|(_, until)| *until > asked);
        let again = at_work.again.iter().map(|(job, _)| job);
        let jobs: Vec<_> = at_work.threads.iter().flatten().chain(again).collect();
        self.recordings.tidy(&jobs);
    }

    /// Claims and works, one stage after the other.
    fn serve(&self, thread: usize, request: &ClaimRequest) {
        let mut pause = self.settings.poll;
        loop {
            let asked = Instant::now();
            let seen = self.work_signal.notifications();
            if self.cancellation.is_cancelled() {
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
                        self.turn_to(thread, Some(claim.job.job_id), asked);
                        self.attempt(&claim);
                    }
                    continue;
                }
                Err(error) => {
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    log::warn!("cannot claim: {}", chain(&error));
                }
            }
            self.turn_to(thread, None, asked);
            self.work_signal.wait(seen, pause);
        }
    }
}

#[cfg(test)]
mod tests;
