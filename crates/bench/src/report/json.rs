//! `table.json`: every number of every round.

use anyhow::Result;
use clap::ValueEnum as _;
use clap::builder::PossibleValue;
use serde_json::{Map, Value, json};

use super::results::{Metric, Results};
use crate::arguments::Plan;
use crate::environment::Machine;

const METRICS: [Metric; 7] = [
    Metric::PerSecond,
    Metric::Mean,
    Metric::Median,
    Metric::P99,
    Metric::ServerProcessor,
    Metric::DatabaseProcessor,
    Metric::Memory,
];

/// The text of the file.
pub(crate) fn render(results: &Results, machine: &Machine, plan: &Plan) -> Result<String> {
    let measurements: Vec<Value> = results
        .keys()
        .map(|key| {
            let name = key.workload.to_possible_value();
            let mut row = Map::new();
            row.insert(
                "workload".into(),
                json!(name.as_ref().map(PossibleValue::get_name)),
            );
            if !key.request.is_empty() {
                row.insert("request".into(), json!(key.request));
            }
            row.insert("size".into(), json!(key.size));
            row.insert("system".into(), json!(key.system.name()));
            for metric in METRICS {
                if let Some(median) = results.get(*key, metric) {
                    let rounds = results.rounds(*key, metric);
                    row.insert(
                        metric.name().into(),
                        json!({ "median": median, "rounds": rounds }),
                    );
                }
            }
            if let Some(error) = results.error(*key) {
                row.insert("error".into(), json!(error));
            }
            Value::Object(row)
        })
        .collect();
    let machine: Map<String, Value> = machine
        .0
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let document = json!({
        "machine": machine,
        "rounds": plan.rounds,
        "seconds": plan.measured.as_secs_f64(),
        "measurements": measurements,
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}
