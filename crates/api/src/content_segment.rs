//! Content segments.

use chrono::{DateTime, Utc};
use lectern_domain::{
    self as domain, ContentSegmentId, InField, Invalid, JobId, NewContentSegment,
};
use lectern_domain::{Keyword, LongText, NonNegativeInt, Ratio, Seconds, TimeRange, Topic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::wire::Request;
use crate::wire::integer::{optional_integer, present_integer};
use crate::wire::items::Items;
use crate::wire::request::{
    BodyShape, MAX_TOP, convert_each, optional, patch, positions, present, search_text, top,
};
use crate::wire::validation::{FieldErrors, chars};

/// The content segments of a job, which replace the stored segments.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("example" = {
        "segments": [
            {
                "start_time": 0.0,
                "end_time": 7.5,
                "topic": "Gradient descent",
                "description": "What it does, and why it works.",
                "importance_score": 0.8,
                "keywords": ["gradient", "descent"],
                "concepts": ["optimization"],
            },
        ],
    }))]
pub struct ContentSegmentsBody {
    /// The segments; without `segment_order`, a segment's index in this list is its position.
    pub segments: Items<ContentSegmentBody>,
}

/// A content segment to be stored.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentSegmentBody {
    /// Start in the recording, in seconds.
    #[validate(range(min = 0.0))]
    pub start_time: f64,
    /// End in the recording, in seconds; not before the start.
    #[validate(range(min = 0.0))]
    pub end_time: f64,
    /// Subject.
    #[validate(length(min = chars(Topic::MIN), max = chars(Topic::MAX)))]
    pub topic: String,
    /// Summary.
    pub description: Option<String>,
    /// Importance, 0 to 1.
    #[validate(range(min = 0.0, max = 1.0))]
    pub importance_score: f64,
    /// Words by which the segment can be found.
    #[schemars(inner(length(min = Keyword::MIN, max = Keyword::MAX)))]
    pub keywords: Option<Vec<String>>,
    /// Ideas that the segment explains.
    #[schemars(inner(length(min = Keyword::MIN, max = Keyword::MAX)))]
    pub concepts: Option<Vec<String>>,
    /// Position among the segments of the job, unique.
    #[validate(range(min = 0, max = i32::MAX))]
    #[serde(default, deserialize_with = "optional_integer")]
    pub segment_order: Option<i32>,
}

impl Request for ContentSegmentsBody {
    type Domain = Vec<NewContentSegment>;
    const BODY_SHAPE: BodyShape = BodyShape::RowsOfLists;

    fn out_of_bounds(&self) -> FieldErrors {
        self.segments.errors("segments")
    }
}

impl TryFrom<ContentSegmentsBody> for Vec<NewContentSegment> {
    type Error = Invalid;

    fn try_from(body: ContentSegmentsBody) -> Result<Self, Invalid> {
        let given = body.segments.iter().map(|segment| segment.segment_order);
        let positions = positions(given, "segment_order").in_field("segments")?;
        let segments = body.segments.into_vec().into_iter().zip(positions);
        convert_each("segments", segments, |(segment, position)| {
            segment.at_position(position)
        })
    }
}

impl ContentSegmentBody {
    fn at_position(self, segment_order: NonNegativeInt) -> Result<NewContentSegment, Invalid> {
        Ok(NewContentSegment {
            time: TimeRange::new(self.start_time, self.end_time)?,
            topic: Topic::new(self.topic).in_field("topic")?,
            description: optional("description", self.description, LongText::new)?,
            importance_score: Ratio::new(self.importance_score).in_field("importance_score")?,
            keywords: convert_each("keywords", self.keywords.unwrap_or_default(), Keyword::new)?,
            concepts: convert_each("concepts", self.concepts.unwrap_or_default(), Keyword::new)?,
            segment_order,
        })
    }
}

/// A partial change of a content segment: fields left out keep their values, and `null`
/// clears the description.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("example" = {
        "topic": "Stochastic gradient descent",
        "importance_score": 0.9,
        "keywords": ["gradient", "descent", "stochastic"],
    }))]
pub struct ContentSegmentUpdateBody {
    /// Start in the recording, in seconds.
    #[validate(range(min = 0.0))]
    #[serde(deserialize_with = "present")]
    #[schemars(with = "f64")]
    pub start_time: Option<f64>,
    /// End in the recording, in seconds; not before the start.
    #[validate(range(min = 0.0))]
    #[serde(deserialize_with = "present")]
    #[schemars(with = "f64")]
    pub end_time: Option<f64>,
    /// Subject.
    #[validate(length(min = chars(Topic::MIN), max = chars(Topic::MAX)))]
    #[serde(deserialize_with = "present")]
    #[schemars(with = "String")]
    pub topic: Option<String>,
    /// Summary.
    #[serde(deserialize_with = "present")]
    pub description: Option<Option<String>>,
    /// Importance, 0 to 1.
    #[validate(range(min = 0.0, max = 1.0))]
    #[serde(deserialize_with = "present")]
    #[schemars(with = "f64")]
    pub importance_score: Option<f64>,
    /// Words by which the segment can be found; they replace the stored ones.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Vec<String>", inner(length(min = Keyword::MIN, max = Keyword::MAX)))]
    pub keywords: Option<Vec<String>>,
    /// Ideas that the segment explains; they replace the stored ones.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Vec<String>", inner(length(min = Keyword::MIN, max = Keyword::MAX)))]
    pub concepts: Option<Vec<String>>,
    /// Position among the segments of the job, unique.
    #[validate(range(min = 0, max = i32::MAX))]
    #[serde(deserialize_with = "present_integer")]
    #[schemars(with = "i32")]
    pub segment_order: Option<i32>,
}

