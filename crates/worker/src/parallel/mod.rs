//! Parallel work, limited to the number of processors.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::{mem, panic, thread};

use lectern_media::CancellationToken;
use parking_lot::{Condvar, Mutex};

use crate::failure::Failure;

/// One permit per processor, for all parallel work of this process.
static PROCESSOR_PERMITS: Permits = Permits::new();

/// Calls `act` with the index and the value of each item, and returns the results
/// in the order of the items. All calls together process at most one item per
/// processor at a time. `act` must not call this function, because that can
/// deadlock.
///
/// After an error, a panic or cancellation no further item is started. The items
/// already started are completed first; then the first error is returned, or the
/// panic resumed. Cancellation does not wait for a permit.
pub(crate) fn map<T: Sync, R: Send>(
    cancellation: &CancellationToken,
    items: &[T],
    act: impl Fn(usize, &T) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, Failure> {
    map_with(&PROCESSOR_PERMITS, cancellation, items, act)
}

fn map_with<T: Sync, R: Send>(
    permits: &'static Permits,
    cancellation: &CancellationToken,
    items: &[T],
    act: impl Fn(usize, &T) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, Failure> {
    let _callback = cancellation.on_cancel(move || permits.wake_waiting());
    let next = AtomicUsize::new(0);
    let (sender, results) = mpsc::channel();
    let work = || {
        loop {
            let is_needed =
                || !cancellation.is_cancelled() && next.load(Ordering::SeqCst) < items.len();
            let Some(_permit) = permits.acquire_while(is_needed) else {
                return;
            };
            // Declared after the permit and so dropped before it: the remaining items
            // are skipped before another thread gets the permit.
            let skip_rest = SkipRest {
                next: &next,
                count: items.len(),
            };
            let i = next.fetch_add(1, Ordering::SeqCst);
            let Some(item) = items.get(i) else {
                return;
            };
            let result = act(i, item).map(|value| (i, value));
            let has_failed = result.is_err();
            // The receiver lives until all threads have ended.
            let _ = sender.send(result);
            if has_failed {
                return;
            }
            mem::forget(skip_rest);
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..processor_count().min(items.len()))
            .map(|_| scope.spawn(work))
            .collect();
        for thread in threads {
            if let Err(panicked) = thread.join() {
                panic::resume_unwind(panicked);
            }
        }
    });
    drop(sender);
    let mut values = results.into_iter().collect::<Result<Vec<_>, _>>()?;
    if values.len() < items.len() {
        return Err(Failure::Cancelled);
    }
    values.sort_unstable_by_key(|(i, _)| *i);
    Ok(values.into_iter().map(|(_, value)| value).collect())
}

/// Skips the remaining items when it is dropped: after an error, a panic, or the
/// last item.
struct SkipRest<'a> {
    /// Index of the next item.
    next: &'a AtomicUsize,
    /// Number of items.
    count: usize,
}

impl Drop for SkipRest<'_> {
    fn drop(&mut self) {
        self.next.store(self.count, Ordering::SeqCst);
    }
}

/// A semaphore with one permit per processor. Permits are granted in the order of
/// the requests, so a call with many items does not starve others.
struct Permits {
    queue: Mutex<Queue>,
    changed: Condvar,
}

struct Queue {
    /// Number of permits granted.
    granted: usize,
    /// Tickets of the waiting requests, in order.
    waiting: VecDeque<u64>,
    next_ticket: u64,
}

impl Permits {
    const fn new() -> Self {
        Self {
            queue: Mutex::new(Queue {
                granted: 0,
                waiting: VecDeque::new(),
                next_ticket: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// Makes all waiting requests check again whether they are still needed.
    fn wake_waiting(&self) {
        // Taking the lock makes sure that no thread is between checking and
        // waiting.
        drop(self.queue.lock());
        self.changed.notify_all();
    }

    /// Waits for a permit. Returns `None` if `is_needed` returns false first. Once
    /// `is_needed` has returned false, it must never return true.
    fn acquire_while(&self, is_needed: impl Fn() -> bool) -> Option<Permit<'_>> {
        let mut queue = self.queue.lock();
        let ticket = queue.next_ticket;
        queue.next_ticket += 1;
        queue.waiting.push_back(ticket);
        self.changed.wait_while(&mut queue, |queue| {
            is_needed()
                && (queue.waiting.front() != Some(&ticket) || queue.granted >= processor_count())
        });
        queue.waiting.retain(|other| *other != ticket);
        let permit = is_needed().then(|| {
            queue.granted += 1;
            Permit(self)
        });
        // The next request in the queue may get a permit too.
        self.changed.notify_all();
        permit
    }
}

fn processor_count() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Dropping it returns the permit to the semaphore.
struct Permit<'a>(&'a Permits);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.queue.lock().granted -= 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests;
