//! What the recording is about, topic by topic.

use chrono::{DateTime, Utc};

use crate::{ContentSegmentId, Fraction, JobId, Keyword, LongText, TimeRange, Topic, Whole};

/// A content segment as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct ContentSegment {
    /// Public id.
    pub segment_id: ContentSegmentId,
    /// The job whose recording it is.
    pub job_id: JobId,
    /// From when to when, in seconds.
    pub time: TimeRange,
    /// What it is about.
    pub topic: Topic,
    /// The same at more length.
    pub description: Option<LongText>,
    /// How much it matters.
    pub importance_score: Fraction,
    /// Words to find it by.
    pub keywords: Vec<Keyword>,
    /// Ideas it explains.
    pub concepts: Vec<Keyword>,
    /// Place among the segments of the job, unique.
    pub segment_order: Whole,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
}

/// A content segment to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewContentSegment {
    /// From when to when, in seconds.
    pub time: TimeRange,
    /// What it is about.
    pub topic: Topic,
    /// The same at more length.
    pub description: Option<LongText>,
    /// How much it matters.
    pub importance_score: Fraction,
    /// Words to find it by.
    pub keywords: Vec<Keyword>,
    /// Ideas it explains.
    pub concepts: Vec<Keyword>,
    /// Place among the segments of the job, unique; see [`crate::in_order`].
    pub segment_order: Whole,
}
