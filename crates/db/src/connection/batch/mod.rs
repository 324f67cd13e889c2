//! Executes operations that were requested at the same time together.
//!
//! Most of the cost of a small query is the round trip to the database and the change
//! between threads. So a few threads per kind of operation take everything that has
//! gathered since they last looked, and execute it with one statement, or in one
//! transaction. There is no timer: alone, an operation is executed at once.

pub(crate) mod claims;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use lectern_domain::{
    Heartbeat, Job, JobId, LeaseId, LeaseState, NewJob, ProgressReport, StageRun,
};
use parking_lot::{Condvar, Mutex};

use self::claims::ClaimBatcher;
use super::url::Backend;
use crate::error::{Error, Outage};

/// The greatest number of operations that are executed together.
const MAX_BATCH: usize = 64;

/// How long a thread waits for further operations before it ends.
const IDLE_TIME: Duration = Duration::from_secs(10);

/// The number of threads that execute operations alone.
const MAX_ALONE: usize = 4;

/// The outcome of each operation of a batch, in their order. An error means that none of
/// them was executed.
pub(crate) type Outcomes<T> = Result<Vec<Outcome<T>>, Error>;

/// The outcome of one operation of a batch.
#[derive(Debug)]
pub(crate) enum Outcome<T> {
    Executed(Result<T, Error>),
    /// It has to be executed alone: another transaction has locked its job, for which the
    /// other operations must not wait, or its job is so large that a batch of such jobs
    /// would need too much memory.
    NotTogether,
}

/// How operations are executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// In a batch: some may be [`Outcome::NotTogether`].
    Together,
    /// One operation, which waits for locks.
    Alone,
}

/// Executes operations.
pub(crate) type Execute<Op, T> = Arc<dyn Fn(&[Op], Mode) -> Outcomes<T> + Send + Sync>;

/// Receives the result of an operation, on the thread that executed it.
pub(crate) type Reply<T> = Box<dyn FnOnce(Result<T, Error>) + Send>;

/// Executes operations of one kind on its own threads. When it is dropped, the operations
/// that are queued are still executed.
pub(crate) struct Batcher<Op, T> {
    shared: Arc<Shared<Op, T>>,
    max_threads: usize,
}

struct Shared<Op, T> {
    state: Mutex<State<Op, T>>,
    has_changed: Condvar,
}

struct State<Op, T> {
    queue: VecDeque<(Op, Reply<T>)>,
    /// Operations that are executed alone.
    alone: VecDeque<(Op, Reply<T>)>,
    /// Threads of this generation that execute batches.
    threads: usize,
    /// Threads of this generation that execute operations alone.
    alone_threads: usize,
    /// Threads of this generation that wait for operations.
    idle_threads: usize,
    /// Incremented when the threads are replaced.
    generation: u64,
    is_closed: bool,
}

/// The operations of one database that are executed together.
pub(crate) struct Batchers {
    pub(crate) claims: Arc<ClaimBatcher>,
    pub(crate) finds: Batcher<JobId, Option<Job>>,
    pub(crate) creations: Batcher<NewJob, Job>,
    pub(crate) reports: Batcher<LeasedReport, Job>,
    pub(crate) heartbeats: Batcher<(LeaseId, Heartbeat), LeaseState>,
    pub(crate) completions: Batcher<LeaseId, (Job, StageRun)>,
}

/// A report of progress under a lease, if any.
pub(crate) struct LeasedReport {
    pub(crate) job_id: JobId,
    pub(crate) lease_id: Option<LeaseId>,
    pub(crate) report: ProgressReport,
}

impl Batchers {
    pub(crate) fn new(backend: Backend) -> Arc<Self> {
        // SQLite has one writer at a time.
        let writers = match backend {
            Backend::Sqlite => 1,
            Backend::Postgres => 2,
        };
        Arc::new(Self {
            claims: ClaimBatcher::new(writers),
            finds: Batcher::new(2),
            creations: Batcher::new(writers),
            // Two threads would find jobs locked by each other.
            reports: Batcher::new(1),
            heartbeats: Batcher::new(1),
            completions: Batcher::new(1),
        })
    }

