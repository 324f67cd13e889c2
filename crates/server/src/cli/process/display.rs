//! How far it is: bars on a terminal, lines otherwise.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _, stderr};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use lectern_domain::{Stage, StageRun, StageRunStatus};
use log::LevelFilter;

/// Of how many percent there is a line, where there are no bars.
const LINE_STEP_PERCENT: f64 = 25.0;

/// Whether there are bars: whoever looks at a terminal sees them.
pub(super) fn has_bars() -> bool {
    stderr().is_terminal()
}

/// Shows how far each stage is, on the standard error.
pub(super) enum Display {
    Bars {
        all: MultiProgress,
        bars: BTreeMap<Stage, ProgressBar>,
        /// What was logged before.
        level: LevelFilter,
    },
    /// What was said of each stage last.
    Lines(BTreeMap<Stage, String>),
    /// Bars that stay as they were.
    Frozen,
}

impl Display {
    /// Nothing is logged while there are bars: a line between them would leave
    /// them in ruins, and what becomes of the stages is what they show.
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

    /// Leaves the bars as they are from now on. What is typed, such as Ctrl-C,
    /// appears below them, where they cannot be drawn over any more.
    pub(super) fn freeze(&mut self) {
        if let Self::Bars { all, level, .. } = self {
            all.set_draw_target(ProgressDrawTarget::hidden());
            let _ = writeln!(stderr());
            log::set_max_level(*level);
            *self = Self::Frozen;
        }
    }

    /// Leaves the bars as they came to be.
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
