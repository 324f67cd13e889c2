//! Settings of the database.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use lectern_db::{DatabaseConfig, DatabaseUrl};

/// Settings of the database.
#[derive(Debug, Clone, Args)]
pub struct DatabaseSettings {
    /// URL of the database; `None`: a file in the data directory.
    #[arg(
        long = "database-url",
        env = "DATABASE_URL",
        global = true,
        value_name = "URL",
        hide_env_values = true,
        help = "URL of the database: sqlite://path, sqlite::memory: or postgres://user@host/name \
                [default: sqlite://<data dir>/lectern.db]"
    )]
    pub url: Option<String>,

    /// Database connections kept open
    #[arg(
        long,
        env = "LECTERN_POOL_SIZE",
        global = true,
        value_name = "N",
        default_value_t = 5,
        value_parser = clap::value_parser!(u32).range(1..=1000),
    )]
    pub pool_size: u32,

    /// Additional database connections under load (PostgreSQL)
    #[arg(
        long,
        env = "LECTERN_POOL_OVERFLOW",
        global = true,
        value_name = "N",
        default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(0..=1000),
    )]
    pub pool_overflow: u32,

    /// Seconds after which a database connection is replaced
    #[arg(
        long,
        env = "LECTERN_POOL_RECYCLE",
        global = true,
        value_name = "SECONDS",
        default_value_t = 3600,
        value_parser = clap::value_parser!(u32).range(1..),
    )]
    pub pool_recycle: u32,
}

impl DatabaseSettings {
    /// The given URL. An empty environment variable counts as not set.
    fn given_url(&self) -> Option<&str> {
        let url = self.url.as_deref().map(str::trim);
        url.filter(|url| !url.is_empty())
    }

    /// The URL of the database.
    pub(super) fn url(&self, data_dir: &Path) -> anyhow::Result<DatabaseUrl> {
        let default = || format!("sqlite://{}", data_dir.join("lectern.db").display());
        let url = self.given_url().map_or_else(default, str::to_owned);
        url.parse().context("DATABASE_URL")
    }

    /// Converts the settings. Creates the data directory if the database file is
    /// in it.
    pub(super) fn config(&self, data_dir: &Path) -> anyhow::Result<DatabaseConfig> {
        let url = self.url(data_dir)?;
        if self.given_url().is_none() {
            let dir = data_dir.display();
            std::fs::create_dir_all(data_dir)
                .with_context(|| format!("cannot create the data directory {dir}"))?;
        }
        Ok(DatabaseConfig {
            pool_size: self.pool_size,
            max_overflow: self.pool_overflow,
            recycle: Duration::from_secs(self.pool_recycle.into()),
            ..DatabaseConfig::at(url)
        })
    }
}
