//! Writes Whisper's JSON, in the shape of `OpenAI`'s `verbose_json`. [`crate::json`] reads it.

use lectern_domain::{Ratio, SpeakerId};
use serde::Serialize;

use crate::cue::{Cue, by_start};
use crate::time::seconds;

/// Writes a file in the shape of `OpenAI`'s `verbose_json`, with the cues in the order of
/// their starts and times in seconds. Where known, a segment has a `speaker` and a
/// `confidence`.
pub fn write(cues: &[Cue]) -> String {
    let cues = by_start(cues);
    let texts: Vec<_> = cues.iter().map(|cue| cue.text.trim()).collect();
    let duration = cues.iter().map(|cue| cue.end_ms()).max().unwrap_or(0);
    let segments = cues.iter().enumerate().map(|(id, cue)| Segment {
        id,
        start: seconds(cue.start_ms()),
        end: seconds(cue.end_ms()),
        text: cue.text.trim(),
        speaker: cue.speaker.as_ref().map(SpeakerId::as_str),
        confidence: cue.confidence.map(Ratio::get),
    });
    let file = File {
        task: "transcribe",
        duration: seconds(duration),
        text: texts.join(" "),
        segments: segments.collect(),
    };
    // Cannot fail: numbers are finite and keys are strings.
    serde_json::to_string(&file).unwrap_or_default()
}

#[derive(Serialize)]
struct File<'a> {
    task: &'static str,
    duration: f64,
    text: String,
    segments: Vec<Segment<'a>>,
}

#[derive(Serialize)]
struct Segment<'a> {
    id: usize,
    start: f64,
    end: f64,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    speaker: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<f64>,
}
