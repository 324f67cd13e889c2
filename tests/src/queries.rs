//! How many statements a call costs.

use std::cell::RefCell;
use std::sync::Once;

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

thread_local! {
    static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Runs `call` and answers its result together with the statements it sent to
/// a database from this thread, whichever connections it took. Transactions
/// and the question whether a connection is alive are not counted.
///
/// Sees only databases made after the first [`TestDb`](crate::TestDb).
pub fn queries<T>(call: impl FnOnce() -> T) -> (T, Vec<String>) {
    SEEN.take();
    let result = call();
    let seen = SEEN.take().into_iter().filter(|query| is_work(query));
    (result, seen.collect())
}

fn is_work(query: &str) -> bool {
    match query.split_whitespace().next() {
        Some("SELECT") => query.contains(" FROM "),
        Some(word) => ["WITH", "INSERT", "UPDATE", "DELETE", "COPY"].contains(&word),
        None => false,
    }
}

/// Makes every connection from now on tell [`queries`] what it does.
pub(crate) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        set_default_instrumentation(|| Some(Box::new(Watcher))).expect("a lock nobody holds");
    });
}

struct Watcher;

impl Instrumentation for Watcher {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            SEEN.with_borrow_mut(|seen| seen.push(query.to_string()));
        }
    }
}
