//! Logs failures of background work, which no response reports.

use crate::http::error::ApiError;

/// Logs the first of several consecutive failures of a repeated operation, and the next
/// success.
#[derive(Debug)]
pub(crate) struct FailureLog {
    operation: &'static str,
    is_failing: bool,
}

impl FailureLog {
    /// `operation` is the subject of the log lines, such as `looking for work`.
    pub(crate) fn new(operation: &'static str) -> Self {
        Self {
            operation,
            is_failing: false,
        }
    }

    /// Logs a change from success to failure or back; returns the value of a
    /// success.
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
