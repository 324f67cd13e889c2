//! The migrations, embedded in the library.

use std::collections::BTreeSet;

use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{drift, restored_events, row_security};
use crate::connection::{Database, DbConnection};
use crate::error::{Doing, Error};

const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// Key of the advisory lock that lets only one process migrate at a time: "lectern" on
/// a telephone keypad.
const ADVISORY_LOCK_KEY: i64 = 532_8376;

/// Runs `$body` with the connection inside the enum and the migrations for its database.
macro_rules! with_harness {
    ($conn:expr, |$inner:ident, $source:ident| $body:expr) => {
        with_harness!($conn, (POSTGRES, SQLITE), |$inner, $source| $body)
    };
    ($conn:expr, ($postgres:expr, $sqlite:expr), |$inner:ident, $source:ident| $body:expr) => {
        match $conn {
            DbConnection::Postgres($inner) => {
                let $source = $postgres;
                $body
            }
            DbConnection::Sqlite($inner) => {
                let $source = $sqlite;
                $body
            }
        }
    };
}

/// A migration, and whether the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Name of the migration's folder; for a foreign migration its version, because the
    /// database does not store the name.
    pub name: String,
    /// Whether the migration is applied.
    pub state: MigrationState,
}

impl MigrationStatus {
    /// Whether the migration is Lectern's, and applied.
    pub fn is_applied(&self) -> bool {
        self.state == MigrationState::Applied
    }
}

/// Whether a migration is applied, and by which program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MigrationState {
    /// Lectern's, applied.
    Applied,
    /// Lectern's, not applied yet.
    Pending,
    /// Applied, but not by this program: the migration belongs to the program that shares
    /// the database, or to a newer Lectern. Only that program can revert it.
    Foreign,
}

/// The migrations of a database; see [`Database::migrations`].
///
/// Each call is one transaction. Calls of several processes at the same time run
/// one after the other.
///
/// # With migrations of your own
///
/// diesel records every applied version in one table, `__diesel_schema_migrations`,
/// whichever program applied it. Lectern applies and reverts its own versions and
/// ignores all others. A version must be unique among both programs: name a folder
/// after the second of its creation, as `diesel migration generate` does.
///
/// By its version alone, a migration of a newer Lectern cannot be distinguished from a
/// migration of another program. So `down` and `redo` assume that a newer Lectern has
/// migrated the database, and refuse, if an applied version is newer than all versions of
/// this program and one of Lectern's tables has a column that this program does not know.
#[derive(Debug)]
pub struct Migrations<'db>(&'db Database);

impl<'db> Migrations<'db> {
    pub(crate) fn new(db: &'db Database) -> Self {
        Self(db)
    }

    /// All of Lectern's migrations and all other applied migrations, by version, the
    /// oldest first.
    pub fn status(&self) -> Result<Vec<MigrationStatus>, Error> {
        let mut conn = self.0.reader()?;
        let mut applied = applied_versions(&mut conn.conn)?;
        let mut all: Vec<_> = lectern_migrations(&conn.conn)?
            .into_iter()
            .map(|(version, name)| {
                let state = if applied.remove(&version) {
                    MigrationState::Applied
                } else {
                    MigrationState::Pending
                };
                (version, MigrationStatus { name, state })
            })
            .collect();
        all.extend(applied.into_iter().map(|version| {
            let status = MigrationStatus {
                name: version.clone(),
                state: MigrationState::Foreign,
            };
            (version, status)
        }));
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(all.into_iter().map(|(_, status)| status).collect())
    }

    /// Whether a migration of Lectern's is not applied yet.
    pub fn pending(&self) -> Result<bool, Error> {
        any_pending(&mut self.0.reader()?.conn)
    }

    /// Applies Lectern's migrations that are not applied yet, the oldest first,
    /// and returns their names. If all are applied, this method only reads, and needs no
    /// right to change tables. The exception is a database that was restored in another
    /// PostgreSQL cluster: its events are numbered again.
    pub fn up(&self) -> Result<Vec<String>, Error> {
        self.0.refuse_nested_write()?;
        if !self.pending()? && !restored_events::found(&mut self.0.reader()?.conn)? {
            return Ok(Vec::new());
        }
        self.exclusively(|conn| {
            let applied = with_harness!(conn, |conn, source| apply(conn, source))?;
            restored_events::renumber(conn)?;
            Ok(applied)
        })
    }

