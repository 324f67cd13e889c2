//! How far it is: bars on a terminal, lines otherwise.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _, stderr};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use lectern_domain::{Stage, StageRun, StageRunStatus};

/// Of how many percent there is a line, where there are no bars.
const STEP: f64 = 25.0;

/// Shows how far each stage is, on the standard error.
pub(super) enum Display {
    Bars {
        all: MultiProgress,
        bars: BTreeMap<Stage, ProgressBar>,
    },
    /// What was said of each stage last.
    Lines(BTreeMap<Stage, String>),
}

impl Display {
    pub(super) fn new() -> Self {
        if stderr().is_terminal() {
            Self::Bars {
                all: MultiProgress::new(),
                bars: BTreeMap::new(),
            }
        } else {
            Self::Lines(BTreeMap::new())
        }
    }

    pub(super) fn show(&mut self, runs: &[StageRun]) {
        match self {
            Self::Bars { all, bars } => {
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
                    bar.set_position(whole(run));
                    bar.set_message(word(run));
                }
            }
            Self::Lines(said) => {
                for run in runs {
                    let step = (run.percent.get() / STEP).floor() * STEP;
                    let line = match run.status {
                        StageRunStatus::Waiting | StageRunStatus::Ready => continue,
                        StageRunStatus::Running => format!("{}: {step} %", run.stage),
                        status => format!("{}: {status}", run.stage),
                    };
                    if said.get(&run.stage) != Some(&line) {
                        let _ = writeln!(stderr(), "{line}");
                        said.insert(run.stage, line);
                    }
                }
            }
        }
    }

    /// Leaves the bars as they are.
    pub(super) fn finish(self) {
        if let Self::Bars { bars, .. } = self {
            for bar in bars.into_values() {
                bar.abandon();
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a percentage is 0 to 100"
)]
fn whole(run: &StageRun) -> u64 {
    run.percent.get() as u64
}

fn word(run: &StageRun) -> String {
    match (run.status, &run.message) {
        (StageRunStatus::Running, Some(message)) => message.as_str().to_owned(),
        (status, _) => status.to_string(),
    }
}
