//! The program `lectern`: reads its settings and does what it is told.

use std::env;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use clap::error::ErrorKind;
use lectern_server::cli::args::{Cli, Command};

/// `lectern migrate` alone is not wrong, but unfinished: the answer is its help.
const MISSING: ErrorKind = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes one line, whatever the libraries below had to say.
fn complain(error: &str) {
    let line = error.split_whitespace().collect::<Vec<_>>().join(" ");
    let _ = writeln!(std::io::stderr(), "lectern: {line}");
}

fn run() -> anyhow::Result<()> {
    match dotenvy::from_path(".env") {
        Err(dotenvy::Error::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
        // The line is not repeated: it may hold a secret.
        Err(dotenvy::Error::LineParse(_, place)) => {
            anyhow::bail!(".env has a line that cannot be read, at its character {place}")
        }
        read => read.context("cannot read .env")?,
    }
    // What is done when nothing is said has settings too, from the environment.
    let said = || Cli::try_parse().map(|cli| (cli.command.clone(), cli));
    let serve = || Cli::try_parse_from(env::args_os().chain(["serve".into()]));
    let parsed = match said() {
        Ok((None, _)) => serve().map(|cli| (cli.command.clone(), cli)),
        parsed => parsed,
    };
    let (command, cli) = match parsed {
        Ok((Some(command), cli)) => (command, cli),
        Ok((None, _)) => anyhow::bail!("there is nothing to do"),
        Err(error) if error.kind() == MISSING || !error.use_stderr() => error.exit(),
        Err(error) => {
            let text = error.to_string();
            let text = text.trim_start_matches("error: ");
            // What follows is how to ask for help.
            complain(text.split("\n\n").next().unwrap_or(text));
            std::process::exit(2)
        }
    };
    lectern_server::cli::logging::init(&cli.settings.log, cli.settings.log_format)?;
    cli.settings.warn_of_former_names();
    match command {
        Command::Serve(serve) => lectern_server::cli::serve::run(&serve, &cli.settings),
        Command::Work(work) => lectern_server::cli::work::run(&work, &cli.settings),
        Command::Process(process) => lectern_server::cli::process::run(&process, &cli.settings),
        Command::Migrate(command) => lectern_server::cli::migrate::run(&command, &cli.settings),
        Command::Gc(gc) => lectern_server::cli::gc::run(&gc, &cli.settings),
    }
}
