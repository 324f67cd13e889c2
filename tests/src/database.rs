//! A new database for each test.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::{fmt, fs};

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use lectern_db::{Backend, Database, DatabaseConfig, RoleName};
use lectern_domain::{Clock, ManualClock};
use tempfile::TempDir;

use crate::cluster::{random_hex, server_url};
use crate::{Fixture, Sql, StatementLog};

/// An empty database with every migration applied, removed when it is dropped.
/// It dereferences to [`Database`].
///
/// Its clock shows 2026-01-01T00:00:00Z until the test advances it.
pub struct TestDb {
    // The order matters: connections close before their database is removed.
    database: Database,
    clock: Arc<ManualClock>,
    location: Location,
}

/// A database without tables.
pub struct EmptyDb(TestDb);

impl TestDb {
    /// The clock of the database.
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// The time of that clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The database URL, as in `DATABASE_URL`.
    pub fn url(&self) -> &str {
        match &self.location {
            Location::Postgres { url, .. } | Location::Sqlite { url, .. } => url,
        }
    }

    /// Records the statements sent to this database from now on, through any
    /// handle.
    pub fn record_statements(&self) -> StatementLog {
        StatementLog::of(match &self.location {
            Location::Postgres { name, .. } => name,
            Location::Sqlite { url, .. } => url.trim_start_matches("sqlite://"),
        })
    }

    /// Runs `write` on the tables as they were before the migration with this in
    /// its name, then applies it and the later ones again.
    ///
    /// # Panics
    ///
    /// When there is no such migration, or one cannot be reverted or applied.
    pub fn before_migration(&self, name: &str, write: impl FnOnce(&mut Sql)) {
        let all = self.migrations().status().expect("a status");
        let from = all
            .iter()
            .position(|migration| migration.name.contains(name));
        let from = from.expect("the name of a migration");
        let reverted = self.migrations().down(all.len() - from);
        write(&mut self.sql());
        let applied = self.migrations().up().expect("migrations");
        assert_eq!(applied.len(), reverted.expect("migrations").len());
    }

    /// A separate connection to the same database.
    pub fn sql(&self) -> Sql {
        Sql::connect(self.url())
    }

    /// A database on PostgreSQL with row-level security behind handles of owners.
    ///
    /// # Panics
    ///
    /// If it cannot be created.
    pub fn with_row_security() -> Self {
        let location = Location::postgres(Some(postgres_template()));
        // Roles belong to the server, so all tests share it.
        let role = RoleName::new("lectern_test_owners").expect("a name");
        let db = Self::open(location, Some(role));
        db.enable_row_security()
            .unwrap_or_else(|error| panic!("row-level security of a database just made: {error}"));
        db
    }

    fn at(location: Location) -> Self {
        Self::open(location, None)
    }

    fn open(location: Location, owner_role: Option<RoleName>) -> Self {
        crate::queries::record_all();
        let url = match &location {
            Location::Postgres { url, .. } | Location::Sqlite { url, .. } => url,
        };
        let clock = Arc::new(ManualClock::default());
        let database = DatabaseConfig::new(url)
            .and_then(|mut config| {
                if let Location::Postgres { .. } = location {
                    // The same limit, but connections open on demand: most
                    // tests need one or two.
                    config.max_overflow += config.pool_size - 1;
                    config.pool_size = 1;
                }
                config.owner_role = owner_role;
                Database::connect(&config)
            })
            .unwrap_or_else(|error| panic!("a database just made: {error}"))
            .with_clock(clock.clone());
        Self {
            database,
            clock,
            location,
        }
    }
}

impl EmptyDb {
    /// Restores a dump. Migrations that are newer than the dump are not
    /// applied.
    ///
    /// # Panics
    ///
    /// If a statement fails.
    pub fn restore(self, dump: &str) -> TestDb {
        self.sql().batch(dump).expect("a dump");
        self.0
    }
}

impl Fixture for TestDb {
    fn on(backend: Backend) -> Self {
        Self::at(match backend {
            Backend::Postgres => Location::postgres(Some(postgres_template())),
            Backend::Sqlite => Location::sqlite(Some(sqlite_template())),
        })
    }
}

impl Fixture for EmptyDb {
    fn on(backend: Backend) -> Self {
        Self(TestDb::at(match backend {
            Backend::Postgres => Location::postgres(None),
            Backend::Sqlite => Location::sqlite(None),
        }))
    }
}

impl Deref for TestDb {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.database
    }
}

impl Deref for EmptyDb {
    type Target = TestDb;

    fn deref(&self) -> &TestDb {
        &self.0
    }
}

impl fmt::Debug for TestDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TestDb({})", self.url())
    }
}

impl fmt::Debug for EmptyDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmptyDb({})", self.url())
    }
}

