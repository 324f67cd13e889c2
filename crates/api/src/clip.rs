//! Clips.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use lectern_domain::{
    self as domain, ClipId, ClipItem, ContentSegmentId, InField, Invalid, JobId, NewClip,
};
use lectern_domain::{
    ClipMedia, ClipMediaUpdate, ClipTopic, JsonObject, NonNegativeInt, ObjectUpdate, Ratio,
    Seconds, StorageKey, TimeRange, Title,
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};
use validator::{Validate, ValidationErrors};

use crate::wire::Request;
use crate::wire::integer::{optional_integer, present_integer};
use crate::wire::items::Items;
use crate::wire::request::{
    BodyShape, MAX_TOP, convert_each, optional, patch, positions, present, top,
};
use crate::wire::validation::{FieldError, FieldErrors, chars};

/// The clips of a job, which replace the stored clips. The response to a request for the
/// clips is accepted as it is.
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
    /// Ignored.
    #[schemars(extend("readOnly" = true))]
    pub job_id: Option<JobId>,
    /// Ignored.
    #[validate(range(min = 0))]
    #[serde(default, deserialize_with = "optional_integer")]
    #[schemars(extend("readOnly" = true))]
    pub total: Option<i64>,
}

/// A clip to be stored.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClipBody {
    /// The clip of the job that this one changes; it keeps its id. Left out: a new clip. If
    /// all clips of a set without ids are as they are stored, they keep their ids, and
    /// subtitles that were stored for them since.
    pub clip_id: Option<ClipId>,
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
    /// Ignored.
    #[validate(range(min = 0.0))]
    #[schemars(extend("readOnly" = true))]
    pub duration: Option<f64>,
    /// Ignored.
    #[schemars(extend("readOnly" = true))]
    pub stale: Option<bool>,
    /// Ignored.
    #[serde(default, deserialize_with = "optional_time")]
    #[schemars(extend("readOnly" = true))]
    pub created_at: Option<DateTime<Utc>>,
}

/// Deserializes a time or `null`, with an error in words.
fn optional_time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(|_| NOT_A_TIME))
        .transpose()
        .map_err(D::Error::custom)
}

const NOT_A_TIME: &str = "must be a time such as 2026-01-01T00:00:00Z";

impl Request for ClipsBody {
    type Domain = Vec<ClipItem>;
    const BODY_SHAPE: BodyShape = BodyShape::RowsWithJson;

    fn out_of_bounds(&self) -> FieldErrors {
        if self.total.is_some_and(|total| total < 0) {
            return FieldError::new("total", "must be 0 or more").into();
        }
        self.clips.errors("clips")
    }
}

impl TryFrom<ClipsBody> for Vec<ClipItem> {
    type Error = Invalid;

    fn try_from(body: ClipsBody) -> Result<Self, Invalid> {
        let given = body.clips.iter().map(|clip| clip.clip_order);
        let positions = positions(given, "clip_order").in_field("clips")?;
        let clips = body.clips.into_vec().into_iter().zip(positions);
        convert_each("clips", clips, |(clip, position)| {
            Ok(ClipItem {
                clip_id: clip.clip_id,
                clip: clip.at_position(position)?,
            })
        })
    }
}

/// A clip to be added to those of a job.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct NewClipBody(ClipBody);

/// The fields of a [`ClipBody`] that a new clip does not have.
const STORED_FIELDS: [&str; 4] = ["clip_id", "duration", "stale", "created_at"];

impl JsonSchema for NewClipBody {
    fn schema_name() -> Cow<'static, str> {
        "NewClipBody".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = ClipBody::json_schema(generator);
        let example = json!({
            "title": "Why it walks downhill",
            "topic": "Gradient descent",
            "importance_score": 0.6,
            "start_time": 4.9,
            "end_time": 7.5,
        });
        schema.insert("example".into(), example);
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        if let Some(properties) = properties {
            properties.retain(|name, _| !STORED_FIELDS.contains(&name.as_str()));
            if let Some(position) = properties.get_mut("clip_order") {
                position["description"] =
                    "Position among the clips of the job, unique. Left out: after the last one."
                        .into();
            }
        }
        schema
    }
}

impl Validate for NewClipBody {
    fn validate(&self) -> Result<(), ValidationErrors> {
        self.0.validate()
    }
}

/// A clip to be added, and its position; `None`: after the last clip.
#[derive(Debug, Clone, PartialEq)]
pub struct AddedClip {
    /// The clip. Its `clip_order` is not used.
    pub clip: NewClip,
    /// Position among the clips of the job.
    pub position: Option<NonNegativeInt>,
}

impl Request for NewClipBody {
    type Domain = AddedClip;
}

impl TryFrom<NewClipBody> for AddedClip {
    type Error = Invalid;

