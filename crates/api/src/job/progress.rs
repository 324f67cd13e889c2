//! Progress of jobs.

use lectern_domain::{self as domain, InField, Invalid, Stage};
use lectern_domain::{AgentName, NonNegativeInt, Percent, Progress, ProgressMessage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use validator::Validate;

use crate::wire::Request;
use crate::wire::integer::optional_integer;
use crate::wire::request::optional;
use crate::wire::validation::chars;

/// A worker's report on a stage. The first report moves a queued job to running. A report
/// with a lower percentage than is stored for its stage is late: it changes nothing or,
/// once a stage of the job has been claimed, only the message and the remaining time.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("example" = {
        "stage": "transcription",
        "percent": 41.5,
        "message": "at 00:12:00",
        "eta_seconds": 600,
        "agent_name": "whisper-1",
    }))]
pub struct ProgressReport {
    /// The stage the report is about.
    pub stage: Stage,
    /// Completed share, 0 to 100: the mean of all runs that are not skipped, or the
    /// share of the stage in the last report.
    #[validate(range(min = 0.0, max = 100.0))]
    pub percent: f64,
    /// What the worker is doing now.
    #[validate(length(max = chars(ProgressMessage::MAX)))]
    pub message: Option<String>,
    /// Remaining time that the worker expects, in seconds.
    #[validate(range(min = 0, max = i32::MAX))]
    #[serde(default, deserialize_with = "optional_integer")]
    pub eta_seconds: Option<i32>,
    /// The program that reports.
    #[validate(length(max = chars(AgentName::MAX)))]
    pub agent_name: Option<String>,
}

impl Request for ProgressReport {
    type Domain = domain::ProgressReport;
}

impl TryFrom<ProgressReport> for domain::ProgressReport {
    type Error = Invalid;

    fn try_from(report: ProgressReport) -> Result<Self, Invalid> {
        Ok(Self {
            stage: report.stage,
            progress: Progress {
                percent: Percent::new(report.percent).in_field("percent")?,
                message: optional("message", report.message, ProgressMessage::new)?,
                eta_seconds: optional("eta_seconds", report.eta_seconds, NonNegativeInt::new)?,
            },
            agent_name: optional("agent_name", report.agent_name, AgentName::new)?,
        })
    }
}

/// Progress of a job. Once a stage of the job has been claimed, it is that of all stage
/// runs; without claims, it is from the last report.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct JobProgress {
    /// The current stage: of the first running run, of the first open run if no run is
    /// running, or of the last report.
    pub stage: Stage,
    /// Completed share of the stage, 0 to 100.
    #[serde(serialize_with = "percent_without_fraction")]
    #[schemars(range(min = 0, max = 100))]
    pub percent: Percent,
    /// What the worker is doing now.
    pub message: Option<ProgressMessage>,
    /// Remaining time that the worker expects, in seconds.
    pub eta_seconds: Option<NonNegativeInt>,
    /// The program of the last report on this stage, if the report named it.
    pub agent_name: Option<AgentName>,
}

impl From<domain::JobProgress> for JobProgress {
    fn from(job: domain::JobProgress) -> Self {
        let progress = job.progress;
        Self {
            stage: job.stage,
            percent: progress.percent,
            message: progress.message,
            eta_seconds: progress.eta_seconds,
            agent_name: job.agent_name,
        }
    }
}

/// Serializes 40.0 as 40, as people write percentages.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature serde calls"
)]
pub(crate) fn percent_without_fraction<S: Serializer>(
    percent: &Percent,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let percent = percent.get();
    if percent.fract() == 0.0 {
        #[expect(clippy::cast_possible_truncation, reason = "a percentage is 0 to 100")]
        serializer.serialize_i64(percent as i64)
    } else {
        serializer.serialize_f64(percent)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_integral_percentage_has_no_fraction() {
        for (percent, text) in [(0.0, "0"), (40.0, "40"), (99.5, "99.5"), (100.0, "100")] {
            let progress = JobProgress {
                stage: Stage::Transcription,
                percent: Percent::new(percent).unwrap(),
                message: None,
                eta_seconds: None,
                agent_name: None,
            };
            assert_eq!(
                serde_json::to_string(&progress).unwrap(),
                format!(
                    r#"{{"stage":"transcription","percent":{text},"message":null,"eta_seconds":null,"agent_name":null}}"#
                )
            );
        }
    }

    #[test]
    fn percentages_above_100_are_refused() {
        let report =
            |percent| ProgressReport::read(json!({ "stage": "complete", "percent": percent }));
        assert!(report(100.0).unwrap().into_domain().is_ok());
        let errors = report(101.0).unwrap().into_domain().unwrap_err();
        assert_eq!(errors[0].message, "must be between 0 and 100");
        assert_eq!(errors[0].field, "percent");
    }
}
