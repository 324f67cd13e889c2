//! How many statements a call costs.

use std::cell::RefCell;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError, RwLock};

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
    hearing: Arc<Hearing>,
}

#[derive(Debug, Default)]
struct Hearing {
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Debug, Default)]
struct State {
    heard: Vec<String>,
    /// What the statements that are held have in them.
    held: Option<String>,
}

impl Hearing {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears a statement, and returns when it may go on its way.
    fn hear(&self, query: &str) {
        let mut state = self.state();
        state.heard.push(query.to_owned());
        let is_held = |state: &mut State| {
            let held = state.held.as_deref();
            held.is_some_and(|what| query.contains(what))
        };
        let _state = self.released.wait_while(state, is_held);
    }
}

static EARS: RwLock<Vec<(String, Arc<Hearing>)>> = RwLock::new(Vec::new());

impl Ear {
    /// Listens to the database with this in its address.
    pub(crate) fn to(name: &str) -> Self {
        let ear = Self {
            name: name.to_owned(),
            hearing: Arc::default(),
        };
        let mut ears = EARS.write().unwrap_or_else(PoisonError::into_inner);
        ears.push((ear.name.clone(), Arc::clone(&ear.hearing)));
        ear
    }

    /// How many statements so far had this in them.
    pub fn heard(&self, what: &str) -> usize {
        let state = self.hearing.state();
        let heard = state.heard.iter();
        heard.filter(|query| query.contains(what)).count()
    }

    /// Keeps every statement with this in it from the database until what this
    /// answers is dropped. It is heard all the same.
    pub fn hold(&self, what: &str) -> Hold<'_> {
        self.hearing.state().held = Some(what.to_owned());
        Hold(&self.hearing)
    }
}

/// Statements held; see [`Ear::hold`].
#[derive(Debug)]
pub struct Hold<'e>(&'e Hearing);

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.0.state().held = None;
        self.0.released.notify_all();
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let mut ears = EARS.write().unwrap_or_else(PoisonError::into_inner);
        ears.retain(|(_, hearing)| !Arc::ptr_eq(hearing, &self.hearing));
    }
}

/// Who listens to the database at this address.
fn hearing(url: &str) -> Vec<Arc<Hearing>> {
    let ears = EARS.read().unwrap_or_else(PoisonError::into_inner);
    let ears = ears.iter().filter(|(name, _)| url.contains(name));
    ears.map(|(_, hearing)| Arc::clone(hearing)).collect()
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
                let query = query.to_string();
                for hearing in hearing(&self.url) {
                    hearing.hear(&query);
                }
                SEEN.with_borrow_mut(|seen| seen.push(query));
            }
            _ => {}
        }
    }
}