    fn try_from(NewClipBody(body): NewClipBody) -> Result<Self, Invalid> {
        let given = [
            body.clip_id.is_some(),
            body.duration.is_some(),
            body.stale.is_some(),
            body.created_at.is_some(),
        ];
        if let Some((field, _)) = STORED_FIELDS.iter().zip(given).find(|(_, given)| *given) {
            return Err(Invalid::field(*field, "must be left out of a new clip"));
        }
        let position = body.clip_order.map(NonNegativeInt::new).transpose();
        Ok(Self {
            position: position.in_field("clip_order")?,
            clip: body.at_position(NonNegativeInt::ZERO)?,
        })
    }
}

/// A partial change of a clip: fields left out keep their values, and `null` clears
/// nullable fields.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("example" = {
        "title": "Gradient descent in one sentence",
        "end_time": 8.0,
    }))]
pub struct ClipUpdateBody {
    /// Headline.
    #[validate(length(min = chars(Title::MIN), max = chars(Title::MAX)))]
    #[serde(deserialize_with = "present")]
    #[schemars(with = "String")]
    pub title: Option<String>,
    /// Subject.
    #[validate(length(max = chars(ClipTopic::MAX)))]
    #[serde(deserialize_with = "present")]
    pub topic: Option<Option<String>>,
    /// Importance, 0 to 1.
    #[validate(range(min = 0.0, max = 1.0))]
    #[serde(deserialize_with = "present")]
    pub importance_score: Option<Option<f64>>,
    /// Start in the recording, in seconds. With other times, the clip is stale until it is
    /// cut again.
    #[validate(range(min = 0.0))]
    #[serde(deserialize_with = "present")]
    #[schemars(with = "f64")]
    pub start_time: Option<f64>,
    /// End in the recording, in seconds; not before the start.
    #[validate(range(min = 0.0))]
    #[serde(deserialize_with = "present")]
    #[schemars(with = "f64")]
    pub end_time: Option<f64>,
    /// The content segment that the clip shows; it belongs to the same job.
    #[serde(deserialize_with = "present")]
    pub content_segment_id: Option<Option<ContentSegmentId>>,
    /// Storage key of the clip. With another one, the clip is not stale any more.
    #[validate(length(min = chars(StorageKey::MIN), max = chars(StorageKey::MAX)))]
    #[serde(deserialize_with = "present")]
    pub s3_key: Option<Option<String>>,
    /// Storage key of the thumbnail.
    #[validate(length(min = chars(StorageKey::MIN), max = chars(StorageKey::MAX)))]
    #[serde(deserialize_with = "present")]
    pub thumbnail_s3_key: Option<Option<String>>,
    /// Storage key of the subtitles.
    #[validate(length(min = chars(StorageKey::MIN), max = chars(StorageKey::MAX)))]
    #[serde(deserialize_with = "present")]
    pub subtitle_s3_key: Option<Option<String>>,
    /// Position among the clips of the job, unique.
    #[validate(range(min = 0, max = i32::MAX))]
    #[serde(deserialize_with = "present_integer")]
    #[schemars(with = "i32")]
    pub clip_order: Option<i32>,
    /// Data of the worker, which the service does not interpret. Replaces the whole object, or
    /// is merged into it, depending on the media type.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "crate::wire::field_schemas::JsonObject")]
    pub extra_metadata: Option<Map<String, Value>>,
}

impl Request for ClipUpdateBody {
    type Domain = domain::ClipUpdate;
}

impl TryFrom<ClipUpdateBody> for domain::ClipUpdate {
    type Error = Invalid;

    fn try_from(update: ClipUpdateBody) -> Result<Self, Invalid> {
        let key = |key, field: &str| patch(key, StorageKey::new).in_field(field);
        let clip_order = update.clip_order.map(NonNegativeInt::new).transpose();
        Ok(Self {
            content_segment_id: patch(update.content_segment_id, Ok)?,
            title: optional("title", update.title, Title::new)?,
            topic: patch(update.topic, ClipTopic::new).in_field("topic")?,
            importance_score: patch(update.importance_score, Ratio::new)
                .in_field("importance_score")?,
            start_time: optional("start_time", update.start_time, Seconds::new)?,
            end_time: optional("end_time", update.end_time, Seconds::new)?,
            media: ClipMediaUpdate {
                s3_key: key(update.s3_key, "s3_key")?,
                thumbnail_s3_key: key(update.thumbnail_s3_key, "thumbnail_s3_key")?,
                subtitle_s3_key: key(update.subtitle_s3_key, "subtitle_s3_key")?,
            },
            clip_order: clip_order.in_field("clip_order")?,
            extra_metadata: optional("extra_metadata", update.extra_metadata, JsonObject::new)?
                .map(ObjectUpdate::from),
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
    /// Whether the times have changed since the clip was cut.
    pub stale: bool,
    /// When the clip was stored.
    pub created_at: DateTime<Utc>,
}

impl From<domain::Clip> for Clip {
    fn from(stored: domain::Clip) -> Self {
        let stale = stored.is_stale();
        let clip = stored.data;
        Self {
            stale,
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
