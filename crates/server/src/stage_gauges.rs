//! What waits for each stage, as gauges for `/metrics`.
//!
//! They are made for each request, because they come from the database and not from this process,
//! and because the key of an owner gets those of the owner's jobs. Nothing is kept in between: the
//! query is cheaper than a request for a list.

use lectern_domain::StageStats;
use prometheus::proto::MetricFamily;
use prometheus::{GaugeVec, Opts, Registry};

/// The gauges of all stages.
pub(crate) fn stage_gauges(stages: &[StageStats]) -> prometheus::Result<Vec<MetricFamily>> {
    let registry = Registry::new();
    let gauge = |name: &str, help: &str, labels: &[&str]| {
        let gauge = GaugeVec::new(Opts::new(name, help), labels)?;
        registry.register(Box::new(gauge.clone()))?;
        prometheus::Result::Ok(gauge)
    };
    let runs = gauge(
        "lectern_stage_runs",
        "Runs of a stage by what they wait for; each is counted up to 10000.",
        &["stage", "status"],
    )?;
    let oldest_ready = gauge(
        "lectern_stage_oldest_ready_seconds",
        "How long the oldest run that can be claimed has been ready; 0 if there is none.",
        &["stage"],
    )?;
    let paused = gauge(
        "lectern_stage_paused",
        "1 if claims of the stage give nothing, else 0.",
        &["stage"],
    )?;
    let completed = gauge(
        "lectern_stage_completed_runs",
        "Runs that were completed in the last five minutes or the last hour; each is counted up to 10000.",
        &["stage", "window"],
    )?;
    let duration = gauge(
        "lectern_stage_duration_seconds",
        "How long the latest runs took that were completed in the last hour; missing if there are none.",
        &["stage", "quantile"],
    )?;
    for stats in stages {
        let stage = stats.stage.as_str();
        let counts = stats.runs;
        for (status, count) in [
            ("ready", counts.ready),
            ("scheduled", counts.scheduled),
            ("waiting", counts.waiting),
            ("running", counts.running),
            ("failed", counts.failed),
        ] {
            runs.with_label_values(&[stage, status]).set(count as f64);
        }
        for (window, count) in [
            ("5m", counts.completed_last_5m),
            ("1h", counts.completed_last_hour),
        ] {
            completed
                .with_label_values(&[stage, window])
                .set(count as f64);
        }
        oldest_ready
            .with_label_values(&[stage])
            .set(stats.oldest_ready_seconds.unwrap_or(0.0));
        paused
            .with_label_values(&[stage])
            .set(f64::from(u8::from(stats.paused_at.is_some())));
        for (quantile, seconds) in stats
            .durations
            .iter()
            .flat_map(|durations| [("0.5", durations.p50), ("0.95", durations.p95)])
        {
            duration.with_label_values(&[stage, quantile]).set(seconds);
        }
    }
    Ok(registry.gather())
}
