//! What is cut out of the recordings.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use lectern_domain::{
    Clip, ClipId, ClipMedia, ClipMediaUpdate, ClipTopic, ContentSegmentId, Invalid, JobId, NewClip,
    NonNegativeInt, Ratio, StorageKey, Title,
};

use crate::connection::MultiBackend;
use crate::connection::{Conn, ReadWrite};
use crate::dialect::{JobRef, insert_all};
use crate::error::{Doing, Error};
use crate::schema::{clips, content_segments};
use crate::sql::row;
use crate::sql::row::{RowName, columns, nullable};
use crate::sql::types::{DbJson, DbTime, DbUuid};

columns!(clips:
    clip_id, job_id, content_segment_id, title, topic, importance_score, start_time, end_time,
    s3_key, thumbnail_s3_key, subtitle_s3_key, clip_order, extra_metadata, created_at,
);

#[derive(Queryable)]
pub(crate) struct ClipRow {
    clip_id: DbUuid,
    job_id: DbUuid,
    content_segment_id: Option<DbUuid>,
    title: String,
    topic: Option<String>,
    importance_score: Option<f64>,
    start_time: f64,
    end_time: f64,
    s3_key: Option<String>,
    thumbnail_s3_key: Option<String>,
    subtitle_s3_key: Option<String>,
    clip_order: i32,
    extra_metadata: DbJson,
    created_at: DbTime,
}

impl TryFrom<ClipRow> for Clip {
    type Error = Error;

