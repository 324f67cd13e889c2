//! `SubStation` Alpha (`.ass`, `.ssa`).
//!
//! Only the dialogue is read: its times, the name of who speaks, and the text without tags; and
//! the line `Language:` of the header.

use std::collections::HashSet;

use lectern_domain::LanguageTag;

use crate::entry::Entry;
use crate::error::FormatError;
use crate::lines::lines;
use crate::notes::{Change, Notes};
use crate::parsed_file::ParsedFile;
use crate::timing_line::parse_time;

/// The fields of a line, unless the file has a line `Format:`.
const FIELDS: [&str; 10] = [
    "Layer", "Start", "End", "Style", "Name", "MarginL", "MarginR", "MarginV", "Effect", "Text",
];

/// Reads a file. A dialogue that is there several times, for its shadow or its outline, is read
/// once.
///
/// Fails on a file without `[Events]`, and on one without a dialogue whose times can be read.
pub(crate) fn parse(text: &str) -> Result<ParsedFile, FormatError> {
    let lines = lines(text);
    let (mut is_in_events, mut has_events) = (false, false);
    let mut fields: Vec<String> = FIELDS.map(str::to_owned).to_vec();
    let (mut entries, mut notes) = (Vec::new(), Notes::default());
    let mut seen = HashSet::new();
    let mut language = None;
    for line in &lines {
        let text = line.text.trim_start_matches('\u{feff}').trim();
        if text.starts_with('[') && text.ends_with(']') {
            is_in_events = text.eq_ignore_ascii_case("[events]");
            has_events |= is_in_events;
            continue;
        }
        let Some((kind, values)) = text.split_once(':') else {
            continue;
        };
        if !is_in_events {
            if !has_events && kind.eq_ignore_ascii_case("language") {
                language = LanguageTag::of_name(values);
            }
            continue;
        }
        if kind.eq_ignore_ascii_case("format") {
            fields = values
                .split(',')
                .map(|name| name.trim().to_owned())
                .collect();
        } else if kind.eq_ignore_ascii_case("dialogue") {
            match dialogue(&fields, values.trim_start(), line.number) {
                Some(entry) => {
                    let key = (entry.start_ms, entry.end_ms, entry.text.clone());
                    if !seen.insert(key) {
                        notes.add(Change::Repeated, line.number);
                    } else if !entry.text.is_empty() {
                        entries.push(entry);
                    }
                }
                None => notes.add(Change::UnreadableTimes, line.number),
            }
        }
    }
    if !has_events {
        let line = lines.iter().find(|line| !line.is_blank());
        let number = line.map_or(1, |line| line.number);
        return Err(FormatError::new(
            number,
            "expected [Events] of SubStation Alpha",
        ));
    }
    if entries.is_empty()
        && let Some(line) = notes.lines(Change::UnreadableTimes).first()
    {
        let expected = "expected a dialogue such as Dialogue: 0,0:00:01.00,0:00:02.50,…";
        return Err(FormatError::new(*line, expected));
    }
    Ok(ParsedFile {
        entries,
        notes,
        language,
        ..ParsedFile::default()
    })
}

/// A dialogue; `None` if it has no times that can be read.
fn dialogue(fields: &[String], values: &str, line: usize) -> Option<Entry> {
    // The text is last and may contain commas.
    let values: Vec<_> = values.splitn(fields.len(), ',').collect();
    let value = |name: &str| {
        let field = fields
            .iter()
            .position(|field| field.eq_ignore_ascii_case(name))?;
        values.get(field).copied()
    };
    let name = value("Name")
        .or_else(|| value("Actor"))
        .unwrap_or_default()
        .trim();
    Some(Entry {
        line,
        start_ms: Some(parse_time(value("Start")?)?),
        end_ms: Some(parse_time(value("End")?)?),
        text: plain_text(value("Text").unwrap_or_default()),
        speaker: (!name.is_empty()).then(|| name.to_owned()),
        ..Entry::default()
    })
}

/// Removes override blocks (`{\i1}`), comments (`{so}`) and drawings. `\N` and `\n` are line
/// breaks, `\h` is a space.
fn plain_text(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let mut rest = source;
    let mut is_drawing = false;
    // Without this bound, braces that are never closed would make the time quadratic.
    let mut closed = source.rfind('}').map_or(0, |at| at + 1);
    while let Some(c) = rest.chars().next() {
        if c == '{'
            && closed > 0
            && let Some(end) = rest.find('}')
        {
            is_drawing = drawing_mode(&rest[1..end]).unwrap_or(is_drawing);
            rest = &rest[end + 1..];
            closed = closed.saturating_sub(end + 1);
            continue;
        }
        let (sign, length) = match rest.as_bytes() {
            [b'\\', b'N' | b'n', ..] => ('\n', 2),
            [b'\\', b'h', ..] => (' ', 2),
            _ => (c, c.len_utf8()),
        };
        if !is_drawing {
            text.push(sign);
        }
        rest = &rest[length..];
        closed = closed.saturating_sub(length);
    }
    let lines: Vec<_> = text.split('\n').map(str::trim).collect();
    lines.join("\n").trim().to_owned()
}

/// Whether the text after an override block is a drawing: `\p1` begins one, `\p0` ends it.
/// `None` if the block does not say.
fn drawing_mode(block: &str) -> Option<bool> {
    let is_mode = |tag: &&str| {
        let level = tag.strip_prefix('p');
        level.is_some_and(|level| level.starts_with(|c: char| c.is_ascii_digit()))
    };
    let tags = block.split('\\').skip(1);
    tags.filter(is_mode).last().map(|tag| {
        tag[1..]
            .trim_start_matches('0')
            .starts_with(|c: char| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_comments_and_drawings_are_removed() {
        for (source, text) in [
            (r"{\i1}one{\i0}\Ntwo\hthree", "one\ntwo three"),
            (r"{\an8\pos(1,2)}a, b{a comment}", "a, b"),
            (r"{\p1}m 0 0 l 1 1{\p0}after", "after"),
            (r"{\pos(1,2)}kept", "kept"),
            ("{open", "{open"),
            (r"C:\x", r"C:\x"),
        ] {
            assert_eq!(plain_text(source), text);
        }
    }
}
