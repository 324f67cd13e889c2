//! The settings file, `.env`, which sets environment variables that are not set yet.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::Settings;

/// Settings that name a program to run. They are taken from flags and the environment
/// only, so that a user who can write the file cannot run programs.
const PROGRAM_SETTINGS: [&str; 2] = ["LECTERN_SANDBOX", "LECTERN_TRANSCRIBE_COMMAND"];

/// Prefixes of the variables that S3 and PostgreSQL clients read.
const CREDENTIAL_PREFIXES: [&str; 2] = ["AWS_", "PG"];

/// The settings file that was loaded, and the variables in it that were ignored.
#[derive(Debug)]
pub struct EnvFile {
    path: PathBuf,
    ignored: Vec<String>,
}

impl EnvFile {
    /// Reads the settings file and sets its variables, except those that are neither
    /// settings nor credentials, name a program, or are set already. `None` when there is
    /// no file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or parsed, or the given file does not exist.
    pub fn load(
        settings: &Settings,
        is_setting: impl Fn(&str) -> bool,
    ) -> anyhow::Result<Option<Self>> {
        let path = settings.env_file();
        let name = path.display();
        let content = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound && settings.env_file.is_none() => {
                return Ok(None);
            }
            content => content.with_context(|| format!("cannot read {name}"))?,
        };
        let (accepted, ignored) = parse(&content, &path, |name| {
            let mut prefixes = CREDENTIAL_PREFIXES.iter();
            let is_credential = prefixes.any(|prefix| name.starts_with(prefix));
            is_credential
                || (is_setting(name)
                    && !PROGRAM_SETTINGS.contains(&name)
                    && name != "LECTERN_ENV_FILE")
        })?;
        dotenvy::from_read(accepted.as_bytes())
            .with_context(|| format!("cannot use the settings in {name}"))?;
        Ok(Some(Self { path, ignored }))
    }

    /// Logs a warning for each variable that was ignored.
    pub fn warn_of_ignored(&self) {
        for name in &self.ignored {
            log::warn!(
                "{} sets {name}, which is ignored: it is no setting, or it names a program, \
                 which only flags and the environment may do",
                self.path.display()
            );
        }
    }
}

/// Splits the content into a file of the accepted variables and the names of all
/// others.
fn parse(
    content: &[u8],
    path: &Path,
    accept: impl Fn(&str) -> bool,
) -> anyhow::Result<(String, Vec<String>)> {
    let (mut accepted, mut ignored) = (String::new(), Vec::new());
    for variable in dotenvy::from_read_iter(content) {
        match variable {
            Ok((name, value)) if accept(&name) => {
                accepted.extend([name.as_str(), "=\"", &escape(&value), "\"\n"]);
            }
            Ok((name, _)) => ignored.push(name),
            // The line is not shown, because it may hold a secret.
            Err(dotenvy::Error::LineParse(_, position)) => bail!(
                "cannot parse a line of {}: error at character {position} of the line",
                path.display()
            ),
            Err(error) => bail!("cannot read {}: {error}", path.display()),
        }
    }
    Ok((accepted, ignored))
}

/// Escapes a value for use between double quotes.
fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '"' | '\\' | '$' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accepted_value_keeps_every_character() {
        let values = [
            "",
            "a b",
            "$HOME",
            "\"q\" 'q'",
            "a\\nb",
            "two\nlines",
            "#no",
            "é=",
        ];
        for value in values {
            let content = format!("A=\"{}\"\nB=1\n", escape(value));
            let parse = |content: &str| {
                let (accepted, ignored) =
                    parse(content.as_bytes(), Path::new(".env"), |name| name == "A").unwrap();
                let variables: Result<Vec<_>, _> =
                    dotenvy::from_read_iter(accepted.as_bytes()).collect();
                (variables.unwrap(), ignored)
            };
            let expected = vec![("A".to_owned(), value.to_owned())];
            assert_eq!(
                parse(&content),
                (expected, vec!["B".to_owned()]),
                "{value:?}"
            );
        }
    }
}
