//! Limits on what child processes may use of the worker's machine: memory, priority,
//! environment variables, and an optional sandbox.

use std::str::FromStr;

use clap::Args;
use lectern_media::Confinement;

/// Limits on what ffmpeg and the speech recognizer may use of the worker's machine.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Child processes")]
pub struct ConfinementSettings {
    /// Command in front of every ffmpeg, ffprobe and speech recognizer, such as bwrap with its
    /// options. It has to run the command that follows it
    #[arg(
        long,
        env = "LECTERN_SANDBOX",
        value_name = "COMMAND",
        default_value = "",
        hide_default_value = true
    )]
    pub sandbox: CommandLine,

    /// How much the priority of child processes is lowered
    #[arg(
        long,
        env = "LECTERN_CHILD_NICE",
        value_name = "N",
        default_value_t = 10,
        value_parser = clap::value_parser!(u8).range(0..=19),
    )]
    pub child_nice: u8,

    /// Maximum memory of ffmpeg in bytes
    #[arg(
        long,
        env = "LECTERN_FFMPEG_MEMORY",
        value_name = "BYTES",
        default_value_t = 6 << 30,
        value_parser = clap::value_parser!(u64).range(1 << 20..),
    )]
    pub ffmpeg_memory: u64,

    /// Maximum memory of the speech recognizer in bytes
    #[arg(
        long,
        env = "LECTERN_TRANSCRIBE_MEMORY",
        value_name = "BYTES",
        default_value_t = 16 << 30,
        value_parser = clap::value_parser!(u64).range(1 << 20..),
    )]
    pub transcribe_memory: u64,

    /// Environment variables that ffmpeg gets besides PATH, HOME, TMPDIR, LANG and LC_*, separated by
    /// commas; a * at the end of a name stands for any characters
    #[arg(
        long,
        env = "LECTERN_FFMPEG_VARIABLES",
        value_name = "NAMES",
        value_delimiter = ','
    )]
    pub ffmpeg_variables: Vec<String>,

    /// Environment variables that the speech recognizer gets besides PATH, HOME, TMPDIR, LANG and
    /// LC_*, separated by commas; a * at the end of a name stands for any characters
    #[arg(
        long,
        env = "LECTERN_TRANSCRIBE_VARIABLES",
        value_name = "NAMES",
        value_delimiter = ','
    )]
    pub transcribe_variables: Vec<String>,
}

impl ConfinementSettings {
    /// The confinement of ffmpeg and ffprobe.
    pub(super) fn of_ffmpeg(&self) -> Confinement {
        self.confinement(self.ffmpeg_memory, &self.ffmpeg_variables)
    }

    /// The confinement of the speech recognizer.
    pub(super) fn of_recognizer(&self) -> Confinement {
        self.confinement(self.transcribe_memory, &self.transcribe_variables)
    }

    fn confinement(&self, memory: u64, variables: &[String]) -> Confinement {
        let names = variables.iter().map(|name| name.trim());
        Confinement {
            variables: names
                .filter(|name| !name.is_empty())
                .map(ToOwned::to_owned)
                .collect(),
            memory: Some(memory),
            nice: self.child_nice,
            sandbox: self.sandbox.0.clone(),
        }
    }
}

/// A command line, split into words like by a shell.
#[derive(Debug, Clone, Default)]
pub struct CommandLine(Vec<String>);

impl FromStr for CommandLine {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let words = shlex::split(line).ok_or("it lacks a closing quotation mark")?;
        Ok(Self(words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sandbox_is_split_into_words() {
        let words = |line: &str| line.parse::<CommandLine>().map(|line| line.0);
        assert_eq!(words("bwrap --bind '/a b' /").unwrap().len(), 4);
        assert!(words(" ").unwrap().is_empty());
        assert!(words("bwrap '").is_err());
    }
}
