//! A PostgreSQL server for one run.

use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::environment::{Guarded, PostgresPrograms, free_port, output};

/// A PostgreSQL server with its own data directory, whose commits wait for the disk.
/// Server and directory are removed in the end.
#[derive(Debug)]
pub(crate) struct Cluster {
    server: Guarded,
    programs: PostgresPrograms,
    /// Without the name of a database.
    url: String,
}

impl Cluster {
    pub(crate) fn start(programs: PostgresPrograms) -> Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("lectern-bench-postgres-")
            .tempdir()?;
        let owner = owner(dir.path())?;
        let own = |path: &Path| match owner {
            Some((uid, gid)) => chown(path, Some(uid), Some(gid)),
            None => Ok(()),
        };
        let command = |program: &str| {
            let mut command = Command::new(programs.path(program));
            command.current_dir(dir.path());
            if let Some((uid, gid)) = owner {
                command.uid(uid).gid(gid);
            }
            command
        };
        // A new RandomState's keys are seeded by the operating system.
        let password = format!("{:016x}", RandomState::new().hash_one(()));
        let password_file = dir.path().join("password");
        fs::write(&password_file, &password)?;
        own(dir.path())?;
        own(&password_file)?;
        output(command("initdb").args([
            "--username=lectern",
            // The password is only for other users of this machine; scram would cost more than
            // the requests of a short measurement.
            "--auth=password",
            "--pwfile=password",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "--pgdata=data",
        ]))?;
        let port = free_port()?;
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\n\
             max_connections = 400\nshared_buffers = 256MB\nfsync = on\nsynchronous_commit = on\n"
        );
        fs::write(dir.path().join("data/postgresql.auto.conf"), settings)?;
        let log = fs::File::create(dir.path().join("log"))?;
        // The end removes the directory, because a destructor does not run on Ctrl-C.
        let dir = dir.keep();
        let end = format!(
            "kill -s QUIT $1; while kill -0 $1; do sleep 0.05; done; rm -rf '{}'",
            dir.display()
        );
        let mut postgres = Command::new(programs.path("postgres"));
        postgres.current_dir(&dir).args(["-D", "data"]).stderr(log);
        if let Some((uid, gid)) = owner {
            postgres.uid(uid).gid(gid);
        }
        let server = Guarded::start_with(&mut postgres, &end)?;
        let mut cluster = Self {
            server,
            programs,
            url: format!("postgres://lectern:{password}@127.0.0.1:{port}"),
        };
        cluster.wait(&dir)?;
        Ok(cluster)
    }

    fn wait(&mut self, dir: &Path) -> Result<()> {
        let began = Instant::now();
        while let Err(error) = self.sql("postgres", "SELECT 1") {
            if self.server.has_ended() || began.elapsed() > Duration::from_secs(30) {
                let log = fs::read_to_string(dir.join("log")).unwrap_or_default();
                bail!("PostgreSQL does not start: {error}\n{log}");
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Its process; the root of all server processes.
    pub(crate) fn id(&self) -> u32 {
        self.server.id()
    }

    pub(crate) fn programs(&self) -> &PostgresPrograms {
        &self.programs
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("{}/{database}", self.url)
    }

    /// Creates a database, in place of one of this name; returns its URL.
    pub(crate) fn create_database(&self, name: &str) -> Result<String> {
        self.sql(
            "postgres",
            &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        )?;
        self.sql("postgres", &format!("CREATE DATABASE {name}"))?;
        // Otherwise the writes of the last measurement are paid for in the next one.
        self.sql("postgres", "CHECKPOINT")?;
        Ok(self.url(name))
    }

    /// Runs SQL; returns the rows.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> Result<String> {
        output(
            Command::new(self.programs.path("psql"))
                .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
                .args(["--set=ON_ERROR_STOP=1", "--command", sql])
                .arg(self.url(database)),
        )
    }
}

/// The user for a server whose files are in `dir`, if it has to be another one: PostgreSQL
/// refuses to run as root.
fn owner(dir: &Path) -> Result<Option<(u32, u32)>> {
    if fs::metadata(dir)?.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let ids = |name: &str| {
        let mut lines = users
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>());
        let user = lines.find(|fields| fields.first() == Some(&name))?;
        Some((user.get(2)?.parse().ok()?, user.get(3)?.parse().ok()?))
    };
    let ids = ids("postgres").or_else(|| ids("nobody"));
    Ok(Some(ids.context(
        "PostgreSQL refuses to run as root, and there is no user `postgres`",
    )?))
}
