//! A temporary database on a PostgreSQL server.

use anyhow::{Context as _, Result};
use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;

/// A database that is deleted when the value is dropped.
pub(crate) struct ScratchDatabase {
    server: String,
    name: String,
    url: String,
}

impl ScratchDatabase {
    /// Creates a database on the server with the URL `server`.
    pub(crate) fn create(server: &str, label: &str) -> Result<Self> {
        let name = format!("lectern_bench_{label}_{}", std::process::id());
        let (base, parameters) = match server.split_once('?') {
            Some((base, parameters)) => (base, format!("?{parameters}")),
            None => (server, String::new()),
        };
        let host = base.find("://").map_or(0, |at| at + 3);
        let end = base[host..].find('/').map_or(base.len(), |at| host + at);
        let scratch = Self {
            url: format!("{}/{name}{parameters}", &base[..end]),
            server: server.to_owned(),
            name,
        };
        // Waiting for the disk takes both sides the same time, and would hide the
        // difference between them.
        for statement in [
            "CREATE DATABASE {}",
            "ALTER DATABASE {} SET synchronous_commit = off",
        ] {
            scratch.on_server(statement)?;
        }
        Ok(scratch)
    }

    /// URL of the database.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The server's version and its `synchronous_commit`.
    pub(crate) fn describe(&self) -> Result<String> {
        let settings = sql::<Text>(
            "current_setting('server_version')
             || ', synchronous_commit ' || current_setting('synchronous_commit')",
        );
        Ok(diesel::select(settings).get_result(&mut PgConnection::establish(&self.url)?)?)
    }

    fn on_server(&self, statement: &str) -> Result<()> {
        PgConnection::establish(&self.server)
            .context("BENCH_DATABASE_URL")?
            .batch_execute(&statement.replace("{}", &self.name))?;
        Ok(())
    }
}

impl Drop for ScratchDatabase {
    fn drop(&mut self) {
        if let Err(error) = self.on_server("DROP DATABASE IF EXISTS {} WITH (FORCE)") {
            eprintln!("the database {} was not deleted: {error:#}", self.name);
        }
    }
}
