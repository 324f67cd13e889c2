//! What was said, segment by segment.

use chrono::{DateTime, Utc};

use crate::value::string_enum::string_enum;
use crate::{JobId, Ratio, SpeakerId, SpokenText, TimeRange, TranscriptSegmentId};

string_enum! {
    /// What a transcript or subtitles are answered as.
    TranscriptFormat {
        /// JSON, with all that is known of a segment.
        Json = "json",
        /// WebVTT.
        Vtt = "vtt",
        /// SubRip.
        Srt = "srt",
        /// Plain text in paragraphs, for people.
        Text = "text",
    }
}

/// A segment of a transcript as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct TranscriptSegment {
    /// Public id.
    pub segment_id: TranscriptSegmentId,
    /// The job whose recording it is.
    pub job_id: JobId,
    /// When it is said, in seconds.
    pub time: TimeRange,
    /// What is said.
    pub text: SpokenText,
    /// How sure the recognizer is.
    pub confidence: Option<Ratio>,
    /// Who says it.
    pub speaker_id: Option<SpeakerId>,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
}

/// A segment to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTranscriptSegment {
    /// When it is said, in seconds.
    pub time: TimeRange,
    /// What is said.
    pub text: SpokenText,
    /// How sure the recognizer is.
    pub confidence: Option<Ratio>,
    /// Who says it.
    pub speaker_id: Option<SpeakerId>,
}
