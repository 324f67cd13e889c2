//! Content segments: the parts of a recording by subject.

use std::ops::Deref;

use chrono::{DateTime, Utc};

use crate::id::{ContentSegmentId, JobId};
use crate::value::text::bounded_texts;
use crate::value::{InField, Invalid, LongText, NonNegativeInt, Patch, Ratio, Seconds, TimeRange};

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

/// A partial change of a content segment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ContentSegmentUpdate {
    /// Start in the recording.
    pub start_time: Option<Seconds>,
    /// End in the recording.
    pub end_time: Option<Seconds>,
    /// Subject.
    pub topic: Option<Topic>,
    /// Summary.
    pub description: Patch<LongText>,
    /// Importance compared with the other segments.
    pub importance_score: Option<Ratio>,
    /// Replaces all search terms.
    pub keywords: Option<Vec<Keyword>>,
    /// Replaces all ideas.
    pub concepts: Option<Vec<Keyword>>,
    /// Position among the segments of the job.
    pub segment_order: Option<NonNegativeInt>,
}

impl ContentSegmentUpdate {
    /// The segment after the change. The error names `start_time` or `end_time`.
    pub fn applied_to(&self, segment: &NewContentSegment) -> Result<NewContentSegment, Invalid> {
        Ok(NewContentSegment {
            time: segment.time.changed(self.start_time, self.end_time)?,
            topic: self.topic.as_ref().unwrap_or(&segment.topic).clone(),
            description: self.description.applied_to(segment.description.as_ref()),
            importance_score: self.importance_score.unwrap_or(segment.importance_score),
            keywords: self.keywords.as_ref().unwrap_or(&segment.keywords).clone(),
            concepts: self.concepts.as_ref().unwrap_or(&segment.concepts).clone(),
            segment_order: self.segment_order.unwrap_or(segment.segment_order),
        })
    }
}
