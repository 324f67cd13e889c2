//! Records the SQL that connections send.

use std::cell::RefCell;

use anyhow::Result;
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

thread_local! {
    /// Per thread, so that the statements of connections which the pool opens in
    /// the background are not attributed to a call.
    static SENT: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Connections opened from now on record what they send.
pub(crate) fn start() -> Result<()> {
    Ok(set_default_instrumentation(|| {
        Some(Box::new(|event: InstrumentationEvent<'_>| record(&event)) as Box<dyn Instrumentation>)
    })?)
}

/// Connections opened from now on record nothing; those that are open continue to.
pub(crate) fn stop() -> Result<()> {
    Ok(set_default_instrumentation(|| None)?)
}

/// The statements `call` sends, without the values of their parameters.
pub(crate) fn sent_by<T, E>(call: impl FnOnce() -> Result<T, E>) -> Result<Vec<String>, E> {
    SENT.take();
    call()?;
    Ok(SENT.take())
}

fn record(event: &InstrumentationEvent<'_>) {
    if let InstrumentationEvent::StartQuery { query, .. } = event {
        let text = query.to_string();
        let sql = text.split(" -- binds:").next().unwrap_or_default();
        SENT.with_borrow_mut(|sent| sent.push(sql.to_owned()));
    }
}
