//! Why an attempt at a stage failed.

use lectern_domain::{Invalid, JsonObject, LongText, StageFailure, error_chain};
use lectern_media::{ChildError, NoSuchTrack, ProbeError};
use serde_json::{Map, Value};

/// Why an attempt at a stage failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The stage was asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// Another attempt would fail too: the cause is the recording or the job's
    /// settings.
    #[error("{message}")]
    Permanent {
        /// A description for people.
        message: String,
        /// Details for programs, such as the exit status and the last lines of
        /// output.
        details: Map<String, Value>,
    },
    /// Another attempt may succeed.
    #[error("{message}")]
    Transient {
        /// A description for people.
        message: String,
        /// Details for programs, as in [`Failure::Permanent`].
        details: Map<String, Value>,
    },
}

impl Failure {
    /// A failure that would happen in every other attempt too.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self::Permanent {
            message: message.into(),
            details: Map::new(),
        }
    }

    /// A failure after which another attempt may succeed.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::Transient {
            message: message.into(),
            details: Map::new(),
        }
    }

    fn from_child(error: &ChildError, message: String) -> Self {
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

    /// The failure as it is stored with the stage run. `None` for a cancelled
    /// stage, which is released instead.
    pub(crate) fn report(&self) -> Option<StageFailure> {
        let (message, details, retryable) = match self {
            Self::Cancelled => return None,
            Self::Permanent { message, details } => (message, details, false),
            Self::Transient { message, details } => (message, details, true),
        };
        let details = Some(details).filter(|details| !details.is_empty());
        Some(StageFailure {
            error: without_nul(message).ok()?,
            details: details.and_then(|details| JsonObject::new(object_without_nul(details)).ok()),
            retryable,
            retry_after: None,
        })
    }
}

impl From<lectern_db::Error> for Failure {
    fn from(error: lectern_db::Error) -> Self {
        Self::transient(error_chain(&error))
    }
}

impl From<lectern_storage::Error> for Failure {
    fn from(error: lectern_storage::Error) -> Self {
        match error {
            lectern_storage::Error::NotFound(_) | lectern_storage::Error::NotAllowed { .. } => {
                Self::permanent(error_chain(&error))
            }
            _ => Self::transient(error_chain(&error)),
        }
    }
}

impl From<lectern_media::Error> for Failure {
    fn from(error: lectern_media::Error) -> Self {
        match &error {
            lectern_media::Error::Probe(ProbeError::NotMedia(_) | ProbeError::BeyondLimits(_)) => {
                Self::permanent(error_chain(&error))
            }
            lectern_media::Error::Io { .. } => Self::transient(error_chain(&error)),
            _ => match error.child() {
                Some(child) => Self::from_child(child, error_chain(&error)),
                None => Self::permanent(error_chain(&error)),
            },
        }
    }
}

impl From<NoSuchTrack> for Failure {
    fn from(error: NoSuchTrack) -> Self {
        Self::permanent(error.to_string())
    }
}

impl From<ProbeError> for Failure {
    fn from(error: ProbeError) -> Self {
        lectern_media::Error::from(error).into()
    }
}

impl From<ChildError> for Failure {
    fn from(error: ChildError) -> Self {
        Self::from_child(&error, error_chain(&error))
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

/// Removes NUL, which the databases do not accept, from the text of a tool or a
/// service.
pub(crate) fn without_nul(text: &str) -> Result<LongText, Invalid> {
    LongText::new(text.replace('\0', ""))
}

/// Removes NUL from all keys and texts of an object.
fn object_without_nul(object: &Map<String, Value>) -> Map<String, Value> {
    fn clean(value: &Value) -> Value {
        match value {
            Value::String(text) => text.replace('\0', "").into(),
            Value::Array(items) => items.iter().map(clean).collect(),
            Value::Object(object) => object_without_nul(object).into(),
            other => other.clone(),
        }
    }
    object
        .iter()
        .map(|(key, value)| (key.replace('\0', ""), clean(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nul_is_removed_from_the_details_of_a_report() {
        let failure = Failure::from(ChildError::Failed {
            program: "ffmpeg".to_owned(),
            status: std::os::unix::process::ExitStatusExt::from_raw(1 << 8),
            stderr_tail: "moov\0 atom\nnot found".to_owned(),
        });
        let details = failure.report().unwrap().details.unwrap();
        assert_eq!(details.get()["stderr"], json!(["moov atom", "not found"]));
    }
}
