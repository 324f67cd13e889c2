//! A measurement of a load, with what the processes used meanwhile.

use anyhow::{Result, bail};

use crate::arguments::Plan;
use crate::environment::{Usage, peak_memory, reset_peak_memory};
use crate::load::{Connection, Load, Measured};
use crate::report::{Metric, Metrics};
use crate::stack::Server;

/// Loads a server, first without measuring; any error fails the measurement.
pub(crate) async fn observe(
    server: &Server,
    plan: &Plan,
    connections: usize,
    exchange: impl AsyncFn(&mut Connection, &mut Vec<u8>) -> Result<()>,
) -> Result<Metrics> {
    let load = Load {
        address: server.address,
        connections,
        duration: plan.warm_up,
    };
    fail_on_errors(load.run(&exchange).await?)?;
    let before = Usage::of(server.id());
    let database_before = server.postgres.map(Usage::of);
    reset_peak_memory(&before.processes);
    let load = Load {
        duration: plan.measured,
        ..load
    };
    let mut measured = fail_on_errors(load.run(&exchange).await?)?;
    let after = Usage::of(server.id());
    let requests = measured.latencies.len() as f64;
    let per_request = |before: &Usage, after: &Usage| {
        let used = after.processor_time.saturating_sub(before.processor_time);
        used.as_secs_f64() * 1e6 / requests
    };
    let mut metrics = Metrics::from([
        (
            Metric::PerSecond,
            requests / measured.duration.as_secs_f64(),
        ),
        (Metric::Median, measured.latencies.percentile(50)),
        (Metric::P99, measured.latencies.percentile(99)),
        (Metric::ServerProcessor, per_request(&before, &after)),
        (Metric::Memory, peak_memory(&after.processes)),
    ]);
    if let Some((root, before)) = server.postgres.zip(database_before) {
        metrics.insert(
            Metric::DatabaseProcessor,
            per_request(&before, &Usage::of(root)),
        );
    }
    Ok(metrics)
}

fn fail_on_errors(measured: Measured) -> Result<Measured> {
    match &measured.first_error {
        Some(error) => bail!(
            "{} connections failed, the first with: {error}",
            measured.errors
        ),
        None => Ok(measured),
    }
}
