//! Checks of a file before it is used as a backup.

use std::path::Path;

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use crate::connection::DbConnection;
use crate::error::Error;

#[derive(QueryableByName)]
struct Finding {
    #[diesel(sql_type = Text)]
    finding: String,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Bool)]
    found: bool,
}

/// Fails if SQLite finds the file damaged.
pub(super) fn integrity(conn: &mut DbConnection, file: &Path) -> Result<(), Error> {
    let doing = || format!("check {}", file.display());
    let query = "SELECT integrity_check AS finding FROM pragma_integrity_check";
    let findings = diesel::sql_query(query)
        .load::<Finding>(conn)
        .map_err(|error| Error::backup(doing(), error))?;
    match findings.as_slice() {
        [ok] if ok.finding == "ok" => Ok(()),
        findings => {
            let finding = findings.first().map_or("", |finding| &finding.finding);
            Err(Error::backup(doing(), format!("it is damaged: {finding}")))
        }
    }
}

/// Fails if the file has no tables of Lectern.
pub(super) fn is_of_lectern(conn: &mut DbConnection, file: &Path) -> Result<(), Error> {
    let doing = || format!("restore {}", file.display());
    if has_table(conn, "__diesel_schema_migrations")? && has_table(conn, "jobs")? {
        return Ok(());
    }
    Err(Error::backup(doing(), "it is not a database of Lectern"))
}

pub(super) fn has_table(conn: &mut DbConnection, name: &str) -> Result<bool, Error> {
    let query = format!(
        "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '{name}') AS found"
    );
    let found = diesel::sql_query(query).get_result::<Found>(conn);
    found
        .map(|found| found.found)
        .map_err(|error| Error::backup("read the tables of a backup", error))
}
