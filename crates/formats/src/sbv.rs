//! The captions of `YouTube` as `.sbv`: a line such as `0:00:01.000,0:00:02.500`, and below it
//! a text that ends at a blank line.

use crate::entry::Entry;
use crate::error::FormatError;
use crate::lines::{Line, join, lines, trim_blank_lines};
use crate::notes::{Change, Notes};
use crate::parsed_file::ParsedFile;
use crate::timing_line::parse_time;

/// Reads a file.
///
/// Fails on a file with text, but without a line with two times.
pub(crate) fn parse(text: &str) -> Result<ParsedFile, FormatError> {
    let lines = lines(text);
    let (mut entries, mut notes) = (Vec::new(), Notes::default());
    for block in blocks(&lines) {
        let (first, text) = (block[0], trim_blank_lines(&block[1..]));
        match times(first.text) {
            Some((start_ms, end_ms)) => entries.push(Entry {
                line: first.number,
                start_ms: Some(start_ms),
                end_ms: Some(end_ms),
                text: join(text).replace("[br]", "\n"),
                ..Entry::default()
            }),
            None if looks_like_times(first.text) => {
                notes.add(Change::UnreadableTimes, first.number);
            }
            None => notes.add(Change::NoTimes, first.number),
        }
    }
    if entries.is_empty()
        && let Some(line) = lines.iter().find(|line| !line.is_blank())
    {
        let expected = "expected times such as 0:00:01.000,0:00:02.500";
        return Err(FormatError::new(line.number, expected));
    }
    Ok(ParsedFile {
        entries,
        notes,
        ..ParsedFile::default()
    })
}

/// Whether the first line that is not blank has the two times of a cue.
pub(crate) fn detect(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    lines
        .find(|line| !line.is_empty())
        .is_some_and(|line| times(line).is_some())
}

/// Splits lines at blank lines and above lines with times.
fn blocks<'s, 'a>(lines: &'s [Line<'a>]) -> Vec<&'s [Line<'a>]> {
    let mut blocks = Vec::new();
    let mut start = 0;
    for (i, line) in lines.iter().enumerate() {
        if line.is_blank() || times(line.text).is_some() {
            blocks.push(&lines[start..i]);
            start = i + usize::from(line.is_blank());
        }
    }
    blocks.push(&lines[start..]);
    blocks.retain(|block| !block.is_empty());
    blocks
}

fn times(line: &str) -> Option<(i64, i64)> {
    let line = line.trim_start_matches('\u{feff}');
    let is_time = |c: char| c.is_ascii_digit() || matches!(c, ':' | '.' | ',' | ' ' | '-');
    if !line.contains(':') || !line.chars().all(is_time) {
        return None;
    }
    let (start, end) = line.split_once(',')?;
    Some((parse_time(start)?, parse_time(end)?))
}

/// Whether the line was meant to have times.
fn looks_like_times(line: &str) -> bool {
    line.split_once(',').is_some_and(|(start, end)| {
        let has_parts =
            |text: &str| text.contains(':') && text.contains(|c: char| c.is_ascii_digit());
        has_parts(start) || has_parts(end)
    })
}