impl Request for ContentSegmentUpdateBody {
    type Domain = domain::ContentSegmentUpdate;
}

impl TryFrom<ContentSegmentUpdateBody> for domain::ContentSegmentUpdate {
    type Error = Invalid;

    fn try_from(update: ContentSegmentUpdateBody) -> Result<Self, Invalid> {
        let words = |words: Option<Vec<String>>, field: &str| {
            let words = words.map(|words| convert_each(field, words, Keyword::new));
            words.transpose()
        };
        let position = update.segment_order.map(NonNegativeInt::new).transpose();
        Ok(Self {
            start_time: optional("start_time", update.start_time, Seconds::new)?,
            end_time: optional("end_time", update.end_time, Seconds::new)?,
            topic: optional("topic", update.topic, Topic::new)?,
            description: patch(update.description, LongText::new).in_field("description")?,
            importance_score: optional("importance_score", update.importance_score, Ratio::new)?,
            keywords: words(update.keywords, "keywords")?,
            concepts: words(update.concepts, "concepts")?,
            segment_order: position.in_field("segment_order")?,
        })
    }
}

/// Selects content segments of a job; every given condition must hold.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ContentSegmentsQuery {
    /// Segments with exactly this keyword.
    #[schemars(extend("example" = "gradient"))]
    pub keyword: Option<String>,
    /// Maximum number of segments, the most important first.
    #[validate(range(min = 1, max = MAX_TOP))]
    #[schemars(extend("example" = 3))]
    pub top: Option<i64>,
}

/// Which content segments to return.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContentSegmentFilter {
    /// Segments with exactly this keyword.
    pub keyword: Option<String>,
    /// Maximum number of segments, the most important first; `None`: all segments, by
    /// position.
    pub top: Option<usize>,
}

impl Request for ContentSegmentsQuery {
    type Domain = ContentSegmentFilter;
}

impl TryFrom<ContentSegmentsQuery> for ContentSegmentFilter {
    type Error = Invalid;

    fn try_from(query: ContentSegmentsQuery) -> Result<Self, Invalid> {
        Ok(Self {
            keyword: search_text(query.keyword).in_field("keyword")?,
            top: top(query.top)?,
        })
    }
}

/// A content segment.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ContentSegment {
    /// Id of the segment.
    pub segment_id: ContentSegmentId,
    /// Start in the recording, in seconds.
    pub start_time: f64,
    /// End in the recording, in seconds.
    pub end_time: f64,
    /// Duration in seconds.
    pub duration: f64,
    /// Subject.
    pub topic: Topic,
    /// Summary.
    pub description: Option<LongText>,
    /// Importance, 0 to 1.
    pub importance_score: Ratio,
    /// Words by which the segment can be found.
    pub keywords: Vec<Keyword>,
    /// Ideas that the segment explains.
    pub concepts: Vec<Keyword>,
    /// Position among the segments of the job.
    pub segment_order: NonNegativeInt,
    /// When the segment was stored.
    pub created_at: DateTime<Utc>,
}

impl From<domain::ContentSegment> for ContentSegment {
    fn from(stored: domain::ContentSegment) -> Self {
        let segment = stored.data;
        Self {
            segment_id: stored.segment_id,
            start_time: segment.time.start(),
            end_time: segment.time.end(),
            duration: segment.time.duration(),
            topic: segment.topic,
            description: segment.description,
            importance_score: segment.importance_score,
            keywords: segment.keywords,
            concepts: segment.concepts,
            segment_order: segment.segment_order,
            created_at: stored.created_at,
        }
    }
}

/// The content segments of a job, or those that the query selects.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ContentSegmentsResponse {
    /// The job that the segments belong to.
    pub job_id: JobId,
    /// The segments.
    pub segments: Vec<ContentSegment>,
    /// Number of segments.
    pub total: usize,
}

impl ContentSegmentsResponse {
    /// Converts stored segments.
    pub fn new(job_id: JobId, segments: Vec<domain::ContentSegment>) -> Self {
        Self {
            job_id,
            total: segments.len(),
            segments: segments.into_iter().map(Into::into).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn segment(order: Option<i32>, keywords: &Value) -> Value {
        json!({
            "start_time": 0, "end_time": 1, "topic": "t", "importance_score": 0.5,
            "segment_order": order, "keywords": keywords,
        })
    }

    fn read(segments: &[Value]) -> Result<Vec<NewContentSegment>, FieldErrors> {
        let body = json!({ "segments": segments });
        ContentSegmentsBody::read(body).unwrap().into_domain()
    }

    #[test]
    fn the_position_is_the_index_unless_it_is_given() {
        let none = json!([]);
        let segments = read(&[
            segment(None, &none),
            segment(Some(5), &none),
            segment(None, &none),
        ]);
        let positions: Vec<_> = segments
            .unwrap()
            .iter()
            .map(|s| s.segment_order.get())
            .collect();
        assert_eq!(positions, [0, 5, 2]);
        let errors = read(&[segment(Some(1), &none), segment(None, &none)]).unwrap_err();
        assert_eq!(errors[0].field, "segments[1].segment_order");
    }

    #[test]
    fn every_keyword_is_checked() {
        let errors = read(&[segment(None, &json!(["fine", ""]))]).unwrap_err();
        assert_eq!(errors[0].field, "segments[0].keywords[1]");
        assert_eq!(errors[0].message, "must be 1 to 200 characters long");
    }
}