    /// See [`Batcher::replace_threads`].
    pub(crate) fn replace_threads(&self) {
        self.finds.replace_threads();
        self.creations.replace_threads();
        self.reports.replace_threads();
        self.heartbeats.replace_threads();
        self.completions.replace_threads();
    }
}

impl<Op, T> Batcher<Op, T>
where
    Op: Send + 'static,
    T: Send + 'static,
{
    pub(crate) fn new(max_threads: usize) -> Self {
        let state = State {
            queue: VecDeque::new(),
            alone: VecDeque::new(),
            threads: 0,
            alone_threads: 0,
            idle_threads: 0,
            generation: 0,
            is_closed: false,
        };
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                has_changed: Condvar::new(),
            }),
            max_threads,
        }
    }

    /// Queues an operation. `execute` is called if a thread has to be started for it.
    pub(crate) fn submit(&self, op: Op, reply: Reply<T>, execute: impl FnOnce() -> Execute<Op, T>) {
        let mut state = self.shared.state.lock();
        state.queue.push_back((op, reply));
        let must_start = state.idle_threads == 0 && state.threads < self.max_threads;
        if !must_start {
            drop(state);
            self.shared.has_changed.notify_one();
            return;
        }
        state.threads += 1;
        let generation = state.generation;
        drop(state);
        let (shared, execute) = (Arc::clone(&self.shared), execute());
        let started = thread::Builder::new()
            .name("lectern-db batch".to_owned())
            .spawn(move || shared.run(generation, &execute));
        if started.is_err() {
            self.shared.thread_failed(generation);
        }
    }

    /// Lets new threads execute the queued operations, because the database may not respond
    /// to the present ones.
    pub(crate) fn replace_threads(&self) {
        let mut state = self.shared.state.lock();
        state.generation += 1;
        state.threads = 0;
        state.alone_threads = 0;
        state.idle_threads = 0;
        drop(state);
        self.shared.has_changed.notify_all();
    }
}

impl<Op, T> Drop for Batcher<Op, T> {
    fn drop(&mut self) {
        self.shared.state.lock().is_closed = true;
        self.shared.has_changed.notify_all();
    }
}

impl<Op, T> Shared<Op, T>
where
    Op: Send + 'static,
    T: Send + 'static,
{
    /// The loop of a thread that executes batches.
    fn run(self: &Arc<Self>, generation: u64, execute: &Execute<Op, T>) {
        while let Some(batch) = self.next_batch(generation) {
            // A panic drops the replies, which the callers notice.
            let not_together = catch_unwind(AssertUnwindSafe(|| execute_batch(batch, execute)));
            for (op, reply) in not_together.unwrap_or_default() {
                self.queue_alone(op, reply, execute);
            }
        }
    }

    /// Queues an operation that has to be executed alone.
    fn queue_alone(self: &Arc<Self>, op: Op, reply: Reply<T>, execute: &Execute<Op, T>) {
        let mut state = self.state.lock();
        state.alone.push_back((op, reply));
        if state.alone_threads == MAX_ALONE {
            return;
        }
        state.alone_threads += 1;
        let generation = state.generation;
        drop(state);
        let (shared, execute) = (Arc::clone(self), Arc::clone(execute));
        let started = thread::Builder::new()
            .name("lectern-db single".to_owned())
            .spawn(move || shared.run_alone(generation, &execute));
        if started.is_err() {
            let mut state = self.state.lock();
            if state.generation == generation {
                state.alone_threads -= 1;
            }
            if state.alone_threads == 0 {
                // The callers notice that their replies are dropped.
                state.alone.clear();
            }
        }
    }

    /// The loop of a thread that executes operations alone.
    fn run_alone(&self, generation: u64, execute: &Execute<Op, T>) {
        loop {
            let (op, reply) = {
                let mut state = self.state.lock();
                if state.generation != generation {
                    return;
                }
                let Some(next) = state.alone.pop_front() else {
                    state.alone_threads -= 1;
                    return;
                };
                next
            };
            // A panic drops the reply, which the caller notices.
            let _ = catch_unwind(AssertUnwindSafe(|| {
                reply(execute_alone(&op, execute));
            }));
        }
    }

    /// Waits for operations; `None` if the thread has to end.
    fn next_batch(&self, generation: u64) -> Option<Vec<(Op, Reply<T>)>> {
        let mut state = self.state.lock();
        loop {
            if state.generation != generation {
                return None;
            }
            if !state.queue.is_empty() {
                let count = state.queue.len().min(MAX_BATCH);
                return Some(state.queue.drain(..count).collect());
            }
            if state.is_closed {
                state.threads -= 1;
                return None;
            }
            state.idle_threads += 1;
            let timed_out = self.has_changed.wait_for(&mut state, IDLE_TIME).timed_out();
            if state.generation != generation {
                return None;
            }
            state.idle_threads -= 1;
            if timed_out && state.queue.is_empty() {
                state.threads -= 1;
                return None;
            }
        }
    }

    /// After a thread could not be started: fails the queued operations if there is no
    /// thread to execute them.
    fn thread_failed(&self, generation: u64) {
        let mut state = self.state.lock();
        if state.generation == generation {
            state.threads -= 1;
        }
        if state.threads == 0 {
            // The callers notice that their replies are dropped.
            state.queue.clear();
        }
    }
}

