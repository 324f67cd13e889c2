//! The metrics of a server, exported at `/metrics`.

use std::time::Duration;

use lectern_db::{Database, PoolStats};
use prometheus::proto::MetricFamily;
use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramTimer, HistogramVec, IntCounter, IntCounterVec,
    IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

/// Histogram bounds in seconds: a request takes about a millisecond and waits for
/// the database for at most 3 seconds by default.
const DURATION_BUCKETS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 3.0, 10.0,
];

/// The metrics of one server. Clones share the counters.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    latency: HistogramVec,
    in_flight: IntGauge,
    db_connections: IntGaugeVec,
    db_connections_max: IntGauge,
    admission_wait_seconds: Histogram,
    admission_waiting: IntGauge,
    admission_refusals: IntCounter,
    unreadable_rows: IntCounter,
    waiting_claims: IntGauge,
    watchers: IntGauge,
    delivered: IntCounter,
    watchers_dropped: IntCounter,
}

/// Labels and duration of a completed request.
pub(crate) struct CompletedRequest<'a> {
    pub(crate) method: &'a str,
    pub(crate) route: &'a str,
    pub(crate) status: &'a str,
    pub(crate) took: Duration,
}

impl Metrics {
    /// Registers all metrics in a new registry.
    pub(crate) fn new(database: &Database) -> prometheus::Result<Self> {
        let metrics = Self {
            registry: Registry::new(),
            requests: IntCounterVec::new(
                Opts::new("http_requests_total", "Completed requests."),
                &["method", "route", "status"],
            )?,
            latency: HistogramVec::new(
                HistogramOpts::new(
                    "http_request_duration_seconds",
                    "Time from the head of a request to the last byte of its response.",
                )
                .buckets(DURATION_BUCKETS.to_vec()),
                &["method", "route"],
            )?,
            in_flight: IntGauge::new("http_requests_in_flight", "Requests in flight.")?,
            db_connections: IntGaugeVec::new(
                Opts::new("lectern_db_connections", "Open database connections."),
                &["state"],
            )?,
            db_connections_max: IntGauge::new(
                "lectern_db_connections_max",
                "Upper bound of open database connections.",
            )?,
            admission_wait_seconds: Histogram::with_opts(
                HistogramOpts::new(
                    "lectern_db_gate_wait_seconds",
                    "Time requests waited for admission to the database; requests admitted at once are not counted.",
                )
                .buckets(DURATION_BUCKETS.to_vec()),
            )?,
            admission_waiting: IntGauge::new(
                "lectern_db_gate_waiting",
                "Requests waiting for admission to the database.",
            )?,
            admission_refusals: IntCounter::new(
                "lectern_db_gate_refused_total",
                "Requests refused because they were not admitted to the database in time.",
            )?,
            unreadable_rows: IntCounter::new(
                "lectern_db_unreadable_rows_total",
                "Rows left out of lists because they break a rule; the log names each of them once.",
            )?,
            waiting_claims: IntGauge::new(
                "lectern_waiting_claims",
                "Claims waiting until there is work.",
            )?,
            watchers: IntGauge::new("lectern_watchers", "Clients watching a job.")?,
            delivered: IntCounter::new(
                "lectern_events_delivered_total",
                "Messages sent to watchers.",
            )?,
            watchers_dropped: IntCounter::new(
                "lectern_watchers_dropped_total",
                "Watchers disconnected because they did not read or did not respond.",
            )?,
        };
        metrics.register(database)?;
        Ok(metrics)
    }

    fn register(&self, database: &Database) -> prometheus::Result<()> {
        let start = Gauge::new(
            "process_start_time_seconds",
            "Unix time at which the process started.",
        )?;
        start.set(database.clock().now().timestamp_micros() as f64 / 1e6);
        let info = Opts::new(
            "lectern_info",
            "Version of the program and kind of its database.",
        )
        .const_label("version", env!("CARGO_PKG_VERSION"))
        .const_label("database", database.backend().to_string());
        let info = IntGauge::with_opts(info)?;
        info.set(1);
        let collectors: [Box<dyn prometheus::core::Collector>; 15] = [
            Box::new(start),
            Box::new(info),
            Box::new(self.requests.clone()),
            Box::new(self.latency.clone()),
            Box::new(self.in_flight.clone()),
            Box::new(self.db_connections.clone()),
            Box::new(self.db_connections_max.clone()),
            Box::new(self.admission_wait_seconds.clone()),
            Box::new(self.admission_waiting.clone()),
            Box::new(self.admission_refusals.clone()),
            Box::new(self.unreadable_rows.clone()),
            Box::new(self.waiting_claims.clone()),
            Box::new(self.watchers.clone()),
            Box::new(self.delivered.clone()),
            Box::new(self.watchers_dropped.clone()),
        ];
        collectors
            .into_iter()
            .try_for_each(|collector| self.registry.register(collector))
    }

    /// Records a completed request.
    pub(crate) fn request_completed(&self, request: &CompletedRequest<'_>) {
        let &CompletedRequest {
            method,
            route,
            status,
            took,
        } = request;
        // A client can send any method, and the memory of a label is never freed.
        let method = match method {
            "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" => method,
            _ => "other",
        };
        self.requests
            .with_label_values(&[method, route, status])
            .inc();
        self.latency
            .with_label_values(&[method, route])
            .observe(took.as_secs_f64());
    }

    /// Counts a request as waiting for admission, and measures its wait, until the
    /// returned guards are dropped.
    pub(crate) fn admission_wait(&self) -> (GaugeGuard, HistogramTimer) {
        (
            GaugeGuard::new(&self.admission_waiting),
            self.admission_wait_seconds.start_timer(),
        )
    }

    /// Counts a request that was not admitted in time.
    pub(crate) fn admission_refused(&self) {
        self.admission_refusals.inc();
    }

    /// Counts a watcher until the guard is dropped.
    pub(crate) fn watcher_connected(&self) -> GaugeGuard {
        GaugeGuard::new(&self.watchers)
    }

    /// Counts a message sent to a watcher.
    pub(crate) fn message_delivered(&self) {
        self.delivered.inc();
    }

    /// Counts a watcher that was disconnected because it did not read or did not
    /// respond.
    pub(crate) fn watcher_dropped(&self) {
        self.watchers_dropped.inc();
    }

    /// All metrics in the Prometheus text format, with those of `others`.
    pub(crate) fn render(
        &self,
        pool: PoolStats,
        unreadable_rows: u64,
        in_flight: usize,
        waiting_claims: usize,
        others: Vec<MetricFamily>,
    ) -> prometheus::Result<String> {
        self.unreadable_rows
            .inc_by(unreadable_rows.saturating_sub(self.unreadable_rows.get()));
        for (gauge, count) in [
            (&self.in_flight, in_flight),
            (&self.waiting_claims, waiting_claims),
        ] {
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        for (state, count) in [("idle", pool.idle), ("in_use", pool.in_use)] {
            self.db_connections
                .with_label_values(&[state])
                .set(count.into());
        }
        self.db_connections_max.set(pool.max.into());
        let mut families = self.registry.gather();
        families.extend(others);
        TextEncoder::new().encode_to_string(&families)
    }
}

/// Increments a gauge. Dropping the guard decrements the gauge.
#[derive(Debug)]
pub(crate) struct GaugeGuard(IntGauge);

impl GaugeGuard {
    fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}
