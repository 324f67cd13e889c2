//! The stack to compare with, in Python: FastAPI and SQLAlchemy, and procrastinate as
//! the queue.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::lectern::target_directory;
use super::server::{Start, clean_command};
use crate::environment::{TemporaryDirectory, output, python};
use crate::stack::{Cluster, Server, System};

/// The packages, with their versions.
const REQUIREMENTS: &str = include_str!("../../peers/requirements.txt");
const PROGRAMS: [(&str, &str); 2] = [
    ("app.py", include_str!("../../peers/app.py")),
    ("queue_peer.py", include_str!("../../peers/queue_peer.py")),
];

/// Worker processes of uvicorn and of procrastinate.
pub(crate) const WORKERS: usize = 2;

/// A virtual environment with the peers.
#[derive(Debug)]
pub(crate) struct Peers {
    venv: PathBuf,
    dir: TemporaryDirectory,
}

impl Peers {
    /// The environment if it is installed.
    pub(crate) fn installed() -> Result<Option<Self>> {
        let venv = venv()?;
        if !venv.join("bin/uvicorn").is_file() {
            return Ok(None);
        }
        let dir = TemporaryDirectory::new()?;
        for (name, text) in PROGRAMS {
            fs::write(dir.path().join(name), text)?;
        }
        Ok(Some(Self { venv, dir }))
    }

    /// Installs the environment below cargo's target directory.
    pub(crate) fn install() -> Result<()> {
        let venv = venv()?;
        if venv.join("bin/uvicorn").is_file() {
            return Ok(());
        }
        eprintln!("installing {}", REQUIREMENTS.trim().replace('\n', ", "));
        output(
            Command::new(python()?)
                .args(["-m", "venv", "--clear"])
                .arg(&venv),
        )?;
        let requirements = venv.join("requirements.txt");
        fs::write(&requirements, REQUIREMENTS)?;
        output(
            Command::new(venv.join("bin/python"))
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "-r",
                ])
                .arg(requirements),
        )?;
        Ok(())
    }

    /// The versions of Python and of the packages.
    pub(crate) fn versions(&self) -> String {
        let python = output(Command::new(self.venv.join("bin/python")).arg("--version"));
        format!(
            "{}, {}",
            python.unwrap_or_default(),
            REQUIREMENTS.trim().replace("==", " ").replace('\n', ", ")
        )
    }

    /// Creates a database with the tables and serves it.
    pub(crate) fn serve(&self, cluster: &Cluster) -> Result<Server> {
        let url = cluster.create_database("peer")?;
        output(self.command("python", &url).arg("app.py"))?;
        self.serve_existing(cluster)
    }

    /// Serves the database that is there already.
    pub(crate) fn serve_existing(&self, cluster: &Cluster) -> Result<Server> {
        let start = Start {
            system: System::Peer,
            postgres: Some(cluster.id()),
            ready: "/api/v1/jobs?limit=1",
            log: self.dir.path().join("log"),
        };
        Server::start(&start, |port| {
            let mut command = self.command("uvicorn", &cluster.url("peer"));
            command
                .args([
                    "app:app",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    &port.to_string(),
                ])
                .args(["--workers", &WORKERS.to_string(), "--log-level", "warning"]);
            command
        })
    }

    /// Creates a database with procrastinate's tables; returns its URL.
    pub(crate) fn new_queue(&self, cluster: &Cluster) -> Result<String> {
        let url = cluster.create_database("queue")?;
        output(
            self.command("python", &url)
                .args(["queue_peer.py", "schema"]),
        )?;
        Ok(url)
    }

    /// A command that runs a program of the environment on a database.
    pub(crate) fn command(&self, program: &str, url: &str) -> Command {
        let mut command = clean_command(self.venv.join("bin").join(program));
        command
            .env("DATABASE_URL", url)
            .current_dir(self.dir.path());
        command
    }
}

fn venv() -> Result<PathBuf> {
    Ok(Path::new(&target_directory()?).join("bench-peers"))
}
