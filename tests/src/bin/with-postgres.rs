//! `with-postgres COMMAND [ARGUMENT]…` runs a command with `TEST_DATABASE_URL`
//! set to a temporary PostgreSQL server, which is removed when the command
//! ends. The exit code is the command's.

use std::env;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode};

use lectern_tests::{Cluster, TEST_DATABASE_URL};

fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        anyhow::bail!("usage: with-postgres COMMAND [ARGUMENT]...");
    };
    let cluster = Cluster::start();
    let status = Command::new(program)
        .args(arguments)
        .env(TEST_DATABASE_URL, cluster.url())
        .status()?;
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}
