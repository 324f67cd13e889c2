//! What was measured, and the medians of it.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::arguments::Workload;
use crate::load::median;
use crate::stack::System;

/// A number of a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Metric {
    /// Requests, transactions or jobs per second.
    PerSecond,
    /// Milliseconds.
    Mean,
    /// Milliseconds.
    Median,
    /// The 99th percentile in milliseconds.
    P99,
    /// Processor time of the server per request, in microseconds.
    ServerProcessor,
    /// Processor time of PostgreSQL per request, in microseconds.
    DatabaseProcessor,
    /// Megabytes: the peak while loaded, or what an idle server has.
    Memory,
}

impl Metric {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PerSecond => "per_second",
            Self::Mean => "mean_ms",
            Self::Median => "p50_ms",
            Self::P99 => "p99_ms",
            Self::ServerProcessor => "server_processor_us",
            Self::DatabaseProcessor => "database_processor_us",
            Self::Memory => "memory_mb",
        }
    }
}

/// The numbers of one measurement.
pub(crate) type Metrics = BTreeMap<Metric, f64>;

/// What was measured on what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) workload: Workload,
    /// One of several requests of a workload, or nothing.
    pub(crate) request: &'static str,
    /// The number of connections or of jobs.
    pub(crate) size: usize,
    pub(crate) system: System,
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub(crate) struct Results {
    rows: BTreeMap<Key, Row>,
    /// Set-ups that failed, so that nothing could be measured.
    failed: Vec<String>,
}

#[derive(Debug, Default)]
struct Row {
    rounds: Vec<Metrics>,
    error: Option<String>,
}

impl Results {
    /// Adds a measurement of one round, and shows it.
    pub(crate) fn add(&mut self, key: Key, measured: Result<Metrics>) {
        let Key {
            workload,
            request,
            size,
            system,
        } = key;
        let row = self.rows.entry(key).or_default();
        let name = format!("{workload:?} {request}");
        match measured {
            Ok(metrics) => {
                let shown: Vec<String> = metrics
                    .iter()
                    .map(|(metric, value)| format!("{} {value:.2}", metric.name()))
                    .collect();
                eprintln!("{name:<28} {size:>7}  {system:<16}  {}", shown.join(", "));
                row.rounds.push(metrics);
            }
            Err(error) => {
                eprintln!("{name:<28} {size:>7}  {system:<16}  FAILED: {error:#}");
                row.error.get_or_insert(format!("{error:#}"));
            }
        }
    }

    /// Records that a part of the run could not begin.
    pub(crate) fn check(&mut self, part: &str, result: Result<()>) {
        if let Err(error) = result {
            eprintln!("{part} FAILED: {error:#}");
            self.failed.push(format!("{part}: {error:#}"));
        }
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.rows.keys()
    }

    /// The median of the rounds; nothing if one of them failed.
    pub(crate) fn get(&self, key: Key, metric: Metric) -> Option<f64> {
        let row = self.rows.get(&key)?;
        let values: Vec<f64> = row
            .rounds
            .iter()
            .filter_map(|round| round.get(&metric).copied())
            .collect();
        (row.error.is_none() && !values.is_empty()).then(|| median(values))
    }

    /// The values of all rounds, in their order.
    pub(crate) fn rounds(&self, key: Key, metric: Metric) -> Vec<f64> {
        let rounds = self.rows.get(&key).map(|row| row.rounds.as_slice());
        rounds
            .unwrap_or_default()
            .iter()
            .filter_map(|round| round.get(&metric).copied())
            .collect()
    }

    pub(crate) fn error(&self, key: Key) -> Option<&str> {
        self.rows.get(&key)?.error.as_deref()
    }

    /// All errors, each with what failed.
    pub(crate) fn errors(&self) -> Vec<String> {
        let rows = self.rows.iter().filter_map(|(key, row)| {
            let Key {
                workload,
                request,
                size,
                system,
            } = key;
            let error = row.error.as_ref()?;
            Some(format!("{workload:?} {request} {size} {system}: {error}"))
        });
        rows.chain(self.failed.iter().cloned()).collect()
    }
}
