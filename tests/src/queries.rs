//! Records SQL statements.

use std::cell::RefCell;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError, RwLock};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

thread_local! {
    static RECORDED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Runs `call` and returns its result and the statements this thread sent
/// meanwhile, over all connections. Transaction control and connection checks
/// are left out.
///
/// Only databases connected after the first [`TestDb`](crate::TestDb) are
/// recorded.
pub fn queries<T>(call: impl FnOnce() -> T) -> (T, Vec<String>) {
    RECORDED.take();
    let result = call();
    let recorded = RECORDED
        .take()
        .into_iter()
        .filter(|query| is_counted(query));
    (result, recorded.collect())
}

fn is_counted(query: &str) -> bool {
    match query.split_whitespace().next() {
        Some("SELECT") => query.contains(" FROM "),
        Some(word) => ["WITH", "INSERT", "UPDATE", "DELETE", "COPY"].contains(&word),
        None => false,
    }
}

/// Records the statements of all connections that are opened from now on.
pub(crate) fn record_all() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        set_default_instrumentation(|| Some(Box::<Recorder>::default()))
            .expect("an uncontended lock");
    });
}

/// Records the statements all threads send to one database, until it is
/// dropped; see
/// [`TestDb::record_statements`](crate::TestDb::record_statements).
#[derive(Debug)]
pub struct StatementLog {
    name: String,
    statements: Arc<Statements>,
}

#[derive(Debug, Default)]
struct Statements {
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Debug, Default)]
struct State {
    texts: Vec<String>,
    /// Statements that contain this text are blocked.
    blocked: Option<String>,
}

impl Statements {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a statement; returns when it is not blocked.
    fn record(&self, query: &str) {
        let mut state = self.state();
        state.texts.push(query.to_owned());
        let is_blocked = |state: &mut State| {
            let blocked = state.blocked.as_deref();
            blocked.is_some_and(|text| query.contains(text))
        };
        let _state = self.released.wait_while(state, is_blocked);
    }
}

static LOGS: RwLock<Vec<(String, Arc<Statements>)>> = RwLock::new(Vec::new());

impl StatementLog {
    /// Records statements of the databases whose URL contains `name`.
    pub(crate) fn of(name: &str) -> Self {
        let log = Self {
            name: name.to_owned(),
            statements: Arc::default(),
        };
        let mut logs = LOGS.write().unwrap_or_else(PoisonError::into_inner);
        logs.push((log.name.clone(), Arc::clone(&log.statements)));
        log
    }

    /// How many statements so far contain `text`.
    pub fn count(&self, text: &str) -> usize {
        let state = self.statements.state();
        let texts = state.texts.iter();
        texts.filter(|query| query.contains(text)).count()
    }

    /// Blocks every statement that contains `text` until the returned value is
    /// dropped. Blocked statements are recorded, too.
    pub fn block(&self, text: &str) -> BlockedStatements<'_> {
        self.statements.state().blocked = Some(text.to_owned());
        BlockedStatements(&self.statements)
    }
}

/// Blocks statements; see [`StatementLog::block`].
#[derive(Debug)]
pub struct BlockedStatements<'l>(&'l Statements);

impl Drop for BlockedStatements<'_> {
    fn drop(&mut self) {
        self.0.state().blocked = None;
        self.0.released.notify_all();
    }
}

impl Drop for StatementLog {
    fn drop(&mut self) {
        let mut logs = LOGS.write().unwrap_or_else(PoisonError::into_inner);
        logs.retain(|(_, statements)| !Arc::ptr_eq(statements, &self.statements));
    }
}

/// The logs of the database at this URL.
fn logs_of(url: &str) -> Vec<Arc<Statements>> {
    let logs = LOGS.read().unwrap_or_else(PoisonError::into_inner);
    let logs = logs.iter().filter(|(name, _)| url.contains(name));
    logs.map(|(_, statements)| Arc::clone(statements)).collect()
}

#[derive(Default)]
struct Recorder {
    url: String,
}

impl Instrumentation for Recorder {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => {
                url.clone_into(&mut self.url);
            }
            InstrumentationEvent::StartQuery { query, .. } => {
                let query = query.to_string();
                for statements in logs_of(&self.url) {
                    statements.record(&query);
                }
                RECORDED.with_borrow_mut(|recorded| recorded.push(query));
            }
            _ => {}
        }
    }
}
