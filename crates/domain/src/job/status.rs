//! The status of a job and the state machine behind it.

use crate::stage::Stage;
use crate::value::string_enum::string_enum;

string_enum! {
    /// Status of a job.
    ///
    /// ```
    /// use lectern_domain::JobStatus::{Completed, Failed, Queued, Running};
    ///
    /// assert!(Running.can_become(Completed));
    /// assert!(Failed.can_become(Queued), "a retry");
    /// assert!(!Completed.can_become(Running), "completed is final");
    /// ```
    JobStatus {
        /// The upload is not confirmed yet.
        Pending = "pending",
        /// Waiting for a worker.
        Queued = "queued",
        /// Being processed.
        Running = "running",
        /// Done; the results can be read.
        Completed = "completed",
        /// Ended by an error; `error_message` says why.
        Failed = "failed",
        /// Ended at a client's request.
        Cancelled = "cancelled",
    }
}

/// A change of status that the state machine allows.
///
/// A transition to [`JobStatus::Queued`] from failed or cancelled is a retry: it
/// clears the error, the progress and the time of completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// The status before.
    pub from: JobStatus,
    /// The status after.
    pub to: JobStatus,
    /// A further condition on the job, if there is one.
    pub requires: Option<Requirement>,
}

impl Transition {
    /// Every transition to the status `to`. Storage derives the condition of its
    /// `UPDATE` from these transitions, so that the rules are stated only here.
    ///
    /// ```
    /// use lectern_domain::{JobStatus, Requirement, Transition};
    ///
    /// let retry = Transition::all_to(JobStatus::Queued).find(|t| t.from == JobStatus::Failed);
    /// assert_eq!(retry.unwrap().requires, Some(Requirement::RecordingUploaded));
    /// ```
    pub fn all_to(to: JobStatus) -> impl Iterator<Item = Self> {
        let from = to.predecessors().iter();
        from.map(move |&from| Self {
            from,
            to,
            requires: Requirement::of(from, to),
        })
    }
}

/// What a transition requires of a job besides its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// The upload of the recording was confirmed at some time. A job that ended
    /// before its upload was confirmed has no recording to process, so it cannot be
    /// retried.
    RecordingUploaded,
}

impl Requirement {
    fn of(from: JobStatus, to: JobStatus) -> Option<Self> {
        let is_retry = from.is_finished() && to == JobStatus::Queued;
        is_retry.then_some(Self::RecordingUploaded)
    }

    /// Whether a job meets the requirement, given its current stage and whether it
    /// has stage runs.
    ///
    /// A job has its recording when the job is queued for the first time, which is when
    /// its stage runs are created. So a job with stage runs has its recording, even if a
    /// progress report has set the current stage to uploading since. A job without stage
    /// runs lacks its recording while the current stage is uploading.
    pub fn is_met(self, current_stage: Option<Stage>, has_stage_runs: bool) -> bool {
        match self {
            Self::RecordingUploaded => has_stage_runs || current_stage != Some(Stage::Uploading),
        }
    }
}

impl JobStatus {
    /// The statuses from which a job can change to this status. Together with the
    /// [`Requirement`]s, these statuses are the whole state machine.
    pub fn predecessors(self) -> &'static [Self] {
        use JobStatus::{Cancelled, Completed, Failed, Pending, Queued, Running};
        match self {
            Pending => &[],
            Queued => &[Pending, Failed, Cancelled],
            Running => &[Queued],
            Completed => &[Running],
            Failed | Cancelled => &[Pending, Queued, Running],
        }
    }

    /// Whether a job with this status may change to `next`, provided that it meets
    /// the [`Requirement`] of the transition.
    pub fn can_become(self, next: Self) -> bool {
        next.predecessors().contains(&self)
    }

    /// The statuses of a job some of whose stages can be run again: the finished ones. A
    /// completed job is queued only by such a rerun, so [`JobStatus::predecessors`] does not
    /// list this change.
    pub const RERUNNABLE: &'static [Self] = &[Self::Completed, Self::Failed, Self::Cancelled];

    /// Whether the job has ended. Only a retry can change this status, and a completed
    /// job cannot be retried, but [rerun](Self::RERUNNABLE).
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// Whether workers may report progress. A queued job accepts the first report,
    /// which moves it to running.
    pub fn accepts_progress(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_documented_transitions_are_allowed() {
        let allowed: Vec<String> = JobStatus::ALL
            .iter()
            .flat_map(|from| JobStatus::ALL.iter().map(move |to| (from, to)))
            .filter(|(from, to)| from.can_become(**to))
            .map(|(from, to)| format!("{from}→{to}"))
            .collect();
        assert_eq!(
            allowed.join(" "),
            "pending→queued pending→failed pending→cancelled \
             queued→running queued→failed queued→cancelled \
             running→completed running→failed running→cancelled \
             failed→queued cancelled→queued"
        );
    }

    #[test]
    fn exactly_the_retries_require_an_uploaded_recording() {
        let guarded: Vec<String> = JobStatus::ALL
            .iter()
            .flat_map(|to| Transition::all_to(*to))
            .filter(|transition| transition.requires == Some(Requirement::RecordingUploaded))
            .map(|transition| format!("{}→{}", transition.from, transition.to))
            .collect();
        assert_eq!(guarded, ["failed→queued", "cancelled→queued"]);
    }

    #[test]
    fn only_an_uploading_job_without_stage_runs_lacks_its_recording() {
        let met = |stage: Option<Stage>, has_stage_runs| {
            Requirement::RecordingUploaded.is_met(stage, has_stage_runs)
        };
        assert!(!met(Some(Stage::Uploading), false));
        assert!(met(Some(Stage::Uploading), true));
        assert!(met(Some(Stage::Transcription), false));
        assert!(met(None, false));
    }
}
