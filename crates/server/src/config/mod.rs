//! Settings from flags, environment variables and `.env`, in this order of
//! precedence.

mod database;
mod log_settings;
mod storage;
mod worker;

use std::path::PathBuf;
use std::time::Duration;

use actix_web::http::Uri;
use anyhow::Context as _;
use clap::Args;
use lectern_db::Database;
use lectern_domain::Pipelines;

pub use database::DatabaseSettings;
pub use log_settings::LogFormat;
pub use storage::StorageSettings;
pub use worker::{StageSettings, WorkerSettings};

use crate::app::config::ServerConfig;
use crate::http::extract::body_limits::BodyLimits;
use crate::live::LiveConfig;

/// All settings.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// Settings of the database.
    #[command(flatten)]
    pub database: DatabaseSettings,

    /// Directory of the server's files; created when it is missing
    #[arg(
        long,
        env = "LECTERN_DATA_DIR",
        global = true,
        value_name = "DIR",
        default_value = "./lectern-data"
    )]
    pub data_dir: PathBuf,

    /// Address and port to listen on; port 0 picks a free one
    #[arg(
        long,
        env = "LECTERN_BIND",
        global = true,
        value_name = "ADDR",
        default_value = "127.0.0.1:8080"
    )]
    pub bind: String,

    /// Log filter: error, warn, info, debug or trace, also per module:
    /// `info,lectern_db=debug`
    #[arg(
        long,
        env = "LECTERN_LOG",
        global = true,
        value_name = "FILTER",
        default_value = "info",
        value_parser = log_settings::parse_filter,
    )]
    pub log: String,

    /// Format of log lines
    #[arg(
        long,
        env = "LECTERN_LOG_FORMAT",
        global = true,
        value_name = "FORMAT",
        value_enum,
        default_value_t = LogFormat::Text,
    )]
    pub log_format: LogFormat,

    /// Origins whose pages may call the server, separated by commas, or `*`
    /// [default: none]
    #[arg(
        long,
        env = "LECTERN_CORS_ORIGINS",
        global = true,
        value_name = "ORIGINS",
        value_delimiter = ',',
        value_parser = parse_origin,
    )]
    pub cors_origins: Vec<String>,

    /// Threads that serve HTTP requests [default: one per processor]
    #[arg(
        long,
        env = "LECTERN_HTTP_THREADS",
        global = true,
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=1024),
    )]
    pub http_threads: Option<u16>,

    /// The former name of `--http-threads`
    #[arg(
        long,
        env = "LECTERN_WORKERS",
        global = true,
        hide = true,
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=1024),
    )]
    pub workers: Option<u16>,

    /// Maximum request body in bytes
    #[arg(
        long,
        env = "LECTERN_MAX_BODY",
        global = true,
        value_name = "BYTES",
        default_value_t = 1 << 20,
        value_parser = clap::value_parser!(u32).range(1..),
    )]
    pub max_body: u32,

    /// Maximum request body in bytes for the output of a stage
    #[arg(
        long,
        env = "LECTERN_MAX_OUTPUT_BODY",
        global = true,
        value_name = "BYTES",
        default_value_t = 32 << 20,
        value_parser = clap::value_parser!(u32).range(1..),
    )]
    pub max_output_body: u32,

    /// Settings of the storage.
    #[command(flatten)]
    pub storage: StorageSettings,

    /// JSON file with the named pipelines of jobs; `default` applies to jobs that
    /// name none [default: the built-in one]
    #[arg(long, env = "LECTERN_PIPELINES", global = true, value_name = "FILE")]
    pub pipelines: Option<PathBuf>,

    /// Maximum number of clients that watch jobs at once
    #[arg(
        long,
        env = "LECTERN_MAX_WATCHERS",
        global = true,
        value_name = "N",
        default_value_t = 10_000,
        value_parser = clap::value_parser!(u32).range(0..=1_000_000),
    )]
    pub max_watchers: u32,

    /// Maximum number of workers that wait for work at once
    #[arg(
        long,
        env = "LECTERN_MAX_WAITERS",
        global = true,
        value_name = "N",
        default_value_t = 1_000,
        value_parser = clap::value_parser!(u32).range(0..=1_000_000),
    )]
    pub max_waiters: u32,

    /// Days to keep the events of a finished job
    #[arg(
        long,
        env = "LECTERN_EVENT_RETENTION_DAYS",
        global = true,
        value_name = "DAYS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(1..=36_500),
    )]
    pub event_retention_days: u32,

    /// Seconds for requests in flight to finish at shutdown
    #[arg(
        long,
        env = "LECTERN_SHUTDOWN_GRACE",
        global = true,
        value_name = "SECONDS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(0..=3600),
    )]
    pub shutdown_grace: u32,
}

