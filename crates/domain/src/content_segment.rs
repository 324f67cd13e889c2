//! Content segments: the parts of a recording by subject.

use std::ops::Deref;

use chrono::{DateTime, Utc};

use crate::id::{ContentSegmentId, JobId};
use crate::value::text::bounded_texts;
use crate::value::{InField, Invalid, LongText, NonNegativeInt, Ratio, TimeRange};

bounded_texts! {
    /// Subject of a content segment, 1 to 200 characters.
    Topic: 1 to 200;
    /// A keyword or concept, 1 to 200 characters.
    Keyword: 1 to 200;
}

/// A stored content segment; dereferences to the [`NewContentSegment`] it was made
/// from.
#[derive(Debug, Clone, PartialEq)]
pub struct ContentSegment {
    /// Public id.
    pub segment_id: ContentSegmentId,
    /// The job of the recording.
    pub job_id: JobId,
    /// The segment.
    pub data: NewContentSegment,
    /// When the segment was stored.
    pub created_at: DateTime<Utc>,
}

impl Deref for ContentSegment {
    type Target = NewContentSegment;

    fn deref(&self) -> &NewContentSegment {
        &self.data
    }
}

/// A content segment to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewContentSegment {
    /// The part of the recording.
    pub time: TimeRange,
    /// Subject.
    pub topic: Topic,
    /// Summary.
    pub description: Option<LongText>,
    /// Importance compared with the other segments; 1 is the highest.
    pub importance_score: Ratio,
    /// Search terms of the segment.
    pub keywords: Vec<Keyword>,
    /// Ideas that the segment explains.
    pub concepts: Vec<Keyword>,
    /// Position among the segments of the job, unique; see
    /// [`assign_positions`](crate::assign_positions).
    pub segment_order: NonNegativeInt,
}

impl NewContentSegment {
    /// A segment at position 0, without optional values. The error names `topic`.
    pub fn new(
        topic: impl Into<String>,
        time: TimeRange,
        importance_score: Ratio,
    ) -> Result<Self, Invalid> {
        Ok(Self {
            time,
            topic: Topic::new(topic).in_field("topic")?,
            description: None,
            importance_score,
            keywords: Vec::new(),
            concepts: Vec::new(),
            segment_order: NonNegativeInt::ZERO,
        })
    }
}
