//! How many statements a call costs.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, Once, PoisonError, RwLock};

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
        set_default_instrumentation(|| Some(Box::<Watcher>::default()))
            .expect("a lock nobody holds");
    });
}

/// Hears the statements sent to one database, by whichever thread, for as long
/// as it lives; see [`TestDb::listen`](crate::TestDb::listen).
#[derive(Debug)]
pub struct Ear {
    name: String,
    heard: Heard,
}

type Heard = Arc<Mutex<Vec<String>>>;

static EARS: RwLock<Vec<(String, Heard)>> = RwLock::new(Vec::new());

impl Ear {
    /// Listens to the database with this in its address.
    pub(crate) fn to(name: &str) -> Self {
        let ear = Self {
            name: name.to_owned(),
            heard: Heard::default(),
        };
        let mut ears = EARS.write().unwrap_or_else(PoisonError::into_inner);
        ears.push((ear.name.clone(), Arc::clone(&ear.heard)));
        ear
    }

    /// How many statements so far had this in them.
    pub fn heard(&self, what: &str) -> usize {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.iter().filter(|query| query.contains(what)).count()
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let mut ears = EARS.write().unwrap_or_else(PoisonError::into_inner);
        ears.retain(|(_, heard)| !Arc::ptr_eq(heard, &self.heard));
    }
}

#[derive(Default)]
struct Watcher {
    url: String,
}

impl Instrumentation for Watcher {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => {
                url.clone_into(&mut self.url);
            }
            InstrumentationEvent::StartQuery { query, .. } => {
                let ears = EARS.read().unwrap_or_else(PoisonError::into_inner);
                for (_, heard) in ears.iter().filter(|(name, _)| self.url.contains(name)) {
                    let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                    heard.push(query.to_string());
                }
                SEEN.with_borrow_mut(|seen| seen.push(query.to_string()));
            }
            _ => {}
        }
    }
}
