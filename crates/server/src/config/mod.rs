//! Settings from flags, environment variables and `.env`, in this order of
//! precedence.

mod auth;
mod database;
pub mod env_file;
mod http;
mod log_settings;
mod oidc;
mod quotas;
mod storage;
mod worker;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use lectern_db::{Database, DatabaseUrl};
use lectern_domain::Pipelines;
use lectern_storage::{Storage, StorageConfig};

pub use auth::{AuthMode, AuthSettings};
pub use database::DatabaseSettings;
pub use http::HttpSettings;
pub use log_settings::LogFormat;
pub use oidc::OidcSettings;
pub use quotas::QuotaSettings;
pub use storage::StorageSettings;
pub use worker::{CommonWorkerSettings, WorkerSettings};

use crate::app::server_config::ServerConfig;
use crate::http::auth::Authentication;
use crate::live::LiveConfig;

/// All settings. Each names its heading, because that of a flattened struct stays in
/// effect after it.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Settings of the database.
    #[command(flatten)]
    pub database: DatabaseSettings,

    /// Directory of the server's files; created when it is missing
    #[arg(
        help_heading = "Data directory and jobs",
        long,
        env = "LECTERN_DATA_DIR",
        global = true,
        value_name = "DIR",
        default_value = "./lectern-data"
    )]
    pub data_dir: PathBuf,

    /// Settings file; `None`: `.env` in the data directory.
    #[arg(
        help_heading = "Data directory and jobs",
        long,
        env = "LECTERN_ENV_FILE",
        global = true,
        value_name = "FILE",
        help = "File with environment variables, which is read by all commands but `process` \
                [default: <data dir>/.env]"
    )]
    pub env_file: Option<PathBuf>,

    /// Settings of authentication.
    #[command(flatten)]
    pub auth: AuthSettings,

    /// Settings of the HTTP server.
    #[command(flatten)]
    pub http: HttpSettings,

    /// What one caller may have.
    #[command(flatten)]
    pub quotas: QuotaSettings,

    /// Log filter: error, warn, info, debug or trace, also per module:
    /// `info,lectern_db=debug`
    #[arg(
        help_heading = "Logging",
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
        help_heading = "Logging",
        long,
        env = "LECTERN_LOG_FORMAT",
        global = true,
        value_name = "FORMAT",
        value_enum,
        default_value_t = LogFormat::Text,
    )]
    pub log_format: LogFormat,

    /// Settings of the storage.
    #[command(flatten)]
    pub storage: StorageSettings,

    /// JSON file with the named pipelines of jobs; `default` applies to jobs that
    /// name none [default: the built-in one]
    #[arg(
        help_heading = "Data directory and jobs",
        long,
        env = "LECTERN_PIPELINES",
        global = true,
        value_name = "FILE"
    )]
    pub pipelines: Option<PathBuf>,

    /// Days to keep the record of who changed what
    #[arg(
        help_heading = "Data directory and jobs",
        long,
        env = "LECTERN_AUDIT_RETENTION_DAYS",
        global = true,
        value_name = "DAYS",
        default_value_t = 365,
        value_parser = clap::value_parser!(u32).range(1..=36_500),
    )]
    pub audit_retention_days: u32,

    /// Days to keep the events of a finished job
    #[arg(
        help_heading = "Data directory and jobs",
        long,
        env = "LECTERN_EVENT_RETENTION_DAYS",
        global = true,
        value_name = "DAYS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(1..=36_500),
    )]
    pub event_retention_days: u32,
}

impl Settings {
    /// The URL of the database.
    pub fn database_url(&self) -> anyhow::Result<DatabaseUrl> {
        self.database.url(&self.data_dir)
    }

    /// Opens the database without waiting for it to respond. Every later use fails if it
    /// gets no connection within ten seconds.
    pub fn open_database(&self) -> anyhow::Result<Database> {
        let database = Database::connect(&self.database.config(&self.data_dir)?)?;
        Ok(database.with_checkout_timeout(Duration::from_secs(10)))
    }

    /// The settings file. A file that was given must exist; the default one may be
    /// missing.
    pub fn env_file(&self) -> PathBuf {
        let default = || self.data_dir.join(".env");
        self.env_file.clone().unwrap_or_else(default)
    }

    /// The location of the storage, without opening it. `scratch_dir` is the directory
    /// of temporary files, if it is not in the data directory.
    ///
    /// # Errors
    ///
    /// When the URL is invalid, or the storage contains files that no URL may serve.
    pub fn storage_location(&self, scratch_dir: Option<&Path>) -> anyhow::Result<StorageConfig> {
        let location = self.storage.location(&self.data_dir)?;
        if let StorageConfig::Local { dir } = &location {
            let env_file = self.env_file();
            let mut private = vec![
                ("the data directory", self.data_dir.as_path()),
                ("the settings file", &env_file),
            ];
            let url = self.database_url()?;
            private.extend(url.file().map(|file| ("the database", file)));
            private.extend(scratch_dir.map(|dir| ("the directory of temporary files", dir)));
            storage::check_private_files(dir, &private)?;
        }
        Ok(location)
    }

    /// Checks the location of the storage as [`Settings::storage_location`] does, before
    /// anything is created.
    pub fn check_storage_location(&self, scratch_dir: Option<&Path>) -> anyhow::Result<()> {
        self.storage_location(scratch_dir).map(drop)
    }

    /// Opens the storage. Creates the data directory if it is needed.
    pub fn open_storage(&self) -> anyhow::Result<Storage> {
        self.storage
            .open(&self.storage_location(None)?, &self.data_dir)
    }

    /// Whether the settings name a proxy in front of the server, or its address there.
    pub fn http_is_behind_proxy(&self) -> bool {
        self.storage.public_url().is_some() || !self.http.trusted_proxies().is_empty()
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
        let json =
            serde_json::from_str(&text).with_context(|| format!("{name} is not valid JSON"))?;
        Pipelines::from_json(json).with_context(|| format!("invalid pipelines in {name}"))
    }

    /// Converts the settings of the server, without the storage and authentication, which
    /// depends on the stored keys.
    pub fn server_config(&self) -> ServerConfig {
        ServerConfig {
            bind: self.http.bind.clone(),
            http_threads: self.http.threads(),
            cors_origins: self.http.cors_origins(),
            cors_credentials: self.http.cors_credentials,
            authentication: Authentication::Off,
            identity_provider: None,
            session_lifetime: self.auth.session_lifetime(),
            hosts: self.http.hosts(),
            trusted_proxies: self.http.trusted_proxies(),
            connections: self.http.connections(),
            limits: self.http.body_limits(),
            storage: None,
            uploads: self.storage.limits(),
            public_url: self.storage.public_url(),
            database_timeout: self.database.timeout(),
            live: LiveConfig {
                max_watchers: self.http.max_watchers as usize,
                ..LiveConfig::default()
            },
            max_waiting_claims: self.http.max_waiters as usize,
            quotas: self.quotas.quotas(),
            audit_retention: Duration::from_hours(24 * u64::from(self.audit_retention_days)),
            event_retention: Duration::from_hours(24 * u64::from(self.event_retention_days)),
            shutdown_grace: self.http.shutdown_grace(),
        }
    }
}
