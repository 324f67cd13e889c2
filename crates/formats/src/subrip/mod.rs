//! `SubRip` (`.srt`).
//!
//! The format has no standard. The reader accepts what translators and programs make of
//! it: other arrows, spaces and wide colons in times, 60 seconds, counters in words.
//!
//! The writer produces what every player reads: counters from 1, `HH:MM:SS,mmm`, LF, UTF-8
//! without a byte order mark, no blank line inside a text. `SubRip` cannot represent
//! speakers and confidences, so both are lost: a name before the text would be shown as text.
//!
//! `SubRip` cannot escape `<i>`, `-->` or `\N` either. The writer inserts an
//! invisible character into them (WORD JOINER, U+2060), as in `<\u{2060}i>`, and the reader
//! removes it.

mod blocks;
mod markup;

use std::fmt::Write;

use crate::charset;
use crate::cue::{Cue, by_start};
use crate::entry::Entry;
use crate::error::FormatError;
use crate::html_references::unescape_references;
use crate::lines::lines;
use crate::notes::{Change, Notes};
use crate::parsed_file::{ParsedFile, Transcript};
use crate::shown_time::shown_ends;
use crate::time::Timestamp;
use blocks::{BlockTimes, blocks};
use markup::{escape, unescape};

/// Reads a file that [`write()`] has written: text is not searched for the names of speakers.
/// Use [`InputFormat::Srt`](crate::InputFormat) for files of others.
pub fn read(bytes: &[u8]) -> Result<Transcript, FormatError> {
    parse(&charset::decode(bytes)?)?.into_written()
}

/// Reads a file. Counters may be missing or be any text; tags (`<i>`, `<font …>`,
/// `{\an8}`) are removed; an empty file has no cues.
///
/// Fails on a file with text, but without a cue whose times can be read.
pub(crate) fn parse(text: &str) -> Result<ParsedFile, FormatError> {
    let lines = lines(text);
    let blocks = blocks(&lines);
    // A file whose arrows were escaped for HTML has texts that were escaped as well.
    let is_escaped = lines.iter().any(|line| line.text.contains("--&gt;"));
    let mut notes = Notes::default();
    let mut entries = Vec::with_capacity(blocks.len());
    for block in &blocks {
        match block.times {
            BlockTimes::Valid(times) => {
                let mut text = unescape(&block.text());
                if is_escaped {
                    text = unescape_references(&text);
                }
                entries.push(Entry {
                    line: block.line,
                    start_ms: Some(times.start_ms),
                    end_ms: Some(times.end_ms),
                    text,
                    ..Entry::default()
                });
            }
            BlockTimes::Malformed => notes.add(Change::UnreadableTimes, block.line),
            BlockTimes::Missing => notes.add(Change::NoTimes, block.line),
        }
    }
    if entries.is_empty() {
        let malformed = blocks
            .iter()
            .find(|block| block.times == BlockTimes::Malformed);
        if let Some(block) = malformed {
            return Err(FormatError::malformed_times(block.line));
        }
        if let Some(line) = lines.iter().find(|line| !line.is_blank()) {
            return Err(FormatError::new(
                line.number,
                "expected SubRip: a counter, and below it times such as 00:00:01,000 --> 00:00:02,500",
            ));
        }
    }
    Ok(ParsedFile {
        entries,
        notes,
        may_roll: true,
        ..ParsedFile::default()
    })
}

/// Writes a file, with the cues in the order of their starts.
pub fn write(cues: &[Cue]) -> String {
    let mut file = String::new();
    write_cues(&mut file, &by_start(cues), None, 0);
    file
}

/// Appends cues, which are sorted by start, to a file that has `written` cues already.
/// `next_start` is that of the cue after them, if there is one.
pub(crate) fn write_cues(
    file: &mut String,
    cues: &[&Cue],
    next_start: Option<u64>,
    written: usize,
) {
    let cues = cues.iter().zip(shown_ends(cues, next_start));
    for (i, (cue, end)) in (written..).zip(cues) {
        let separator = if i == 0 { "" } else { "\n" };
        let (start, end) = (Timestamp(cue.start_ms(), ','), Timestamp(end, ','));
        // Writing to a String cannot fail.
        let _ = writeln!(
            file,
            "{separator}{}\n{start} --> {end}\n{}",
            i + 1,
            escape(&cue.text)
        );
    }
}
