//! Claims.

use std::time::Duration;

use chrono::{DateTime, Utc};
use lectern_domain::{self as domain, ClaimRequest, InField, Invalid, LeaseId, Stage, StorageKey};
use lectern_domain::{ClaimLimit, LeaseDuration, Stages, WorkerName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::job::JobResponse;
use crate::wire::Request;
use crate::wire::integer::optional_integer;
use crate::wire::request::optional;
use crate::wire::validation::chars;

/// A worker's request for stages to work on.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("example" = {
        "worker": "worker-1",
        "stages": Stage::WORK,
        "lease_seconds": 600,
    }))]
pub struct ClaimBody {
    /// Name of the worker, for logs; need not be unique.
    #[validate(length(min = chars(WorkerName::MIN), max = chars(WorkerName::MAX)))]
    pub worker: String,
    /// The stages that the worker can work on.
    #[validate(length(min = 1, message = "must name at least one stage"))]
    #[schemars(with = "Vec<crate::wire::field_schemas::WorkStage>")]
    pub stages: Vec<Stage>,
    /// Maximum number of stages to claim.
    #[validate(range(min = 1, max = ClaimLimit::MAX))]
    #[serde(default, deserialize_with = "optional_integer")]
    #[schemars(extend("default" = ClaimLimit::default().get()))]
    pub max: Option<i64>,
    /// How many seconds a lease lasts after the claim or a heartbeat.
    #[validate(range(min = 1, max = LeaseDuration::MAX))]
    #[serde(default, deserialize_with = "optional_integer")]
    #[schemars(extend("default" = LeaseDuration::default().seconds()))]
    pub lease_seconds: Option<i64>,
    /// How many seconds to wait if no stage is ready.
    #[validate(range(min = 0, max = ClaimWithWait::MAX_WAIT_SECONDS))]
    #[serde(default, deserialize_with = "optional_integer")]
    #[schemars(extend("default" = 0))]
    pub wait_seconds: Option<i64>,
}

/// A claim, and how long to wait for a stage that is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimWithWait {
    /// The claim.
    pub claim: ClaimRequest,
    /// How long to wait if no stage is ready.
    pub wait: Duration,
}

impl ClaimWithWait {
    /// The maximum wait, in seconds.
    pub const MAX_WAIT_SECONDS: i64 = 60;
}

impl Request for ClaimBody {
    type Domain = ClaimWithWait;
}

impl TryFrom<ClaimBody> for ClaimWithWait {
    type Error = Invalid;

    fn try_from(claim: ClaimBody) -> Result<Self, Invalid> {
        let max = optional("max", claim.max, ClaimLimit::new)?;
        let lease = claim.lease_seconds.map(LeaseDuration::new).transpose();
        Ok(Self {
            claim: ClaimRequest {
                worker: WorkerName::new(claim.worker).in_field("worker")?,
                stages: Stages::new(claim.stages).in_field("stages")?,
                max: max.unwrap_or_default(),
                lease: lease.in_field("lease_seconds")?.unwrap_or_default(),
            },
            wait: wait(claim.wait_seconds.unwrap_or_default()).in_field("wait_seconds")?,
        })
    }
}

fn wait(seconds: i64) -> Result<Duration, Invalid> {
    const MAX: i64 = ClaimWithWait::MAX_WAIT_SECONDS;
    match u64::try_from(seconds) {
        Ok(seconds) if seconds <= MAX.unsigned_abs() => Ok(Duration::from_secs(seconds)),
        _ => Err(Invalid::new(format!("must be between 0 and {MAX}"))),
    }
}

/// The stages that were leased to the worker; empty if no stage was ready.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ClaimsResponse {
    /// The claimed stages.
    pub claims: Vec<ClaimResponse>,
}

impl ClaimsResponse {
    /// Converts claims; `url` returns the URL of a storage key.
    pub fn with_urls(
        claims: Vec<domain::Claim>,
        url: impl Fn(&StorageKey) -> Option<String>,
    ) -> Self {
        let response = |claim: domain::Claim| {
            let source_url = claim.job.original_s3_key.as_ref().and_then(&url);
            ClaimResponse::new(claim, source_url)
        };
        Self {
            claims: claims.into_iter().map(response).collect(),
        }
    }
}

