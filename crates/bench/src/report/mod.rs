//! Results, and the files they are written to.

mod chart;
mod json;
mod results;
mod table;
mod text;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

pub(crate) use results::{Key, Metric, Metrics, Results};

use crate::arguments::Plan;
use crate::environment::Machine;

/// Writes `table.md`, `table.json` and the charts.
pub(crate) fn write(
    results: &Results,
    machine: &Machine,
    plan: &Plan,
    output: &Path,
) -> Result<()> {
    fs::create_dir_all(output)
        .with_context(|| format!("{} cannot be created", output.display()))?;
    let charts = chart::draw(results, output)?;
    fs::write(
        output.join("table.md"),
        table::render(results, machine, plan, &charts),
    )?;
    fs::write(
        output.join("table.json"),
        json::render(results, machine, plan)?,
    )?;
    Ok(())
}

/// The text of `table.md`.
pub(crate) fn text(results: &Results, machine: &Machine, plan: &Plan) -> String {
    table::render(results, machine, plan, &[])
}
