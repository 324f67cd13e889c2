//! What goes wrong where nobody is answered.

use crate::http::error::ApiError;

/// Tells of failures of something that is done again and again: the first of a
/// row, and that it is over.
#[derive(Debug)]
pub(crate) struct FailureLog {
    operation: &'static str,
    is_failing: bool,
}

impl FailureLog {
    /// None so far; `operation` is what may fail, such as `looking for work`.
    pub(crate) fn new(operation: &'static str) -> Self {
        Self {
            operation,
            is_failing: false,
        }
    }

    /// Takes note of how it went this time.
    pub(crate) fn record<T>(&mut self, outcome: Result<T, ApiError>) -> Option<T> {
        let Self {
            operation,
            is_failing,
        } = self;
        match outcome {
            Ok(value) => {
                if std::mem::take(is_failing) {
                    log::info!("{operation} succeeds again");
                }
                Some(value)
            }
            Err(error) => {
                if !std::mem::replace(is_failing, true) {
                    log::warn!("{operation} fails, and is tried again: {}", error.chain());
                }
                None
            }
        }
    }
}
