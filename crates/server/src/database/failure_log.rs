//! What goes wrong where nobody is answered.

use crate::http::error::ApiError;

/// Tells of failures of something that is done again and again: the first of a
/// row, and that it is over.
#[derive(Debug)]
pub(crate) struct Outage {
    doing: &'static str,
    lasts: bool,
}

impl Outage {
    /// None so far; `doing` is what may fail, such as `looking for work`.
    pub(crate) fn of(doing: &'static str) -> Self {
        Self {
            doing,
            lasts: false,
        }
    }

    /// Takes note of how it went this time.
    pub(crate) fn note<T>(&mut self, outcome: Result<T, ApiError>) -> Option<T> {
        let Self { doing, lasts } = self;
        match outcome {
            Ok(value) => {
                if std::mem::take(lasts) {
                    log::info!("{doing} succeeds again");
                }
                Some(value)
            }
            Err(error) => {
                if !std::mem::replace(lasts, true) {
                    log::warn!("{doing} fails, and is tried again: {}", error.chain());
                }
                None
            }
        }
    }
}
