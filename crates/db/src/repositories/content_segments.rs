//! Content segments: the table `content_segments`.

use diesel::prelude::*;
use lectern_domain::{
    ContentSegment, ContentSegmentId, ContentSegmentUpdate, JobId, Keyword, LongText,
    NewContentSegment, NonNegativeInt, Ratio, Topic,
};

use super::replace_set::edit::edit_rows;
use super::replace_set::set_page::{RowKey, SetCursor, SetPage, page_of_set, unless_large};
use super::replace_set::{self, job_set};
use crate::connection::MultiBackend;
use crate::connection::{Conn, ReadWrite};
use crate::dialect::{JobRef, has_keyword};
use crate::error::{Doing, Error};
use crate::schema::content_segments;
use crate::sql::page::row_count;
use crate::sql::row::{RowDecoder, columns};
use crate::sql::stored::Stored;
use crate::sql::stored_time::StoredTime;
use crate::sql::types::{Id, Jsonb, Nullable, Text};

/// A row of `content_segments`.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = content_segments, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct SegmentRow {
    segment_id: Id<ContentSegmentId>,
    job_id: Id<JobId>,
    start_time: f64,
    end_time: f64,
    topic: Stored<Topic>,
    description: Option<Stored<LongText>>,
    importance_score: Stored<Ratio>,
    keywords: Stored<Vec<Keyword>>,
    concepts: Stored<Vec<Keyword>>,
    segment_order: Stored<NonNegativeInt>,
    created_at: StoredTime,
}

/// SQL for the number of bytes in a row's columns of unbounded length.
const TEXT_BYTES: &str = "CAST(octet_length(COALESCE(content_segments.description, ''))
    + octet_length(CAST(content_segments.keywords AS text))
    + octet_length(CAST(content_segments.concepts AS text)) AS bigint)";

impl TryFrom<SegmentRow> for ContentSegment {
    type Error = Error;

    fn try_from(row: SegmentRow) -> Result<Self, Error> {
        let decoder = RowDecoder::new("content_segments", row.segment_id.0);
        Ok(Self {
            segment_id: row.segment_id.0,
            job_id: row.job_id.0,
            data: NewContentSegment {
                time: decoder.time_range(row.start_time, row.end_time)?,
                topic: decoder.column("topic", row.topic)?,
                description: decoder.column("description", row.description)?,
                importance_score: decoder.column("importance_score", row.importance_score)?,
                keywords: decoder.column("keywords", row.keywords)?,
                concepts: decoder.column("concepts", row.concepts)?,
                segment_order: decoder.column("segment_order", row.segment_order)?,
            },
            created_at: decoder.column("created_at", row.created_at)?,
        })
    }
}

impl From<ContentSegment> for SegmentRow {
    fn from(segment: ContentSegment) -> Self {
        let data = segment.data;
        Self {
            segment_id: Id(segment.segment_id),
            job_id: Id(segment.job_id),
            start_time: data.time.start(),
            end_time: data.time.end(),
            topic: data.topic.into(),
            description: data.description.map(Stored::from),
            importance_score: data.importance_score.into(),
            keywords: data.keywords.into(),
            concepts: data.concepts.into(),
            segment_order: data.segment_order.into(),
            created_at: segment.created_at.into(),
        }
    }
}

job_set! {
    content_segments: ContentSegment { segment_id: ContentSegmentId, data: NewContentSegment }
        in SegmentRow,
    bytes of long columns: |segment| segment.description.as_ref().map_or(0, |text| text.len()),
    order by |a, b| a.segment_order.cmp(&b.segment_order),
}

/// The repository of the content segments: `conn.content_segments()`.
#[derive(Debug)]
pub struct ContentSegments<'c, Mode>(pub(crate) Conn<'c, Mode>);

edit_rows! {
    ContentSegments of content_segments: ContentSegment { segment_id: ContentSegmentId } in SegmentRow,
    bytes: TEXT_BYTES,
    not_found: |id: ContentSegmentId| Error::SegmentNotFound { segment_id: id.as_uuid() },
    order: segment_order of "segment",
}

