//! Parallel work, with separate permits for each test.

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::sync::Barrier;

use super::*;

fn new_permits() -> &'static Permits {
    Box::leak(Box::new(Permits::new()))
}

fn map_with_new_permits<T: Sync, R: Send>(
    items: &[T],
    act: impl Fn(usize, &T) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, Failure> {
    map_with(new_permits(), &CancellationToken::new(), items, act)
}

#[test]
fn results_are_in_the_order_of_the_items() {
    let items: Vec<_> = (0..1000).collect();
    let results = map_with_new_permits(&items, |i, item| {
        assert_eq!(i, *item);
        // Some take longer than the items after them.
        for _ in 0..(i % 7) {
            thread::yield_now();
        }
        Ok(item * 2)
    });
    assert_eq!(results.unwrap(), (0..2000).step_by(2).collect::<Vec<_>>());
}

#[test]
fn no_items_give_no_results() {
    let results =
        map_with_new_permits(&[(); 0], |_, ()| Err::<(), _>(Failure::permanent("called")));
    assert!(results.unwrap().is_empty());
}

#[test]
fn all_processors_are_used_at_the_same_time() {
    // Opens when one thread per processor is waiting.
    let barrier = Barrier::new(processor_count());
    let items = vec![(); processor_count() * 3];
    let results = map_with_new_permits(&items, |_, ()| {
        barrier.wait();
        Ok(())
    });
    assert_eq!(results.unwrap(), items);
}

#[test]
fn two_calls_share_the_processors() {
    let (permits, token) = (new_permits(), CancellationToken::new());
    let (running, max_running) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let start = || {
        let now = running.fetch_add(1, Ordering::SeqCst) + 1;
        max_running.fetch_max(now, Ordering::SeqCst)
    };
    let end = || running.fetch_sub(1, Ordering::SeqCst);
    let barrier = Barrier::new(processor_count() + 1);
    let second_started = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            map_with(permits, &token, &vec![(); processor_count()], |_, ()| {
                start();
                barrier.wait();
                // Wait until the second call waits for a permit, or wrongly got one.
                while permits.queue.lock().waiting.is_empty()
                    && second_started.load(Ordering::SeqCst) == 0
                {
                    thread::yield_now();
                }
                end();
                Ok(())
            })
        });
        barrier.wait();
        let items = vec![(); processor_count() * 3];
        let results = map_with(permits, &token, &items, |_, ()| {
            start();
            second_started.fetch_add(1, Ordering::SeqCst);
            end();
            Ok(())
        });
        assert_eq!(results.unwrap(), items);
    });
    assert_eq!(max_running.into_inner(), processor_count());
}

#[test]
fn a_request_that_is_not_needed_leaves_the_queue() {
    let permits = Permits::new();
    let held_permits: Vec<_> = (0..processor_count())
        .map(|_| permits.acquire_while(|| true))
        .collect();
    assert!(permits.acquire_while(|| false).is_none());
    drop(held_permits);
    assert!(permits.acquire_while(|| true).is_some());
}

#[test]
fn cancellation_does_not_wait_for_a_permit() {
    let (permits, token) = (new_permits(), CancellationToken::new());
    let held_permits: Vec<_> = (0..processor_count())
        .map(|_| permits.acquire_while(|| true))
        .collect();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            map_with(permits, &token, &[()], |_, ()| -> Result<(), _> {
                panic!("the item was started")
            })
        });
        while permits.queue.lock().waiting.is_empty() {
            thread::yield_now();
        }
        token.cancel();
        let result = waiting.join().unwrap();
        assert!(matches!(result, Err(Failure::Cancelled)), "{result:?}");
    });
    drop(held_permits);
}

thread_local! {
    /// Dropped at the end of the thread, which closes the channel.
    static THREAD_END: RefCell<Option<mpsc::Sender<()>>> = const { RefCell::new(None) };
}

/// Maps ten items per processor. One per processor is started; then the first item
/// returns `outcome`, and the others wait until its thread has ended. Returns the
/// number of started items and the result of the call.
fn map_with_first_outcome(
    outcome: impl Fn() -> Result<(), Failure> + Sync,
) -> (usize, thread::Result<Result<Vec<()>, Failure>>) {
    let (sender, receiver) = mpsc::channel();
    let (sender, receiver) = (Mutex::new(Some(sender)), Mutex::new(receiver));
    let (started, barrier) = (AtomicUsize::new(0), Barrier::new(processor_count()));
    let act = |i: usize, (): &()| {
        started.fetch_add(1, Ordering::SeqCst);
        if i >= processor_count() {
            return Ok(());
        }
        barrier.wait();
        if i == 0 {
            THREAD_END.set(sender.lock().take());
            return outcome();
        }
        assert!(receiver.lock().recv().is_err());
        Ok(())
    };
    let items = vec![(); processor_count() * 10];
    let result = panic::catch_unwind(AssertUnwindSafe(|| map_with_new_permits(&items, act)));
    (started.into_inner(), result)
}

#[test]
fn after_an_error_no_item_is_started() {
    let (started, result) = map_with_first_outcome(|| Err(Failure::permanent("no more")));
    assert_eq!(started, processor_count());
    assert_eq!(result.unwrap().unwrap_err().to_string(), "no more");
}

#[test]
fn after_a_panic_no_item_is_started_and_the_caller_panics() {
    let (started, result) = map_with_first_outcome(|| panic!("no more"));
    assert_eq!(started, processor_count());
    let panicked = result.unwrap_err();
    assert_eq!(panicked.downcast_ref::<&str>(), Some(&"no more"));
}