    fn try_from(row: ClipRow) -> Result<Self, Error> {
        let name = RowName {
            table: "clips",
            id: row.clip_id.0,
        };
        let key = |column, value: Option<String>| name.nullable(column, value, StorageKey::new);
        Ok(Self {
            clip_id: ClipId::from(row.clip_id.0),
            job_id: JobId::from(row.job_id.0),
            data: NewClip {
                content_segment_id: row
                    .content_segment_id
                    .map(|id| ContentSegmentId::from(id.0)),
                title: name.column("title", Title::new(row.title))?,
                topic: name.nullable("topic", row.topic, ClipTopic::new)?,
                importance_score: name.fraction("importance_score", row.importance_score)?,
                time: name.time(row.start_time, row.end_time)?,
                media: ClipMedia {
                    s3_key: key("s3_key", row.s3_key)?,
                    thumbnail_s3_key: key("thumbnail_s3_key", row.thumbnail_s3_key)?,
                    subtitle_s3_key: key("subtitle_s3_key", row.subtitle_s3_key)?,
                },
                clip_order: name.column("clip_order", NonNegativeInt::new(row.clip_order))?,
                extra_metadata: name.object("extra_metadata", row.extra_metadata)?,
            },
            created_at: row.created_at.0,
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = clips, treat_none_as_default_value = false)]
struct NewClipRow<'a> {
    clip_id: DbUuid,
    job_id: DbUuid,
    content_segment_id: Option<DbUuid>,
    title: &'a str,
    topic: Option<&'a str>,
    importance_score: Option<f64>,
    start_time: f64,
    end_time: f64,
    s3_key: Option<&'a str>,
    thumbnail_s3_key: Option<&'a str>,
    subtitle_s3_key: Option<&'a str>,
    clip_order: i32,
    extra_metadata: DbJson,
    created_at: DbTime,
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
    /// The clip of this id.
    pub fn find(&mut self, clip_id: ClipId) -> Result<Option<Clip>, Error> {
        let row = clips::table
            .filter(clips::clip_id.eq(DbUuid(clip_id.as_uuid())))
            .select(COLUMNS)
            .get_result::<ClipRow>(self.0.raw)
            .optional()
            .doing("find a clip")?;
        row::one(row)
    }

    /// All clips of a job, by their order.
    pub fn for_job(&mut self, job_id: JobId) -> Result<Vec<Clip>, Error> {
        self.list(job_id, None)
    }

    /// The `n` clips that matter most, the most important first; those without
    /// a score come last.
    pub fn top(&mut self, job_id: JobId, n: usize) -> Result<Vec<Clip>, Error> {
        self.list(job_id, Some(n))
    }

    /// The `top` most important clips of a job, or all by their order.
    pub fn list(&mut self, job_id: JobId, top: Option<usize>) -> Result<Vec<Clip>, Error> {
        let mut query = clips::table
            .filter(clips::job_id.eq(DbUuid(job_id.as_uuid())))
            .select(COLUMNS)
            .into_boxed::<MultiBackend>();
        query = match top {
            Some(n) => query
                .order((
                    // The databases disagree on where nulls go by themselves.
                    clips::importance_score.is_null(),
                    clips::importance_score.desc(),
                    clips::clip_order,
                ))
                .limit(row::limit(n)),
            None => query.order(clips::clip_order.asc()),
        };
        let found = query.load::<ClipRow>(self.0.raw).doing("list clips")?;
        row::all(found)
    }

    /// The clips of several jobs, by their order: one query.
    pub fn for_jobs(&mut self, job_ids: &[JobId]) -> Result<HashMap<JobId, Vec<Clip>>, Error> {
        let ids: Vec<_> = job_ids.iter().map(|id| DbUuid(id.as_uuid())).collect();
        let found = clips::table
            .filter(clips::job_id.eq_any(ids))
            .order((clips::job_id, clips::clip_order))
            .select(COLUMNS)
            .load::<ClipRow>(self.0.raw)
            .doing("list the clips of several jobs")?;
        let mut of_job: HashMap<JobId, Vec<Clip>> = HashMap::with_capacity(job_ids.len());
        for clip in row::all::<_, Clip>(found)? {
            of_job.entry(clip.job_id).or_default().push(clip);
        }
        Ok(of_job)
    }
}

impl Clips<'_, ReadWrite> {
    /// Makes `new` all the clips of a job; `false` when there is no such job.
    /// A set that is stored already stays as it is, ids and all.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] names a `content_segment_id` that is not one of this
    /// job's segments.
    pub fn replace_for_job(
        &mut self,
        job: impl Into<JobRef>,
        new: &[NewClip],
    ) -> Result<Vec<Clip>, Error> {
        let lock = self.0.lock_job(job)?;
        let job_id = lock.job_id();
        self.check_segments(job_id, new)?;
        let mut stored: Vec<_> = row::in_insertion_order!(self.0.raw, clips, ClipRow, job_id)?;
        if row::same(&stored, new, is) {
            stored.sort_by_key(|clip| clip.clip_order);
            return Ok(stored);
        }
        diesel::delete(clips::table.filter(clips::job_id.eq(DbUuid(job_id.as_uuid()))))
            .execute(self.0.raw)
            .doing("delete clips")?;
        let clock = self.0.clock;
        let rows: Vec<_> = new
            .iter()
            .map(|clip| NewClipRow {
                clip_id: DbUuid(ClipId::new(clock).as_uuid()),
                job_id: DbUuid(job_id.as_uuid()),
                content_segment_id: clip.content_segment_id.map(|id| DbUuid(id.as_uuid())),
                title: &clip.title,
                topic: clip.topic.as_deref(),
                importance_score: clip.importance_score.map(Ratio::get),
                start_time: clip.time.start(),
                end_time: clip.time.end(),
                s3_key: clip.media.s3_key.as_deref(),
                thumbnail_s3_key: clip.media.thumbnail_s3_key.as_deref(),
                subtitle_s3_key: clip.media.subtitle_s3_key.as_deref(),
                clip_order: clip.clip_order.get(),
                extra_metadata: DbJson(clip.extra_metadata.clone().into_value()),
                created_at: lock.time(),
            })
            .collect();
        insert_all!(self.0.raw, clips::table, rows).doing("store clips")?;
        self.for_job(job_id)
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
                .filter(clips::clip_id.eq(DbUuid(clip_id.as_uuid())))
                .set(MediaChanges {
                    s3_key: nullable(&update.s3_key, StorageKey::as_str),
                    thumbnail_s3_key: nullable(&update.thumbnail_s3_key, StorageKey::as_str),
                    subtitle_s3_key: nullable(&update.subtitle_s3_key, StorageKey::as_str),
                })
                .returning(COLUMNS)
                .get_result::<ClipRow>(self.0.raw)
                .optional()
                .doing("set the media keys of a clip")?;
            row::one(changed)?
        };
        changed.ok_or(Error::ClipNotFound { clip_id })
    }

    /// A foreign key makes sure that a segment exists, not whose it is.
    fn check_segments(&mut self, job_id: JobId, new: &[NewClip]) -> Result<(), Error> {
        if new.iter().all(|clip| clip.content_segment_id.is_none()) {
            return Ok(());
        }
        let of_job = content_segments::table
            .filter(content_segments::job_id.eq(DbUuid(job_id.as_uuid())))
            .select(content_segments::segment_id)
            .load::<DbUuid>(self.0.raw)
            .doing("list the content segments of a job")?;
        let of_job: HashSet<_> = of_job.into_iter().map(|id| id.0).collect();
        let foreign = |clip: &NewClip| {
            clip.content_segment_id
                .is_some_and(|id| !of_job.contains(&id.as_uuid()))
        };
        match new.iter().position(foreign) {
            None => Ok(()),
            Some(i) => Err(Error::Invalid(Invalid::field(
                format!("clips[{i}].content_segment_id"),
                "must be a content segment of this job",
            ))),
        }
    }
}

fn is(stored: &Clip, new: &NewClip) -> bool {
    stored.content_segment_id == new.content_segment_id
        && stored.title == new.title
        && stored.topic == new.topic
        && stored.importance_score == new.importance_score
        && stored.time == new.time
        && stored.media == new.media
        && stored.clip_order == new.clip_order
        && stored.extra_metadata == new.extra_metadata
}
