//! What is cut out of a recording.

use chrono::{DateTime, Utc};

use crate::{
    ClipId, ClipTopic, ContentSegmentId, JobId, JsonObject, NonNegativeInt, Patch, Ratio,
    StorageKey, TimeRange, Title,
};

/// A clip as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    /// Public id.
    pub clip_id: ClipId,
    /// The job whose recording it is cut from.
    pub job_id: JobId,
    /// The content segment it shows, if it was cut along one.
    pub content_segment_id: Option<ContentSegmentId>,
    /// Headline.
    pub title: Title,
    /// What it is about.
    pub topic: Option<ClipTopic>,
    /// How much it matters.
    pub importance_score: Option<Ratio>,
    /// From when to when in the recording, in seconds.
    pub time: TimeRange,
    /// Where the clip, its picture and its subtitles lie in the storage.
    pub media: ClipMedia,
    /// Place among the clips of the job, unique.
    pub clip_order: NonNegativeInt,
    /// Whatever the worker wants to keep with the clip.
    pub extra_metadata: JsonObject,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
}

/// Where the files of a clip lie in the storage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClipMedia {
    /// The clip itself.
    pub s3_key: Option<StorageKey>,
    /// A picture of it.
    pub thumbnail_s3_key: Option<StorageKey>,
    /// Its subtitles.
    pub subtitle_s3_key: Option<StorageKey>,
}

impl ClipMedia {
    /// The keys there are.
    pub fn keys(&self) -> impl Iterator<Item = &StorageKey> {
        let keys = [&self.s3_key, &self.thumbnail_s3_key, &self.subtitle_s3_key];
        keys.into_iter().flatten()
    }
}

/// A clip to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewClip {
    /// The content segment it shows; one of the same job.
    pub content_segment_id: Option<ContentSegmentId>,
    /// Headline.
    pub title: Title,
    /// What it is about.
    pub topic: Option<ClipTopic>,
    /// How much it matters.
    pub importance_score: Option<Ratio>,
    /// From when to when in the recording, in seconds.
    pub time: TimeRange,
    /// Where the clip, its picture and its subtitles lie in the storage.
    pub media: ClipMedia,
    /// Place among the clips of the job, unique; see [`crate::assign_positions`].
    pub clip_order: NonNegativeInt,
    /// Whatever the worker wants to keep with the clip.
    pub extra_metadata: JsonObject,
}

/// A partial change of where the files of a clip lie.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClipMediaUpdate {
    /// The clip itself.
    pub s3_key: Patch<StorageKey>,
    /// A picture of it.
    pub thumbnail_s3_key: Patch<StorageKey>,
    /// Its subtitles.
    pub subtitle_s3_key: Patch<StorageKey>,
}
