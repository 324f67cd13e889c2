//! The command line of the program: settings, errors and created files.

mod authentication;
mod backup_page;
mod completions;
mod files;
mod import;
mod jobs;
mod keys;
mod man;
mod migrate;
mod serve;
mod settings;
mod settings_file;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use lectern_tests::{Backend, Lectern, TestDb};
use tempfile::TempDir;

/// A temporary working directory and an environment without settings.
struct Shell(TempDir);

/// Exit code and output of a program.
#[derive(Debug)]
struct CommandOutput {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Shell {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn dir(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Lectern::command();
        command.current_dir(self.dir()).args(arguments);
        command
    }

    /// Writes a file and its directory.
    fn write(&self, name: &str, content: &str) {
        let path = self.dir().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Runs `lectern` with these arguments.
    fn run(&self, arguments: &[&str]) -> CommandOutput {
        CommandOutput::from(self.command(arguments).output().unwrap())
    }

    /// The same on the database at `url`.
    fn run_on(&self, url: &str, arguments: &[&str]) -> CommandOutput {
        CommandOutput::from(
            self.command(arguments)
                .env("DATABASE_URL", url)
                .output()
                .unwrap(),
        )
    }

    /// The names of the files in the directory.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl From<Output> for CommandOutput {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

impl CommandOutput {
    /// Checks that the program succeeded; returns the lines of its output.
    #[track_caller]
    fn lines(&self) -> Vec<&str> {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "{self:?}");
        self.out.lines().collect()
    }

    /// Checks that the program failed; returns its error message of one line.
    #[track_caller]
    fn error_line(&self) -> &str {
        assert_eq!(self.code, Some(1), "{self:?}");
        let error_line = self.err.strip_suffix('\n').unwrap();
        assert!(
            error_line.starts_with("lectern: ") && !error_line.contains('\n'),
            "{self:?}"
        );
        error_line
    }

    /// Checks that the arguments were rejected; returns the usage error.
    #[track_caller]
    fn usage_error(&self) -> &str {
        assert_eq!((self.code, self.out.as_str()), (Some(2), ""), "{self:?}");
        &self.err
    }
}

/// Changes the type of a column, so that the schema drifts.
fn alter_type(db: &TestDb) {
    let statements = match db.backend() {
        Backend::Postgres => "ALTER TABLE jobs ALTER COLUMN error_message TYPE integer USING NULL",
        Backend::Sqlite => {
            "PRAGMA writable_schema = ON;
             UPDATE sqlite_master SET sql = replace(sql, 'error_message TEXT', 'error_message INTEGER') WHERE name = 'jobs'"
        }
    };
    db.sql().batch(statements).unwrap();
}
