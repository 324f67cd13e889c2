//! Settings of the database.

use std::env;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;
use lectern_db::{Backend, DatabaseConfig, DatabaseUrl, Durability, RoleName, Timeouts};

/// Settings of the database.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Database")]
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

    /// Seconds a request may wait for the database before it gets a 503
    #[arg(
        long = "database-timeout",
        env = "LECTERN_DATABASE_TIMEOUT",
        global = true,
        value_name = "SECONDS",
        default_value_t = 3,
        value_parser = clap::value_parser!(u32).range(1..=3600),
    )]
    pub timeout: u32,

    /// Seconds to establish a database connection (PostgreSQL)
    #[arg(
        long = "database-connect-timeout",
        env = "LECTERN_DATABASE_CONNECT_TIMEOUT",
        global = true,
        value_name = "SECONDS",
        default_value_t = 3,
        value_parser = clap::value_parser!(u32).range(2..=3600),
    )]
    pub connect_timeout: u32,

    /// Seconds without an acknowledgement after which a database connection
    /// is closed (PostgreSQL)
    #[arg(
        long = "database-tcp-timeout",
        env = "LECTERN_DATABASE_TCP_TIMEOUT",
        global = true,
        value_name = "SECONDS",
        default_value_t = 3,
        value_parser = clap::value_parser!(u32).range(1..=3600),
    )]
    pub tcp_timeout: u32,

    /// Seconds one statement may take; 0: no limit (PostgreSQL)
    #[arg(
        long = "database-statement-timeout",
        env = "LECTERN_DATABASE_STATEMENT_TIMEOUT",
        global = true,
        value_name = "SECONDS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(0..=86_400),
    )]
    pub statement_timeout: u32,

    /// Seconds to wait for a lock of another transaction or, on SQLite, of
    /// another process
    #[arg(
        long = "database-lock-timeout",
        env = "LECTERN_DATABASE_LOCK_TIMEOUT",
        global = true,
        value_name = "SECONDS",
        default_value_t = 2,
        value_parser = clap::value_parser!(u32).range(1..=3600),
    )]
    pub lock_timeout: u32,

    /// Seconds after which PostgreSQL ends a transaction of a client that sends
    /// nothing, and releases its locks; 0: never
    #[arg(
        long = "database-idle-timeout",
        env = "LECTERN_DATABASE_IDLE_TIMEOUT",
        global = true,
        value_name = "SECONDS",
        default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(0..=86_400),
    )]
    pub idle_timeout: u32,

    /// Whether a commit waits for the disk (SQLite): `full`, or `relaxed`, which may
    /// lose the last commits when the power fails
    #[arg(
        long,
        env = "LECTERN_DURABILITY",
        global = true,
        value_name = "WHEN",
        default_value = "full",
        value_parser = parse_durability,
    )]
    pub durability: Durability,

    /// Role that requests of keys with an owner take in the database, so that row-level
    /// security hides the jobs of other owners from them (PostgreSQL) [default: none]
    #[arg(
        long,
        env = "LECTERN_ROW_SECURITY_ROLE",
        global = true,
        value_name = "ROLE",
        value_parser = parse_role,
    )]
    pub row_security_role: Option<Role>,

    /// Fails when migrations are pending instead of applying them
    #[arg(
        long,
        env = "LECTERN_NO_MIGRATE",
        global = true,
        value_name = "BOOL",
        num_args = 0..=1,
        default_value_t = false,
        default_missing_value = "true",
        action = clap::ArgAction::Set,
    )]
    pub no_migrate: bool,
}

impl DatabaseSettings {
    /// How long a request may wait for the database.
    pub(super) fn timeout(&self) -> Duration {
        seconds(self.timeout)
    }

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
        check_tls(&url)?;
        let owner_role = self.row_security_role.clone().and_then(|role| role.0);
        ensure!(
            owner_role.is_none() || url.backend() == Backend::Postgres,
            "LECTERN_ROW_SECURITY_ROLE needs PostgreSQL"
        );
        Ok(DatabaseConfig {
            owner_role,
            pool_size: self.pool_size,
            max_overflow: self.pool_overflow,
            recycle: seconds(self.pool_recycle),
            timeouts: Timeouts {
                connect: seconds(self.connect_timeout),
                unacknowledged: seconds(self.tcp_timeout),
                statement: seconds(self.statement_timeout),
                lock: seconds(self.lock_timeout),
                idle_in_transaction: seconds(self.idle_timeout),
            },
            durability: self.durability,
            ..DatabaseConfig::at(url)
        })
    }
}

/// libpq would say this at each attempt to connect, which a server repeats until it succeeds.
///
/// # Errors
///
/// When the URL or `PGSSLMODE` asks for TLS, and the program was built without it.
fn check_tls(url: &DatabaseUrl) -> anyhow::Result<()> {
    if url.backend() != Backend::Postgres {
        return Ok(());
    }
    let of_url = url.ssl_mode().map(str::to_owned);
    let mode = of_url.or_else(|| env::var("PGSSLMODE").ok());
    let mode = mode.as_deref().unwrap_or("prefer");
    ensure!(
        cfg!(feature = "pg-tls") || !matches!(mode, "require" | "verify-ca" | "verify-full"),
        "the database is to be reached by TLS (sslmode={mode}), and this program was built \
         without it; build it with --features pg-tls"
    );
    Ok(())
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(count.into())
}

/// A role; `None`: an empty environment variable, which counts as not set.
#[derive(Debug, Clone)]
pub struct Role(Option<RoleName>);

fn parse_role(text: &str) -> Result<Role, String> {
    if text.is_empty() {
        return Ok(Role(None));
    }
    let role = text.parse::<RoleName>();
    role.map(|role| Role(Some(role)))
        .map_err(|error| error.to_string())
}

fn parse_durability(text: &str) -> Result<Durability, &'static str> {
    match text {
        "full" => Ok(Durability::Full),
        "relaxed" => Ok(Durability::Relaxed),
        _ => Err("must be full or relaxed"),
    }
}
