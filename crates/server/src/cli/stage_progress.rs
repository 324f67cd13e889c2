//! The progress of a job's stages on standard error: bars on a terminal, lines otherwise.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _, stderr};

use chrono::{DateTime, TimeDelta, Utc};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use lectern_domain::{
    Clock as _, NoteLevel, Stage, StageNote, StageRun, StageRunStatus, SystemClock,
};
use log::LevelFilter;
use serde::Deserialize;

use super::text::{clock, one_line};

/// Without bars, the progress of a stage is printed in steps of this size.
const LINE_STEP_PERCENT: f64 = 25.0;
/// The remaining time is not estimated before this share is done, because the first
/// steps of a stage are often quicker or slower than the others.
const MIN_ESTIMATED_PERCENT: f64 = 3.0;

/// The state of one stage, as a server responds with it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct StageProgress {
    pub(super) stage: Stage,
    pub(super) status: StageRunStatus,
    pub(super) attempt: i32,
    pub(super) max_attempts: i32,
    pub(super) worker: Option<String>,
    pub(super) percent: f64,
    message: Option<String>,
    eta_seconds: Option<u32>,
    error: Option<String>,
    #[serde(default)]
    notes: Vec<Note>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Deserialize)]
struct Note {
    level: NoteLevel,
    message: String,
}

impl From<&StageRun> for StageProgress {
    fn from(run: &StageRun) -> Self {
        let progress = &run.progress;
        Self {
            stage: run.stage,
            status: run.status,
            attempt: run.attempt,
            max_attempts: run.max_attempts,
            worker: run.worker.as_ref().map(|name| name.as_str().to_owned()),
            percent: progress.percent.get(),
            message: progress
                .message
                .as_ref()
                .map(|text| text.as_str().to_owned()),
            eta_seconds: progress
                .eta_seconds
                .and_then(|eta| eta.get().try_into().ok()),
            error: run.error.as_ref().map(|text| text.as_str().to_owned()),
            notes: run.notes.as_slice().iter().map(Note::from).collect(),
            started_at: run.started_at,
            finished_at: run.finished_at,
        }
    }
}

impl From<&StageNote> for Note {
    fn from(note: &StageNote) -> Self {
        Self {
            level: note.level,
            message: note.message.as_str().to_owned(),
        }
    }
}

impl StageProgress {
    /// How long the last attempt took or has taken, how long it will take, what the
    /// worker does or why it failed, and the warnings about its output.
    pub(super) fn remark(&self, now: DateTime<Utc>) -> String {
        let mut parts = Vec::new();
        if let Some(elapsed) = self.elapsed(now) {
            parts.push(clock(elapsed));
        }
        if self.status == StageRunStatus::Running {
            parts.extend(
                self.remaining(now)
                    .map(|left| format!("about {} left", clock(left))),
            );
            parts.extend(self.message.as_deref().map(one_line));
        }
        let failed = match self.status {
            StageRunStatus::Completed | StageRunStatus::Skipped => None,
            _ => self.error.as_deref(),
        };
        parts.extend(failed.map(|error| format!("failed: {}", one_line(error))));
        let warnings = self.notes.iter();
        let warnings = warnings.filter(|note| note.level == NoteLevel::Warning);
        parts.extend(warnings.map(|note| one_line(&note.message)));
        parts.join(", ")
    }

    /// Seconds since the start of the attempt, until its end if it has ended.
    fn elapsed(&self, now: DateTime<Utc>) -> Option<f64> {
        let end = match self.status {
            StageRunStatus::Running => now,
            _ => self.finished_at?,
        };
        let elapsed = seconds(end - self.started_at?);
        // The clock of the server may differ.
        (elapsed >= 0.0).then_some(elapsed)
    }

    /// The seconds that the worker expects, or else those that follow from its speed.
    fn remaining(&self, now: DateTime<Utc>) -> Option<f64> {
        if let Some(expected) = self.eta_seconds {
            return Some(expected.into());
        }
        let is_estimated = self.percent >= MIN_ESTIMATED_PERCENT;
        let elapsed = self.elapsed(now).filter(|_| is_estimated)?;
        Some(elapsed * (100.0 - self.percent) / self.percent)
    }

    /// The status and the remark, for a line that begins with the name of the stage.
    fn text(&self, now: DateTime<Utc>) -> String {
        let remark = self.remark(now);
        match self.status {
            StageRunStatus::Running => remark,
            status if remark.is_empty() => status.to_string(),
            status => format!("{status}, {remark}"),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "below 2^53 milliseconds")]
fn seconds(time: TimeDelta) -> f64 {
    time.num_milliseconds() as f64 / 1000.0
}

/// Whether standard error is a terminal.
pub(super) fn has_bars() -> bool {
    stderr().is_terminal()
}

/// The progress of each stage, on standard error.
pub(super) enum Display {
    Bars {
        all: MultiProgress,
        bars: BTreeMap<Stage, ProgressBar>,
        /// The log level to restore.
        level: LevelFilter,
    },
    /// The status and the step of which a line was printed last, for each stage.
    Lines(BTreeMap<Stage, (StageRunStatus, f64)>),
    /// Bars that are not updated any more.
    Frozen,
}

impl Display {
    /// Turns logging off while bars are shown, because log lines would break
    /// them.
    pub(super) fn new() -> Self {
        if has_bars() {
            let level = log::max_level();
            log::set_max_level(LevelFilter::Off);
            Self::Bars {
                all: MultiProgress::new(),
                bars: BTreeMap::new(),
                level,
            }
        } else {
            Self::Lines(BTreeMap::new())
        }
    }

