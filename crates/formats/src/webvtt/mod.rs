//! WebVTT (`.vtt`), <https://www.w3.org/TR/webvtt1/>.
//!
//! A speaker is written as a voice, `<v Name>`. WebVTT cannot represent a confidence.
//! The specification requires that a cue ends after it starts. Therefore a cue of zero
//! length is written with a length of one millisecond; no other time changes.

mod markup;

use std::fmt::Write;

use crate::charset::decode_detected;
use crate::cue::{Cue, by_start, collapse_whitespace, sort_by_start, speaker_id, spoken_text};
use crate::cue_blocks::{Line, cue_blocks, is_timing_line, lines};
use crate::error::FormatError;
use crate::time::Timestamp;
use markup::{escape, parse_voices};

/// Reads a file. The header, cue identifiers, settings, tags and `NOTE`, `STYLE` and
/// `REGION` blocks are dropped. A cue with several voices becomes one cue for each,
/// at the same times.
///
/// Fails on a file that does not begin with `WEBVTT`, on a malformed timing line, and
/// on a speaker's name that is too long for the domain.
pub fn read(bytes: &[u8]) -> Result<Vec<Cue>, FormatError> {
    let text = decode_detected(bytes);
    let lines = lines(&text);
    let first = lines.iter().position(|line| !line.is_blank()).unwrap_or(0);
    let after_signature = lines[first].text.strip_prefix("WEBVTT");
    if !after_signature.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t'])) {
        return Err(FormatError::new(lines[first].number, "expected WEBVTT"));
    }
    let header_len = lines[first..]
        .iter()
        .position(|&line| line.is_blank() || is_timing_line(line));
    let body_start = header_len.map_or(lines.len(), |len| first + len);
    let lines = without_other_blocks(&lines[body_start..]);
    let mut cues = Vec::new();
    for block in cue_blocks(&lines)? {
        for voice in parse_voices(&block.text()) {
            let Some(text) = spoken_text(&voice.text) else {
                continue;
            };
            let speaker =
                speaker_id(voice.name.as_deref().unwrap_or_default()).map_err(|invalid| {
                    FormatError::invalid(block.line, &invalid.in_field("speaker"))
                })?;
            let cue = Cue::new(block.start_ms, block.end_ms, text);
            cues.push(cue.with_speaker(speaker));
        }
    }
    Ok(sort_by_start(cues))
}

/// Writes a file, with the cues in the order of their starts.
pub fn write(cues: &[Cue]) -> String {
    let mut file = String::from(HEADER);
    write_cues(&mut file, cues);
    file
}

/// The first line of a file.
pub(crate) const HEADER: &str = "WEBVTT\n";

/// Writes cues without the header of the file.
pub(crate) fn write_cues(file: &mut String, cues: &[Cue]) {
    for cue in by_start(cues) {
        let end = cue.end_ms().max(cue.start_ms() + 1);
        let (start, end) = (Timestamp(cue.start_ms(), '.'), Timestamp(end, '.'));
        let voice = voice_tag(cue.speaker.as_deref().unwrap_or_default());
        // Writing to a String cannot fail.
        let _ = writeln!(file, "\n{start} --> {end}\n{voice}{}", escape(&cue.text));
    }
}

/// The tag that names the speaker; empty for an empty name.
fn voice_tag(name: &str) -> String {
    let name = escape(&collapse_whitespace(name));
    match name.strip_suffix('-') {
        None if name.is_empty() => name,
        None => format!("<v {name}>"),
        // "-->" must not occur in a cue, and the tag's ">" would complete it.
        Some(start) => format!("<v {start}&#45;>"),
    }
}

/// Removes `NOTE`, `STYLE` and `REGION` blocks. A block extends from one blank line to
/// the next. A line with one of these words directly above a timing line is kept, because
/// such a line is the identifier of a cue.
fn without_other_blocks<'a>(lines: &[Line<'a>]) -> Vec<Line<'a>> {
    let mut kept = Vec::with_capacity(lines.len());
    let (mut is_after_blank, mut is_in_block) = (true, false);
    for (i, &line) in lines.iter().enumerate() {
        if line.is_blank() || is_timing_line(line) {
            is_in_block = false;
        } else if is_after_blank && begins_block(line) {
            is_in_block = !lines.get(i + 1).is_some_and(|&next| is_timing_line(next));
        }
        if !is_in_block {
            kept.push(line);
        }
        is_after_blank = line.is_blank();
    }
    kept
}

/// Whether the line is the first of a `NOTE`, `STYLE` or `REGION` block.
fn begins_block(line: Line<'_>) -> bool {
    let (word, rest) = line.text.split_once([' ', '\t']).unwrap_or((line.text, ""));
    match word {
        "NOTE" => true,
        "STYLE" | "REGION" => rest.trim().is_empty(),
        _ => false,
    }
}
