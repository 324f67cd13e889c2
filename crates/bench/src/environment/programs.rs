//! Programs that have to be installed.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

/// The programs of one PostgreSQL installation.
#[derive(Debug, Clone)]
pub(crate) struct PostgresPrograms {
    bin: PathBuf,
}

impl PostgresPrograms {
    const ALL: [&str; 4] = ["initdb", "postgres", "psql", "pgbench"];

    /// Searches `PATH`, the directory that `pg_config` names and Debian's directories.
    pub(crate) fn find() -> Result<Self> {
        let mut places: Vec<PathBuf> =
            env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
        if let Ok(bin) = output(Command::new("pg_config").arg("--bindir")) {
            places.push(bin.trim().into());
        }
        let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
        let mut versions: Vec<PathBuf> = versions
            .flatten()
            .map(|version| version.path().join("bin"))
            .collect();
        versions.sort();
        places.extend(versions.into_iter().rev());
        let all_in = |bin: &PathBuf| Self::ALL.iter().all(|name| bin.join(name).is_file());
        let bin = places.into_iter().find(all_in).with_context(|| {
            format!(
                "PostgreSQL is missing: no directory has {} (Debian, Ubuntu: apt-get install \
                 postgresql; Fedora: dnf install postgresql-server postgresql-contrib)",
                Self::ALL.join(", ")
            )
        })?;
        Ok(Self { bin })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    pub(crate) fn version(&self) -> String {
        output(Command::new(self.path("postgres")).arg("--version")).unwrap_or_default()
    }
}

/// Checks that `python3` can create virtual environments.
pub(crate) fn python() -> Result<&'static str> {
    output(Command::new("python3").args(["-c", "import ensurepip, venv"])).context(
        "Python 3 with venv is missing (Debian, Ubuntu: apt-get install python3 python3-venv)",
    )?;
    Ok("python3")
}

/// Runs a program to its end; returns what it printed, or an error with what it said.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let name = Path::new(command.get_program())
        .file_name()
        .map(OsStr::to_string_lossy)
        .unwrap_or_default()
        .into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{name} does not start"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{name}: {}: {}",
        output.status,
        errors.trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A thousand watchers need more open files than most shells allow at first.
pub(crate) fn raise_open_file_limit(wanted: u64) -> Result<()> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        if limit.maximum.is_some_and(|maximum| maximum < wanted) {
            bail!(
                "at most {:?} files can be open, and {wanted} are needed",
                limit.maximum
            );
        }
        limit.current = Some(wanted);
        setrlimit(Resource::Nofile, limit)?;
    }
    Ok(())
}
