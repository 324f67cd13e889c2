//! `lectern help`, and the overview that `lectern --help` prints.

use std::fmt::Write as _;

use anyhow::bail;
use clap::{Arg, Command, CommandFactory as _};

use crate::cli::command::{Cli, Help};
use crate::cli::stdout::print;

/// Prints the settings of all topics.
const ALL_TOPICS: &str = "settings";

/// The commands by what they are for.
const GROUPS: [(&str, &[&str]); 3] = [
    (
        "One recording, or the service",
        &["process", "serve", "work", "jobs"],
    ),
    (
        "Its data",
        &["keys", "migrate", "backup", "restore", "gc", "import"],
    ),
    ("This program", &["help", "man", "completions"]),
];

/// Settings that are printed together.
struct Topic {
    name: &'static str,
    about: &'static str,
    /// The heading of the settings in the help of the commands.
    heading: &'static str,
}

static TOPICS: [Topic; 14] = [
    topic(
        "data",
        "Data directory and jobs",
        "data directory, settings file, pipelines, events",
    ),
    topic(
        "database",
        "Database",
        "SQLite or PostgreSQL: URL, pool, timeouts, durability",
    ),
    topic(
        "storage",
        "Storage",
        "where recordings and clips are, and the URLs that lead to them",
    ),
    topic("uploads", "Uploads", "size, rate and lifetime of uploads"),
    topic(
        "http",
        "HTTP server",
        "address, authentication, threads, shutdown",
    ),
    topic(
        "people",
        "Identity provider",
        "signing in at an OpenID Connect provider",
    ),
    topic(
        "cors",
        "Origins, hosts and proxies",
        "which pages, hosts and proxies are trusted",
    ),
    topic(
        "limits",
        "Limits",
        "connections, watchers, bodies, memory, quotas",
    ),
    topic("log", "Logging", "level and format of log lines"),
    topic("worker", "Worker", "stages, leases, temporary files"),
    topic(
        "transcripts",
        "Transcription and topics",
        "speech recognition and the chat service",
    ),
    topic(
        "clips",
        "Clips",
        "number, length, picture and sound of the clips",
    ),
    topic("recordings", "Recordings", "limits on recordings"),
    topic(
        "sandbox",
        "Child processes",
        "what ffmpeg and the speech recognizer may use",
    ),
];

const fn topic(name: &'static str, heading: &'static str, about: &'static str) -> Topic {
    Topic {
        name,
        about,
        heading,
    }
}

impl Help {
    /// Prints the settings of the topic, the help of the command, or the overview.
    ///
    /// # Errors
    ///
    /// When there is no such topic and no such command.
    pub fn print(&self) -> anyhow::Result<()> {
        print(self.text()?.as_bytes())
    }

    fn text(&self) -> anyhow::Result<String> {
        let Some((first, more)) = self.words.split_first() else {
            return Ok(overview());
        };
        if more.is_empty() {
            if first == ALL_TOPICS {
                return Ok(settings(|_| true));
            }
            if let Some(topic) = TOPICS.iter().find(|topic| topic.name == first) {
                return Ok(settings(|heading| heading == topic.heading));
            }
        }
        let mut cli = Cli::command();
        // Lets the usage line name the parents of a command.
        cli.build();
        let mut command = &mut cli;
        for word in &self.words {
            match command.find_subcommand_mut(word) {
                Some(found) => command = found,
                None => bail!("there is no topic or command {word:?}; `lectern --help` lists them"),
            }
        }
        Ok(command.render_long_help().to_string())
    }
}

