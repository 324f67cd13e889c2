//! Subtitles of clips.

use lectern_domain::{
    ClipId, Invalid, NewTranscriptSegment, SpeakerId, SpokenText, TranscriptFormat,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::wire::Request;

/// Parameters of a request for the subtitles of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SubtitlesQuery {
    /// Format of the response. Without this parameter, `Accept` decides.
    #[schemars(extend("example" = "vtt"))]
    pub format: Option<TranscriptFormat>,
}

/// Format of the subtitles in a response; `None`: `Accept` decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubtitlesFormat(pub Option<TranscriptFormat>);

impl Request for SubtitlesQuery {
    type Domain = SubtitlesFormat;
}

impl TryFrom<SubtitlesQuery> for SubtitlesFormat {
    type Error = Invalid;

    fn try_from(query: SubtitlesQuery) -> Result<Self, Invalid> {
        Ok(Self(query.format))
    }
}

/// One or more lines of subtitles that are shown together.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SubtitleSegment {
    /// Start in the clip, in seconds.
    pub start_time: f64,
    /// End in the clip, in seconds.
    pub end_time: f64,
    /// Duration in seconds.
    pub duration: f64,
    /// Spoken text.
    pub text: SpokenText,
    /// Speaker.
    pub speaker_id: Option<SpeakerId>,
}

impl From<NewTranscriptSegment> for SubtitleSegment {
    fn from(segment: NewTranscriptSegment) -> Self {
        Self {
            start_time: segment.time.start(),
            end_time: segment.time.end(),
            duration: segment.time.duration(),
            text: segment.text,
            speaker_id: segment.speaker_id,
        }
    }
}

/// The subtitles of a clip.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SubtitlesResponse {
    /// The clip.
    pub clip_id: ClipId,
    /// The subtitles, sorted by time.
    pub segments: Vec<SubtitleSegment>,
    /// Number of segments.
    pub total: usize,
    /// What was left out or changed when a file was read, with its lines; only in responses to
    /// files, and only if there was anything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub notes: Vec<String>,
}

impl SubtitlesResponse {
    /// `segments` with times from the beginning of the clip.
    pub fn new(clip_id: ClipId, segments: Vec<NewTranscriptSegment>) -> Self {
        Self {
            clip_id,
            total: segments.len(),
            segments: segments.into_iter().map(Into::into).collect(),
            notes: Vec::new(),
        }
    }

    /// The same response with notes about the file that was read.
    pub fn with_notes(self, notes: Vec<String>) -> Self {
        Self { notes, ..self }
    }
}
