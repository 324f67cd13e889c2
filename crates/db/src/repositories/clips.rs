//! Clips: the table `clips`.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use lectern_domain::{
    Clip, ClipId, ClipMedia, ClipMediaUpdate, ClipTopic, ContentSegmentId, Invalid, JobId,
    JsonObject, NewClip, NonNegativeInt, Ratio, StorageKey, Title,
};

use super::replace_set::set_page::{RowKey, SetCursor, SetPage, page_of_set, unless_large};
use super::replace_set::{self, job_set};
use crate::connection::MultiBackend;
use crate::connection::{Conn, ReadWrite};
use crate::dialect::JobRef;
use crate::error::{Doing, Error};
use crate::schema::{clips, content_segments};
use crate::sql::page::row_count;
use crate::sql::row::{self, RowDecoder, columns, nullable_change};
use crate::sql::stored::Stored;
use crate::sql::stored_time::StoredTime;
use crate::sql::types::{Id, Jsonb};

/// A row of `clips`.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = clips, treat_none_as_default_value = false)]
pub(crate) struct ClipRow {
    clip_id: Id<ClipId>,
    job_id: Id<JobId>,
    content_segment_id: Option<Id<ContentSegmentId>>,
    title: Stored<Title>,
    topic: Option<Stored<ClipTopic>>,
    importance_score: Option<Stored<Ratio>>,
    start_time: f64,
    end_time: f64,
    s3_key: Option<Stored<StorageKey>>,
    thumbnail_s3_key: Option<Stored<StorageKey>>,
    subtitle_s3_key: Option<Stored<StorageKey>>,
    clip_order: Stored<NonNegativeInt>,
    extra_metadata: Stored<JsonObject>,
    created_at: StoredTime,
}

impl TryFrom<ClipRow> for Clip {
    type Error = Error;

    fn try_from(row: ClipRow) -> Result<Self, Error> {
        let decoder = RowDecoder::new("clips", row.clip_id.0);
        Ok(Self {
            clip_id: row.clip_id.0,
            job_id: row.job_id.0,
            data: NewClip {
                content_segment_id: row.content_segment_id.map(|id| id.0),
                title: decoder.column("title", row.title)?,
                topic: decoder.column("topic", row.topic)?,
                importance_score: decoder.column("importance_score", row.importance_score)?,
                time: decoder.time_range(row.start_time, row.end_time)?,
                media: ClipMedia {
                    s3_key: decoder.column("s3_key", row.s3_key)?,
                    thumbnail_s3_key: decoder.column("thumbnail_s3_key", row.thumbnail_s3_key)?,
                    subtitle_s3_key: decoder.column("subtitle_s3_key", row.subtitle_s3_key)?,
                },
                clip_order: decoder.column("clip_order", row.clip_order)?,
                extra_metadata: decoder.column("extra_metadata", row.extra_metadata)?,
            },
            created_at: decoder.column("created_at", row.created_at)?,
        })
    }
}

impl From<Clip> for ClipRow {
    fn from(clip: Clip) -> Self {
        let data = clip.data;
        Self {
            clip_id: Id(clip.clip_id),
            job_id: Id(clip.job_id),
            content_segment_id: data.content_segment_id.map(Id),
            title: data.title.into(),
            topic: data.topic.map(Stored::from),
            importance_score: data.importance_score.map(Stored::from),
            start_time: data.time.start(),
            end_time: data.time.end(),
            s3_key: data.media.s3_key.map(Stored::from),
            thumbnail_s3_key: data.media.thumbnail_s3_key.map(Stored::from),
            subtitle_s3_key: data.media.subtitle_s3_key.map(Stored::from),
            clip_order: data.clip_order.into(),
            extra_metadata: data.extra_metadata.into(),
            created_at: clip.created_at.into(),
        }
    }
}

job_set! {
    clips: Clip { clip_id: ClipId, data: NewClip } in ClipRow,
    arbitrary JSON: true,
    bytes of long columns: |clip| clip.extra_metadata.memory(),
    order by |a, b| a.clip_order.cmp(&b.clip_order),
}

#[derive(AsChangeset)]
#[diesel(table_name = clips)]
#[expect(
    clippy::struct_field_names,
    reason = "they are the names of the columns"
)]
struct MediaChanges<'a> {
    s3_key: Option<Option<&'a str>>,
    thumbnail_s3_key: Option<Option<&'a str>>,
    subtitle_s3_key: Option<Option<&'a str>>,
}

