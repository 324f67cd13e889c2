//! Progress on standard error: bars on a terminal, lines otherwise.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _, stderr};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use lectern_domain::{Stage, StageRun, StageRunStatus};
use log::LevelFilter;

/// Without bars, the progress of a stage is printed in steps of this size.
const LINE_STEP_PERCENT: f64 = 25.0;

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
    /// The line last printed for each stage.
    Lines(BTreeMap<Stage, String>),
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

    pub(super) fn show(&mut self, runs: &[StageRun]) {
        match self {
            Self::Bars { all, bars, .. } => {
                for run in runs {
                    let bar = bars.entry(run.stage).or_insert_with(|| {
                        let bar = all.add(ProgressBar::new(100));
                        if let Ok(style) = ProgressStyle::with_template(
                            "{prefix:18} {bar:32} {pos:>3} % {wide_msg}",
                        ) {
                            bar.set_style(style);
                        }
                        bar.with_prefix(run.stage.to_string())
                    });
                    bar.set_position(percent(run));
                    bar.set_message(status_text(run));
                }
            }
            Self::Frozen => {}
            Self::Lines(printed) => {
                for run in runs {
                    let step = (run.progress.percent.get() / LINE_STEP_PERCENT).floor()
                        * LINE_STEP_PERCENT;
                    let line = match run.status {
                        StageRunStatus::Waiting | StageRunStatus::Ready => continue,
                        StageRunStatus::Running => format!("{}: {step} %", run.stage),
                        status => format!("{}: {status}", run.stage),
                    };
                    if printed.get(&run.stage) != Some(&line) {
                        let _ = writeln!(stderr(), "{line}");
                        printed.insert(run.stage, line);
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
fn percent(run: &StageRun) -> u64 {
    run.progress.percent.get() as u64
}

fn status_text(run: &StageRun) -> String {
    match (run.status, &run.progress.message) {
        (StageRunStatus::Running, Some(message)) => message.as_str().to_owned(),
        (status, _) => status.to_string(),
    }
}
