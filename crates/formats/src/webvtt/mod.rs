//! WebVTT (`.vtt`), <https://www.w3.org/TR/webvtt1/>.
//!
//! A speaker is written as a voice, `<v Name>`. WebVTT cannot represent a confidence, and no
//! blank line inside a text. The specification requires that a cue ends after it starts.
//! Therefore a cue of zero length is written with a length of one millisecond; no other time
//! changes.

mod blocks;
mod joined_segments;
mod markup;

use std::fmt::Write;

use lectern_domain::LanguageTag;

use crate::charset;
use crate::cue::{Cue, by_start, collapse_whitespace};
use crate::entry::Entry;
use crate::error::FormatError;
use crate::lines::{join, lines};
use crate::notes::{Change, Notes};
use crate::parsed_file::{ParsedFile, Transcript};
use crate::shown_time::shown_ends;
use crate::speaker_names::{names_among_identifiers, quoted_name};
use crate::time::Timestamp;
use crate::time::non_negative;
use blocks::{Block, blocks, is_signature};
use joined_segments::Segments;
use markup::{escape, escape_characters, parse_voices};

/// Reads a file that [`write()`] has written: text is not searched for the names of speakers.
/// Use [`InputFormat::Vtt`](crate::InputFormat) for files of others.
pub fn read(bytes: &[u8]) -> Result<Transcript, FormatError> {
    parse(&charset::decode(bytes)?)?.into_written()
}

/// Reads a file. Settings, tags and `NOTE`, `STYLE` and `REGION` blocks are dropped, and so are
/// the headers of segments that were joined. A cue with several voices becomes one cue for
/// each, at the same times. `<lang>` gives a cue the language that most of its text is in. Identifiers that are the same few names are speakers.
///
/// Fails on a file that does not begin with `WEBVTT`, and on one without a cue whose times can
/// be read.
pub(crate) fn parse(text: &str) -> Result<ParsedFile, FormatError> {
    let lines = lines(text);
    let first = lines.iter().position(|line| !line.is_blank()).unwrap_or(0);
    if !is_signature(lines[first].text) {
        return Err(FormatError::new(lines[first].number, "expected WEBVTT"));
    }
    let blocks = blocks(&lines[first..]);
    let identifiers: Vec<_> = blocks
        .iter()
        .filter_map(|block| match block {
            Block::Cue { identifier, .. } => *identifier,
            _ => None,
        })
        .collect();
    let names = names_among_identifiers(&identifiers);
    let speaker = |identifier: &str| {
        let name = quoted_name(identifier).or_else(|| names.get(identifier).copied());
        name.map(str::to_owned)
    };
    let mut notes = Notes::default();
    let mut segments = Segments::default();
    let mut entries = Vec::new();
    for block in &blocks {
        match block {
            Block::Header(header) => segments.begin(header, entries.len()),
            Block::NoTimes { line } => notes.add(Change::NoTimes, *line),
            Block::Malformed { line } => notes.add(Change::UnreadableTimes, *line),
            Block::Cue {
                line,
                identifier,
                times,
                text,
            } => {
                let (start, end) = (non_negative(times.start_ms), non_negative(times.end_ms));
                for voice in parse_voices(&join(text), start, end) {
                    entries.push(Entry {
                        line: *line,
                        start_ms: Some(times.start_ms),
                        end_ms: Some(times.end_ms),
                        text: voice.text,
                        speaker: voice.name.or_else(|| identifier.and_then(speaker)),
                        words: voice.words,
                        language: voice.language,
                        ..Entry::default()
                    });
                }
            }
        }
    }
    if entries.is_empty()
        && let Some(line) = notes.lines(Change::UnreadableTimes).first()
    {
        return Err(FormatError::malformed_times(*line));
    }
    segments.join(&mut entries, &mut notes);
    // `YouTube` writes the language in the header, which ends at a blank line.
    let header = lines[first..].iter().take_while(|line| !line.is_blank());
    let mut header = header.filter_map(|line| line.text.strip_prefix("Language:"));
    Ok(ParsedFile {
        entries,
        notes,
        may_roll: true,
        language: header.next().and_then(LanguageTag::of_name),
        ..ParsedFile::default()
    })
}

/// Writes a file, with the cues in the order of their starts.
pub fn write(cues: &[Cue]) -> String {
    let mut file = String::from(HEADER);
    write_cues(&mut file, &by_start(cues), None);
    file
}

/// The first line of a file.
pub(crate) const HEADER: &str = "WEBVTT\n";

/// Writes cues, which are sorted by start, without the header of the file. `next_start` is that of
/// the cue after them, if there is one.
pub(crate) fn write_cues(file: &mut String, cues: &[&Cue], next_start: Option<u64>) {
    for (cue, end) in cues.iter().zip(shown_ends(cues, next_start)) {
        // The format has no cues of zero length.
        let end = end.max(cue.start_ms() + 1);
        let (start, end) = (Timestamp(cue.start_ms(), '.'), Timestamp(end, '.'));
        let voice = voice_tag(cue.speaker.as_deref().unwrap_or_default());
        // Writing to a String cannot fail.
        let _ = writeln!(file, "\n{start} --> {end}\n{voice}{}", escape(&cue.text));
    }
}

/// The tag that names the speaker; empty for an empty name.
fn voice_tag(name: &str) -> String {
    let name = escape_characters(&collapse_whitespace(name));
    match name.strip_suffix('-') {
        None if name.is_empty() => name,
        None => format!("<v {name}>"),
        // "-->" must not occur in a cue, and the tag's ">" would complete it.
        Some(start) => format!("<v {start}&#45;>"),
    }
}
