//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Measures Lectern beside the stack it replaces and beside its databases alone.
#[derive(Debug, Parser)]
#[command(name = "lectern-bench")]
pub(crate) struct Arguments {
    /// Rounds; the result is the median of them
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 4.0)]
    pub(crate) seconds: f64,
    /// Runs these workloads alone and prints the table instead of writing it
    #[arg(long, value_enum)]
    pub(crate) only: Vec<Workload>,
    /// Runs every workload with a few requests, and only checks that nothing fails
    #[arg(long)]
    pub(crate) smoke: bool,
    /// Directory of the results [default: docs/performance in this workspace]
    #[arg(long)]
    pub(crate) output: Option<PathBuf>,
    /// The program to measure [default: a release build of this workspace; with --smoke
    /// the program beside this one]
    #[arg(long)]
    pub(crate) lectern: Option<PathBuf>,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Workload {
    Get,
    List,
    Results,
    Progress,
    PutSegments,
    Create,
    CreateRelaxed,
    Claim,
    Queue,
    ColdStart,
    Watchers,
    Growth,
}

/// How much is measured.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) rounds: u32,
    pub(crate) measured: Duration,
    pub(crate) warm_up: Duration,
    pub(crate) smoke: bool,
    only: Vec<Workload>,
}

impl Plan {
    pub(crate) fn new(arguments: &Arguments) -> Self {
        let seconds = |seconds: f64| Duration::from_secs_f64(seconds.clamp(0.05, 3600.0));
        let (rounds, measured, warm_up) = if arguments.smoke {
            (1, 0.05, 0.0)
        } else {
            (arguments.rounds, arguments.seconds, arguments.seconds / 5.0)
        };
        Self {
            rounds,
            measured: seconds(measured),
            warm_up: seconds(warm_up),
            smoke: arguments.smoke,
            only: arguments.only.clone(),
        }
    }

    pub(crate) fn includes(&self, workload: Workload) -> bool {
        self.only.is_empty() || self.only.contains(&workload)
    }

    pub(crate) fn includes_any(&self, workloads: &[Workload]) -> bool {
        workloads.iter().any(|workload| self.includes(*workload))
    }

    /// `full`, or with `--smoke` the smaller `smoke`.
    pub(crate) fn size<T>(&self, full: T, smoke: T) -> T {
        if self.smoke { smoke } else { full }
    }

    /// Numbers of connections for most workloads.
    pub(crate) fn connections(&self) -> &'static [usize] {
        self.size(&[1, 16, 64, 256], &[4])
    }
}
