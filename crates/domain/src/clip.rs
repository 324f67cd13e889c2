//! Clips cut out of a recording.

use std::ops::Deref;

use chrono::{DateTime, Utc};

use crate::id::{ClipId, ContentSegmentId, JobId};
use crate::value::text::bounded_texts;
use crate::value::{
    InField, Invalid, JsonObject, NonNegativeInt, ObjectUpdate, Patch, Ratio, Seconds, StorageKey,
    TimeRange,
};

bounded_texts! {
    /// Headline of a clip, 1 to 200 characters.
    Title: 1 to 200;
    /// Subject of a clip, at most 200 characters.
    ClipTopic: 0 to 200;
    /// How the files of a clip were made, at most 4000 characters: two equal records mean
    /// equal files.
    CutRecord: 1 to 4000;
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
    /// The files of the clip.
    pub cut: Cut,
    /// When the clip was stored.
    pub created_at: DateTime<Utc>,
}

impl Clip {
    /// Whether the times of the clip have changed since its files were made.
    pub fn is_stale(&self) -> bool {
        self.cut.stale_since.is_some()
    }

    /// Changes the clip at the time `now`.
    pub fn change(&mut self, data: NewClip, now: DateTime<Utc>) {
        let before = (self.data.time, self.data.media.s3_key.as_ref());
        self.cut = self.cut.after_change(before, &data, now);
        self.data = data;
    }

    /// The subtitles that a client has stored for the clip: a key below
    /// `jobs/{job_id}/subtitles/`.
    pub fn client_subtitles(&self) -> Option<&StorageKey> {
        let key = self.data.media.subtitle_s3_key.as_ref()?;
        let rest = key.as_str().strip_prefix("jobs/")?;
        let rest = rest.strip_prefix(&self.job_id.to_string())?;
        rest.starts_with("/subtitles/").then_some(key)
    }
}

/// How the files of a clip relate to the clip.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cut {
    /// When the times of the clip changed for the first time since it was cut; `None`: not
    /// since then.
    pub stale_since: Option<DateTime<Utc>>,
    /// How the files were made, if a worker of Lectern made them.
    pub record: Option<CutRecord>,
}

impl Cut {
    /// The state after a change of the clip. `before` are its times and its video. A new
    /// video means that the clip was cut again.
    pub fn after_change(
        &self,
        before: (TimeRange, Option<&StorageKey>),
        after: &NewClip,
        now: DateTime<Utc>,
    ) -> Self {
        let (time, video) = before;
        let has_same_video = after.media.s3_key.as_ref() == video;
        if !has_same_video && after.media.s3_key.is_some() {
            return Self::default();
        }
        Self {
            stale_since: if after.time == time {
                self.stale_since
            } else {
                self.stale_since.or(Some(now))
            },
            record: self.record.clone().filter(|_| has_same_video),
        }
    }
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

    /// Whether the clips differ at most in their files.
    fn equals_except_media(&self, other: &Self) -> bool {
        let Self {
            content_segment_id,
            title,
            topic,
            importance_score,
            time,
            media: _,
            clip_order,
            extra_metadata,
        } = other;
        self.content_segment_id == *content_segment_id
            && self.title == *title
            && self.topic == *topic
            && self.importance_score == *importance_score
            && self.time == *time
            && self.clip_order == *clip_order
            && self.extra_metadata == *extra_metadata
    }
}

/// An item of a set of clips that replaces the stored clips of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct ClipItem {
    /// The stored clip that the item changes; `None`: a new clip, or the stored one at the
    /// same place in a set that is stored again.
    pub clip_id: Option<ClipId>,
    /// The clip.
    pub clip: NewClip,
}

impl From<NewClip> for ClipItem {
    fn from(clip: NewClip) -> Self {
        Self {
            clip_id: None,
            clip,
        }
    }
}

impl ClipItem {
    /// Whether storing the item leaves this stored clip as it is. Without `clip_id`, the
    /// item does not know of subtitles that a client has stored since, which are kept.
    pub fn equals(&self, stored: &Clip) -> bool {
        match self.clip_id {
            Some(clip_id) => clip_id == stored.clip_id && self.clip == stored.data,
            None if stored.client_subtitles().is_some() => {
                let media = ClipMedia {
                    subtitle_s3_key: stored.media.subtitle_s3_key.clone(),
                    ..self.clip.media.clone()
                };
                media == stored.media && self.clip.equals_except_media(&stored.data)
            }
            None => self.clip == stored.data,
        }
    }
}

/// A partial change of a clip.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClipUpdate {
    /// The content segment that the clip shows.
    pub content_segment_id: Patch<ContentSegmentId>,
    /// Headline.
    pub title: Option<Title>,
    /// Subject.
    pub topic: Patch<ClipTopic>,
    /// Importance compared with the other clips.
    pub importance_score: Patch<Ratio>,
    /// Start in the recording.
    pub start_time: Option<Seconds>,
    /// End in the recording.
    pub end_time: Option<Seconds>,
    /// The storage keys of its files.
    pub media: ClipMediaUpdate,
    /// Position among the clips of the job.
    pub clip_order: Option<NonNegativeInt>,
    /// Data of the owner.
    pub extra_metadata: Option<ObjectUpdate>,
}

impl ClipUpdate {
    /// This change, with its JSON object as a patch to be merged.
    pub fn merging(mut self) -> Self {
        self.extra_metadata = self.extra_metadata.map(ObjectUpdate::merging);
        self
    }