impl<Mode> ContentSegments<'_, Mode> {
    /// All segments of a job, by `segment_order`.
    pub fn for_job(&mut self, job_id: JobId) -> Result<Vec<ContentSegment>, Error> {
        self.list(job_id, None, None)
    }

    /// The `n` most important segments, by descending importance.
    pub fn top(&mut self, job_id: JobId, n: usize) -> Result<Vec<ContentSegment>, Error> {
        self.list(job_id, None, Some(n))
    }

    /// The segments with exactly `keyword` among their keywords.
    pub fn by_keyword(
        &mut self,
        job_id: JobId,
        keyword: &str,
    ) -> Result<Vec<ContentSegment>, Error> {
        self.list(job_id, Some(keyword), None)
    }

    /// The segments of a job, by `segment_order`. `keyword` limits the list to segments
    /// with exactly this keyword; `top` to the most important, by descending importance.
    pub fn list(
        &mut self,
        job_id: JobId,
        keyword: Option<&str>,
        top: Option<usize>,
    ) -> Result<Vec<ContentSegment>, Error> {
        let mut query = content_segments::table
            .filter(content_segments::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("content_segments"))
            .select(columns::<SegmentRow>())
            .into_boxed::<MultiBackend>();
        if let Some(keyword) = keyword {
            query = query.filter(has_keyword(self.0.raw.backend(), keyword));
        }
        query = match top {
            Some(n) => query
                .order((
                    content_segments::importance_score.desc(),
                    content_segments::segment_order,
                ))
                .limit(row_count(n)),
            None => query.order(content_segments::segment_order.asc()),
        };
        let found = query
            .load::<SegmentRow>(self.0.raw)
            .doing("list content segments")?;
        self.0.readable(found)
    }

    /// A page of the segments of [`list`](Self::list):
    /// the first one, or the one that begins at `after`. See
    /// [`Transcripts::page`](crate::Transcripts::page).
    ///
    /// # Errors
    ///
    /// [`Error::ReplacedMeanwhile`].
    pub fn page(
        &mut self,
        job_id: JobId,
        keyword: Option<&str>,
        top: Option<usize>,
        after: Option<&SetCursor>,
    ) -> Result<SetPage<ContentSegment>, Error> {
        let keyword = keyword.map(|keyword| has_keyword(self.0.raw.backend(), keyword));
        page_of_set!(
            self.0, job_id, after,
            content_segments, SegmentRow, segment_id,
            query: {
                let mut query = content_segments::table.into_boxed::<Db>();
                if let Some(has_keyword) = &keyword {
                    query = query.filter(has_keyword.clone());
                }
                query
            },
            sorted: |query, pages| if let Some(top) = top {
                query
                    .order((content_segments::importance_score.desc(), content_segments::segment_order))
                    .limit(row_count(pages.limit().min(top.saturating_sub(pages.skip))))
                    .offset(row_count(pages.skip))
            } else {
                if let Some(last) = pages.last {
                    query = query.filter(content_segments::segment_order.gt(last.position));
                }
                query.order(content_segments::segment_order)
            },
            columns: (
                content_segments::segment_id,
                content_segments::job_id,
                content_segments::start_time,
                content_segments::end_time,
                content_segments::topic,
                unless_large!(Nullable<Text>, "content_segments.description", else "NULL"),
                content_segments::importance_score,
                unless_large!(Jsonb, "content_segments.keywords", else "'[]'"),
                unless_large!(Jsonb, "content_segments.concepts", else "'[]'"),
                content_segments::segment_order,
                content_segments::created_at,
            ),
            bytes: TEXT_BYTES,
            key: |row, id| RowKey {
                id,
                public_id: row.segment_id.0.as_uuid(),
                start_time: row.start_time,
                position: row.segment_order.readable().map_or(0, |order| order.get()),
            },
            matches: |_row| true,
        )
    }

    /// Whether the job exists and replacing its content segments by these would change nothing.
    /// In [`Database::read`](crate::Database::read), this does not wait for other writes.
    pub fn is_stored(
        &mut self,
        job_id: JobId,
        segments: &[NewContentSegment],
    ) -> Result<bool, Error> {
        replace_set::is_stored::<ContentSegment, _>(&mut self.0, job_id, segments)
    }
}

impl ContentSegments<'_, ReadWrite> {
    /// Changes a segment of a job and returns it.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`]; [`Error::SegmentNotFound`]; [`Error::Invalid`] when the
    /// segment would end before it starts, or another segment has its position.
    pub fn update(
        &mut self,
        job: impl Into<JobRef>,
        segment_id: ContentSegmentId,
        update: &ContentSegmentUpdate,
    ) -> Result<ContentSegment, Error> {
        let lock = self.0.lock_job(job)?;
        let mut segment = self.find_of(lock, segment_id)?;
        let data = update.applied_to(&segment.data)?;
        if data == segment.data {
            return Ok(segment);
        }
        let before = segment.clone();
        segment.data = data;
        self.store(lock, &before, segment)
    }

    /// Replaces the content segments of a job and returns them by
    /// `segment_order`. Clips that refer to a deleted segment lose the reference.
    /// A set equal to the stored one changes nothing: its rows keep their ids.
    ///
    /// # Errors
    ///
    /// [`Error::QuotaExceeded`]; [`Error::JobNotFound`].
    pub fn replace_for_job(
        &mut self,
        job: impl Into<JobRef>,
        segments: &[NewContentSegment],
    ) -> Result<Vec<ContentSegment>, Error> {
        let lock = self.0.lock_job(job)?;
        replace_set::replace(&mut self.0, lock, segments)
    }

    /// Like [`replace_for_job`](Self::replace_for_job), but does not return the segments, so
    /// that a large set is in memory only once.
    pub fn replace_without_returning(
        &mut self,
        job: impl Into<JobRef>,
        segments: &[NewContentSegment],
    ) -> Result<(), Error> {
        let lock = self.0.lock_job(job)?;
        replace_set::replace_without_returning::<ContentSegment>(&mut self.0, lock, segments)
    }
}
