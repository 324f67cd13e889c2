//! What clips are made of.

use lectern_domain::{ContentSegment, Fraction, Keyword, NewContentSegment, TimeRange, Topic};

/// A content segment as far as it matters here, borrowed from one that is
/// stored or is still to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part<'a> {
    /// From when to when, in seconds.
    pub time: TimeRange,
    /// What it is about.
    pub topic: &'a Topic,
    /// How much it matters.
    pub importance_score: Fraction,
    /// Words to find it by.
    pub keywords: &'a [Keyword],
}

impl<'a> From<&'a NewContentSegment> for Part<'a> {
    fn from(segment: &'a NewContentSegment) -> Self {
        Self {
            time: segment.time,
            topic: &segment.topic,
            importance_score: segment.importance_score,
            keywords: &segment.keywords,
        }
    }
}

impl<'a> From<&'a ContentSegment> for Part<'a> {
    fn from(segment: &'a ContentSegment) -> Self {
        Self {
            time: segment.time,
            topic: &segment.topic,
            importance_score: segment.importance_score,
            keywords: &segment.keywords,
        }
    }
}
