//! A database of one's own on a PostgreSQL server, gone when it is dropped.

use anyhow::{Context as _, Result};
use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;

/// A database on a PostgreSQL server, there for the run.
pub(crate) struct ScratchDatabase {
    server: String,
    name: String,
    url: String,
}

impl ScratchDatabase {
    /// Makes a database on the server that `server` is the URL of.
    pub(crate) fn create(server: &str, what: &str) -> Result<Self> {
        let name = format!("lectern_bench_{what}_{}", std::process::id());
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
        // The wait for the disk is the same for both sides: it would only hide
        // what one of them does more.
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

    /// The server's version and what it does to commit.
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
            eprintln!("the database {} is still there: {error:#}", self.name);
        }
    }
}
