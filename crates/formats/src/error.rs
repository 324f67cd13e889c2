//! The error that all readers return.

/// Why a file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct FormatError {
    /// The line on which the error was found, counted from 1.
    pub line: usize,
    /// The reason, without quoting the file.
    pub message: String,
}

impl FormatError {
    pub(crate) fn new(line: usize, message: impl Into<String>) -> Self {
        Self {
            line,
            message: message.into(),
        }
    }

    /// A timing line in a file in which no times can be read.
    pub(crate) fn malformed_times(line: usize) -> Self {
        Self::new(line, "expected times such as 00:00:01.000 --> 00:00:02.500")
    }
}