    pub(super) fn show(&mut self, stages: impl IntoIterator<Item = StageProgress>) {
        let now = SystemClock.now();
        for stage in stages {
            match self {
                Self::Bars { all, bars, .. } => {
                    let bar = bars.entry(stage.stage).or_insert_with(|| {
                        let bar = all.add(ProgressBar::new(100));
                        if let Ok(style) = ProgressStyle::with_template(
                            "{prefix:18} {bar:32} {pos:>3} % {wide_msg}",
                        ) {
                            bar.set_style(style);
                        }
                        bar.with_prefix(stage.stage.to_string())
                    });
                    bar.set_position(whole_percent(stage.percent));
                    bar.set_message(stage.text(now));
                }
                Self::Frozen => {}
                Self::Lines(printed) => {
                    let step = (stage.percent / LINE_STEP_PERCENT).floor() * LINE_STEP_PERCENT;
                    let line = match stage.status {
                        StageRunStatus::Waiting | StageRunStatus::Ready => continue,
                        StageRunStatus::Running => {
                            format!("{}: {step} %, {}", stage.stage, stage.text(now))
                        }
                        _ => format!("{}: {}", stage.stage, stage.text(now)),
                    };
                    let state = (stage.status, step);
                    if printed.insert(stage.stage, state) != Some(state) {
                        let _ = writeln!(stderr(), "{line}");
                    }
                }
            }
        }
    }

    /// Stops updating the bars. Terminal output such as `^C` then appears below
    /// them.
    pub(super) fn freeze(&mut self) {
        if let Self::Bars { all, level, .. } = self {
            all.set_draw_target(ProgressDrawTarget::hidden());
            let _ = writeln!(stderr());
            log::set_max_level(*level);
            *self = Self::Frozen;
        }
    }

    /// Leaves the bars in their last state and restores logging.
    pub(super) fn finish(self) {
        if let Self::Bars { bars, level, .. } = self {
            for bar in bars.into_values() {
                bar.abandon();
            }
            log::set_max_level(level);
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a percentage is 0 to 100"
)]
fn whole_percent(percent: f64) -> u64 {
    percent as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stage that began 60 seconds before the returned time.
    fn stage(status: StageRunStatus, percent: f64) -> (StageProgress, DateTime<Utc>) {
        let now = DateTime::UNIX_EPOCH + TimeDelta::seconds(60);
        let stage = StageProgress {
            stage: Stage::Transcription,
            status,
            attempt: 1,
            max_attempts: 3,
            worker: None,
            percent,
            message: Some("listening".to_owned()),
            eta_seconds: None,
            error: None,
            notes: Vec::new(),
            started_at: Some(DateTime::UNIX_EPOCH),
            finished_at: None,
        };
        (stage, now)
    }

    #[test]
    fn a_running_stage_has_an_estimate_once_some_of_it_is_done() {
        let text = |percent| {
            let (stage, now) = stage(StageRunStatus::Running, percent);
            stage.text(now)
        };
        assert_eq!(text(0.0), "1:00, listening");
        assert_eq!(text(25.0), "1:00, about 3:00 left, listening");
        assert_eq!(text(100.0), "1:00, about 0:00 left, listening");
    }

    #[test]
    fn the_worker_knows_the_remaining_time_better() {
        let (mut stage, now) = stage(StageRunStatus::Running, 25.0);
        stage.eta_seconds = Some(7);
        assert_eq!(stage.text(now), "1:00, about 0:07 left, listening");
    }

    #[test]
    fn an_ended_stage_has_its_duration() {
        let (mut stage, now) = stage(StageRunStatus::Completed, 100.0);
        stage.finished_at = Some(DateTime::UNIX_EPOCH + TimeDelta::seconds(5));
        stage.error = Some("of an earlier attempt".to_owned());
        assert_eq!(stage.text(now), "completed, 0:05");
        let note = |level, message: &str| Note {
            level,
            message: message.to_owned(),
        };
        stage.notes = vec![
            note(NoteLevel::Info, "taken from a track"),
            note(NoteLevel::Warning, "there is no transcript"),
        ];
        assert_eq!(stage.text(now), "completed, 0:05, there is no transcript");
        stage.notes.clear();
        stage.status = StageRunStatus::Failed;
        assert_eq!(
            stage.text(now),
            "failed, 0:05, failed: of an earlier attempt"
        );
        stage.status = StageRunStatus::Waiting;
        (stage.started_at, stage.finished_at, stage.error) = (None, None, None);
        assert_eq!(stage.text(now), "waiting");
    }

    #[test]
    fn a_clock_that_is_behind_the_server_shows_no_time() {
        let (mut stage, now) = stage(StageRunStatus::Running, 50.0);
        stage.started_at = Some(now + TimeDelta::seconds(5));
        assert_eq!(stage.text(now), "listening");
    }
}
