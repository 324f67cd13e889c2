//! Clips: the table `clips`.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::dsl::max;
use diesel::prelude::*;
use lectern_domain::{
    Clip, ClipId, ClipItem, ClipMedia, ClipMediaUpdate, ClipTopic, ClipUpdate, ContentSegmentId,
    Cut, CutRecord, Invalid, JobId, JsonObject, NewClip, NonNegativeInt, Patch, Ratio, StorageKey,
    TimeRange, Title,
};

use super::replace_set::edit::edit_rows;
use super::replace_set::set_page::{RowKey, SetCursor, SetPage, page_of_set, unless_large};
use super::replace_set::{
    Comparison, JobSetItem, Keep, compare_rows, delete_for, job_set, rows_of_insert,
};
use crate::connection::MultiBackend;
use crate::connection::{Conn, ReadWrite};
use crate::dialect::{JobLock, JobRef};
use crate::error::{Doing, Error};
use crate::schema::{clips, content_segments};
use crate::sql::page::row_count;
use crate::sql::row::{self, RowDecoder, columns, nullable_change};
use crate::sql::stored::Stored;
use crate::sql::stored_time::StoredTime;
use crate::sql::types::{DbTime, Id, Jsonb};

/// A row of `clips`.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = clips, treat_none_as_default_value = false, treat_none_as_null = true)]
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
    stale_since: Option<StoredTime>,
    cut_record: Option<Stored<CutRecord>>,
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
            cut: Cut {
                stale_since: decoder.column("stale_since", row.stale_since)?,
                record: decoder.column("cut_record", row.cut_record)?,
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
            stale_since: clip.cut.stale_since.map(StoredTime::from),
            cut_record: clip.cut.record.map(Stored::from),
        }
    }
}

job_set! {
    clips: Clip { clip_id: ClipId, data: NewClip, cut: Cut::default() } in ClipRow,
    bytes of long columns: |clip| clip.extra_metadata.memory(),
    order by |a, b| a.clip_order.cmp(&b.clip_order),
}

/// SQL for the number of bytes in a row's column of unbounded length.
const TEXT_BYTES: &str = "CAST(octet_length(CAST(clips.extra_metadata AS text)) AS bigint)";

#[derive(AsChangeset)]
#[diesel(table_name = clips)]
struct MediaChanges<'a> {
    s3_key: Option<Option<&'a str>>,
    thumbnail_s3_key: Option<Option<&'a str>>,
    subtitle_s3_key: Option<Option<&'a str>>,
    stale_since: Option<Option<DbTime>>,
    cut_record: Option<Option<&'a str>>,
}

/// The columns of a clip that a set with the clip's id keeps or compares.
type KeptColumns = (
    Id<ClipId>,
    f64,
    f64,
    Option<Stored<StorageKey>>,
    StoredTime,
    Option<StoredTime>,
    Option<Stored<CutRecord>>,
);

/// What a set with a clip's id keeps of the stored clip, or compares with it.
struct KeptClip {
    time: TimeRange,
    s3_key: Option<StorageKey>,
    created_at: DateTime<Utc>,
    cut: Cut,
}

/// The repository of the clips: `conn.clips()`.
#[derive(Debug)]
pub struct Clips<'c, Mode>(pub(crate) Conn<'c, Mode>);

edit_rows! {
    Clips of clips: Clip { clip_id: ClipId } in ClipRow,
    bytes: TEXT_BYTES,
    not_found: |clip_id| Error::ClipNotFound { clip_id },
    order: clip_order of "clip",
}

