//! WebVTT (`.vtt`), <https://www.w3.org/TR/webvtt1/>.
//!
//! Who speaks is a voice, `<v Name>`. There is no place for a confidence. The
//! specification wants an end after its start: a cue of no length is written as
//! one of a millisecond, the only time that is read back otherwise.

mod comment;
mod markup;

use std::fmt::Write;

use crate::charset::guess;
use crate::cue::{Cue, in_order, one_line, sorted, speaker, spoken};
use crate::error::FormatError;
use crate::time::Written;
use crate::timed_text::lines;
use crate::timed_text::{has_times, timed};
use comment::without_comments;
use markup::{escaped, voices};

/// Reads a file. Header, names of cues, settings, tags and the blocks `NOTE`,
/// `STYLE` and `REGION` are dropped; a cue in which several speak becomes one
/// for each, at the same times.
///
/// The error is for a file that does not begin with `WEBVTT`, for times that
/// cannot be read, and for a speaker's name that is too long for the domain.
pub fn read(bytes: &[u8]) -> Result<Vec<Cue>, FormatError> {
    let text = guess(bytes);
    let lines = lines(&text);
    let signature = lines.iter().position(|line| !line.is_blank()).unwrap_or(0);
    let after = lines[signature].text.strip_prefix("WEBVTT");
    if !after.is_some_and(|after| after.is_empty() || after.starts_with([' ', '\t'])) {
        return Err(FormatError::new(lines[signature].number, "expected WEBVTT"));
    }
    let header = lines[signature..]
        .iter()
        .position(|&line| line.is_blank() || has_times(line));
    let body = header.map_or(lines.len(), |end| signature + end);
    let lines = without_comments(&lines[body..]);
    let mut cues = Vec::new();
    for found in timed(&lines)? {
        for voice in voices(&found.text()) {
            let Some(text) = spoken(&voice.text) else {
                continue;
            };
            let speaker = speaker(voice.name.as_deref().unwrap_or_default())
                .map_err(|invalid| FormatError::invalid(found.line, &invalid.at("speaker")))?;
            cues.push(Cue::new(found.start_ms, found.end_ms, text).with_speaker(speaker));
        }
    }
    Ok(sorted(cues))
}

/// Writes a file, cues in the order of their starts.
pub fn write(cues: &[Cue]) -> String {
    let mut file = String::from("WEBVTT\n");
    for cue in in_order(cues) {
        let end = cue.end_ms().max(cue.start_ms() + 1);
        let (start, end) = (Written(cue.start_ms(), '.'), Written(end, '.'));
        let voice = voice_tag(cue.speaker.as_deref().unwrap_or_default());
        // Writing to a String cannot fail.
        let _ = writeln!(file, "\n{start} --> {end}\n{voice}{}", escaped(&cue.text));
    }
    file
}

/// The tag that says whose voice it is, or nothing when it is nobody's.
fn voice_tag(name: &str) -> String {
    let name = escaped(&one_line(name));
    match name.strip_suffix('-') {
        None if name.is_empty() => name,
        None => format!("<v {name}>"),
        // With the end of the tag it could be an arrow.
        Some(start) => format!("<v {start}&#45;>"),
    }
}