    /// Reverts the last `steps` of Lectern's migrations that are applied, the
    /// newest first, and returns their names.
    ///
    /// # Errors
    ///
    /// [`Error::Migration`] when a table of another program refers to a table that
    /// would be dropped, or a newer Lectern has migrated the database.
    pub fn down(&self, steps: usize) -> Result<Vec<String>, Error> {
        self.exclusively(|conn| {
            let applied = revertible(conn)?;
            row_security::remove_policies(conn)?;
            with_harness!(conn, |conn, source| {
                let migrations = newest_first(&source, &applied)?;
                migrations
                    .iter()
                    .take(steps)
                    .map(|migration| {
                        conn.revert_migration(migration).map_err(Error::Migration)?;
                        Ok(migration.name().to_string())
                    })
                    .collect()
            })
        })
    }

    /// Reverts the last of Lectern's migrations and applies it again; returns
    /// its name, or `None` when none is applied.
    ///
    /// # Errors
    ///
    /// As [`Migrations::down`].
    pub fn redo(&self) -> Result<Option<String>, Error> {
        self.exclusively(|conn| {
            let applied = revertible(conn)?;
            row_security::remove_policies(conn)?;
            with_harness!(conn, |conn, source| {
                let migrations = newest_first(&source, &applied)?;
                let Some(last) = migrations.first() else {
                    return Ok(None);
                };
                conn.revert_migration(last).map_err(Error::Migration)?;
                conn.run_migration(last).map_err(Error::Migration)?;
                Ok(Some(last.name().to_string()))
            })
        })
    }

    /// Applies the caller's own migrations that are not applied yet, the oldest
    /// first, and returns their names. Call this method after [`Database::migrate`] if
    /// your migrations refer to Lectern's tables.
    ///
    /// ```no_run
    /// use diesel_migrations::{EmbeddedMigrations, embed_migrations};
    /// # use lectern_db::Database;
    ///
    /// # const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");
    /// # const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
    /// # /*
    /// const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
    /// const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
    /// # */
    ///
    /// let db = Database::open("sqlite://shop.db")?;
    /// db.migrate()?;
    /// db.migrations().up_own(POSTGRES, SQLITE)?;
    /// # Ok::<(), lectern_db::Error>(())
    /// ```
    #[cfg(feature = "diesel")]
    pub fn up_own(
        &self,
        postgres: impl MigrationSource<diesel::pg::Pg>,
        sqlite: impl MigrationSource<diesel::sqlite::Sqlite>,
    ) -> Result<Vec<String>, Error> {
        self.exclusively(|conn| {
            with_harness!(conn, (postgres, sqlite), |conn, source| apply(conn, source))
        })
    }

    /// Runs `work` in one transaction while no other process migrates.
    pub(super) fn exclusively<T>(
        &self,
        work: impl FnOnce(&mut DbConnection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.0.refuse_nested_write()?;
        let mut conn = self.0.connection()?;
        if let DbConnection::Sqlite(conn) = &mut conn {
            // A table to which other tables refer can be rebuilt only while foreign keys
            // are off; the references are checked before the commit.
            conn.batch_execute("PRAGMA foreign_keys = OFF")
                .doing("turn the checks of references off")?;
        }
        conn.begin(None).doing("begin a transaction")?;
        if let DbConnection::Postgres(conn) = &mut conn {
            conn.batch_execute(&format!(
                "SELECT pg_advisory_xact_lock({ADVISORY_LOCK_KEY})"
            ))
            .doing("wait for other processes to migrate")?;
        }
        // An early return drops the connection, and with it the transaction.
        let done = work(&mut conn)?;
        if let DbConnection::Sqlite(conn) = &mut conn {
            check_references(conn)?;
        }
        conn.commit()?;
        Ok(done)
    }
}

fn apply<DB, C>(conn: &mut C, source: impl MigrationSource<DB>) -> Result<Vec<String>, Error>
where
    DB: Backend,
    C: MigrationHarness<DB>,
{
    let pending = conn.pending_migrations(source).map_err(Error::Migration)?;
    conn.run_migrations(&pending).map_err(Error::Migration)?;
    Ok(pending.iter().map(|m| m.name().to_string()).collect())
}

/// Whether a migration of Lectern's is not applied yet.
pub(super) fn any_pending(conn: &mut DbConnection) -> Result<bool, Error> {
    let applied = applied_versions(conn)?;
    let known = lectern_migrations(conn)?;
    Ok(known.iter().any(|(version, _)| !applied.contains(version)))
}

/// Lectern's migrations that are applied, the newest first.
fn newest_first<DB>(
    source: &EmbeddedMigrations,
    applied: &BTreeSet<String>,
) -> Result<Vec<Box<dyn Migration<DB>>>, Error>
where
    DB: Backend,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let mut migrations = source.migrations().map_err(Error::Migration)?;
    migrations.retain(|migration| applied.contains(&migration.name().version().to_string()));
    migrations.sort_by(|a, b| b.name().version().cmp(&a.name().version()));
    Ok(migrations)
}