/// Where a database is stored; dropping this removes the database.
enum Location {
    Postgres {
        name: String,
        url: String,
    },
    Sqlite {
        url: String,
        #[expect(dead_code, reason = "kept for its drop, which removes the files")]
        dir: TempDir,
    },
}

impl Location {
    fn postgres(template: Option<&str>) -> Self {
        let name = format!("lectern_test_{}", random_hex());
        create(
            &mut Sql::connect(server_url()),
            &name,
            template.unwrap_or("template0"),
        )
        .unwrap_or_else(|error| panic!("a new database on PostgreSQL: {error}"));
        let url = url_of(&name);
        Self::Postgres { name, url }
    }

    fn sqlite(content: Option<&[u8]>) -> Self {
        let dir = temp_dir();
        let path = dir.path().join("lectern.db");
        if let Some(content) = content {
            fs::write(&path, content).expect("a writable temporary directory");
        }
        let url = format!("sqlite://{}", path.display());
        Self::Sqlite { url, dir }
    }
}

impl Drop for Location {
    fn drop(&mut self) {
        if let Self::Postgres { name, .. } = self {
            // FORCE, because a server of the test may not have closed its
            // connections yet. A database that cannot be dropped is removed
            // with the cluster.
            let _ = Sql::connect(server_url()).batch(&format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

fn create(sql: &mut Sql, name: &str, template: &str) -> QueryResult<()> {
    // Copying files takes a quarter of the time of the default. It is an option
    // since version 15 and was the only strategy before.
    let version: u32 = sql
        .value("SELECT current_setting('server_version_num')")
        .parse()
        .unwrap_or(0);
    let strategy = if version < 150_000 {
        ""
    } else {
        "STRATEGY file_copy"
    };
    sql.batch(&format!(
        "CREATE DATABASE {name} TEMPLATE {template} {strategy}"
    ))
}

/// The name of a database with every migration applied. The first process that
/// needs it creates it; on a server named by `TEST_DATABASE_URL` later runs use
/// it again. The name holds a hash of the migrations, so a template is never
/// out of date.
fn postgres_template() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let name = format!("lectern_template_{:016x}", hash_of_the_migrations());
        let mut sql = Sql::connect(server_url());
        // The lock is held until this connection closes; other processes wait
        // here.
        sql.rows("SELECT pg_advisory_lock(1279611732)");
        let found = sql.rows(&format!(
            "SELECT datistemplate FROM pg_database WHERE datname = '{name}'"
        ));
        if found == [[Some("true".to_owned())]] {
            return name;
        }
        let make = |sql: &mut Sql| {
            // A database without the template flag was left by a run that did not
            // finish.
            sql.batch(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
            create(sql, &name, "template0")?;
            migrate(&url_of(&name));
            sql.batch(&format!(
                "ALTER DATABASE {name} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false"
            ))?;
            // Only a database without connections can be copied.
            sql.batch(&format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            ))
        };
        make(&mut sql).unwrap_or_else(|error| panic!("a template on PostgreSQL: {error}"));
        name
    })
}

/// The content of an SQLite file with every migration applied.
fn sqlite_template() -> &'static [u8] {
    static CONTENT: OnceLock<Vec<u8>> = OnceLock::new();
    CONTENT.get_or_init(|| {
        let dir = temp_dir();
        let url = format!("sqlite://{}", dir.path().join("migrated.db").display());
        migrate(&url);
        // VACUUM makes a single file: part of the original may be in its
        // write-ahead log.
        let copy = dir.path().join("template.db");
        Sql::connect(&url)
            .batch(&format!("VACUUM INTO '{}'", copy.display()))
            .expect("a copy of a database");
        fs::read(copy).expect("the copy just made")
    })
}

fn migrate(url: &str) {
    Database::open(url)
        .and_then(|database| database.migrate())
        .unwrap_or_else(|error| panic!("the migrations of a template: {error}"));
}

/// The URL of another database on the same server.
fn url_of(name: &str) -> String {
    let (url, parameters) = match server_url().split_once('?') {
        Some((url, parameters)) => (url, format!("?{parameters}")),
        None => (server_url(), String::new()),
    };
    let authority = url.find("://").map_or(0, |at| at + 3);
    let end = url[authority..]
        .find('/')
        .map_or(url.len(), |at| authority + at);
    format!("{}/{name}{parameters}", &url[..end])
}

fn hash_of_the_migrations() -> u64 {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/postgres");
    let mut files: Vec<_> = fs::read_dir(dir)
        .expect("the migrations of this workspace")
        .flatten()
        .map(|entry| entry.path().join("up.sql"))
        .collect();
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.parent().and_then(Path::file_name).hash(&mut hasher);
        fs::read(file).unwrap_or_default().hash(&mut hasher);
    }
    hasher.finish()
}

pub(crate) fn temp_dir() -> TempDir {
    tempfile::Builder::new()
        .prefix("lectern-test-")
        .tempdir()
        .expect("a temporary directory")
}
