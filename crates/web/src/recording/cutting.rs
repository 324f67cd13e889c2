//! Whether the clips of a recording are cut, and the button that cuts them again.

use lectern_api::Clip;
use lectern_domain::{JobStatus, Stage, StageRunStatus};
use maud::{Markup, html};

use super::Recording;
use crate::language::Language;

/// What is known about the files of the clips, and what can be done about them.
#[derive(Debug, PartialEq, Eq)]
enum Cutting {
    /// The job has no compilation, or nothing to cut.
    Nothing,
    /// It waits for its turn, or for a worker.
    Waiting,
    /// A worker is cutting; the progress in percent.
    Running(u8),
    /// The job has ended, and compilation alone can run again.
    Possible,
    /// An earlier stage has to run before.
    Impossible,
}

impl Cutting {
    fn of(recording: &Recording) -> Self {
        let runs = || recording.stages.iter();
        let Some(run) = runs().find(|run| run.stage == Stage::Compilation) else {
            return Self::Nothing;
        };
        let status = recording.job.status;
        if recording.clips.is_empty() {
            return Self::Nothing;
        }
        if JobStatus::RERUNNABLE.contains(&status) {
            // A rerun also runs what is not complete. Segmentation would replace the clips.
            let is_done =
                |status| matches!(status, StageRunStatus::Completed | StageRunStatus::Skipped);
            let mut others = runs().filter(|run| run.stage != Stage::Compilation);
            return if others.all(|run| is_done(run.status)) {
                Self::Possible
            } else {
                Self::Impossible
            };
        }
        match run.status {
            StageRunStatus::Running => {
                // A percentage is between 0 and 100.
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "0 to 100"
                )]
                let percent = run.percent.get().floor() as u8;
                Self::Running(percent)
            }
            StageRunStatus::Waiting | StageRunStatus::Ready => Self::Waiting,
            _ => Self::Nothing,
        }
    }
}

/// Whether the files of a clip do not show it as it is.
pub(super) fn is_outdated(clip: &Clip) -> bool {
    clip.stale || clip.s3_key.is_none()
}

/// Whether the reel does not show the clips as they are, or in another order.
pub(super) fn has_outdated_reel(recording: &Recording) -> bool {
    let has_changed = || {
        let mut clips = recording.clips.iter();
        clips.any(|found| is_outdated(&found.clip))
    };
    recording.reel_url.is_some() && (recording.has_outdated_reel || has_changed())
}

pub(super) fn section(language: Language, recording: &Recording) -> Markup {
    let own = language.editing_words();
    let clips = recording.clips.iter().map(|found| &found.clip);
    let outdated = clips.filter(|clip| is_outdated(clip)).count();
    let needs_cutting = outdated > 0 || has_outdated_reel(recording);
    html! {
        div #cutting .cutting {
            @match Cutting::of(recording) {
                Cutting::Waiting => p .soft { (own.will_be_cut) },
                Cutting::Running(percent) => p .soft {
                    (own.being_cut) ": " span .percent { (percent) " %" }
                },
                Cutting::Possible => {
                    p .soft {
                        @match outdated {
                            0 if needs_cutting => (own.reel_to_cut),
                            0 => (own.all_cut),
                            1 => (own.to_cut_one),
                            _ => (own.to_cut.replace('#', &outdated.to_string())),
                        }
                    }
                    @if recording.reader.may_change {
                        button .needs-script .main[needs_cutting] type="button" data-action="rerun"
                            data-from-stage=(Stage::Compilation) { (own.cut_again) }
                    }
                },
                Cutting::Nothing | Cutting::Impossible => {},
            }
        }
    }
}
