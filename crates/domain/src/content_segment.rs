//! What the recording is about, topic by topic.

use chrono::{DateTime, Utc};

use crate::{ContentSegmentId, JobId, Keyword, LongText, NonNegativeInt, Ratio, TimeRange, Topic};

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
    pub importance_score: Ratio,
    /// Words to find it by.
    pub keywords: Vec<Keyword>,
    /// Ideas it explains.
    pub concepts: Vec<Keyword>,
    /// Place among the segments of the job, unique.
    pub segment_order: NonNegativeInt,
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
    pub importance_score: Ratio,
    /// Words to find it by.
    pub keywords: Vec<Keyword>,
    /// Ideas it explains.
    pub concepts: Vec<Keyword>,
    /// Place among the segments of the job, unique; see [`crate::assign_positions`].
    pub segment_order: NonNegativeInt,
}
