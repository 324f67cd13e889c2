//! Clips cut out of a recording.

use std::ops::Deref;

use chrono::{DateTime, Utc};

use crate::id::{ClipId, ContentSegmentId, JobId};
use crate::value::text::bounded_texts;
use crate::value::{
    InField, Invalid, JsonObject, NonNegativeInt, Patch, Ratio, StorageKey, TimeRange,
};

bounded_texts! {
    /// Headline of a clip, 1 to 200 characters.
    Title: 1 to 200;
    /// Subject of a clip, at most 200 characters.
    ClipTopic: 0 to 200;
}

/// A stored clip; dereferences to the [`NewClip`] it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    /// Public id.
    pub clip_id: ClipId,
    /// The job from whose recording the clip is cut.
    pub job_id: JobId,
    /// The clip.
    pub data: NewClip,
    /// When the clip was stored.
    pub created_at: DateTime<Utc>,
}

impl Deref for Clip {
    type Target = NewClip;

    fn deref(&self) -> &NewClip {
        &self.data
    }
}

/// A clip to be stored.
///
/// ```
/// use lectern_domain::{ClipTopic, NewClip, TimeRange};
///
/// let clip = NewClip {
///     topic: Some(ClipTopic::new("Graphs")?),
///     ..NewClip::new("What is a tree?", TimeRange::new(61.5, 130.0)?)?
/// };
/// assert_eq!(clip.clip_order.get(), 0);
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NewClip {
    /// The content segment that the clip shows, of the same job; becomes `None` when the
    /// segment is deleted.
    pub content_segment_id: Option<ContentSegmentId>,
    /// Headline.
    pub title: Title,
    /// Subject.
    pub topic: Option<ClipTopic>,
    /// Importance compared with the other clips; 1 is the highest.
    pub importance_score: Option<Ratio>,
    /// The part of the recording that the clip shows.
    pub time: TimeRange,
    /// The storage keys of its files.
    pub media: ClipMedia,
    /// Position among the clips of the job, unique; see
    /// [`assign_positions`](crate::assign_positions).
    pub clip_order: NonNegativeInt,
    /// Free for the worker's use.
    pub extra_metadata: JsonObject,
}

impl NewClip {
    /// The clip of one part of the recording, at position 0, without optional
    /// values. The error names `title`.
    pub fn new(title: impl Into<String>, time: TimeRange) -> Result<Self, Invalid> {
        Ok(Self {
            content_segment_id: None,
            title: Title::new(title).in_field("title")?,
            topic: None,
            importance_score: None,
            time,
            media: ClipMedia::default(),
            clip_order: NonNegativeInt::ZERO,
            extra_metadata: JsonObject::default(),
        })
    }
}

/// The keys of a clip's files in the storage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClipMedia {
    /// The video or audio of the clip.
    pub s3_key: Option<StorageKey>,
    /// A picture of the clip.
    pub thumbnail_s3_key: Option<StorageKey>,
    /// The subtitles of the clip.
    pub subtitle_s3_key: Option<StorageKey>,
}

impl ClipMedia {
    /// The keys that are set.
    pub fn storage_keys(&self) -> impl Iterator<Item = &StorageKey> {
        let keys = [&self.s3_key, &self.thumbnail_s3_key, &self.subtitle_s3_key];
        keys.into_iter().flatten()
    }
}

/// A partial change of [`ClipMedia`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClipMediaUpdate {
    /// The video or audio of the clip.
    pub s3_key: Patch<StorageKey>,
    /// A picture of the clip.
    pub thumbnail_s3_key: Patch<StorageKey>,
    /// The subtitles of the clip.
    pub subtitle_s3_key: Patch<StorageKey>,
}
