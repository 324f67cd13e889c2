//! Lectern as a child process.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::server::{Start, clean_command};
use crate::arguments::Arguments;
use crate::environment::{TemporaryDirectory, output};
use crate::stack::{Cluster, Database, Server, System};

/// The pipeline of every job: a job is completed with its only stage.
const PIPELINES: &str = r#"{"default": [{"stage": "transcription"}]}"#;

/// The program `lectern`, and a directory for its data.
#[derive(Debug)]
pub(crate) struct Lectern {
    program: PathBuf,
    dir: TemporaryDirectory,
}

impl Lectern {
    /// Finds the program, or builds it.
    pub(crate) fn find(arguments: &Arguments) -> Result<Self> {
        let program = match &arguments.lectern {
            Some(program) => program.clone(),
            None if arguments.smoke => env::current_exe()?.with_file_name("lectern"),
            None => build()?,
        };
        ensure!(program.is_file(), "{} is missing", program.display());
        let dir = TemporaryDirectory::new()?;
        fs::write(dir.path().join("pipelines.json"), PIPELINES)?;
        let program = program.canonicalize()?;
        Ok(Self { program, dir })
    }

    pub(crate) fn version(&self) -> String {
        output(Command::new(&self.program).arg("--version")).unwrap_or_default()
    }

    /// A new database with Lectern's tables; on PostgreSQL if there is a cluster.
    pub(crate) fn new_database<'c>(&self, cluster: Option<&'c Cluster>) -> Result<Database<'c>> {
        let database = if let Some(cluster) = cluster {
            cluster.create_database("lectern")?;
            Database::Postgres(cluster, "lectern".to_owned())
        } else {
            let data = self.dir.path().join("data");
            if data.exists() {
                fs::remove_dir_all(&data)?;
            }
            fs::create_dir(&data)?;
            Database::Sqlite(data.join("lectern.db"))
        };
        let mut migrate = clean_command(&self.program);
        migrate.args(["migrate", "up", "--database-url", &url(&database)]);
        output(migrate.current_dir(self.dir.path()))?;
        Ok(database)
    }

    /// Serves a database, with the default settings and without a worker.
    pub(crate) fn serve(&self, database: &Database<'_>) -> Result<Server> {
        self.serve_with(database, &[])
    }

    /// Like [`serve`](Self::serve), with further arguments.
    pub(crate) fn serve_with(&self, database: &Database<'_>, arguments: &[&str]) -> Result<Server> {
        let (system, postgres) = match database {
            Database::Postgres(cluster, _) => (System::LecternPostgres, Some(cluster.id())),
            Database::Sqlite(_) => (System::LecternSqlite, None),
        };
        let start = Start {
            system,
            postgres,
            ready: "/readyz",
            log: self.dir.path().join("log"),
        };
        Server::start(&start, |port| {
            let mut command = clean_command(&self.program);
            command
                .args(["serve", "--with-worker=false"])
                .args(arguments)
                .args(["--bind", &format!("127.0.0.1:{port}")])
                .args(["--database-url", &url(database)])
                .env("LECTERN_DATA_DIR", self.dir.path().join("data"))
                .env("LECTERN_PIPELINES", self.dir.path().join("pipelines.json"))
                .current_dir(self.dir.path());
            command
        })
    }
}

fn url(database: &Database<'_>) -> String {
    match database {
        Database::Postgres(cluster, name) => cluster.url(name),
        Database::Sqlite(file) => format!("sqlite://{}", file.display()),
    }
}

/// Builds the program as a user would.
fn build() -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    output(
        Command::new(&cargo)
            .args([
                "build",
                "--release",
                "--locked",
                "--package",
                "lectern-server",
                "--bin",
                "lectern",
            ])
            .current_dir(workspace()),
    )?;
    Ok(target_directory()?.join("release/lectern"))
}

/// The root of the workspace that this program was built from.
pub(crate) fn workspace() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package)
}

/// Cargo's target directory, in which this program is.
pub(crate) fn target_directory() -> Result<PathBuf> {
    let program = env::current_exe()?;
    let dir = program.parent().and_then(Path::parent);
    Ok(dir.context("this program is in no directory")?.to_owned())
}
