//! Transcript segments: what is said in a recording, and when.

use std::ops::Deref;

use chrono::{DateTime, Utc};

use crate::id::{JobId, TranscriptSegmentId};
use crate::language_tag::LanguageTag;
use crate::timed_words::TimedWords;
use crate::value::string_enum::string_enum;
use crate::value::text::{bounded_texts, check_no_nul, check_not_blank, text_impls};
use crate::value::{InField, Invalid, Patch, Ratio, Seconds, TimeRange};

bounded_texts! {
    /// Identifies a speaker within a transcript, at most 50 characters.
    SpeakerId: 0 to 50;
}

/// Text of a transcript segment: any length, no NUL, and at least one character
/// that is not [white space](crate::WHITE_SPACE).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpokenText(String);

impl SpokenText {
    /// Checks that the text is not blank. White space around it is kept.
    pub fn new(text: impl Into<String>) -> Result<Self, Invalid> {
        let text = text.into();
        check_no_nul(&text)?;
        check_not_blank(&text)?;
        Ok(Self(text))
    }
}

text_impls!(SpokenText);

string_enum! {
    /// Format of a transcript or of subtitles in a response.
    TranscriptFormat {
        /// JSON, with all fields of a segment.
        Json = "json",
        /// WebVTT.
        Vtt = "vtt",
        /// SubRip.
        Srt = "srt",
        /// Plain text in paragraphs.
        Text = "text",
    }
}

/// A stored transcript segment; dereferences to the [`NewTranscriptSegment`] it was
/// made from.
#[derive(Debug, Clone, PartialEq)]
pub struct TranscriptSegment {
    /// Public id.
    pub segment_id: TranscriptSegmentId,
    /// The job of the recording.
    pub job_id: JobId,
    /// The segment.
    pub data: NewTranscriptSegment,
    /// When the segment was stored.
    pub created_at: DateTime<Utc>,
}

impl Deref for TranscriptSegment {
    type Target = NewTranscriptSegment;

    fn deref(&self) -> &NewTranscriptSegment {
        &self.data
    }
}

/// A transcript segment to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTranscriptSegment {
    /// The part of the recording in which the text is said.
    pub time: TimeRange,
    /// The words that are said.
    pub text: SpokenText,
    /// Confidence of the speech recognizer.
    pub confidence: Option<Ratio>,
    /// The speaker.
    pub speaker_id: Option<SpeakerId>,
    /// The language that is spoken.
    pub language: Option<LanguageTag>,
    /// The words with their times.
    pub words: Option<TimedWords>,
}

impl NewTranscriptSegment {
    /// Approximate number of bytes in the text and the words.
    pub fn memory(&self) -> usize {
        self.text.len() + self.words.as_ref().map_or(0, TimedWords::memory)
    }

    /// A segment of which no more is known. The error names `text`.
    pub fn new(text: impl Into<String>, time: TimeRange) -> Result<Self, Invalid> {
        Ok(Self {
            time,
            text: SpokenText::new(text).in_field("text")?,
            confidence: None,
            speaker_id: None,
            language: None,
            words: None,
        })
    }
}

/// A partial change of a transcript segment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TranscriptSegmentUpdate {
    /// Start in the recording.
    pub start_time: Option<Seconds>,
    /// End in the recording.
    pub end_time: Option<Seconds>,
    /// The words that are said.
    pub text: Option<SpokenText>,
    /// Confidence of the speech recognizer.
    pub confidence: Patch<Ratio>,
    /// The speaker.
    pub speaker_id: Patch<SpeakerId>,
    /// The language that is spoken.
    pub language: Patch<LanguageTag>,
    /// The words with their times. Another text or another time without words removes those of
    /// the segment.
    pub words: Patch<TimedWords>,
}

impl TranscriptSegmentUpdate {
    /// The segment after the change. Words that would not fit the new text or time are removed.
    /// The error names `start_time` or `end_time`.
    pub fn applied_to(
        &self,
        segment: &NewTranscriptSegment,
    ) -> Result<NewTranscriptSegment, Invalid> {
        let time = segment.time.changed(self.start_time, self.end_time)?;
        let text = self.text.as_ref().unwrap_or(&segment.text);
        let fits = time == segment.time && *text == segment.text;
        Ok(NewTranscriptSegment {
            time,
            text: text.clone(),
            confidence: self.confidence.applied_to(segment.confidence.as_ref()),
            speaker_id: self.speaker_id.applied_to(segment.speaker_id.as_ref()),
            language: self.language.applied_to(segment.language.as_ref()),
            words: self
                .words
                .applied_to(segment.words.as_ref().filter(|_| fits)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WHITE_SPACE;

    #[test]
    fn spoken_text_is_not_blank() {
        let blank: String = WHITE_SPACE.iter().collect();
        assert!(SpokenText::new(blank).is_err());
        assert!(SpokenText::new("").is_err());
        assert_eq!(SpokenText::new(" hi ").unwrap().as_str(), " hi ");
    }
}