    /// The clip after the change. The error names the field.
    pub fn applied_to(&self, clip: &NewClip) -> Result<NewClip, Invalid> {
        let media = &clip.media;
        Ok(NewClip {
            content_segment_id: self
                .content_segment_id
                .applied_to(clip.content_segment_id.as_ref()),
            title: self.title.as_ref().unwrap_or(&clip.title).clone(),
            topic: self.topic.applied_to(clip.topic.as_ref()),
            importance_score: self
                .importance_score
                .applied_to(clip.importance_score.as_ref()),
            time: clip.time.changed(self.start_time, self.end_time)?,
            media: ClipMedia {
                s3_key: self.media.s3_key.applied_to(media.s3_key.as_ref()),
                thumbnail_s3_key: self
                    .media
                    .thumbnail_s3_key
                    .applied_to(media.thumbnail_s3_key.as_ref()),
                subtitle_s3_key: self
                    .media
                    .subtitle_s3_key
                    .applied_to(media.subtitle_s3_key.as_ref()),
            },
            clip_order: self.clip_order.unwrap_or(clip.clip_order),
            extra_metadata: match &self.extra_metadata {
                Some(update) => update
                    .applied_to(&clip.extra_metadata)
                    .in_field("extra_metadata")?,
                None => clip.extra_metadata.clone(),
            },
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock as _, ManualClock};

    fn a_clip() -> Clip {
        let clock = ManualClock::default();
        Clip {
            clip_id: ClipId::new(&clock),
            job_id: JobId::new(&clock),
            data: NewClip {
                media: ClipMedia {
                    s3_key: Some(key("clips/1.mp4")),
                    ..ClipMedia::default()
                },
                ..NewClip::new("Trees", TimeRange::new(5.0, 9.0).unwrap()).unwrap()
            },
            cut: Cut {
                stale_since: None,
                record: Some(CutRecord::new("r").unwrap()),
            },
            created_at: clock.now(),
        }
    }

    fn key(text: &str) -> StorageKey {
        StorageKey::new(text).unwrap()
    }

    fn seconds(seconds: f64) -> Seconds {
        Seconds::new(seconds).unwrap()
    }

    #[test]
    fn a_clip_is_stale_from_the_first_change_of_its_times_until_it_is_cut_again() {
        let mut clip = a_clip();
        let (first, second) = (
            clip.created_at,
            clip.created_at + chrono::TimeDelta::hours(1),
        );
        let mut change = |update: ClipUpdate, now| {
            let data = update.applied_to(&clip.data).unwrap();
            clip.change(data, now);
            clip.cut.clone()
        };
        let renamed = ClipUpdate {
            title: Some(Title::new("Oaks").unwrap()),
            ..ClipUpdate::default()
        };
        assert_eq!(change(renamed, first).stale_since, None);
        for (end, now) in [(8.0, first), (7.0, second)] {
            let shortened = ClipUpdate {
                end_time: Some(seconds(end)),
                ..ClipUpdate::default()
            };
            let cut = change(shortened, now);
            assert_eq!(cut.stale_since, Some(first));
            assert!(cut.record.is_some(), "the files have not changed");
        }
        let mut files = |s3_key| {
            let media = ClipMediaUpdate {
                s3_key,
                ..ClipMediaUpdate::default()
            };
            change(
                ClipUpdate {
                    media,
                    ..ClipUpdate::default()
                },
                second,
            )
        };
        let without_files = files(Patch::Clear);
        assert_eq!(without_files.stale_since, Some(first));
        assert_eq!(without_files.record, None);
        assert_eq!(files(Patch::Set(key("clips/2.mp4"))), Cut::default());
    }

    #[test]
    fn an_item_without_an_id_equals_a_clip_whose_subtitles_a_client_has_replaced() {
        let mut stored = a_clip();
        let of_set = ClipItem::from(stored.data.clone());
        let of_client = ClipItem {
            clip_id: Some(stored.clip_id),
            ..of_set.clone()
        };
        assert!(of_set.equals(&stored) && of_client.equals(&stored));
        let subtitles = format!("jobs/{}/subtitles/1.vtt", stored.job_id);
        stored.data.media.subtitle_s3_key = Some(key(&subtitles));
        assert!(of_set.equals(&stored));
        assert!(!of_client.equals(&stored), "it removes the subtitles");
        let mut other = of_set.clone();
        other.clip.media.subtitle_s3_key = Some(key("subtitles/2.vtt"));
        assert!(other.equals(&stored));
        other.clip.media.thumbnail_s3_key = Some(key("clips/1.jpg"));
        assert!(!other.equals(&stored));
        stored.data.media.subtitle_s3_key = Some(key("subtitles/1.vtt"));
        assert!(!of_set.equals(&stored), "not the subtitles of a client");
    }

    #[test]
    fn an_update_names_the_time_that_it_gives() {
        let clip = a_clip();
        for (start_time, end_time, field) in [
            (Some(seconds(10.0)), None, "start_time"),
            (None, Some(seconds(4.0)), "end_time"),
            (Some(seconds(3.0)), Some(seconds(2.0)), "end_time"),
        ] {
            let update = ClipUpdate {
                start_time,
                end_time,
                ..ClipUpdate::default()
            };
            let error = update.applied_to(&clip.data).unwrap_err();
            assert_eq!(error.errors()[0].field, field);
        }
    }
}