/// Executes a batch; returns the operations that have to be executed alone.
fn execute_batch<Op, T>(
    batch: Vec<(Op, Reply<T>)>,
    execute: &Execute<Op, T>,
) -> Vec<(Op, Reply<T>)> {
    let (ops, replies): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
    let outcomes: Vec<_> = match execute(&ops, Mode::Together) {
        Ok(outcomes) => outcomes,
        Err(error) if ops.len() == 1 => vec![Outcome::Executed(Err(error))],
        Err(error) => match outage_for_each(&error, ops.len()) {
            Some(errors) => errors.into_iter().map(Err).map(Outcome::Executed).collect(),
            // One of the operations may have caused the error, so each is executed alone.
            None => ops
                .iter()
                .map(|op| execute_one(op, execute, Mode::Together))
                .collect(),
        },
    };
    let mut not_together = Vec::new();
    for ((op, reply), outcome) in ops.into_iter().zip(replies).zip(outcomes) {
        match outcome {
            Outcome::Executed(result) => reply(result),
            Outcome::NotTogether => not_together.push((op, reply)),
        }
    }
    not_together
}

fn execute_one<Op, T>(op: &Op, execute: &Execute<Op, T>, mode: Mode) -> Outcome<T> {
    match execute(slice::from_ref(op), mode).map(|mut outcomes| outcomes.pop()) {
        Ok(Some(outcome)) => outcome,
        Ok(None) => Outcome::Executed(Err(interrupted())),
        Err(error) => Outcome::Executed(Err(error)),
    }
}

/// Executes an operation alone.
fn execute_alone<Op, T>(op: &Op, execute: &Execute<Op, T>) -> Result<T, Error> {
    match execute_one(op, execute, Mode::Alone) {
        Outcome::Executed(result) => result,
        // Does not happen: it is executed alone.
        Outcome::NotTogether => Err(interrupted()),
    }
}

/// The error of an outage, once for each operation; `None` for other errors.
fn outage_for_each(error: &Error, count: usize) -> Option<Vec<Error>> {
    let Error::Unavailable {
        doing,
        outage,
        source,
    } = error
    else {
        return None;
    };
    let copy = || Error::Unavailable {
        doing: doing.clone(),
        outage: *outage,
        source: source.to_string().into(),
    };
    Some((0..count).map(|_| copy()).collect())
}

/// The outcomes of operations that were all executed together.
pub(crate) fn executed<T>(results: impl IntoIterator<Item = Result<T, Error>>) -> Vec<Outcome<T>> {
    results.into_iter().map(Outcome::Executed).collect()
}

/// Submits an operation and waits for its result.
pub(crate) fn wait<T>(submit: impl FnOnce(Reply<T>)) -> Result<T, Error>
where
    T: Send + 'static,
{
    let (sender, receiver) = sync_channel(1);
    // Does not block: the channel has capacity 1.
    submit(Box::new(move |result| drop(sender.send(result))));
    receiver.recv().unwrap_or_else(|_| Err(interrupted()))
}

/// The error of an operation whose reply was dropped.
pub(crate) fn interrupted() -> Error {
    Error::Unavailable {
        doing: "the operation was interrupted".to_owned(),
        outage: Outage::Commit,
        source: "the thread that executed it ended".into(),
    }
}
