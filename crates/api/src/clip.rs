//! Clips.

use chrono::{DateTime, Utc};
use lectern_domain::{self as domain, ClipId, ContentSegmentId, InField, Invalid, JobId, NewClip};
use lectern_domain::{
    ClipMedia, ClipTopic, JsonObject, NonNegativeInt, Ratio, StorageKey, TimeRange, Title,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use validator::Validate;

use crate::wire::Request;
use crate::wire::integer::optional_integer;
use crate::wire::items::Items;
use crate::wire::request::{BodyShape, MAX_TOP, convert_each, optional, positions, top};
use crate::wire::validation::{FieldErrors, chars};

/// The clips of a job, which replace the stored clips.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("example" = {
        "clips": [
            {
                "title": "Gradient descent in seven seconds",
                "topic": "Gradient descent",
                "importance_score": 0.8,
                "start_time": 0.0,
                "end_time": 7.5,
            },
        ],
    }))]
pub struct ClipsBody {
    /// The clips; without `clip_order`, a clip's index in this list is its position.
    pub clips: Items<ClipBody>,
}

/// A clip to be stored.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClipBody {
    /// Headline.
    #[validate(length(min = chars(Title::MIN), max = chars(Title::MAX)))]
    pub title: String,
    /// Subject.
    #[validate(length(max = chars(ClipTopic::MAX)))]
    pub topic: Option<String>,
    /// Importance, 0 to 1.
    #[validate(range(min = 0.0, max = 1.0))]
    pub importance_score: Option<f64>,
    /// Start in the recording, in seconds.
    #[validate(range(min = 0.0))]
    pub start_time: f64,
    /// End in the recording, in seconds; not before the start.
    #[validate(range(min = 0.0))]
    pub end_time: f64,
    /// The content segment that the clip shows; it belongs to the same job.
    pub content_segment_id: Option<ContentSegmentId>,
    /// Storage key of the clip.
    #[validate(length(min = chars(StorageKey::MIN), max = chars(StorageKey::MAX)))]
    pub s3_key: Option<String>,
    /// Storage key of the thumbnail.
    #[validate(length(min = chars(StorageKey::MIN), max = chars(StorageKey::MAX)))]
    pub thumbnail_s3_key: Option<String>,
    /// Storage key of the subtitles.
    #[validate(length(min = chars(StorageKey::MIN), max = chars(StorageKey::MAX)))]
    pub subtitle_s3_key: Option<String>,
    /// Position among the clips of the job, unique.
    #[validate(range(min = 0, max = i32::MAX))]
    #[serde(default, deserialize_with = "optional_integer")]
    pub clip_order: Option<i32>,
    /// Data of the worker, which the service does not interpret.
    #[schemars(with = "Option<crate::wire::field_schemas::JsonObject>")]
    pub extra_metadata: Option<Map<String, Value>>,
}

impl Request for ClipsBody {
    type Domain = Vec<NewClip>;
    const BODY_SHAPE: BodyShape = BodyShape::RowsWithJson;

    fn out_of_bounds(&self) -> FieldErrors {
        self.clips.errors("clips")
    }
}

impl TryFrom<ClipsBody> for Vec<NewClip> {
    type Error = Invalid;

    fn try_from(body: ClipsBody) -> Result<Self, Invalid> {
        let given = body.clips.iter().map(|clip| clip.clip_order);
        let positions = positions(given, "clip_order").in_field("clips")?;
        let clips = body.clips.into_vec().into_iter().zip(positions);
        convert_each("clips", clips, |(clip, position)| {
            clip.at_position(position)
        })
    }
}

impl ClipBody {
    fn at_position(self, clip_order: NonNegativeInt) -> Result<NewClip, Invalid> {
        Ok(NewClip {
            content_segment_id: self.content_segment_id,
            title: Title::new(self.title).in_field("title")?,
            topic: optional("topic", self.topic, ClipTopic::new)?,
            importance_score: optional("importance_score", self.importance_score, Ratio::new)?,
            time: TimeRange::new(self.start_time, self.end_time)?,
            media: ClipMedia {
                s3_key: optional("s3_key", self.s3_key, StorageKey::new)?,
                thumbnail_s3_key: optional(
                    "thumbnail_s3_key",
                    self.thumbnail_s3_key,
                    StorageKey::new,
                )?,
                subtitle_s3_key: optional(
                    "subtitle_s3_key",
                    self.subtitle_s3_key,
                    StorageKey::new,
                )?,
            },
            clip_order,
            extra_metadata: JsonObject::new(self.extra_metadata.unwrap_or_default())
                .in_field("extra_metadata")?,
        })
    }
}

