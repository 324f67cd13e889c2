//! What is logged and how a log line looks.

use clap::ValueEnum;
use log::LevelFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Checks a filter: levels, alone or after `module=`, with commas between.
///
/// # Errors
///
/// Names the part that is neither.
pub(super) fn filter(text: &str) -> Result<String, String> {
    for part in text.split(',') {
        let level = part.rsplit_once('=').map_or(part, |(_, level)| level);
        if level.trim().parse::<LevelFilter>().is_err() {
            return Err(format!("{part:?} is neither a level nor module=level"));
        }
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_levels_with_or_without_a_module() {
        assert!(filter("info").is_ok());
        assert!(filter("warn,lectern_db=debug,actix_server=off").is_ok());
        for bad in ["", "inof", "lectern_db", "info,", "lectern_db=loud"] {
            assert!(filter(bad).is_err(), "{bad}");
        }
    }
}
