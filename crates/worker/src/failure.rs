//! Why a stage came to nothing.

use lectern_domain::{Invalid, JsonObject, LongText, StageFailure};
use lectern_media::{ChildError, ProbeError};
use serde_json::{Map, Value};

/// Why a stage came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It was told to stop.
    #[error("told to stop")]
    Cancelled,
    /// Whatever is tried, it will come to nothing: the recording is at fault, or
    /// the settings of the job.
    #[error("{message}")]
    Permanent {
        /// What is wrong, for people.
        message: String,
        /// The same for programs: exit status, last lines of an output, …
        details: Map<String, Value>,
    },
    /// Another attempt may end better.
    #[error("{message}")]
    Transient {
        /// What went wrong, for people.
        message: String,
        /// The same for programs.
        details: Map<String, Value>,
    },
}

impl Failure {
    /// No other attempt can end better.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self::Permanent {
            message: message.into(),
            details: Map::new(),
        }
    }

    /// Another attempt may end better.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::Transient {
            message: message.into(),
            details: Map::new(),
        }
    }

    /// A program did not do what it was started for.
    fn of_child(error: &ChildError, message: String) -> Self {
        let mut details = Map::new();
        match error {
            ChildError::Cancelled => return Self::Cancelled,
            ChildError::NotFound(_) => return Self::permanent(message),
            ChildError::Failed {
                program,
                status,
                stderr_tail,
            } => {
                details.insert("program".into(), program.as_str().into());
                details.insert("status".into(), status.to_string().into());
                let lines: Vec<_> = stderr_tail.lines().collect();
                details.insert("stderr".into(), lines.into());
            }
            _ => {}
        }
        Self::Transient { message, details }
    }

    /// What is told of it to those who follow the job; nothing when it was told
    /// to stop.
    pub(crate) fn report(&self) -> Option<StageFailure> {
        let (message, details, retryable) = match self {
            Self::Cancelled => return None,
            Self::Permanent { message, details } => (message, details, false),
            Self::Transient { message, details } => (message, details, true),
        };
        let details = Some(details).filter(|details| !details.is_empty());
        Some(StageFailure {
            error: storable(message).ok()?,
            details: details.and_then(|details| JsonObject::new(without_nul(details)).ok()),
            retryable,
        })
    }
}

impl From<lectern_db::Error> for Failure {
    fn from(error: lectern_db::Error) -> Self {
        Self::transient(chain(&error))
    }
}

impl From<lectern_storage::Error> for Failure {
    fn from(error: lectern_storage::Error) -> Self {
        match error {
            lectern_storage::Error::NotFound(_) | lectern_storage::Error::NotAllowed { .. } => {
                Self::permanent(chain(&error))
            }
            _ => Self::transient(chain(&error)),
        }
    }
}

impl From<lectern_media::Error> for Failure {
    fn from(error: lectern_media::Error) -> Self {
        match &error {
            lectern_media::Error::Probe(ProbeError::NotMedia(_)) => Self::permanent(chain(&error)),
            lectern_media::Error::Io { .. } => Self::transient(chain(&error)),
            _ => match error.child() {
                Some(child) => Self::of_child(child, chain(&error)),
                None => Self::permanent(chain(&error)),
            },
        }
    }
}

impl From<ProbeError> for Failure {
    fn from(error: ProbeError) -> Self {
        lectern_media::Error::from(error).into()
    }
}

impl From<ChildError> for Failure {
    fn from(error: ChildError) -> Self {
        Self::of_child(&error, chain(&error))
    }
}

impl From<Invalid> for Failure {
    fn from(error: Invalid) -> Self {
        Self::permanent(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::transient(error.to_string())
    }
}

/// A text as it can be stored: what a tool or a service says can be anything,
/// and the databases take no NUL.
pub(crate) fn storable(text: &str) -> Result<LongText, Invalid> {
    LongText::new(text.replace('\0', ""))
}

/// The same for all texts of an object, and its keys.
fn without_nul(object: &Map<String, Value>) -> Map<String, Value> {
    fn value(of: &Value) -> Value {
        match of {
            Value::String(text) => text.replace('\0', "").into(),
            Value::Array(items) => items.iter().map(value).collect(),
            Value::Object(object) => without_nul(object).into(),
            other => other.clone(),
        }
    }
    object
        .iter()
        .map(|(key, of)| (key.replace('\0', ""), value(of)))
        .collect()
}

/// An error and what caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_nul_in_what_a_tool_printed_costs_nothing_else() {
        let failure = Failure::from(ChildError::Failed {
            program: "ffmpeg".to_owned(),
            status: std::os::unix::process::ExitStatusExt::from_raw(1 << 8),
            stderr_tail: "moov\0 atom\nnot found".to_owned(),
        });
        let details = failure.report().unwrap().details.unwrap();
        assert_eq!(details.get()["stderr"], json!(["moov atom", "not found"]));
    }
}