/// Versions and names of Lectern's migrations.
fn lectern_migrations(conn: &DbConnection) -> Result<Vec<(String, String)>, Error> {
    fn names<DB: Backend>(
        migrations: diesel::migration::Result<Vec<Box<dyn Migration<DB>>>>,
    ) -> Result<Vec<(String, String)>, Error> {
        let migrations = migrations.map_err(Error::Migration)?;
        Ok(migrations
            .iter()
            .map(Migration::name)
            .map(|name| (name.version().to_string(), name.to_string()))
            .collect())
    }
    match conn {
        DbConnection::Postgres(_) => names::<diesel::pg::Pg>(POSTGRES.migrations()),
        DbConnection::Sqlite(_) => names::<diesel::sqlite::Sqlite>(SQLITE.migrations()),
    }
}

/// All versions that are applied; an error if a newer Lectern applied some of them.
fn revertible(conn: &mut DbConnection) -> Result<BTreeSet<String>, Error> {
    let applied = applied_versions(conn)?;
    let known: BTreeSet<_> = lectern_migrations(conn)?
        .into_iter()
        .map(|(version, _)| version)
        .collect();
    // While a migration of this program is pending, an unknown column does not prove
    // a newer Lectern, because the pending migration may remove the column.
    if applied.last() > known.last()
        && known.is_subset(&applied)
        && let Some(unknown) = drift::find(conn)?
            .iter()
            .find(|drift| drift.is_unknown_column())
    {
        let newer = format!(
            "{unknown}: a newer Lectern has migrated this database, and only that version can revert its migrations"
        );
        return Err(Error::Migration(newer.into()));
    }
    Ok(applied)
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Bool)]
    found: bool,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

/// Reads diesel's table. Unlike diesel's own function, this function does not create the
/// table, because the connection may be read-only.
fn applied_versions(conn: &mut DbConnection) -> Result<BTreeSet<String>, Error> {
    let exists = match conn {
        DbConnection::Postgres(_) => {
            "SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS found"
        }
        DbConnection::Sqlite(_) => {
            "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = '__diesel_schema_migrations') AS found"
        }
    };
    let reading = "read which migrations are applied";
    let exists: Found = diesel::sql_query(exists).get_result(conn).doing(reading)?;
    if !exists.found {
        return Ok(BTreeSet::new());
    }
    let versions = diesel::sql_query("SELECT version FROM __diesel_schema_migrations")
        .load::<Version>(conn)
        .doing(reading)?;
    Ok(versions.into_iter().map(|row| row.version).collect())
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn check_references(conn: &mut SqliteConnection) -> Result<(), Error> {
    let dangling: Count =
        diesel::sql_query("SELECT count(*) AS count FROM pragma_foreign_key_check")
            .get_result(conn)
            .doing("check the references between tables")?;
    match dangling.count {
        0 => Ok(()),
        n => Err(Error::Migration(
            format!("{n} rows would refer to a row that does not exist").into(),
        )),
    }
}
