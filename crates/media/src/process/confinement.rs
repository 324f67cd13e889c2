//! Resource limits of a child process, and its environment variables.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::thread;

use rustix::process::{Resource, getrlimit};

use super::time_and_disk_limits::Limits;

/// The environment variables that every child process gets. A trailing `*` stands
/// for any characters.
const VARIABLES: [&str; 5] = ["PATH", "HOME", "TMPDIR", "LANG", "LC_*"];

/// Resource limits of a child process, and its environment variables.
///
/// The memory is limited for each process, the other resources by the [`Limits`]
/// of the work: no process uses more processor time than all processors together
/// have until the deadline, or writes a file much larger than the scratch space. Core
/// dumps are turned off.
///
/// The shell sets the limits with its `ulimit` before it executes the program. Every
/// shell has `ulimit`, while not every system has the program `prlimit`. If this
/// process set the limits after starting the program, the program could start children
/// without limits before that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confinement {
    /// Environment variables that the program gets, besides `PATH`, `HOME`,
    /// `TMPDIR`, `LANG` and `LC_*`. A trailing `*` stands for any characters.
    pub variables: Vec<String>,
    /// Bytes of memory, not counting files mapped for reading. `None` for no limit.
    pub memory: Option<u64>,
    /// How much the priority is lowered, from 0 to 19.
    pub nice: u8,
    /// A program and its arguments, such as `bwrap --ro-bind / /`, to which the program
    /// to run and its arguments are appended.
    pub sandbox: Vec<String>,
}

impl Default for Confinement {
    /// No other variables, no limit of memory, a priority lowered by 10, and no
    /// sandbox.
    fn default() -> Self {
        Self {
            variables: Vec::new(),
            memory: None,
            nice: 10,
            sandbox: Vec::new(),
        }
    }
}

impl Confinement {
    /// The command that runs `program`, a program with its arguments.
    pub(super) fn command(&self, program: &[OsString], limits: &Limits) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", &self.script(limits), "sh"])
            .args(&self.sandbox)
            .args(program)
            .env_clear()
            .envs(variables(&self.variables));
        command
    }

    /// The shell script that sets the limits and executes its arguments.
    fn script(&self, limits: &Limits) -> String {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let seconds = limits.remaining().as_secs_f64() * processors as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not negative; the cast saturates"
        )]
        let seconds = seconds.ceil().max(1.0) as u64;
        // Kibibytes, seconds, and blocks of 512 bytes.
        let resources = [
            ("-d", Resource::Data, self.memory, 1024),
            ("-t", Resource::Cpu, Some(seconds), 1),
            ("-f", Resource::Fsize, limits.max_file_bytes(), 512),
            ("-c", Resource::Core, Some(0), 512),
        ];
        let mut script = String::new();
        for (option, resource, wanted, unit) in resources {
            // Raising a limit above the limit of this process would fail.
            let inherited = getrlimit(resource).maximum;
            if let Some(wanted) = wanted
                && inherited.is_none_or(|inherited| wanted < inherited)
            {
                let _ = write!(script, "ulimit {option} {} && ", wanted / unit);
            }
        }
        let _ = match self.nice {
            0 => write!(script, "exec \"$@\""),
            nice => write!(script, "exec nice -n {nice} \"$@\""),
        };
        script
    }

    /// The first program that the shell executes: the sandbox, or else `program`.
    pub(super) fn first<'a>(&'a self, program: &'a OsStr) -> &'a OsStr {
        self.sandbox.first().map_or(program, OsStr::new)
    }
}

/// Whether a program exists, by its path or on `PATH`. Relative paths start at
/// `directory`.
pub(super) fn exists(program: &OsStr, directory: &Path) -> bool {
    if program.as_encoded_bytes().contains(&b'/') {
        return directory.join(program).is_file();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|dir| directory.join(dir).join(program).is_file())
}

/// This process's environment variables whose names are in [`VARIABLES`] or `more`.
pub(super) fn variables(more: &[String]) -> impl Iterator<Item = (OsString, OsString)> {
    env::vars_os().filter(move |(name, _)| {
        let name = name.as_encoded_bytes();
        let mut allowed = VARIABLES.into_iter().chain(more.iter().map(String::as_str));
        allowed.any(|allowed| match allowed.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix.as_bytes()),
            None => name == allowed.as_bytes(),
        })
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn limits_are_set_before_the_program_is_executed() {
        let limits = Limits::within(Duration::from_mins(1));
        let confinement = Confinement {
            memory: Some(1 << 20),
            nice: 5,
            ..Confinement::default()
        };
        let script = confinement.script(&limits);
        assert!(
            script.starts_with("ulimit -d 1024 && ulimit -t "),
            "{script}"
        );
        assert!(script.ends_with(" && exec nice -n 5 \"$@\""), "{script}");
    }
}
