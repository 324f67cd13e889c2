//! The queue of one kind of operations, and the threads that execute them.

use std::collections::{HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};
use uuid::Uuid;

use super::execute::{execute_alone, execute_batch};
use super::{Execute, Reply};

/// The greatest number of operations that are executed together.
const MAX_BATCH: usize = 64;

/// How long a thread waits for further operations before it ends.
const IDLE_TIME: Duration = Duration::from_secs(10);

/// The number of threads that execute operations alone.
const MAX_ALONE: usize = 4;

/// Executes operations of one kind on its own threads. When it is dropped, the operations
/// that are queued are still executed.
pub(crate) struct Batcher<Op, T>(Arc<Shared<Op, T>>);

struct Shared<Op, T> {
    max_threads: usize,
    key: fn(&Op) -> Uuid,
    execute: OnceLock<Execute<Op, T>>,
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
    /// Those of `threads` that wait for operations.
    idle_threads: usize,
    /// Keys of the operations that are executed alone at present.
    keys_in_progress: HashSet<Uuid>,
    /// Incremented when the threads are replaced.
    generation: u64,
    is_closed: bool,
}

impl<Op, T> Default for State<Op, T> {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            alone: VecDeque::new(),
            threads: 0,
            alone_threads: 0,
            idle_threads: 0,
            keys_in_progress: HashSet::new(),
            generation: 0,
            is_closed: false,
        }
    }
}

impl<Op, T> Batcher<Op, T>
where
    Op: Send + 'static,
    T: Send + 'static,
{
    /// `key` identifies what an operation locks. Of the operations with the same key, one at
    /// a time is executed alone.
    pub(crate) fn new(max_threads: usize, key: fn(&Op) -> Uuid) -> Self {
        Self(Arc::new(Shared {
            max_threads,
            key,
            execute: OnceLock::new(),
            state: Mutex::default(),
            has_changed: Condvar::new(),
        }))
    }

    /// Queues an operation. `execute` is called for the first one.
    pub(crate) fn submit(&self, op: Op, reply: Reply<T>, execute: impl FnOnce() -> Execute<Op, T>) {
        self.0.execute.get_or_init(execute);
        let mut state = self.0.state.lock();
        state.queue.push_back((op, reply));
        self.0.wake_or_start(state);
    }

    /// Lets new threads execute the queued operations, because the database may not respond
    /// to the present ones.
    pub(crate) fn replace_threads(&self) {
        let mut state = self.0.state.lock();
        state.generation += 1;
        state.threads = 0;
        state.idle_threads = 0;
        state.alone_threads = 0;
        state.keys_in_progress.clear();
        let has_alone = !state.alone.is_empty();
        if state.queue.is_empty() {
            drop(state);
        } else {
            self.0.wake_or_start(state);
        }
        if has_alone {
            self.0.start_alone(self.0.state.lock());
        }
        // The replaced threads end.
        self.0.has_changed.notify_all();
    }
}

impl<Op, T> Drop for Batcher<Op, T> {
    fn drop(&mut self) {
        self.0.state.lock().is_closed = true;
        self.0.has_changed.notify_all();
    }
}

impl<Op, T> Shared<Op, T>
where
    Op: Send + 'static,
    T: Send + 'static,
{
    /// Wakes a thread, or starts one if all are busy and there may be more.
    fn wake_or_start(self: &Arc<Self>, mut state: MutexGuard<'_, State<Op, T>>) {
        if state.idle_threads > 0 || state.threads == self.max_threads {
            drop(state);
            self.has_changed.notify_one();
            return;
        }
        state.threads += 1;
        let generation = state.generation;
        drop(state);
        let shared = Arc::clone(self);
        let started = thread::Builder::new()
            .name("lectern-db batch".to_owned())
            .spawn(move || shared.run(generation));
        if started.is_err() {
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

    /// Starts a thread that executes operations alone, unless there are enough.
    fn start_alone(self: &Arc<Self>, mut state: MutexGuard<'_, State<Op, T>>) {
        if state.alone_threads == MAX_ALONE {
            return;
        }
        state.alone_threads += 1;
        let generation = state.generation;
        drop(state);
        let shared = Arc::clone(self);
        let started = thread::Builder::new()
            .name("lectern-db single".to_owned())
            .spawn(move || shared.run_alone(generation));
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

    /// The loop of a thread that executes batches.
    fn run(self: &Arc<Self>, generation: u64) {
        let Some(execute) = self.execute.get() else {
            return;
        };
        while let Some(batch) = self.next_batch(generation) {
            // A panic drops the replies, which the callers notice.
            let executed = catch_unwind(AssertUnwindSafe(|| execute_batch(batch, execute)));
            let Ok(remaining) = executed else {
                continue;
            };
            if !remaining.later.is_empty() {
                let mut state = self.state.lock();
                for op in remaining.later.into_iter().rev() {
                    state.queue.push_front(op);
                }
                // If this thread was replaced, another one has to execute them.
                self.wake_or_start(state);
            }
            for (op, reply) in remaining.not_together {
                let mut state = self.state.lock();
                let is_in_progress = state.keys_in_progress.contains(&(self.key)(&op));
                state.alone.push_back((op, reply));
                if !is_in_progress {
                    self.start_alone(state);
                }
            }
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

    /// The loop of a thread that executes operations alone.
    fn run_alone(&self, generation: u64) {
        let Some(execute) = self.execute.get() else {
            return;
        };
        while let Some((op, reply)) = self.next_alone(generation) {
            let key = (self.key)(&op);
            // A panic drops the reply, which the caller notices.
            let _ = catch_unwind(AssertUnwindSafe(|| reply(execute_alone(&op, execute))));
            let mut state = self.state.lock();
            if state.generation == generation {
                state.keys_in_progress.remove(&key);
            }
        }
    }

    /// The next operation whose key is not in progress; `None` if the thread has to end.
    fn next_alone(&self, generation: u64) -> Option<(Op, Reply<T>)> {
        let mut state = self.state.lock();
        if state.generation != generation {
            return None;
        }
        let is_free = |(op, _): &(Op, _)| !state.keys_in_progress.contains(&(self.key)(op));
        let position = state.alone.iter().position(is_free);
        let next = position.and_then(|position| state.alone.remove(position));
        match &next {
            Some((op, _)) => {
                state.keys_in_progress.insert((self.key)(op));
            }
            // The threads that have the keys in progress take the others of the queue.
            None => state.alone_threads -= 1,
        }
        next
    }
}