impl<Mode> Clips<'_, Mode> {
    /// The number of clips of a job.
    pub fn count(&mut self, job_id: JobId) -> Result<i64, Error> {
        clips::table
            .filter(clips::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("clips"))
            .count()
            .get_result(self.0.raw)
            .doing("count clips")
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
            .filter(self.0.context.owned("clips"))
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
                clips::stale_since,
                clips::cut_record,
            ),
            bytes: TEXT_BYTES,
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

    /// Whether the job exists and replacing its clips by these would change nothing.
    /// In [`Database::read`](crate::Database::read), this does not wait for other writes.
    pub fn is_stored(&mut self, job_id: JobId, items: &[ClipItem]) -> Result<bool, Error> {
        if !self.0.jobs().exists(job_id)? {
            return Ok(false);
        }
        let compared = self.compare(job_id, items, Keep::Nothing)?;
        Ok(matches!(compared, Comparison::Equal(_)))
    }

    /// Compares the clips of a job, in the order in which they were stored, with `items`.
    fn compare(
        &mut self,
        job_id: JobId,
        items: &[ClipItem],
        keep: Keep,
    ) -> Result<Comparison<Clip>, Error> {
        let conn = &mut self.0;
        compare_rows!(
            conn, job_id, items, keep,
            clips: Clip in ClipRow,
            equal: |stored, item| item.equals(&stored)
        )
    }

    fn rows_of_jobs(&mut self, job_ids: &[JobId]) -> Result<Vec<ClipRow>, Error> {
        let ids: Vec<_> = job_ids.iter().copied().map(Id).collect();
        clips::table
            .filter(clips::job_id.eq_any(ids))
            .filter(self.0.context.owned("clips"))
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
    /// [`Error::QuotaExceeded`]; [`Error::JobNotFound`]; [`Error::Invalid`] names a `content_segment_id`
    /// that is not one of this job's segments.
    pub fn replace_for_job(
        &mut self,
        job: impl Into<JobRef>,
        new: &[NewClip],
    ) -> Result<Vec<Clip>, Error> {
        let items: Vec<_> = new.iter().cloned().map(ClipItem::from).collect();
        self.replace_with_items(job, &items)
    }

    /// Like [`replace_for_job`](Self::replace_for_job). An item with a `clip_id` keeps the id
    /// of this clip of the job and the time when it was created.
    ///
    /// # Errors
    ///
    /// As [`Clips::replace_for_job`]; [`Error::Invalid`] also names a `clip_id` that is not
    /// one of this job's clips, or that two items have.
    pub fn replace_with_items(
        &mut self,
        job: impl Into<JobRef>,
        items: &[ClipItem],
    ) -> Result<Vec<Clip>, Error> {
        let lock = self.0.lock_job(job)?;
        let compared = self.compare(lock.job_id(), items, Keep::Rows)?;
        let mut stored = if let Comparison::Equal(stored) = compared {
            stored
        } else {
            self.replace_different(lock, items)?;
            row::all(Clip::load(self.0.raw, lock.job_id())?)?
        };
        stored.sort_by(JobSetItem::order);
        Ok(stored)
    }

    /// Like [`replace_with_items`](Self::replace_with_items), but does not return the clips,
    /// so that a large set is in memory only once.
    pub fn replace_without_returning(
        &mut self,
        job: impl Into<JobRef>,
        items: &[ClipItem],
    ) -> Result<(), Error> {
        let lock = self.0.lock_job(job)?;
        match self.compare(lock.job_id(), items, Keep::Nothing)? {
            Comparison::Equal(_) => Ok(()),
            _ => self.replace_different(lock, items),
        }
    }

    /// Adds a clip to those of a job, by default after the last one, and returns it.
    ///
    /// # Errors
    ///
    /// [`Error::QuotaExceeded`]; [`Error::JobNotFound`]; [`Error::Invalid`] names the field of a content segment of
    /// another job, or of a position that another clip has.
    pub fn add(
        &mut self,
        job: impl Into<JobRef>,
        clip: NewClip,
        position: Option<NonNegativeInt>,
    ) -> Result<Clip, Error> {
        let lock = self.0.lock_job(job)?;
        let clip_order = match position {
            Some(position) => position,
            None => self.next_position(lock.job_id())?,
        };
        let new = NewClip { clip_order, ..clip };
        self.check_segment_of(lock.job_id(), &new)?;
        let clip = <Clip as JobSetItem>::new(new, lock, self.0.clock);
        self.check_position(&clip, "clip_order")?;
        self.0.check_row_quota(lock, 1)?;
        self.0.count_rows(lock, 1, 0)?;
        self.0
            .context
            .record_value_size(Clip::text_bytes(&clip.data));
        diesel::insert_into(clips::table)
            .values(ClipRow::from(clip))
            .returning(columns::<ClipRow>())
            .get_result::<ClipRow>(self.0.raw)
            .doing("add a clip")?
            .try_into()
    }

    /// Changes a clip of a job and returns it. A clip whose times change is stale.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`]; [`Error::ClipNotFound`]; [`Error::Invalid`] names the field of
    /// a time, a position or a content segment that the clip cannot have.
    pub fn update(
        &mut self,
        job: impl Into<JobRef>,
        clip_id: ClipId,
        update: &ClipUpdate,
    ) -> Result<Clip, Error> {
        let lock = self.0.lock_job(job)?;
        let mut clip = self.find_of(lock, clip_id)?;
        let data = update.applied_to(&clip.data)?;
        if data == clip.data {
            return Ok(clip);
        }
        self.check_segment_of(lock.job_id(), &data)?;
        let before = clip.clone();
        clip.change(data, lock.time().0);
        self.store(lock, &before, clip)
    }

    /// The position after the last clip of a job.
    fn next_position(&mut self, job_id: JobId) -> Result<NonNegativeInt, Error> {
        let last: Option<i32> = clips::table
            .filter(clips::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("clips"))
            .select(max(clips::clip_order))
            .first(self.0.raw)
            .doing("find the position of the last clip")?;
        let next = last.map_or(Some(0), |last| last.checked_add(1));
        let next = next.ok_or_else(|| {
            let message = "must be given, because the last clip has the greatest position";
            Invalid::field("clip_order", message)
        })?;
        Ok(NonNegativeInt::new(next)?)
    }

    fn replace_different(&mut self, lock: JobLock, items: &[ClipItem]) -> Result<(), Error> {
        let clips = || items.iter().map(|item| &item.clip);
        self.check_segments(lock.job_id(), clips())?;
        let mut kept = self.kept_clips(lock.job_id(), items)?;
        let inserted = items.len();
        let deleted = delete_for::<Clip>(&mut self.0, lock, inserted)?;
        if !kept.is_empty() {
            // A reader of pages does not see from the ids that the rows were replaced.
            self.0.record_row_edit(lock)?;
        }
        let longest = clips().map(Clip::text_bytes).max();
        self.0
            .context
            .record_value_size(longest.unwrap_or_default());
        let mut items = items;
        while !items.is_empty() {
            let bytes = items.iter().map(|item| Clip::text_bytes(&item.clip));
            let (next, rest) = items.split_at(rows_of_insert(bytes));
            let rows: Vec<ClipRow> = next
                .iter()
                .map(|item| {
                    let clip = <Clip as JobSetItem>::new(item.clip.clone(), lock, self.0.clock);
                    let stored = item.clip_id.and_then(|id| Some((id, kept.remove(&id)?)));
                    match stored {
                        Some((clip_id, kept)) => kept.changed_to(clip_id, clip, lock.time().0),
                        None => clip,
                    }
                    .into()
                })
                .collect();
            Clip::insert(&mut self.0, &rows)?;
            items = rest;
        }
        self.0.count_rows(lock, inserted, deleted)
    }

    /// The stored clips that `items` change.
    fn kept_clips(
        &mut self,
        job_id: JobId,
        items: &[ClipItem],
    ) -> Result<HashMap<ClipId, KeptClip>, Error> {
        let mut given = HashSet::new();
        for (i, item) in items.iter().enumerate() {
            if item.clip_id.is_some_and(|id| !given.insert(id)) {
                let message = "must be unique: an earlier item is the same clip";
                return Err(Invalid::field(format!("clips[{i}].clip_id"), message).into());
            }
        }
        if given.is_empty() {
            return Ok(HashMap::new());
        }
        let rows: Vec<KeptColumns> = clips::table
            .filter(clips::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("clips"))
            .select((
                clips::clip_id,
                clips::start_time,
                clips::end_time,
                clips::s3_key,
                clips::created_at,
                clips::stale_since,
                clips::cut_record,
            ))
            .load(self.0.raw)
            .doing("read the ids of clips")?;
        let rows = rows.into_iter().filter(|row| given.contains(&row.0.0));
        let kept: HashMap<_, _> = rows.map(KeptClip::of).collect::<Result<_, _>>()?;
        let is_unknown = |item: &ClipItem| item.clip_id.is_some_and(|id| !kept.contains_key(&id));
        match items.iter().position(is_unknown) {
            None => Ok(kept),
            Some(i) => {
                let message = "must be a clip of this job";
                Err(Invalid::field(format!("clips[{i}].clip_id"), message).into())
            }
        }
    }

    /// Changes the storage keys of a clip's files, and returns the clip. A clip with a new
    /// video is not stale any more.
    ///
    /// # Errors
    ///
    /// [`Error::ClipNotFound`].
    pub fn set_media_keys(
        &mut self,
        clip_id: ClipId,
        update: &ClipMediaUpdate,
    ) -> Result<Clip, Error> {
        if *update == ClipMediaUpdate::default() {
            let clip = self.find(clip_id)?;
            return clip.ok_or(Error::ClipNotFound { clip_id });
        }
        self.set_media(clip_id, update, None)
    }

    /// As [`Clips::set_media_keys`], for files that were made as `record` says.
    ///
    /// # Errors
    ///
    /// [`Error::ClipNotFound`].
    pub fn set_cut(
        &mut self,
        clip_id: ClipId,
        update: &ClipMediaUpdate,
        record: &CutRecord,
    ) -> Result<Clip, Error> {
        self.set_media(clip_id, update, Some(record))
    }

    fn set_media(
        &mut self,
        clip_id: ClipId,
        update: &ClipMediaUpdate,
        record: Option<&CutRecord>,
    ) -> Result<Clip, Error> {
        let record = record.map(CutRecord::as_str);
        let is_cut = record.is_some() || update.s3_key.new_value().is_some();
        let keeps_record = record.is_none() && update.s3_key == Patch::Keep;
        let changed = diesel::update(clips::table)
            .filter(clips::clip_id.eq(Id(clip_id)))
            .filter(self.0.context.owned("clips"))
            .set(MediaChanges {
                s3_key: nullable_change(&update.s3_key, StorageKey::as_str),
                thumbnail_s3_key: nullable_change(&update.thumbnail_s3_key, StorageKey::as_str),
                subtitle_s3_key: nullable_change(&update.subtitle_s3_key, StorageKey::as_str),
                stale_since: is_cut.then_some(None),
                cut_record: (!keeps_record).then_some(record),
            })
            .returning(columns::<ClipRow>())
            .get_result::<ClipRow>(self.0.raw)
            .optional()
            .doing("set the media keys of a clip")?;
        row::one(changed)?.ok_or(Error::ClipNotFound { clip_id })
    }

    /// [`check_segments`](Self::check_segments) for one clip. The error names
    /// `content_segment_id`.
    fn check_segment_of(&mut self, job_id: JobId, clip: &NewClip) -> Result<(), Error> {
        self.check_segments(job_id, [clip])
            .map_err(|error| match error {
                Error::Invalid(_) => {
                    let message = "must be a content segment of this job";
                    Invalid::field("content_segment_id", message).into()
                }
                other => other,
            })
    }

    /// Checks that the segments that clips refer to belong to this job; the foreign
    /// key checks only that they exist.
    fn check_segments<'n>(
        &mut self,
        job_id: JobId,
        new: impl IntoIterator<Item = &'n NewClip> + Clone,
    ) -> Result<(), Error> {
        let mut clips = new.clone().into_iter();
        if clips.all(|clip| clip.content_segment_id.is_none()) {
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
        match new.into_iter().position(is_foreign) {
            None => Ok(()),
            Some(i) => Err(Error::Invalid(Invalid::field(
                format!("clips[{i}].content_segment_id"),
                "must be a content segment of this job",
            ))),
        }
    }
}

impl KeptClip {
    fn of(row: KeptColumns) -> Result<(ClipId, Self), Error> {
        let (clip_id, start, end, s3_key, created_at, stale_since, record) = row;
        let decoder = RowDecoder::new("clips", clip_id.0);
        let kept = Self {
            time: decoder.time_range(start, end)?,
            s3_key: decoder.column("s3_key", s3_key)?,
            created_at: decoder.column("created_at", created_at)?,
            cut: Cut {
                stale_since: decoder.column("stale_since", stale_since)?,
                record: decoder.column("cut_record", record)?,
            },
        };
        Ok((clip_id.0, kept))
    }

    /// The stored clip with the data of `new`.
    fn changed_to(self, clip_id: ClipId, new: Clip, now: DateTime<Utc>) -> Clip {
        Clip {
            clip_id,
            cut: self
                .cut
                .after_change((self.time, self.s3_key.as_ref()), &new.data, now),
            created_at: self.created_at,
            ..new
        }
    }
}