/// Commands and topics, on one screen.
#[must_use]
pub fn overview() -> String {
    let cli = Cli::command();
    let about = cli.get_about().map(ToString::to_string).unwrap_or_default();
    let mut text = format!("{about}\n\nUsage: lectern [OPTIONS] [COMMAND]\n");
    for (group, names) in GROUPS {
        let _ = writeln!(text, "\n{group}:");
        for name in names {
            let command = cli.find_subcommand(name);
            let about = command.and_then(Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {name:<12} {about}");
        }
    }
    let _ = writeln!(
        text,
        "\nSettings, by topic of `lectern help TOPIC` (`lectern help {ALL_TOPICS}` lists all):"
    );
    for Topic { name, about, .. } in &TOPICS {
        let _ = writeln!(text, "  {name:<12} {about}");
    }
    text.push_str(
        "\nFlags take precedence over environment variables, and these over .env in the data \
         directory.\n`lectern COMMAND --help` lists the options of a command; `lectern --version` \
         prints the version.\n",
    );
    text
}

/// The help of the settings under the chosen headings.
fn settings(is_chosen: impl Fn(&str) -> bool) -> String {
    let mut help = Command::new("lectern")
        .help_template("{all-args}")
        .max_term_width(100)
        .disable_help_flag(true);
    for setting in all_settings(&Cli::command()) {
        if setting.get_help_heading().is_some_and(&is_chosen) {
            help = help.arg(setting);
        }
    }
    help.render_long_help().to_string()
}

/// The settings of all commands, and those of the worker.
fn all_settings(cli: &Command) -> Vec<Arg> {
    let server = cli.get_arguments();
    let worker = cli.find_subcommand("serve").into_iter();
    let worker = worker.flat_map(Command::get_arguments);
    server
        .chain(worker)
        .filter(|argument| argument.get_env().is_some())
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(words: &[&str]) -> String {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Help { words }.text().unwrap()
    }

    #[test]
    fn the_overview_fits_on_a_screen_and_names_every_command() {
        let overview = overview();
        assert!(overview.lines().count() <= 42, "{overview}");
        for line in overview.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
        for command in Cli::command().get_subcommands() {
            let name = format!("\n  {} ", command.get_name());
            assert_eq!(overview.matches(&name).count(), 1, "{name} in {overview}");
        }
    }

    #[test]
    fn every_setting_is_in_one_topic() {
        let cli = Cli::command();
        let all = help(&[ALL_TOPICS]);
        for setting in all_settings(&cli) {
            let env = setting.get_env().unwrap().to_string_lossy().into_owned();
            let heading = setting.get_help_heading();
            let topic = TOPICS.iter().find(|topic| Some(topic.heading) == heading);
            let topic = topic.unwrap_or_else(|| panic!("{env} is in no topic: {heading:?}"));
            if !setting.is_hide_set() {
                let text = help(&[topic.name]);
                for text in [&text, &all] {
                    let shown = text.matches(&format!("[env: {env}")).count();
                    assert!(shown >= 1, "{env} is not in {text}");
                }
            }
        }
        for topic in &TOPICS {
            assert!(help(&[topic.name]).contains("[env: "), "{}", topic.name);
        }
    }

    #[test]
    fn the_heading_of_a_group_does_not_leak_into_the_next() {
        for (topic, first, last) in [
            ("data", "LECTERN_DATA_DIR", "LECTERN_EVENT_RETENTION_DAYS"),
            ("data", "LECTERN_ENV_FILE", "LECTERN_PIPELINES"),
            ("database", "DATABASE_URL", "LECTERN_NO_MIGRATE"),
            ("storage", "LECTERN_STORAGE", "LECTERN_URL_TTL"),
            ("uploads", "LECTERN_MAX_UPLOAD", "LECTERN_UPLOAD_RETENTION"),
            ("http", "LECTERN_BIND", "LECTERN_SHUTDOWN_GRACE"),
            ("cors", "LECTERN_CORS_ORIGINS", "LECTERN_TRUSTED_PROXIES"),
            ("limits", "LECTERN_MAX_CONNECTIONS", "LECTERN_MAX_WAITERS"),
            ("log", "LECTERN_LOG", "LECTERN_LOG_FORMAT"),
            ("worker", "LECTERN_WITH_WORKER", "LECTERN_STAGE_TIME_FLOOR"),
            (
                "transcripts",
                "LECTERN_TRANSCRIBE_COMMAND",
                "LECTERN_CHAT_KEY",
            ),
            ("clips", "LECTERN_RESOLUTION", "LECTERN_LOUDNESS"),
            (
                "recordings",
                "LECTERN_MAX_RECORDING_SIDE",
                "LECTERN_MORE_DECODERS",
            ),
            ("sandbox", "LECTERN_SANDBOX", "LECTERN_TRANSCRIBE_VARIABLES"),
        ] {
            let text = help(&[topic]);
            for env in [first, last] {
                assert!(text.contains(&format!("[env: {env}")), "{env}: {text}");
            }
        }
        // A line with a heading is not indented.
        let headings = |text: &str| {
            text.lines()
                .filter(|line| line.ends_with(':') && !line.starts_with(' '))
                .count()
        };
        for topic in &TOPICS {
            assert_eq!(headings(&help(&[topic.name])), 1, "{}", topic.name);
        }
        assert_eq!(headings(&help(&[ALL_TOPICS])), TOPICS.len());
    }

    #[test]
    fn a_command_of_a_command_has_help() {
        let text = help(&["migrate", "down"]);
        assert!(text.contains("lectern migrate down"), "{text}");
        let unknown = Help {
            words: vec!["storge".to_owned()],
        };
        assert!(unknown.text().unwrap_err().to_string().contains("storge"));
    }
}
