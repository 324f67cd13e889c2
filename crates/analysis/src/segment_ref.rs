//! Borrowed views of transcript and content segments.
//!
//! A segment has one type before it is stored (`New…`) and another type afterwards.
//! The algorithms of this crate read the fields that both types have in common.

use lectern_domain::{
    ContentSegment, Keyword, NewContentSegment, NewTranscriptSegment, Ratio, TimeRange, TimedWord,
    TimedWords, Topic, TranscriptSegment,
};

/// The time, text and words of a transcript segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TranscriptSegmentRef<'a> {
    /// Start and end, in seconds.
    pub time: TimeRange,
    /// The spoken text.
    pub text: &'a str,
    /// The words with their times; empty if these are unknown.
    pub words: &'a [TimedWord],
}

impl<'a> From<&'a NewTranscriptSegment> for TranscriptSegmentRef<'a> {
    fn from(segment: &'a NewTranscriptSegment) -> Self {
        Self {
            time: segment.time,
            text: &segment.text,
            words: segment.words.as_ref().map_or(&[], TimedWords::as_slice),
        }
    }
}

impl<'a> From<&'a TranscriptSegment> for TranscriptSegmentRef<'a> {
    fn from(segment: &'a TranscriptSegment) -> Self {
        Self {
            time: segment.time,
            text: &segment.text,
            words: segment.words.as_ref().map_or(&[], TimedWords::as_slice),
        }
    }
}

/// The fields of a content segment that the selection of clips uses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ContentSegmentRef<'a> {
    /// Start and end, in seconds.
    pub time: TimeRange,
    /// Title of the segment, and of its clips.
    pub topic: &'a Topic,
    /// 0 (least important) to 1.
    pub importance_score: Ratio,
    /// If the segment is too long for a clip, the part in which its keywords occur most
    /// often becomes the clip.
    pub keywords: &'a [Keyword],
}

impl<'a> From<&'a NewContentSegment> for ContentSegmentRef<'a> {
    fn from(segment: &'a NewContentSegment) -> Self {
        Self {
            time: segment.time,
            topic: &segment.topic,
            importance_score: segment.importance_score,
            keywords: &segment.keywords,
        }
    }
}

impl<'a> From<&'a ContentSegment> for ContentSegmentRef<'a> {
    fn from(segment: &'a ContentSegment) -> Self {
        Self {
            time: segment.time,
            topic: &segment.topic,
            importance_score: segment.importance_score,
            keywords: &segment.keywords,
        }
    }
}
