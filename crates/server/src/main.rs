//! The program `lectern`: reads settings, then runs a command.

use std::env;
use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use clap::{CommandFactory as _, FromArgMatches as _};
use lectern_server::cli::command::{Cli, Command};
use lectern_server::cli::help;
use lectern_server::cli::startup::allocator;
use lectern_server::config::env_file::EnvFile;

/// `lectern migrate` without a subcommand prints its help instead of an error.
const MISSING_SUBCOMMAND: ErrorKind = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;

fn main() -> ExitCode {
    allocator::return_freed_memory();
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
    let (mut command, mut cli) = parse_arguments()?;
    // `process` reads no settings file: it often runs in the directory of the recording, and
    // the other files in that directory may come from anyone. The others need no settings.
    //
    let env_file = match command {
        Command::Process(_)
        | Command::Jobs(_)
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Help(_) => None,
        _ => EnvFile::load(&cli.settings, is_setting)?,
    };
    if env_file.is_some() {
        (command, cli) = parse_arguments()?;
    }
    lectern_server::cli::startup::logging::init(&cli.settings.log, cli.settings.log_format)?;
    cli.settings.http.warn_of_former_names();
    if let Some(env_file) = env_file {
        env_file.warn_of_ignored();
    }
    match command {
        Command::Serve(serve) => lectern_server::cli::serve::run(&serve, &cli.settings),
        Command::Work(work) => lectern_server::cli::work::run(&work, &cli.settings),
        Command::Jobs(jobs) => lectern_server::cli::jobs::run(&jobs),
        Command::Process(process) => lectern_server::cli::process::run(&process, &cli.settings),
        Command::Keys(command) => lectern_server::cli::keys::run(&command, &cli.settings),
        Command::Migrate(command) => lectern_server::cli::migrate::run(&command, &cli.settings),
        Command::Backup(backup) => lectern_server::cli::backup::back_up(&backup, &cli.settings),
        Command::Restore(restore) => lectern_server::cli::backup::restore(&restore, &cli.settings),
        Command::Import(import) => lectern_server::cli::import::run(&import, &cli.settings),
        Command::Completions(completions) => completions.print(Cli::command()),
        Command::Man(man) => man.write(Cli::command()),
        Command::Help(help) => help.print(),
        Command::Gc(gc) => lectern_server::cli::gc::run(&gc, &cli.settings),
    }
}

/// Parses the arguments and the environment. Ends the process after `--help`, or if a
/// value is invalid.
fn parse_arguments() -> anyhow::Result<(Command, Cli)> {
    match parse_with_default_command() {
        Ok(cli) => match cli.command.clone() {
            Some(command) => Ok((command, cli)),
            None => anyhow::bail!("no command is given"),
        },
        Err(error) if error.kind() == MISSING_SUBCOMMAND || !error.use_stderr() => error.exit(),
        Err(error) => {
            print_error(&usage_error(&error.to_string()));
            std::process::exit(2)
        }
    }
}

/// Parses the arguments. `serve` is the default command: without a command, its options
/// are taken too.
fn parse_with_default_command() -> Result<Cli, clap::Error> {
    let parse_as_serve = || {
        let mut arguments = env::args_os();
        let program = arguments.next().unwrap_or_else(|| "lectern".into());
        parse([program, "serve".into()].into_iter().chain(arguments))
    };
    match parse(env::args_os()) {
        Ok(Cli { command: None, .. }) => parse_as_serve(),
        Err(unknown) if unknown.kind() == ErrorKind::UnknownArgument => match parse_as_serve() {
            // No option of `serve`, unless it resembles one, or another command is given.
            Err(error)
                if error.kind() == ErrorKind::UnknownArgument
                    && error.get(ContextKind::SuggestedArg).is_none() =>
            {
                Err(unknown)
            }
            parsed => parsed,
        },
        parsed => parsed,
    }
}

fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let mut command = Cli::command().override_help(help::overview());
    let mut matches = command.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// The error in a message of clap, and its suggestions.
fn usage_error(text: &str) -> String {
    let text = text.trim_start_matches("error: ");
    // The first paragraph is the error, the others explain how to get help.
    let error = text.split("\n\n").next().unwrap_or(text).to_owned();
    let tips = text.lines().filter_map(|line| {
        let tip = line.trim_start().strip_prefix("tip: ")?;
        tip.contains("exist").then_some(tip)
    });
    tips.fold(error, |error, tip| format!("{error}; {tip}"))
}

/// Whether the environment variable is a setting of any command.
fn is_setting(variable: &str) -> bool {
    let cli = Cli::command();
    let mut commands = vec![&cli];
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands());
        let mut arguments = command.get_arguments();
        if arguments.any(|argument| argument.get_env().is_some_and(|env| env == variable)) {
            return true;
        }
    }
    false
}
