//! `table.md`.

use std::fmt::Write as _;

use super::results::{Key, Metric, Results};
use super::text::{CHOICES, COLUMNS, GROWTH, INTRODUCTION, LIMIT_NOTE, WATCHERS};
use crate::arguments::{Plan, Workload};
use crate::environment::Machine;
use crate::stack::System;

/// The text of the file.
pub(crate) fn render(
    results: &Results,
    machine: &Machine,
    plan: &Plan,
    charts: &[String],
) -> String {
    // Writing to memory does not fail.
    let mut text = format!("# Performance\n\n{INTRODUCTION}\n\n");
    for (name, value) in &machine.0 {
        let _ = writeln!(text, "- {name}: {value}");
    }
    let _ = writeln!(
        text,
        "- rounds: {}, of {} s for each measurement; the tables have medians\n",
        plan.rounds,
        plan.measured.as_secs_f64()
    );
    for chart in charts {
        let _ = writeln!(
            text,
            "![{}]({chart})\n",
            chart.replace(['-', '.'], " ").replace(" svg", "")
        );
    }
    let _ = writeln!(text, "{COLUMNS}\n{CHOICES}\n{LIMIT_NOTE}");
    postgres(&mut text, results);
    sqlite(&mut text, results);
    cold_start(&mut text, results);
    watchers(&mut text, results);
    growth(&mut text, results);
    let errors = results.errors();
    if !errors.is_empty() {
        text += "## Failed\n\n";
        for error in errors {
            let _ = writeln!(text, "- {}", error.lines().next().unwrap_or_default());
        }
    }
    text.trim_end().to_owned() + "\n"
}

/// What a workload is called in the tables.
pub(crate) fn name(workload: Workload) -> &'static str {
    match workload {
        Workload::Get => "get a job",
        Workload::List => "list 50 jobs",
        Workload::Results => "results, 1,500 segments",
        Workload::Progress => "report progress",
        Workload::PutSegments => "replace 1,500 segments",
        Workload::Create => "create a job",
        Workload::CreateRelaxed => "create a job, `--durability relaxed`",
        Workload::Claim => "claim, heartbeat, complete",
        Workload::Queue => "create, claim, heartbeat, complete",
        Workload::ColdStart => "cold start",
        Workload::Watchers => "watchers",
        Workload::Growth => "growth",
    }
}

fn postgres(text: &mut String, results: &Results) {
    let keys = keys_of(results, System::LecternPostgres);
    if keys.is_empty() {
        return;
    }
    *text += "## On PostgreSQL\n\n\
        | | connections | per second | ÷ peer | ÷ limit | p50 ms | p99 ms | peer's p99 ms | server µs | database µs | peer's µs ÷ both | peak MB | peer's MB |\n\
        |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";
    for key in keys {
        let lectern = |metric| results.get(key, metric);
        let peer = |metric| {
            results.get(
                Key {
                    system: System::Peer,
                    ..key
                },
                metric,
            )
        };
        let limit = |metric| {
            results.get(
                Key {
                    system: System::PostgresLimit,
                    ..key
                },
                metric,
            )
        };
        let processor = |of: &dyn Fn(Metric) -> Option<f64>| {
            Some(of(Metric::ServerProcessor)? + of(Metric::DatabaseProcessor)?)
        };
        let cells = [
            failed_or(results, key, lectern(Metric::PerSecond)),
            number(ratio(lectern(Metric::PerSecond), peer(Metric::PerSecond))),
            number(ratio(lectern(Metric::PerSecond), limit(Metric::PerSecond))),
            number(lectern(Metric::Median)),
            number(lectern(Metric::P99)),
            failed_or(
                results,
                Key {
                    system: System::Peer,
                    ..key
                },
                peer(Metric::P99),
            ),
            number(lectern(Metric::ServerProcessor)),
            number(lectern(Metric::DatabaseProcessor)),
            number(ratio(processor(&peer), processor(&lectern))),
            number(lectern(Metric::Memory)),
            number(peer(Metric::Memory)),
        ];
        row(text, name(key.workload), key.size, &cells);
    }
    *text += "\n";
}

fn sqlite(text: &mut String, results: &Results) {
    let keys = keys_of(results, System::LecternSqlite);
    if keys.is_empty() {
        return;
    }
    *text += "## On SQLite\n\n\
        | | connections | per second | ÷ limit | p50 ms | p99 ms | server µs | peak MB |\n\
        |---|--:|--:|--:|--:|--:|--:|--:|\n";
    for key in keys {
        let lectern = |metric| results.get(key, metric);
        let limit = Key {
            system: System::SqliteLimit,
            size: 1,
            ..key
        };
        let cells = [
            failed_or(results, key, lectern(Metric::PerSecond)),
            number(ratio(
                lectern(Metric::PerSecond),
                results.get(limit, Metric::PerSecond),
            )),
            number(lectern(Metric::Median)),
            number(lectern(Metric::P99)),
            number(lectern(Metric::ServerProcessor)),
            number(lectern(Metric::Memory)),
        ];
        row(text, name(key.workload), key.size, &cells);
    }
    *text += "\n";
}

