//! An error with its causes in one line.

use std::error::Error;

/// The error's message followed by the messages of its causes, separated by `: `.
///
/// ```
/// use lectern_domain::error_chain;
///
/// let error = "x".parse::<u8>().unwrap_err();
/// assert_eq!(error_chain(&error), "invalid digit found in string");
/// ```
pub fn error_chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