/// The repository of the clips: `conn.clips()`.
#[derive(Debug)]
pub struct Clips<'c, Mode>(pub(crate) Conn<'c, Mode>);

impl<Mode> Clips<'_, Mode> {
    /// The clip with this id.
    pub fn find(&mut self, clip_id: ClipId) -> Result<Option<Clip>, Error> {
        let row = clips::table
            .filter(clips::clip_id.eq(Id(clip_id)))
            .select(columns::<ClipRow>())
            .get_result::<ClipRow>(self.0.raw)
            .optional()
            .doing("find a clip")?;
        row::one(row)
    }

    /// All clips of a job, by `clip_order`.
    pub fn for_job(&mut self, job_id: JobId) -> Result<Vec<Clip>, Error> {
        self.list(job_id, None)
    }

    /// The `n` most important clips, by descending importance; clips without a
    /// score come last.
    pub fn top(&mut self, job_id: JobId, n: usize) -> Result<Vec<Clip>, Error> {
        self.list(job_id, Some(n))
    }

    /// The clips of a job, by `clip_order`. `top` limits the list to the most important,
    /// by descending importance.
    pub fn list(&mut self, job_id: JobId, top: Option<usize>) -> Result<Vec<Clip>, Error> {
        let mut query = clips::table
            .filter(clips::job_id.eq(Id(job_id)))
            .select(columns::<ClipRow>())
            .into_boxed::<MultiBackend>();
        query = match top {
            Some(n) => query
                .order((
                    // The databases sort nulls differently by default.
                    clips::importance_score.is_null(),
                    clips::importance_score.desc(),
                    clips::clip_order,
                ))
                .limit(row_count(n)),
            None => query.order(clips::clip_order.asc()),
        };
        let found = query.load::<ClipRow>(self.0.raw).doing("list clips")?;
        self.0.readable(found)
    }

    /// A page of the clips of [`list`](Self::list):
    /// the first one, or the one that begins at `after`. See
    /// [`Transcripts::page`](crate::Transcripts::page).
    ///
    /// # Errors
    ///
    /// [`Error::ReplacedMeanwhile`].
    pub fn page(
        &mut self,
        job_id: JobId,
        top: Option<usize>,
        after: Option<&SetCursor>,
    ) -> Result<SetPage<Clip>, Error> {
        page_of_set!(
            self.0, job_id, after,
            clips, ClipRow, clip_id,
            query: clips::table.into_boxed::<Db>(),
            sorted: |query, pages| if let Some(top) = top {
                query
                    .order((clips::importance_score.is_null(), clips::importance_score.desc(), clips::clip_order))
                    .limit(row_count(pages.limit().min(top.saturating_sub(pages.skip))))
                    .offset(row_count(pages.skip))
            } else {
                if let Some(last) = pages.last {
                    query = query.filter(clips::clip_order.gt(last.position));
                }
                query.order(clips::clip_order)
            },
            columns: (
                clips::clip_id,
                clips::job_id,
                clips::content_segment_id,
                clips::title,
                clips::topic,
                clips::importance_score,
                clips::start_time,
                clips::end_time,
                clips::s3_key,
                clips::thumbnail_s3_key,
                clips::subtitle_s3_key,
                clips::clip_order,
                unless_large!(Jsonb, "clips.extra_metadata", else "'{}'"),
                clips::created_at,
            ),
            bytes: "CAST(octet_length(CAST(clips.extra_metadata AS text)) AS bigint)",
            key: |row, id| RowKey {
                id,
                public_id: row.clip_id.0.as_uuid(),
                start_time: row.start_time,
                position: row.clip_order.readable().map_or(0, |order| order.get()),
            },
            matches: |_row| true,
        )
    }

    /// The clips of several jobs, by `clip_order`: one query.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] for a row that cannot be read. Lists omit such a row;
    /// here it is an error, so that the files of its clip do not count as unused.
    pub fn for_jobs(&mut self, job_ids: &[JobId]) -> Result<HashMap<JobId, Vec<Clip>>, Error> {
        let rows = self.rows_of_jobs(job_ids)?;
        Ok(by_job(row::all(rows)?))
    }

    /// As [`Clips::for_jobs`], but omits unreadable rows, as lists do.
    pub(crate) fn list_for_jobs(
        &mut self,
        job_ids: &[JobId],
    ) -> Result<HashMap<JobId, Vec<Clip>>, Error> {
        let rows = self.rows_of_jobs(job_ids)?;
        Ok(by_job(self.0.readable(rows)?))
    }

    fn rows_of_jobs(&mut self, job_ids: &[JobId]) -> Result<Vec<ClipRow>, Error> {
        let ids: Vec<_> = job_ids.iter().copied().map(Id).collect();
        clips::table
            .filter(clips::job_id.eq_any(ids))
            .order((clips::job_id, clips::clip_order))
            .select(columns::<ClipRow>())
            .load::<ClipRow>(self.0.raw)
            .doing("list the clips of several jobs")
    }
}

