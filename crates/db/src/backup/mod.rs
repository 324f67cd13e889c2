//! Backups of an SQLite database, and restoring them.
//!
//! A backup is made by `VACUUM INTO`: one statement, which reads one snapshot, does not
//! block writers, and needs no unsafe code. SQLite's backup API would start over whenever
//! another process writes. For a PostgreSQL database, use PostgreSQL's own programs.

mod check;
mod files;
mod restore;

use std::fs;
use std::path::{Path, PathBuf};

use diesel::RunQueryDsl as _;
use diesel::sql_types::Text;

use crate::connection::{ConnectionSettings, Database, DatabaseUrl, DbConnection, Location};
use crate::error::{Doing, Error};
use files::{create_private, sync, sync_parent, with_suffix};

impl Database {
    /// Writes a copy of the database to a new file that only its owner can read. Other
    /// connections may write meanwhile; the copy has everything that was committed when
    /// the backup began.
    ///
    /// # Errors
    ///
    /// [`Error::Backup`] when the file exists or cannot be written, the copy does not pass
    /// SQLite's integrity check, or the database is not on SQLite.
    pub fn backup(&self, to: &Path) -> Result<(), Error> {
        let name = to.display();
        let mut conn = match self.connection()? {
            conn @ DbConnection::Sqlite(_) => conn,
            DbConnection::Postgres(_) => {
                return Err(Error::backup(
                    format!("write {name}"),
                    "a PostgreSQL database is backed up by pg_dump",
                ));
            }
        };
        let failed = |source| Error::backup(format!("write {name}"), source);
        if to.symlink_metadata().is_ok() {
            return Err(Error::backup(format!("write {name}"), "the file exists"));
        }
        let part = with_suffix(to, ".part");
        let written = copy(&mut conn, &part).and_then(|()| {
            // Unlike a rename, a link fails if the file was created meanwhile.
            fs::hard_link(&part, to).map_err(failed)
        });
        // If the part cannot be removed, the next backup replaces it.
        let _ = fs::remove_file(&part);
        written?;
        sync_parent(to).map_err(failed)
    }

    /// Replaces the database file at `url` by a backup, or creates the file. Returns the
    /// new path of the previous file.
    ///
    /// The restored database has no id (see [`DatabaseIdentity`](crate::DatabaseIdentity)),
    /// because the storage may have objects that the restored database does not know.
    ///
    /// # Errors
    ///
    /// [`Error::Backup`] when the backup is damaged or not of a Lectern database, or another
    /// connection has the database open. The database is unchanged then.
    pub fn restore(url: &DatabaseUrl, from: &Path) -> Result<Option<PathBuf>, Error> {
        restore::restore(url, from)
    }
}

/// Copies the database of a connection to a file, and checks the copy. Replaces a file
/// that an earlier backup left after a crash.
fn copy(conn: &mut DbConnection, to: &Path) -> Result<(), Error> {
    let failed = |source| Error::backup(format!("write {}", to.display()), source);
    create_private(to).map_err(failed)?;
    let DbConnection::Sqlite(sqlite) = conn else {
        return Err(Error::backup("copy a database", "it is not on SQLite"));
    };
    let absolute = std::path::absolute(to).map_err(failed)?;
    let Some(path) = absolute.to_str() else {
        return Err(Error::backup("copy a database", "the path is not UTF-8"));
    };
    // `VACUUM INTO` writes to an empty file, and refuses a file that is not empty.
    diesel::sql_query("VACUUM INTO ?")
        .bind::<Text, _>(path)
        .execute(sqlite)
        .doing("copy the database")?;
    check::integrity(&mut open(to)?, to)?;
    // SQLite does not wait until the copy is on disk.
    sync(to).map_err(failed)
}

/// Opens an SQLite file that exists.
fn open(file: &Path) -> Result<DbConnection, Error> {
    let doing = || format!("open {}", file.display());
    fs::metadata(file).map_err(|error| Error::backup(doing(), error))?;
    DbConnection::open(
        &Location::File(file.to_owned()),
        "",
        ConnectionSettings::default(),
    )
    .map_err(|error| Error::backup(doing(), error))
}
