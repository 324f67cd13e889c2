//! What a worker says of a stage it has claimed, and what it is told.

use chrono::{DateTime, Utc};
use lectern_domain::{self as domain, At, Invalid};
use lectern_domain::{JsonObject, LongText, NonNegativeInt, Percent, ProgressMessage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use validator::Validate;

use crate::Request;
use crate::wire::number::maybe_whole;
use crate::wire::request::optional;
use crate::wire::validation::chars;

/// A worker is still there. What it leaves out stays as it was.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HeartbeatBody {
    /// How much of the stage is done, 0 to 100.
    #[validate(range(min = 0.0, max = 100.0))]
    pub percent: Option<f64>,
    /// What is being done right now.
    #[validate(length(max = chars(ProgressMessage::MAX)))]
    pub message: Option<String>,
    /// Seconds the worker expects to need until the end.
    #[validate(range(min = 0, max = i32::MAX))]
    #[serde(deserialize_with = "maybe_whole")]
    pub eta_seconds: Option<i32>,
}

impl Request for HeartbeatBody {
    type Domain = domain::Heartbeat;
}

impl TryFrom<HeartbeatBody> for domain::Heartbeat {
    type Error = Invalid;

    fn try_from(heartbeat: HeartbeatBody) -> Result<Self, Invalid> {
        let message = heartbeat.message.map(ProgressMessage::new).transpose();
        let eta_seconds = heartbeat.eta_seconds.map(NonNegativeInt::new).transpose();
        Ok(Self {
            percent: optional("percent", heartbeat.percent, Percent::new)?,
            message: message.at("message")?,
            eta_seconds: eta_seconds.at("eta_seconds")?,
        })
    }
}

/// How a lease stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HeartbeatResponse {
    /// When the lease ends now.
    pub lease_expires_at: DateTime<Utc>,
    /// Whether the job was called off: the worker can stop.
    pub cancelled: bool,
}

impl From<domain::LeaseState> for HeartbeatResponse {
    fn from(state: domain::LeaseState) -> Self {
        Self {
            lease_expires_at: state.expires_at,
            cancelled: state.cancelled,
        }
    }
}

/// A worker is done. There is nothing to say: what it found is stored already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StageCompletionBody {}

impl Request for StageCompletionBody {
    type Domain = ();
}

impl TryFrom<StageCompletionBody> for () {
    type Error = Invalid;

    fn try_from(_: StageCompletionBody) -> Result<(), Invalid> {
        Ok(())
    }
}

/// A worker gives up.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StageFailureBody {
    /// What went wrong.
    #[validate(length(min = 1, message = "must not be empty"))]
    pub error: String,
    /// The same for a program to read.
    #[schemars(with = "Option<crate::wire::schema::JsonObject>")]
    pub details: Option<Map<String, Value>>,
    /// Whether another attempt might end better.
    #[schemars(extend("default" = true))]
    pub retryable: Option<bool>,
}

impl Request for StageFailureBody {
    type Domain = domain::StageFailure;
}

impl TryFrom<StageFailureBody> for domain::StageFailure {
    type Error = Invalid;

    fn try_from(failure: StageFailureBody) -> Result<Self, Invalid> {
        Ok(Self {
            error: LongText::new(failure.error).at("error")?,
            details: optional("details", failure.details, JsonObject::new)?,
            retryable: failure.retryable.unwrap_or(true),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{ClaimBody, FieldError};

    fn refused<T: Request>(body: Value) -> FieldError {
        let errors = T::read(body).unwrap().into_domain().err().unwrap();
        errors.into_iter().next().unwrap()
    }

    #[test]
    fn what_a_worker_sends_has_known_fields_only() {
        let bodies = |field: &str| {
            [
                ClaimBody::read(json!({ "worker": "w", "stages": [], field: 1 })).err(),
                HeartbeatBody::read(json!({ field: 1 })).err(),
                StageCompletionBody::read(json!({ field: 1 })).err(),
                StageFailureBody::read(json!({ "error": "e", field: 1 })).err(),
            ]
        };
        for error in bodies("lease_id") {
            let error = error.unwrap().to_string();
            assert!(error.contains("unknown field `lease_id`"), "{error}");
        }
        assert!(ClaimBody::read(json!({ "worker": "w", "stages": ["sleeping"] })).is_err());
        assert!(ClaimBody::read(json!({ "worker": null, "stages": [] })).is_err());
        assert!(StageCompletionBody::read(json!([])).is_err());
    }

    #[test]
    fn a_heartbeat_says_as_much_as_it_wants_to() {
        let heartbeat = |body| HeartbeatBody::read(body).unwrap().into_domain();
        assert_eq!(heartbeat(json!({})), Ok(domain::Heartbeat::default()));
        let nulls = json!({ "percent": null, "message": null, "eta_seconds": null });
        assert_eq!(heartbeat(nulls), Ok(domain::Heartbeat::default()));
        let whole = json!({ "percent": 41.5, "message": "", "eta_seconds": 0 });
        let whole = heartbeat(whole).unwrap();
        assert_eq!(whole.percent, Some(Percent::new(41.5).unwrap()));
        assert_eq!(whole.eta_seconds, Some(NonNegativeInt::new(0).unwrap()));
        for (body, field) in [
            (json!({ "percent": 100.1 }), "percent"),
            (json!({ "message": "m".repeat(501) }), "message"),
            (json!({ "message": "\0" }), "message"),
            (json!({ "eta_seconds": -1 }), "eta_seconds"),
        ] {
            assert_eq!(refused::<HeartbeatBody>(body).field, field);
        }
    }

    #[test]
    fn a_failure_says_why_and_may_be_tried_again_unless_told_otherwise() {
        let failure = |body| StageFailureBody::read(body).unwrap().into_domain().unwrap();
        assert!(failure(json!({ "error": "disk full" })).retryable);
        assert!(failure(json!({ "error": "disk full", "retryable": null })).retryable);
        let whole = json!({ "error": "no sound", "details": { "streams": 0 }, "retryable": false });
        let whole = failure(whole);
        assert!(!whole.retryable);
        assert_eq!(whole.details.unwrap().get()["streams"], 0);
        for (body, path, message) in [
            (json!({ "error": "" }), "error", "must not be empty"),
            (
                json!({ "error": "\0" }),
                "error",
                "must not contain a NUL character",
            ),
            (
                json!({ "error": "e", "details": { "a": ["\0"] } }),
                "details.a[0]",
                "must not contain a NUL character",
            ),
        ] {
            assert_eq!(
                refused::<StageFailureBody>(body),
                FieldError::new(path, message)
            );
        }
        assert!(StageFailureBody::read(json!({ "error": null })).is_err());
        assert!(StageFailureBody::read(json!({})).is_err());
    }

    #[test]
    fn the_answer_to_a_heartbeat_tells_of_the_lease_and_the_job() {
        let state = domain::LeaseState {
            expires_at: crate::samples::new_year(),
            cancelled: true,
        };
        assert_eq!(
            serde_json::to_value(HeartbeatResponse::from(state)).unwrap(),
            json!({ "lease_expires_at": "2026-01-01T00:00:00Z", "cancelled": true })
        );
    }
}