fn by_job(clips: Vec<Clip>) -> HashMap<JobId, Vec<Clip>> {
    let mut clips_by_job: HashMap<JobId, Vec<Clip>> = HashMap::new();
    for clip in clips {
        clips_by_job.entry(clip.job_id).or_default().push(clip);
    }
    clips_by_job
}

impl Clips<'_, ReadWrite> {
    /// Replaces the clips of a job and returns them by `clip_order`. A set equal to
    /// the stored one changes nothing: its rows keep their ids.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`]; [`Error::Invalid`] names a `content_segment_id`
    /// that is not one of this job's segments.
    pub fn replace_for_job(
        &mut self,
        job: impl Into<JobRef>,
        new: &[NewClip],
    ) -> Result<Vec<Clip>, Error> {
        let lock = self.0.lock_job(job)?;
        self.check_segments(lock.job_id(), new)?;
        replace_set::replace(&mut self.0, lock, new)
    }

    /// Changes the storage keys of a clip's files, and returns the clip.
    ///
    /// # Errors
    ///
    /// [`Error::ClipNotFound`].
    pub fn set_media_keys(
        &mut self,
        clip_id: ClipId,
        update: &ClipMediaUpdate,
    ) -> Result<Clip, Error> {
        let changed = if *update == ClipMediaUpdate::default() {
            self.find(clip_id)?
        } else {
            let changed = diesel::update(clips::table)
                .filter(clips::clip_id.eq(Id(clip_id)))
                .set(MediaChanges {
                    s3_key: nullable_change(&update.s3_key, StorageKey::as_str),
                    thumbnail_s3_key: nullable_change(&update.thumbnail_s3_key, StorageKey::as_str),
                    subtitle_s3_key: nullable_change(&update.subtitle_s3_key, StorageKey::as_str),
                })
                .returning(columns::<ClipRow>())
                .get_result::<ClipRow>(self.0.raw)
                .optional()
                .doing("set the media keys of a clip")?;
            row::one(changed)?
        };
        changed.ok_or(Error::ClipNotFound { clip_id })
    }

    /// Checks that the segments that clips refer to belong to this job; the foreign
    /// key checks only that they exist.
    fn check_segments(&mut self, job_id: JobId, new: &[NewClip]) -> Result<(), Error> {
        if new.iter().all(|clip| clip.content_segment_id.is_none()) {
            return Ok(());
        }
        let segment_ids = content_segments::table
            .filter(content_segments::job_id.eq(Id(job_id)))
            .select(content_segments::segment_id)
            .load::<Id<ContentSegmentId>>(self.0.raw)
            .doing("list the content segments of a job")?;
        let segment_ids: HashSet<_> = segment_ids.into_iter().map(|id| id.0).collect();
        let is_foreign = |clip: &NewClip| {
            clip.content_segment_id
                .is_some_and(|id| !segment_ids.contains(&id))
        };
        match new.iter().position(is_foreign) {
            None => Ok(()),
            Some(i) => Err(Error::Invalid(Invalid::field(
                format!("clips[{i}].content_segment_id"),
                "must be a content segment of this job",
            ))),
        }
    }

    /// Like [`replace_for_job`](Self::replace_for_job), but does not return the clips, so
    /// that a large set is in memory only once.
    pub fn replace_without_returning(
        &mut self,
        job: impl Into<JobRef>,
        new: &[NewClip],
    ) -> Result<(), Error> {
        let lock = self.0.lock_job(job)?;
        self.check_segments(lock.job_id(), new)?;
        replace_set::replace_without_returning::<Clip>(&mut self.0, lock, new)
    }
}