fn cold_start(text: &mut String, results: &Results) {
    let key = |system| Key {
        workload: Workload::ColdStart,
        request: "",
        size: 1,
        system,
    };
    let of = |system, metric| results.get(key(system), metric);
    let (lectern, peer) = (System::LecternSqlite, System::Peer);
    if results
        .keys()
        .all(|key| key.workload != Workload::ColdStart)
    {
        return;
    }
    *text += "## Cold start\n\n| | Lectern | peer | Lectern ÷ peer |\n|---|--:|--:|--:|\n";
    for (label, metric) in [
        ("start of the process to the first 200, ms", Metric::Median),
        ("resident memory when idle, MB", Metric::Memory),
    ] {
        let (ours, theirs) = (of(lectern, metric), of(peer, metric));
        let shown = failed_or(results, key(lectern), ours);
        let peers = failed_or(results, key(peer), theirs);
        let _ = writeln!(
            text,
            "| {label} | {shown} | {peers} | {} |",
            number(ratio(ours, theirs))
        );
    }
    *text +=
        "\nLectern starts on an existing SQLite file, the peer on its tables in PostgreSQL.\n\n";
}

fn watchers(text: &mut String, results: &Results) {
    let keys: Vec<Key> = results
        .keys()
        .filter(|key| key.workload == Workload::Watchers)
        .copied()
        .collect();
    if keys.is_empty() {
        return;
    }
    let _ = write!(
        text,
        "## Watchers\n\n{WATCHERS}\n\n| | watch | watchers | p50 ms | p99 ms | peak MB |\n|---|---|--:|--:|--:|--:|\n"
    );
    for key in keys {
        let cells = [
            failed_or(results, key, results.get(key, Metric::Median)),
            number(results.get(key, Metric::P99)),
            number(results.get(key, Metric::Memory)),
        ];
        let name = format!("{} | {}", key.system.name(), key.request);
        row(text, &name, key.size, &cells);
    }
    *text += "\n";
}

fn growth(text: &mut String, results: &Results) {
    let mut sizes: Vec<usize> = results
        .keys()
        .filter(|key| key.workload == Workload::Growth)
        .map(|key| key.size)
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    let Some((smallest, larger)) = sizes.split_first() else {
        return;
    };
    let _ = write!(text, "## Growth\n\n{GROWTH}\n\n| | | {smallest} jobs, ms |");
    for size in larger {
        let _ = write!(text, " {size} ÷ {smallest} |");
    }
    let _ = writeln!(text, "\n|---|---|--:|{}", "--:|".repeat(larger.len()));
    let first = results
        .keys()
        .filter(|key| key.workload == Workload::Growth && key.size == *smallest);
    for key in first {
        let of = |size| results.get(Key { size, ..*key }, Metric::Median);
        let base = failed_or(results, *key, of(*smallest));
        let _ = write!(text, "| {} | {} | {base} |", key.request, key.system);
        for size in larger {
            let ratio = ratio(of(*size), of(*smallest));
            let _ = write!(
                text,
                " {} |",
                failed_or(
                    results,
                    Key {
                        size: *size,
                        ..*key
                    },
                    ratio
                )
            );
        }
        *text += "\n";
    }
    *text += "\n";
}

/// The workloads with a number of requests per second, in the order of the tables.
fn keys_of(results: &Results, system: System) -> Vec<Key> {
    let others = [Workload::ColdStart, Workload::Watchers, Workload::Growth];
    results
        .keys()
        .filter(|key| key.system == system && !others.contains(&key.workload))
        .copied()
        .collect()
}

fn row(text: &mut String, name: &str, size: usize, cells: &[String]) {
    let _ = writeln!(text, "| {name} | {size} | {} |", cells.join(" | "));
}

/// One number divided by another.
pub(crate) fn ratio(number: Option<f64>, by: Option<f64>) -> Option<f64> {
    Some(number? / by?).filter(|ratio| ratio.is_finite())
}

fn failed_or(results: &Results, key: Key, value: Option<f64>) -> String {
    match results.error(key) {
        Some(_) => "failed".to_owned(),
        None => number(value),
    }
}

/// A number with as many digits as mean something.
fn number(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.2}"),
    }
}
