//! `with-lectern sqlite|postgres COMMAND [ARGUMENT]…` runs a command with
//! `LECTERN` naming a server on a fresh database, such as
//! `http://127.0.0.1:34567`, and `LECTERN_JOB` a completed job with something
//! in every table. All are gone when the command is done. The exit code is the
//! command's, or 1 when the server logged an error.

use std::env;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail, ensure};
use lectern_tests::{Backend, Fixture as _, Lectern, TestDb, a_whole_job};

fn main() -> anyhow::Result<ExitCode> {
    let mut words = env::args().skip(1);
    let backend = match words.next().as_deref() {
        Some("sqlite") => Backend::Sqlite,
        Some("postgres") => Backend::Postgres,
        _ => bail!("usage: with-lectern sqlite|postgres COMMAND [ARGUMENT]..."),
    };
    let program = words.next().context("a command is missing")?;
    let db = TestDb::on(backend);
    let mut server = Lectern::serve(db.url());
    let status = Command::new(&program)
        .args(words)
        .env("LECTERN", server.base())
        .env("LECTERN_JOB", a_whole_job(&db).job_id.to_string())
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    server.signal("TERM");
    let (ended, log) = (server.wait(), server.log());
    let errors: Vec<_> = log
        .lines()
        .filter(|line| line.contains(" ERROR "))
        .collect();
    ensure!(
        ended.success() && errors.is_empty(),
        "{ended}\n{}",
        errors.join("\n")
    );
    Ok(ExitCode::from(
        status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1),
    ))
}
