//! `SubRip` (`.srt`).
//!
//! It has no standard. What is written is what every player reads: counters
//! from 1, `HH:MM:SS,mmm`, LF, UTF-8 without a byte order mark. There is no
//! place for a speaker or a confidence, so neither is written: a name before
//! the text would be read back as text.
//!
//! Nor is there a way to write `<i>`, `-->` or an empty line as text. Where a
//! text has one of these, an invisible character (WORD JOINER, U+2060) is put
//! behind its first, which is taken away again on reading.

mod markup;

use std::fmt::Write;

use crate::charset::guess;
use crate::cue::{Cue, in_order, sorted, spoken};
use crate::error::FormatError;
use crate::time::Written;
use crate::timed_text::lines;
use crate::timed_text::timed;
use markup::{guarded, plain};

/// Reads a file. Counters may be anything, or missing; tags (`<i>`, `<font …>`,
/// `{\an8}`) are dropped; an empty file has no cues.
///
/// The error is for a file that has text but no times, and for times that
/// cannot be read.
pub fn read(bytes: &[u8]) -> Result<Vec<Cue>, FormatError> {
    let text = guess(bytes);
    let lines = lines(&text);
    let found = timed(&lines)?;
    if let (true, Some(line)) = (found.is_empty(), lines.iter().find(|line| !line.is_blank())) {
        return Err(FormatError::new(
            line.number,
            "expected SubRip: a counter, and below it times such as 00:00:01,000 --> 00:00:02,500",
        ));
    }
    let cues = found.iter().filter_map(|found| {
        let text = spoken(&plain(&found.text()))?;
        Some(Cue::new(found.start_ms, found.end_ms, text))
    });
    Ok(sorted(cues.collect()))
}

/// Writes a file, cues in the order of their starts.
pub fn write(cues: &[Cue]) -> String {
    let mut file = String::new();
    for (i, cue) in in_order(cues).into_iter().enumerate() {
        let blank = if i == 0 { "" } else { "\n" };
        let (start, end) = (Written(cue.start_ms(), ','), Written(cue.end_ms(), ','));
        // Writing to a String cannot fail.
        let _ = writeln!(
            file,
            "{blank}{}\n{start} --> {end}\n{}",
            i + 1,
            guarded(&cue.text)
        );
    }
    file
}
