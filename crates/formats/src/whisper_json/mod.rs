//! The JSON of Whisper and the programs derived from it.
//!
//! The reader accepts
//!
//! - `{"segments": [{"start": 0.0, "end": 1.5, "text": "…"}]}` in seconds, from
//!   `OpenAI`'s `verbose_json`, whisper, faster-whisper and whisperX, and also the array
//!   alone, without the object around it;
//! - `{"transcription": [{"offsets": {"from": 0, "to": 1500}, "text": "…"}]}` in
//!   milliseconds, from whisper.cpp;
//! - `{"chunks": [{"timestamp": [0.0, 1.5], "text": "…"}]}` in seconds, from
//!   transformers;
//! - `{"words": [{"start": 0.0, "end": 0.4, "word": "…"}]}` in seconds, if there is no
//!   other list, from `OpenAI` with word timestamps only. Words are joined into cues.
//!   A cue ends at a pause of more than a second, and before it exceeds ten seconds or 80
//!   characters.
//!
//! Python writes `NaN`, `Infinity` and `-Infinity`, which are not JSON. These numbers are
//! read as `null`, so such a confidence is unknown.
//!
//! The confidence of a segment is the first of these values that the segment has:
//!
//! - its `confidence`;
//! - *e* to the power of its `avg_logprob`, which is the geometric mean of the
//!   probabilities of its tokens;
//! - the mean `probability` or `score` of its words;
//! - the mean `p` of its tokens.
//!
//! The probability that a segment has no speech (`no_speech_prob`) is ignored.

mod detect;
mod python_json;
mod segment;
mod words;
mod write;

use lectern_domain::DeserializeError;
use serde::Deserialize;

use crate::charset::decode_unicode;
use crate::cue::{Cue, sort_by_start};
use crate::error::FormatError;
use segment::Segment;

pub use detect::detect;
pub use write::write;

/// Greatest length of an error message, in characters.
const MAX_MESSAGE_CHARS: usize = 200;

/// Reads a file. White space around a text is removed: Whisper begins most texts with a
/// space.
///
/// Fails on anything but JSON of one of the accepted shapes, and on a speaker's name
/// that is too long for the domain. An error in a segment has the line on which the
/// segment ends.
pub fn read(bytes: &[u8]) -> Result<Vec<Cue>, FormatError> {
    let text = decode_unicode(bytes);
    let segments = if text.trim_start().starts_with('[') {
        python_json::parse(&text).map(Some)
    } else {
        python_json::parse(&text).map(|file: File| file.segments.or(file.chunks))
    };
    let segments: Option<Vec<Segment>> = segments.map_err(|error| format_error(&error))?;
    let cues = match segments {
        Some(segments) => segments
            .into_iter()
            .filter_map(|segment| segment.0)
            .collect(),
        None => words::read(&text)
            .map_err(|error| format_error(&error))?
            .ok_or_else(|| FormatError::new(1, "expected segments with times"))?,
    };
    Ok(sort_by_start(cues))
}

#[derive(Deserialize)]
struct File {
    #[serde(alias = "transcription")]
    segments: Option<Vec<Segment>>,
    chunks: Option<Vec<Segment>>,
}

/// Converts the error, and truncates its message.
fn format_error(error: &DeserializeError<serde_json::Error>) -> FormatError {
    let message: String = error.message().chars().take(MAX_MESSAGE_CHARS).collect();
    FormatError::new(error.line().max(1), message)
}
