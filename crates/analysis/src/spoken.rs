//! What was said when.

use lectern_domain::{NewTranscriptSegment, TimeRange, TranscriptSegment};

/// A segment of a transcript as far as it matters here, borrowed from one that
/// is stored or is still to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spoken<'a> {
    /// When it is said, in seconds.
    pub time: TimeRange,
    /// What is said.
    pub text: &'a str,
}

impl<'a> From<&'a NewTranscriptSegment> for Spoken<'a> {
    fn from(segment: &'a NewTranscriptSegment) -> Self {
        Self {
            time: segment.time,
            text: &segment.text,
        }
    }
}

impl<'a> From<&'a TranscriptSegment> for Spoken<'a> {
    fn from(segment: &'a TranscriptSegment) -> Self {
        Self {
            time: segment.time,
            text: &segment.text,
        }
    }
}