impl Settings {
    /// Opens the database, and fails when it does not respond within ten seconds.
    pub fn open(&self) -> anyhow::Result<Database> {
        let database = Database::connect(&self.database.config(&self.data_dir)?)?;
        Ok(database.with_checkout_timeout(Duration::from_secs(10)))
    }

    /// Logs a warning for each setting given under a former name.
    pub fn warn_of_former_names(&self) {
        if self.workers.is_some() {
            log::warn!(
                "--workers and LECTERN_WORKERS are deprecated; use --http-threads and \
                 LECTERN_HTTP_THREADS"
            );
        }
    }

    /// The pipelines jobs can choose from.
    pub fn pipelines(&self) -> anyhow::Result<Pipelines> {
        // An empty environment variable counts as not set.
        let file = self.pipelines.as_deref();
        let Some(file) = file.filter(|file| !file.as_os_str().is_empty()) else {
            return Ok(Pipelines::default());
        };
        let name = file.display();
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the pipelines in {name}"))?;
        let json = serde_json::from_str(&text).with_context(|| format!("{name} is no JSON"))?;
        Pipelines::from_json(json).with_context(|| format!("{name} cannot be used"))
    }

    /// Converts the settings of the server, without the storage.
    pub fn server(&self) -> ServerConfig {
        let origins = self.cors_origins.iter().filter(|origin| !origin.is_empty());
        ServerConfig {
            bind: self.bind.clone(),
            http_threads: self.http_threads.or(self.workers).map(usize::from),
            cors_origins: origins.cloned().collect(),
            limits: BodyLimits {
                small: self.max_body as usize,
                output: self.max_output_body as usize,
            },
            storage: None,
            uploads: self.storage.limits(),
            public_url: self.storage.public_url(),
            database_timeout: ServerConfig::default().database_timeout,
            live: LiveConfig {
                max_watchers: self.max_watchers as usize,
                ..LiveConfig::default()
            },
            max_waiting_claims: self.max_waiters as usize,
            event_retention: Duration::from_hours(24 * u64::from(self.event_retention_days)),
            shutdown_grace: Duration::from_secs(self.shutdown_grace.into()),
        }
    }
}

/// Validates an origin: scheme, host and optional port. An empty environment
/// variable means no origin.
fn parse_origin(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text == "*" {
        return Ok(text.to_owned());
    }
    let uri: Option<Uri> = text.parse().ok();
    let is_origin = uri.is_some_and(|uri| {
        let parts = (uri.scheme_str(), uri.authority());
        matches!(parts, (Some(scheme), Some(host)) if text == format!("{scheme}://{host}"))
    });
    if is_origin {
        Ok(text.to_owned())
    } else {
        Err("an origin looks like https://example.org or http://localhost:3000".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_a_scheme_and_a_host_and_no_path() {
        for good in ["https://example.org", "http://localhost:3000", "*", ""] {
            assert!(parse_origin(good).is_ok(), "{good}");
        }
        for bad in [
            "example.org",
            "https://example.org/",
            "https://example.org/app",
            "https://",
        ] {
            assert!(parse_origin(bad).is_err(), "{bad}");
        }
    }
}
