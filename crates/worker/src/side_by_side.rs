//! Things done at once, as many as there are processors.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::{panic, thread};

/// Does `act` to each of the items, of which it is also told the index, on as
/// many threads as there are processors. Answers what came of them, in their
/// order.
///
/// After an error no other item is begun. Those that are under way come to
/// their end, and then the error that was first is the answer. The same goes
/// for a panic, which goes on in the caller.
pub(crate) fn map<T, R, E>(
    items: &[T],
    act: impl Fn(usize, &T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E>
where
    T: Sync,
    R: Send,
    E: Send,
{
    let next = AtomicUsize::new(0);
    let (tell, told) = mpsc::channel();
    let work = || {
        let _end = End(&next, items.len());
        loop {
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
        }
    };
    let at_once = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..at_once.min(items.len()))
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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::panic::AssertUnwindSafe;
    use std::sync::{Barrier, Mutex};

    use super::*;

    /// How many threads there are.
    fn at_once() -> usize {
        thread::available_parallelism().map_or(1, usize::from)
    }

    #[test]
    fn what_comes_of_items_is_in_their_order() {
        let items: Vec<_> = (0..1000).collect();
        let done = map(&items, |i, item| {
            assert_eq!(i, *item);
            // Some take longer than those after them.
            for _ in 0..(i % 7) {
                thread::yield_now();
            }
            Ok::<_, ()>(item * 2)
        });
        assert_eq!(done, Ok((0..2000).step_by(2).collect()));
    }

    #[test]
    fn of_nothing_comes_nothing() {
        let done = map(&[(); 0], |_, ()| Err::<(), _>("it was done"));
        assert_eq!(done, Ok(Vec::new()));
    }

    #[test]
    fn as_many_are_done_at_once_as_there_are_processors() {
        // Nobody gets past it unless all are there.
        let all = Barrier::new(at_once());
        let items = vec![(); at_once() * 3];
        let done = map(&items, |_, ()| {
            all.wait();
            Ok::<_, ()>(())
        });
        assert_eq!(done, Ok(items));
    }

    thread_local! {
        /// Dropped when its thread has ended.
        static ENDED: RefCell<Option<mpsc::Sender<()>>> = const { RefCell::new(None) };
    }

    /// Has the first item end in `how`, and all others that are begun go on
    /// until its thread has ended. Answers how many were begun, and what came of
    /// all.
    fn after<E: Send>(
        how: impl Fn() -> Result<(), E> + Sync,
    ) -> (usize, thread::Result<Result<Vec<()>, E>>) {
        let (ended, ends) = mpsc::channel();
        let (ended, ends) = (Mutex::new(Some(ended)), Mutex::new(ends));
        let (begun, all) = (AtomicUsize::new(0), Barrier::new(at_once()));
        let act = |i: usize, (): &()| {
            begun.fetch_add(1, Ordering::SeqCst);
            if i >= at_once() {
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
        let items = vec![(); at_once() * 10];
        let done = panic::catch_unwind(AssertUnwindSafe(|| map(&items, act)));
        (begun.into_inner(), done)
    }

    #[test]
    fn after_an_error_no_other_is_begun() {
        let (begun, done) = after(|| Err("no more"));
        assert_eq!(begun, at_once());
        assert_eq!(done.unwrap(), Err("no more"));
    }

    #[test]
    fn after_a_panic_no_other_is_begun_and_it_goes_on_in_the_caller() {
        let (begun, done) = after(|| -> Result<(), ()> { panic!("no more") });
        assert_eq!(begun, at_once());
        let panicked = done.unwrap_err();
        assert_eq!(panicked.downcast_ref::<&str>(), Some(&"no more"));
    }
}