/// One stage of one job, leased to the worker.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ClaimResponse {
    /// The job of the stage.
    pub job: JobResponse,
    /// The stage to work on.
    pub stage: Stage,
    /// Number of the attempt, from 1.
    pub attempt: i32,
    /// Maximum number of attempts.
    pub max_attempts: i32,
    /// Secret that the worker sends with every request that stores outputs of the stage.
    pub lease_id: LeaseId,
    /// When the lease ends unless a heartbeat extends it.
    pub lease_expires_at: DateTime<Utc>,
    /// URL of the recording.
    #[schemars(extend("format" = "uri"))]
    pub source_url: Option<String>,
    /// Storage key of a file with all clips that an earlier attempt has made.
    pub highlight_s3_key: Option<StorageKey>,
}

impl ClaimResponse {
    /// Converts a claim; `source_url` is the URL of the recording.
    pub fn new(claim: domain::Claim, source_url: Option<String>) -> Self {
        let highlight_s3_key = claim.job.compiled_video_s3_key.clone();
        Self {
            job: claim.job.into(),
            stage: claim.run.stage,
            attempt: claim.run.attempt,
            max_attempts: claim.run.max_attempts,
            lease_id: claim.lease_id,
            lease_expires_at: claim.lease_expires_at,
            source_url,
            highlight_s3_key,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::samples::{completed_job, leased_run};
    use crate::wire::FieldError;

    #[test]
    fn a_claim_needs_only_worker_and_stages() {
        let claim =
            json!({ "worker": "w", "stages": ["compilation", "transcription", "compilation"] });
        let claim = ClaimBody::read(claim).unwrap().into_domain().unwrap();
        assert_eq!(claim.wait, Duration::ZERO);
        assert_eq!(claim.claim.max.get(), 1);
        assert_eq!(claim.claim.lease.seconds(), 60);
        let stages = claim.claim.stages.as_slice();
        assert_eq!(stages, [Stage::Transcription, Stage::Compilation]);
    }

    #[test]
    fn an_invalid_claim_names_its_field() {
        for (field, value, path, message) in [
            (
                "worker",
                json!(""),
                "worker",
                "must be 1 to 50 characters long",
            ),
            (
                "worker",
                json!("\0"),
                "worker",
                "must not contain a NUL character",
            ),
            (
                "stages",
                json!([]),
                "stages",
                "must name at least one stage",
            ),
            (
                "stages",
                json!(["complete"]),
                "stages[0]",
                "must be a stage that workers process",
            ),
            ("max", json!(0), "max", "must be between 1 and 100"),
            ("max", json!(101), "max", "must be between 1 and 100"),
            (
                "lease_seconds",
                json!(3601),
                "lease_seconds",
                "must be between 1 and 3600",
            ),
            (
                "wait_seconds",
                json!(-1),
                "wait_seconds",
                "must be between 0 and 60",
            ),
            (
                "wait_seconds",
                json!(61),
                "wait_seconds",
                "must be between 0 and 60",
            ),
        ] {
            let mut body = json!({ "worker": "w", "stages": ["compilation"] });
            body[field] = value;
            assert_eq!(
                ClaimBody::read(body).unwrap().into_domain(),
                Err(FieldError::new(path, message).into())
            );
        }
    }

    #[test]
    fn a_claim_contains_the_job_the_lease_and_the_recording() {
        let run = leased_run();
        let lease = run.lease.unwrap();
        let claim = domain::Claim {
            job: completed_job(),
            run,
            lease_id: lease.lease_id,
            lease_expires_at: lease.expires_at,
        };
        let url = |key: &StorageKey| Some(format!("https://storage/{key}"));
        let response = ClaimsResponse::with_urls(vec![claim.clone()], url);
        assert_eq!(
            serde_json::to_value(response).unwrap(),
            json!({ "claims": [{
                "job": JobResponse::from(claim.job.clone()),
                "stage": "transcription",
                "attempt": 2,
                "max_attempts": 3,
                "lease_id": lease.lease_id,
                "lease_expires_at": "2026-01-01T00:04:00Z",
                "source_url": "https://storage/uploads/talk.mp4",
                "highlight_s3_key": null,
            }] })
        );
        let response = serde_json::to_value(ClaimResponse::new(claim, None)).unwrap();
        assert_eq!(response["source_url"], Value::Null);
    }
}
