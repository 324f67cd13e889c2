//! `SubRip` (`.srt`).
//!
//! The format has no standard. The writer produces what every player reads: counters
//! from 1, `HH:MM:SS,mmm`, LF, UTF-8 without a byte order mark. `SubRip` cannot
//! represent speakers and confidences, so both are lost: a name before the text would
//! be read back as text.
//!
//! `SubRip` cannot escape `<i>`, `-->` or an empty line either. The writer inserts an
//! invisible character into them (WORD JOINER, U+2060), as in `<\u{2060}i>`, and the reader
//! removes it.

mod markup;

use std::fmt::Write;

use crate::charset::decode_detected;
use crate::cue::{Cue, by_start, sort_by_start, spoken_text};
use crate::cue_blocks::{cue_blocks, lines};
use crate::error::FormatError;
use crate::time::Timestamp;
use markup::{escape, unescape};

/// Reads a file. Counters may be missing or be any text; tags (`<i>`, `<font …>`,
/// `{\an8}`) are removed; an empty file has no cues.
///
/// Fails on a file with text but without a timing line, and on a malformed timing
/// line.
pub fn read(bytes: &[u8]) -> Result<Vec<Cue>, FormatError> {
    let text = decode_detected(bytes);
    let lines = lines(&text);
    let blocks = cue_blocks(&lines)?;
    if blocks.is_empty()
        && let Some(line) = lines.iter().find(|line| !line.is_blank())
    {
        return Err(FormatError::new(
            line.number,
            "expected SubRip: a counter, and below it times such as 00:00:01,000 --> 00:00:02,500",
        ));
    }
    let cues = blocks.iter().filter_map(|block| {
        let text = spoken_text(&unescape(&block.text()))?;
        Some(Cue::new(block.start_ms, block.end_ms, text))
    });
    Ok(sort_by_start(cues.collect()))
}

/// Writes a file, with the cues in the order of their starts.
pub fn write(cues: &[Cue]) -> String {
    let mut file = String::new();
    write_cues(&mut file, cues, 0);
    file
}

/// Appends cues to a file that has `written` cues already.
pub(crate) fn write_cues(file: &mut String, cues: &[Cue], written: usize) {
    for (i, cue) in (written..).zip(by_start(cues)) {
        let separator = if i == 0 { "" } else { "\n" };
        let (start, end) = (Timestamp(cue.start_ms(), ','), Timestamp(cue.end_ms(), ','));
        // Writing to a String cannot fail.
        let _ = writeln!(
            file,
            "{separator}{}\n{start} --> {end}\n{}",
            i + 1,
            escape(&cue.text)
        );
    }
}
