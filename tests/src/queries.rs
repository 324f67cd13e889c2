//! Records SQL statements.

use std::cell::RefCell;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError, RwLock};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

thread_local! {
    static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Runs `call` and returns its result and the statements this thread sent
/// meanwhile, over all connections. Transaction control and connection checks
/// are left out.
///
/// Only databases connected after the first [`TestDb`](crate::TestDb) are
/// recorded.
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

/// Records the statements of all connections that are opened from now on.
pub(crate) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        set_default_instrumentation(|| Some(Box::<Watcher>::default()))
            .expect("a lock nobody holds");
    });
}

/// Records the statements all threads send to one database, until it is
/// dropped; see
/// [`TestDb::record_statements`](crate::TestDb::record_statements).
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
    /// Statements that contain this text are blocked.
    held: Option<String>,
}

impl Hearing {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a statement; returns when it is not blocked.
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
    /// Records statements of the databases whose URL contains `name`.
    pub(crate) fn to(name: &str) -> Self {
        let ear = Self {
            name: name.to_owned(),
            hearing: Arc::default(),
        };
        let mut ears = EARS.write().unwrap_or_else(PoisonError::into_inner);
        ears.push((ear.name.clone(), Arc::clone(&ear.hearing)));
        ear
    }

    /// How many statements so far contain `text`.
    pub fn heard(&self, what: &str) -> usize {
        let state = self.hearing.state();
        let heard = state.heard.iter();
        heard.filter(|query| query.contains(what)).count()
    }

    /// Blocks every statement that contains `text` until the returned value is
    /// dropped. Blocked statements are recorded, too.
    pub fn hold(&self, what: &str) -> Hold<'_> {
        self.hearing.state().held = Some(what.to_owned());
        Hold(&self.hearing)
    }
}

/// Blocks statements; see [`StatementLog::block`].
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

/// The logs of the database at this URL.
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
