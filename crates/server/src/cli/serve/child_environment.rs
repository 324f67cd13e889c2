//! The environment of a child process: the settings that this process got as arguments.

use std::ffi::{OsStr, OsString};

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches};

/// A setting as an environment variable: name and value.
pub(super) type Variable = (OsString, OsString);

/// The settings of `command` among `arguments`, which may also contain the name of a
/// subcommand. Settings that come from the environment are not included, because child
/// processes inherit them.
pub(super) fn settings_as_environment(
    command: clap::Command,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Vec<Variable>, clap::Error> {
    let command = command.arg(Arg::new("subcommand"));
    let matches = command.clone().try_get_matches_from(arguments)?;
    let variables = command.get_arguments().filter_map(|argument| {
        let name = argument.get_env()?.to_owned();
        Some((name, given_value(argument, &matches)?))
    });
    Ok(variables.collect())
}

/// The value of a setting if it was given as an argument.
fn given_value(argument: &Arg, matches: &ArgMatches) -> Option<OsString> {
    let id = argument.get_id().as_str();
    if matches.value_source(id) != Some(ValueSource::CommandLine) {
        return None;
    }
    // clap has split a list at its commas.
    let values: Vec<_> = matches.get_raw(id)?.collect();
    Some(values.join(OsStr::new(",")))
}

#[cfg(test)]
mod tests {
    use clap::Args as _;

    use super::*;
    use crate::config::{Settings, WorkerSettings};

    fn variables(arguments: &[&str]) -> Vec<(String, String)> {
        let command = Settings::augment_args(clap::Command::new("lectern"));
        let command = WorkerSettings::augment_args(command);
        let arguments = arguments.iter().map(OsString::from);
        let mut variables: Vec<_> = settings_as_environment(command, arguments)
            .unwrap()
            .into_iter()
            .map(|(name, value)| (name.into_string().unwrap(), value.into_string().unwrap()))
            .collect();
        variables.sort();
        variables
    }

    #[test]
    fn given_settings_become_variables_and_defaults_do_not() {
        let given = variables(&[
            "lectern",
            "--database-url=postgres://me:secret@db/lectern",
            "serve",
            "--stages",
            "transcription,compilation",
            "--lease=7",
        ]);
        let expected = [
            ("DATABASE_URL", "postgres://me:secret@db/lectern"),
            ("LECTERN_LEASE", "7"),
            ("LECTERN_STAGES", "transcription,compilation"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(given, expected);
        assert_eq!(variables(&["lectern"]), []);
    }
}
