//! A running HTTP server and its process tree.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use std::{fs, io};

use anyhow::{Result, bail};

use crate::environment::{Guarded, free_port};

/// What a number was measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum System {
    LecternPostgres,
    LecternSqlite,
    /// FastAPI, or procrastinate for the queue.
    Peer,
    /// The same statements by pgbench.
    PostgresLimit,
    /// The same statements on one connection to SQLite.
    SqliteLimit,
}

impl System {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::LecternPostgres => "lectern-postgres",
            Self::LecternSqlite => "lectern-sqlite",
            Self::Peer => "peer",
            Self::PostgresLimit => "postgres-limit",
            Self::SqliteLimit => "sqlite-limit",
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A server on a loopback port, ended on drop.
#[derive(Debug)]
pub(crate) struct Server {
    process: Guarded,
    pub(crate) system: System,
    pub(crate) address: SocketAddr,
    /// From the start of the process until it answered.
    pub(crate) started_in: Duration,
    /// The root of PostgreSQL's processes.
    pub(crate) postgres: Option<u32>,
}

/// How a server is started.
pub(crate) struct Start<'a> {
    pub(crate) system: System,
    pub(crate) postgres: Option<u32>,
    /// The path that answers 200 once the server is ready.
    pub(crate) ready: &'a str,
    /// For standard output and errors.
    pub(crate) log: PathBuf,
}

impl Server {
    /// Starts what `command` returns for a port, and waits until it is ready.
    pub(crate) fn start(start: &Start<'_>, command: impl FnOnce(u16) -> Command) -> Result<Self> {
        let port = free_port()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let log = fs::File::create(&start.log)?;
        let mut command = command(port);
        command.stdout(log.try_clone()?).stderr(log);
        let began = Instant::now();
        let mut process = Guarded::start(&mut command)?;
        while !is_ready(address, start.ready) {
            if process.has_ended() || began.elapsed() > Duration::from_mins(1) {
                let log = fs::read_to_string(&start.log).unwrap_or_default();
                bail!("{} does not start: {log}", start.system);
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(Self {
            process,
            system: start.system,
            address,
            started_in: began.elapsed(),
            postgres: start.postgres,
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }
}

fn is_ready(address: SocketAddr, path: &str) -> bool {
    let ask = || -> io::Result<bool> {
        use io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(status.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}

/// A command without the settings of this process that the servers read.
pub(crate) fn clean_command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("LECTERN_") || name.starts_with("PG") || name == "DATABASE_URL" {
            command.env_remove(name);
        }
    }
    command
}