/// Selects clips of a job.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClipsQuery {
    /// Maximum number of clips, the most important first.
    #[validate(range(min = 1, max = MAX_TOP))]
    #[schemars(extend("example" = 3))]
    pub top: Option<i64>,
}

/// Which clips to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClipFilter {
    /// Maximum number of clips, the most important first; `None`: all clips, by position.
    pub top: Option<usize>,
}

impl Request for ClipsQuery {
    type Domain = ClipFilter;
}

impl TryFrom<ClipsQuery> for ClipFilter {
    type Error = Invalid;

    fn try_from(query: ClipsQuery) -> Result<Self, Invalid> {
        Ok(Self {
            top: top(query.top)?,
        })
    }
}

/// A clip with all its stored fields.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Clip {
    /// Id of the clip.
    pub clip_id: ClipId,
    /// The content segment that the clip shows, if any.
    pub content_segment_id: Option<ContentSegmentId>,
    /// Headline.
    pub title: Title,
    /// Subject.
    pub topic: Option<ClipTopic>,
    /// Importance, 0 to 1.
    pub importance_score: Option<Ratio>,
    /// Start in the recording, in seconds.
    pub start_time: f64,
    /// End in the recording, in seconds.
    pub end_time: f64,
    /// Duration in seconds.
    pub duration: f64,
    /// Storage key of the clip.
    pub s3_key: Option<StorageKey>,
    /// Storage key of the thumbnail.
    pub thumbnail_s3_key: Option<StorageKey>,
    /// Storage key of the subtitles.
    pub subtitle_s3_key: Option<StorageKey>,
    /// Position among the clips of the job.
    pub clip_order: NonNegativeInt,
    /// Data of the worker, which the service does not interpret.
    pub extra_metadata: JsonObject,
    /// When the clip was stored.
    pub created_at: DateTime<Utc>,
}

impl From<domain::Clip> for Clip {
    fn from(stored: domain::Clip) -> Self {
        let clip = stored.data;
        Self {
            clip_id: stored.clip_id,
            content_segment_id: clip.content_segment_id,
            title: clip.title,
            topic: clip.topic,
            importance_score: clip.importance_score,
            start_time: clip.time.start(),
            end_time: clip.time.end(),
            duration: clip.time.duration(),
            s3_key: clip.media.s3_key,
            thumbnail_s3_key: clip.media.thumbnail_s3_key,
            subtitle_s3_key: clip.media.subtitle_s3_key,
            clip_order: clip.clip_order,
            extra_metadata: clip.extra_metadata,
            created_at: stored.created_at,
        }
    }
}

/// The clips of a job, or those that the query selects.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ClipsResponse {
    /// The job that the clips belong to.
    pub job_id: JobId,
    /// The clips.
    pub clips: Vec<Clip>,
    /// Number of clips.
    pub total: usize,
}

impl ClipsResponse {
    /// Converts stored clips.
    pub fn new(job_id: JobId, clips: Vec<domain::Clip>) -> Self {
        Self {
            job_id,
            total: clips.len(),
            clips: clips.into_iter().map(Into::into).collect(),
        }
    }
}

/// A clip as one of the results of a job.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ClipMetadata {
    /// Id of the clip.
    pub clip_id: ClipId,
    /// Headline.
    pub title: Title,
    /// Start in the recording, in seconds.
    pub start_time: f64,
    /// End in the recording, in seconds.
    pub end_time: f64,
    /// Duration in seconds.
    pub duration: f64,
    /// Storage key of the clip.
    pub s3_key: Option<StorageKey>,
    /// URL of the clip.
    pub url: Option<String>,
    /// URL of the thumbnail.
    pub thumbnail_url: Option<String>,
    /// URL of the subtitles.
    pub subtitle_url: Option<String>,
}

impl ClipMetadata {
    /// Converts a stored clip; `url` returns the URL of a storage key.
    pub fn with_urls(stored: domain::Clip, url: impl Fn(&StorageKey) -> Option<String>) -> Self {
        let clip = stored.data;
        let media = clip.media;
        let url = |key: Option<&StorageKey>| key.and_then(&url);
        Self {
            clip_id: stored.clip_id,
            title: clip.title,
            start_time: clip.time.start(),
            end_time: clip.time.end(),
            duration: clip.time.duration(),
            url: url(media.s3_key.as_ref()),
            thumbnail_url: url(media.thumbnail_s3_key.as_ref()),
            subtitle_url: url(media.subtitle_s3_key.as_ref()),
            s3_key: media.s3_key,
        }
    }
}
