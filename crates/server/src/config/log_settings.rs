//! Log filter and format.

use clap::ValueEnum;
use log::LevelFilter;

/// Format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Readable text.
    Text,
    /// One JSON object per line.
    Json,
}

/// Validates a filter: levels, alone or after `module=`, separated by commas.
///
/// # Errors
///
/// The message contains the invalid part.
pub(super) fn parse_filter(text: &str) -> Result<String, String> {
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
        assert!(parse_filter("info").is_ok());
        assert!(parse_filter("warn,lectern_db=debug,actix_server=off").is_ok());
        for bad in ["", "inof", "lectern_db", "info,", "lectern_db=loud"] {
            assert!(parse_filter(bad).is_err(), "{bad}");
        }
    }
}
