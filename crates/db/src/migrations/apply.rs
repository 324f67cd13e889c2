//! The migrations, embedded in the library.

use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::connection::Database;
use crate::connection::DbConnection;
use crate::error::Error;

const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// "lectern" on a telephone keypad: the advisory lock that makes processes
/// which start at the same time take turns.
const LOCK: i64 = 532_8376;

/// Runs the same code on the inner connection and the migrations that go with
/// it.
macro_rules! with_harness {
    ($conn:expr, |$inner:ident, $source:ident| $body:expr) => {
        match $conn {
            DbConnection::Postgres($inner) => {
                let $source = POSTGRES;
                $body
            }
            DbConnection::Sqlite($inner) => {
                let $source = SQLITE;
                $body
            }
        }
    };
}

/// A migration and whether the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Name of its folder.
    pub name: String,
    /// Whether it is applied.
    pub applied: bool,
}

/// The migrations of a database; see [`Database::migrations`].
///
/// Each call is one transaction: either all of what it was asked for happens,
/// or nothing.
#[derive(Debug)]
pub struct Migrations<'db>(&'db Database);

impl<'db> Migrations<'db> {
    pub(crate) fn new(db: &'db Database) -> Self {
        Self(db)
    }

    /// All migrations, oldest first.
    pub fn status(&self) -> Result<Vec<MigrationStatus>, Error> {
        let mut conn = self.0.reader()?;
        with_harness!(&mut conn.conn, |conn, source| status(conn, &source))
    }

    /// Whether a migration is not applied yet.
    pub fn pending(&self) -> Result<bool, Error> {
        Ok(self.status()?.iter().any(|migration| !migration.applied))
    }

    /// Applies all that are not applied yet, oldest first, and tells their
    /// names.
    pub fn up(&self) -> Result<Vec<String>, Error> {
        self.alone(|conn| {
            with_harness!(conn, |conn, source| {
                let pending = conn.pending_migrations(source).map_err(Error::Migration)?;
                conn.run_migrations(&pending).map_err(Error::Migration)?;
                Ok(pending.iter().map(|m| m.name().to_string()).collect())
            })
        })
    }

    /// Reverts the last `steps` that are applied, newest first, and tells their
    /// names; fewer when there are no more.
    pub fn down(&self, steps: usize) -> Result<Vec<String>, Error> {
        self.alone(|conn| {
            with_harness!(conn, |conn, source| {
                let applied = applied_newest_first(conn, &source)?;
                let applied = &applied[..steps.min(applied.len())];
                for migration in applied {
                    conn.revert_migration(migration).map_err(Error::Migration)?;
                }
                Ok(applied.iter().map(|m| m.name().to_string()).collect())
            })
        })
    }

    /// Reverts the last one and applies it again; tells its name, if there is
    /// one.
    pub fn redo(&self) -> Result<Option<String>, Error> {
        self.alone(|conn| {
            with_harness!(conn, |conn, source| {
                let applied = applied_newest_first(conn, &source)?;
                let Some(last) = applied.first() else {
                    return Ok(None);
                };
                conn.revert_migration(last).map_err(Error::Migration)?;
                conn.run_migration(last).map_err(Error::Migration)?;
                Ok(Some(last.name().to_string()))
            })
        })
    }

    /// Runs `work` in one transaction while no other process migrates.
    fn alone<T>(
        &self,
        work: impl FnOnce(&mut DbConnection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.0.refuse_nested_write()?;
        let mut conn = self.0.connection()?;
        let migration = |error: diesel::result::Error| Error::Migration(Box::new(error));
        if let DbConnection::Sqlite(conn) = &mut conn {
            // A table that others refer to can only be rebuilt like this; what
            // it leaves behind is checked before the commit.
            conn.batch_execute("PRAGMA foreign_keys = OFF")
                .map_err(migration)?;
        }
        conn.begin().map_err(migration)?;
        if let DbConnection::Postgres(conn) = &mut conn {
            conn.batch_execute(&format!("SELECT pg_advisory_xact_lock({LOCK})"))
                .map_err(migration)?;
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

fn status<DB, C>(conn: &mut C, source: &EmbeddedMigrations) -> Result<Vec<MigrationStatus>, Error>
where
    DB: Backend,
    C: MigrationHarness<DB>,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let applied = conn.applied_migrations().map_err(Error::Migration)?;
    Ok(oldest_first(source)?
        .iter()
        .map(|migration| MigrationStatus {
            name: migration.name().to_string(),
            applied: applied.contains(&migration.name().version().as_owned()),
        })
        .collect())
}

fn oldest_first<DB>(source: &EmbeddedMigrations) -> Result<Vec<Box<dyn Migration<DB>>>, Error>
where
    DB: Backend,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let mut all = source.migrations().map_err(Error::Migration)?;
    all.sort_by(|a, b| a.name().version().cmp(&b.name().version()));
    Ok(all)
}

/// The applied migrations, newest first. One that this program does not know
/// was applied by a newer one, which alone can revert it: an error.
fn applied_newest_first<DB, C>(
    conn: &mut C,
    source: &EmbeddedMigrations,
) -> Result<Vec<Box<dyn Migration<DB>>>, Error>
where
    DB: Backend,
    C: MigrationHarness<DB>,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let mut known = oldest_first(source)?;
    conn.applied_migrations()
        .map_err(Error::Migration)?
        .into_iter()
        .map(|version| {
            let place = known.iter().position(|m| m.name().version() == version);
            place.map(|place| known.remove(place)).ok_or_else(|| {
                let unknown = format!("{version} is applied but not known to this program");
                Error::Migration(unknown.into())
            })
        })
        .collect()
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

fn check_references(conn: &mut SqliteConnection) -> Result<(), Error> {
    let dangling: Count =
        diesel::sql_query("SELECT count(*) AS count FROM pragma_foreign_key_check")
            .get_result(conn)
            .map_err(|error| Error::Migration(Box::new(error)))?;
    match dangling.count {
        0 => Ok(()),
        n => Err(Error::Migration(
            format!("{n} rows would refer to nothing").into(),
        )),
    }
}
