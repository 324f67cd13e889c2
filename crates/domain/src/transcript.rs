//! What was said, segment by segment.

use chrono::{DateTime, Utc};

use crate::{Fraction, JobId, SpeakerId, SpokenText, TimeRange, TranscriptSegmentId};

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
    pub confidence: Option<Fraction>,
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
    pub confidence: Option<Fraction>,
    /// Who says it.
    pub speaker_id: Option<SpeakerId>,
}
