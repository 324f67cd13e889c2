//! The program `lectern`: reads settings, then runs a command.

use std::env;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use clap::error::ErrorKind;
use lectern_server::cli::command::{Cli, Command};

/// `lectern migrate` without a subcommand prints its help instead of an error.
const MISSING_SUBCOMMAND: ErrorKind = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes an error as one line, even when its text has line breaks.
fn print_error(error: &str) {
    let line = error.split_whitespace().collect::<Vec<_>>().join(" ");
    let _ = writeln!(std::io::stderr(), "lectern: {line}");
}

fn run() -> anyhow::Result<()> {
    match dotenvy::from_path(".env") {
        Err(dotenvy::Error::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
        // The line is not shown, because it may hold a secret.
        Err(dotenvy::Error::LineParse(_, position)) => {
            anyhow::bail!("cannot parse a line of .env: error at character {position} of the line")
        }
        read => read.context("cannot read .env")?,
    }
    // `serve` is the default command; its settings can come from the environment.
    let parse_arguments = || Cli::try_parse().map(|cli| (cli.command.clone(), cli));
    let parse_as_serve = || Cli::try_parse_from(env::args_os().chain(["serve".into()]));
    let parsed = match parse_arguments() {
        Ok((None, _)) => parse_as_serve().map(|cli| (cli.command.clone(), cli)),
        parsed => parsed,
    };
    let (command, cli) = match parsed {
        Ok((Some(command), cli)) => (command, cli),
        Ok((None, _)) => anyhow::bail!("no command is given"),
        Err(error) if error.kind() == MISSING_SUBCOMMAND || !error.use_stderr() => error.exit(),
        Err(error) => {
            let text = error.to_string();
            let text = text.trim_start_matches("error: ");
            // The rest of clap's text explains how to get help.
            print_error(text.split("\n\n").next().unwrap_or(text));
            std::process::exit(2)
        }
    };
    lectern_server::cli::logging::init(&cli.settings.log, cli.settings.log_format)?;
    cli.settings.http.warn_of_former_names();
    match command {
        Command::Serve(serve) => lectern_server::cli::serve::run(&serve, &cli.settings),
        Command::Work(work) => lectern_server::cli::work::run(&work, &cli.settings),
        Command::Process(process) => lectern_server::cli::process::run(&process, &cli.settings),
        Command::Migrate(command) => lectern_server::cli::migrate::run(&command, &cli.settings),
        Command::Gc(gc) => lectern_server::cli::gc::run(&gc, &cli.settings),
    }
}
