//! Things done at once, as many as there are processors.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::{mem, panic, thread};

use lectern_media::CancellationToken;

use crate::Failure;

/// Those of this machine, shared by all that is done at once in this process.
static PROCESSORS: Processors = Processors::new();

/// Does `act` to each of the items, of which it is also told the index. All
/// calls together do so to as many items at once as there are processors; one
/// call that is alone has them all. Answers what came of the items, in their
/// order. `act` must not call this: it might wait for itself.
///
/// After an error no other item is begun. Those that are under way come to
/// their end, and then the error that was first is the answer. The same goes
/// for a panic, which goes on in the caller, and when somebody cancels: nobody
/// waits for a processor then.
pub(crate) fn map<T: Sync, R: Send>(
    cancel: &CancellationToken,
    items: &[T],
    act: impl Fn(usize, &T) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, Failure> {
    map_on(&PROCESSORS, cancel, items, act)
}

fn map_on<T: Sync, R: Send>(
    processors: &'static Processors,
    cancel: &CancellationToken,
    items: &[T],
    act: impl Fn(usize, &T) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, Failure> {
    let _link = cancel.on_cancel(move || processors.look_again());
    let next = AtomicUsize::new(0);
    let (tell, told) = mpsc::channel();
    let work = || {
        loop {
            let left = || !cancel.is_cancelled() && next.load(Ordering::SeqCst) < items.len();
            let Some(_turn) = processors.turn(left) else {
                return;
            };
            // Dropped before another has its turn.
            let end = End(&next, items.len());
            let i = next.fetch_add(1, Ordering::SeqCst);
            let Some(item) = items.get(i) else {
                return;
            };
            let done = act(i, item).map(|done| (i, done));
            let failed = done.is_err();
            // Who listens is there until all threads have ended.
            let _ = tell.send(done);
            if failed {
                return;
            }
            mem::forget(end);
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count().min(items.len()))
            .map(|_| scope.spawn(work))
            .collect();
        for thread in threads {
            if let Err(panicked) = thread.join() {
                panic::resume_unwind(panicked);
            }
        }
    });
    drop(tell);
    let mut done = told.into_iter().collect::<Result<Vec<_>, _>>()?;
    if done.len() < items.len() {
        return Err(Failure::Cancelled);
    }
    done.sort_unstable_by_key(|(i, _)| *i);
    Ok(done.into_iter().map(|(_, done)| done).collect())
}

/// Leaves nothing to be begun once a thread ends: it ends when there is nothing
/// left, after an error, or by a panic.
struct End<'a>(&'a AtomicUsize, usize);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(self.1, Ordering::SeqCst);
    }
}

/// Processors that are handed out in the order in which they are asked for: who
/// has many items does not keep others from theirs.
struct Processors {
    line: Mutex<Line>,
    changed: Condvar,
}

struct Line {
    /// How many processors somebody has.
    used: usize,
    /// Who waits for one.
    waiting: VecDeque<u64>,
    /// What to call the next who asks.
    next: u64,
}

