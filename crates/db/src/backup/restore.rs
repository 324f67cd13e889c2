//! Restoring a backup in place of a database file.

use std::fs;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;
use lectern_domain::{Clock as _, SystemClock};

use super::check::{has_table, integrity, is_of_lectern};
use super::files::{ignore_missing, remove_if_exists, sync, sync_parent, with_suffix};
use super::{copy, open};
use crate::connection::{DatabaseUrl, DbConnection};
use crate::error::{Doing, Error};

/// Suffixes of the files that SQLite keeps beside a database. If the write-ahead log of
/// the previous database stayed, SQLite would apply the log to the restored database.
const SIDE_FILES: [&str; 3] = ["-wal", "-shm", "-journal"];

pub(super) fn restore(url: &DatabaseUrl, from: &Path) -> Result<Option<PathBuf>, Error> {
    let doing = || format!("restore {}", from.display());
    let Some(target) = url.file() else {
        let reason =
            "only an SQLite file can be replaced; pg_restore restores a PostgreSQL database";
        return Err(Error::backup(doing(), reason));
    };
    let failed = |error| Error::backup(doing(), error);
    let new = with_suffix(target, ".restoring");
    if let Some(dir) = target.parent() {
        fs::create_dir_all(dir).map_err(failed)?;
    }
    let replaced = prepare(from, &new)
        .and_then(|()| replace(target, &new))
        .inspect_err(|_| {
            // If this fails, the next restore replaces the file.
            let _ = remove_if_exists(&new);
        })?;
    sync_parent(target).map_err(failed)?;
    Ok(replaced)
}

/// Checks a backup and copies it to the file that becomes the database.
fn prepare(from: &Path, new: &Path) -> Result<(), Error> {
    let mut backup = open(from)?;
    integrity(&mut backup, from)?;
    is_of_lectern(&mut backup, from)?;
    copy(&mut backup, new)?;
    let mut conn = open(new)?;
    if has_table(&mut conn, "database_identity")? {
        conn.batch_execute("DELETE FROM database_identity")
            .doing("delete the id of the restored database")?;
    }
    if has_table(&mut conn, "event_feed")? {
        // Events will get the numbers of those that were stored after the backup.
        conn.batch_execute(
            "INSERT INTO event_feed (id, generation) VALUES (1, abs(random() % 2147483648))
             ON CONFLICT (id) DO UPDATE SET generation = excluded.generation",
        )
        .doing("invalidate the positions in the events of the previous database")?;
    }
    drop(conn);
    sync(new).map_err(|error| Error::backup(format!("write {}", new.display()), error))
}

/// Renames `new` to `target`, and keeps the previous file under another name.
fn replace(target: &Path, new: &Path) -> Result<Option<PathBuf>, Error> {
    let failed = |error| Error::backup(format!("replace {}", target.display()), error);
    let kept = SystemClock
        .now()
        .format(".replaced-%Y%m%dT%H%M%S%3fZ")
        .to_string();
    let kept = with_suffix(target, &kept);
    let exists = target.symlink_metadata().is_ok();
    // Keeps other processes from opening the database until the new file is in place.
    let _lock = if exists { lock(target)? } else { None };
    if exists {
        // With a hard link, the database is never missing, but some file systems have no
        // hard links.
        fs::hard_link(target, &kept)
            .or_else(|_| fs::rename(target, &kept))
            .map_err(failed)?;
    }
    for suffix in SIDE_FILES {
        let moved = fs::rename(with_suffix(target, suffix), with_suffix(&kept, suffix));
        ignore_missing(moved).map_err(failed)?;
    }
    fs::rename(new, target).map_err(failed)?;
    Ok(exists.then_some(kept))
}

/// Locks a database against all other connections. Its write-ahead log becomes part of
/// the file. `None`: the file is too damaged to be locked.
fn lock(target: &Path) -> Result<Option<DbConnection>, Error> {
    let mut conn = match open(target) {
        Ok(conn) => conn,
        Err(error) => {
            log::warn!("{} cannot be opened: {error}", target.display());
            return Ok(None);
        }
    };
    // Leaving the mode WAL needs exclusive access to the file. Outside that mode, an
    // exclusive transaction keeps readers out, too.
    let locked = conn.batch_execute(
        "PRAGMA busy_timeout = 1000;
         PRAGMA journal_mode = DELETE;
         BEGIN EXCLUSIVE",
    );
    let in_use = || {
        Error::backup(
            format!("replace {}", target.display()),
            "another process has it open: stop the servers and workers first",
        )
    };
    match locked {
        // A server may have started and changed the mode back before the lock.
        Ok(()) if journal_mode(&mut conn)? == "delete" => Ok(Some(conn)),
        Ok(()) => Err(in_use()),
        Err(error) if error.to_string().contains("locked") => Err(in_use()),
        Err(error) => {
            log::warn!("{} cannot be locked: {error}", target.display());
            Ok(None)
        }
    }
}

#[derive(QueryableByName)]
struct JournalMode {
    #[diesel(sql_type = Text)]
    journal_mode: String,
}

fn journal_mode(conn: &mut DbConnection) -> Result<String, Error> {
    let mode = diesel::sql_query("PRAGMA journal_mode").get_result::<JournalMode>(conn);
    mode.map(|mode| mode.journal_mode)
        .doing("read the journal mode")
}