impl Processors {
    const fn new() -> Self {
        let line = Line {
            used: 0,
            waiting: VecDeque::new(),
            next: 0,
        };
        Self {
            line: Mutex::new(line),
            changed: Condvar::new(),
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has all who wait look whether they still have to.
    fn look_again(&self) {
        // Whoever is about to wait has the lock, or has looked.
        drop(self.line());
        self.changed.notify_all();
    }

    /// Waits for a processor for as long as there is something `left` to do with
    /// it; `None` when there is not. What is not left once is never again.
    fn turn(&self, left: impl Fn() -> bool) -> Option<Turn<'_>> {
        let mut line = self.line();
        let me = line.next;
        line.next += 1;
        line.waiting.push_back(me);
        let waits =
            |line: &mut Line| left() && (line.waiting.front() != Some(&me) || line.used >= count());
        let waited = self.changed.wait_while(line, waits);
        line = waited.unwrap_or_else(PoisonError::into_inner);
        line.waiting.retain(|other| *other != me);
        let turn = left().then(|| {
            line.used += 1;
            Turn(self)
        });
        // Whoever is first in line now.
        self.changed.notify_all();
        turn
    }
}

/// How many there are.
fn count() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// A processor until it is dropped.
struct Turn<'a>(&'a Processors);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.line().used -= 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::panic::AssertUnwindSafe;
    use std::sync::Barrier;

    use super::*;

    fn processors() -> &'static Processors {
        Box::leak(Box::new(Processors::new()))
    }

    fn map_alone<T: Sync, R: Send>(
        items: &[T],
        act: impl Fn(usize, &T) -> Result<R, Failure> + Sync,
    ) -> Result<Vec<R>, Failure> {
        map_on(processors(), &CancellationToken::new(), items, act)
    }

    #[test]
    fn what_comes_of_items_is_in_their_order() {
        let items: Vec<_> = (0..1000).collect();
        let done = map_alone(&items, |i, item| {
            assert_eq!(i, *item);
            // Some take longer than those after them.
            for _ in 0..(i % 7) {
                thread::yield_now();
            }
            Ok(item * 2)
        });
        assert_eq!(done.unwrap(), (0..2000).step_by(2).collect::<Vec<_>>());
    }

    #[test]
    fn of_nothing_comes_nothing() {
        let done = map_alone(&[(); 0], |_, ()| {
            Err::<(), _>(Failure::permanent("it was done"))
        });
        assert!(done.unwrap().is_empty());
    }

    #[test]
    fn as_many_are_done_at_once_as_there_are_processors() {
        // Nobody gets past it unless all are there.
        let all = Barrier::new(count());
        let items = vec![(); count() * 3];
        let done = map_alone(&items, |_, ()| {
            all.wait();
            Ok(())
        });
        assert_eq!(done.unwrap(), items);
    }

    #[test]
    fn two_calls_at_once_share_the_processors() {
        let (processors, go_on) = (processors(), CancellationToken::new());
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let began = || most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let ended = || now.fetch_sub(1, Ordering::SeqCst);
        let (all, second) = (Barrier::new(count() + 1), AtomicUsize::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                map_on(processors, &go_on, &vec![(); count()], |_, ()| {
                    began();
                    all.wait();
                    // Until the second call waits, or does what it must not.
                    while processors.line().waiting.is_empty() && second.load(Ordering::SeqCst) == 0
                    {
                        thread::yield_now();
                    }
                    ended();
                    Ok(())
                })
            });
            all.wait();
            let items = vec![(); count() * 3];
            let done = map_on(processors, &go_on, &items, |_, ()| {
                began();
                second.fetch_add(1, Ordering::SeqCst);
                ended();
                Ok(())
            });
            assert_eq!(done.unwrap(), items);
        });
        assert_eq!(most.into_inner(), count());
    }

    #[test]
    fn who_has_nothing_left_to_do_leaves_the_line() {
        let processors = Processors::new();
        let all: Vec<_> = (0..count()).map(|_| processors.turn(|| true)).collect();
        assert!(processors.turn(|| false).is_none());
        drop(all);
        assert!(processors.turn(|| true).is_some());
    }

    #[test]
    fn whoever_cancels_does_not_wait_for_a_processor() {
        let (processors, cancel) = (processors(), CancellationToken::new());
        let all: Vec<_> = (0..count()).map(|_| processors.turn(|| true)).collect();
        thread::scope(|scope| {
            let waits = scope.spawn(|| {
                map_on(processors, &cancel, &[()], |_, ()| -> Result<(), _> {
                    panic!("it was begun")
                })
            });
            while processors.line().waiting.is_empty() {
                thread::yield_now();
            }
            cancel.cancel();
            let stopped = waits.join().unwrap();
            assert!(matches!(stopped, Err(Failure::Cancelled)), "{stopped:?}");
        });
        drop(all);
    }

    thread_local! {
        /// Dropped when its thread has ended.
        static ENDED: RefCell<Option<mpsc::Sender<()>>> = const { RefCell::new(None) };
    }

    /// Has the first item end in `how`, and all others that are begun go on
    /// until its thread has ended. Answers how many were begun, and what came of
    /// all.
    fn after(
        how: impl Fn() -> Result<(), Failure> + Sync,
    ) -> (usize, thread::Result<Result<Vec<()>, Failure>>) {
        let (ended, ends) = mpsc::channel();
        let (ended, ends) = (Mutex::new(Some(ended)), Mutex::new(ends));
        let (begun, all) = (AtomicUsize::new(0), Barrier::new(count()));
        let act = |i: usize, (): &()| {
            begun.fetch_add(1, Ordering::SeqCst);
            if i >= count() {
                return Ok(());
            }
            all.wait();
            if i == 0 {
                ENDED.set(ended.lock().unwrap().take());
                return how();
            }
            assert!(ends.lock().unwrap().recv().is_err());
            Ok(())
        };
        let items = vec![(); count() * 10];
        let done = panic::catch_unwind(AssertUnwindSafe(|| map_alone(&items, act)));
        (begun.into_inner(), done)
    }

    #[test]
    fn after_an_error_no_other_is_begun() {
        let (begun, done) = after(|| Err(Failure::permanent("no more")));
        assert_eq!(begun, count());
        assert_eq!(done.unwrap().unwrap_err().to_string(), "no more");
    }

    #[test]
    fn after_a_panic_no_other_is_begun_and_it_goes_on_in_the_caller() {
        let (begun, done) = after(|| panic!("no more"));
        assert_eq!(begun, count());
        let panicked = done.unwrap_err();
        assert_eq!(panicked.downcast_ref::<&str>(), Some(&"no more"));
    }
}
