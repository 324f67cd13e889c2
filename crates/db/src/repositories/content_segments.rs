//! What the recordings are about.

use diesel::prelude::*;
use lectern_domain::{
    ContentSegment, ContentSegmentId, JobId, Keyword, LongText, NewContentSegment, NonNegativeInt,
    Ratio, Topic,
};
use serde_json::Value;

use crate::connection::MultiBackend;
use crate::connection::{Conn, ReadWrite};
use crate::dialect::{JobRef, has_keyword, insert_all};
use crate::error::{Doing, Error};
use crate::schema::content_segments;
use crate::sql::row;
use crate::sql::row::{RowName, columns};
use crate::sql::types::{DbJson, DbTime, DbUuid};

columns!(content_segments:
    segment_id, job_id, start_time, end_time, topic, description, importance_score, keywords,
    concepts, segment_order, created_at,
);

#[derive(Queryable)]
struct SegmentRow {
    segment_id: DbUuid,
    job_id: DbUuid,
    start_time: f64,
    end_time: f64,
    topic: String,
    description: Option<String>,
    importance_score: f64,
    keywords: DbJson,
    concepts: DbJson,
    segment_order: i32,
    created_at: DbTime,
}

impl TryFrom<SegmentRow> for ContentSegment {
    type Error = Error;

    fn try_from(row: SegmentRow) -> Result<Self, Error> {
        let name = RowName {
            table: "content_segments",
            id: row.segment_id.0,
        };
        Ok(Self {
            segment_id: ContentSegmentId::from(row.segment_id.0),
            job_id: JobId::from(row.job_id.0),
            data: NewContentSegment {
                time: name.time(row.start_time, row.end_time)?,
                topic: name.column("topic", Topic::new(row.topic))?,
                description: name.nullable("description", row.description, LongText::new)?,
                importance_score: name
                    .column("importance_score", Ratio::new(row.importance_score))?,
                keywords: name.strings("keywords", row.keywords, Keyword::new)?,
                concepts: name.strings("concepts", row.concepts, Keyword::new)?,
                segment_order: name
                    .column("segment_order", NonNegativeInt::new(row.segment_order))?,
            },
            created_at: row.created_at.0,
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = content_segments, treat_none_as_default_value = false)]
struct NewSegmentRow<'a> {
    segment_id: DbUuid,
    job_id: DbUuid,
    start_time: f64,
    end_time: f64,
    topic: &'a str,
    description: Option<&'a str>,
    importance_score: f64,
    keywords: DbJson,
    concepts: DbJson,
    segment_order: i32,
    created_at: DbTime,
}

/// The repository of the content segments: `conn.content_segments()`.
#[derive(Debug)]
pub struct ContentSegments<'c, Mode>(pub(crate) Conn<'c, Mode>);

impl<Mode> ContentSegments<'_, Mode> {
    /// All segments of a job, by their order.
    pub fn for_job(&mut self, job_id: JobId) -> Result<Vec<ContentSegment>, Error> {
        self.list(job_id, None, None)
    }

    /// The `n` segments that matter most, the most important first.
    pub fn top(&mut self, job_id: JobId, n: usize) -> Result<Vec<ContentSegment>, Error> {
        self.list(job_id, None, Some(n))
    }

    /// The segments that have `keyword` among their keywords, to the letter.
    pub fn by_keyword(
        &mut self,
        job_id: JobId,
        keyword: &str,
    ) -> Result<Vec<ContentSegment>, Error> {
        self.list(job_id, Some(keyword), None)
    }

    /// The segments that have `keyword`, if one is given: the `top` most
    /// important, the most important first, or all by their order.
    pub fn list(
        &mut self,
        job_id: JobId,
        keyword: Option<&str>,
        top: Option<usize>,
    ) -> Result<Vec<ContentSegment>, Error> {
        let mut query = content_segments::table
            .filter(content_segments::job_id.eq(DbUuid(job_id.as_uuid())))
            .select(COLUMNS)
            .into_boxed::<MultiBackend>();
        if let Some(keyword) = keyword {
            query = query.filter(has_keyword(self.0.raw, keyword));
        }
        query = match top {
            Some(n) => query
                .order((
                    content_segments::importance_score.desc(),
                    content_segments::segment_order,
                ))
                .limit(row::limit(n)),
            None => query.order(content_segments::segment_order.asc()),
        };
        let found = query
            .load::<SegmentRow>(self.0.raw)
            .doing("list content segments")?;
        row::all(found)
    }
}

impl ContentSegments<'_, ReadWrite> {
    /// Makes `segments` all the content of a job; `false` when there is no such
    /// job. Clips cut along segments that go lose the reference. A set that is
    /// stored already stays as it is, ids and all.
    pub fn replace_for_job(
        &mut self,
        job: impl Into<JobRef>,
        segments: &[NewContentSegment],
    ) -> Result<Vec<ContentSegment>, Error> {
        let lock = self.0.lock_job(job)?;
        let job_id = lock.job_id();
        let mut stored: Vec<_> =
            row::in_insertion_order!(self.0.raw, content_segments, SegmentRow, job_id)?;
        if row::same(&stored, segments, is) {
            stored.sort_by_key(|segment| segment.segment_order);
            return Ok(stored);
        }
        let of_job = content_segments::job_id.eq(DbUuid(job_id.as_uuid()));
        diesel::delete(content_segments::table.filter(of_job))
            .execute(self.0.raw)
            .doing("delete content segments")?;
        let clock = self.0.clock;
        let rows: Vec<_> = segments
            .iter()
            .map(|segment| NewSegmentRow {
                segment_id: DbUuid(ContentSegmentId::new(clock).as_uuid()),
                job_id: DbUuid(job_id.as_uuid()),
                start_time: segment.time.start(),
                end_time: segment.time.end(),
                topic: &segment.topic,
                description: segment.description.as_deref(),
                importance_score: segment.importance_score.get(),
                keywords: strings(&segment.keywords),
                concepts: strings(&segment.concepts),
                segment_order: segment.segment_order.get(),
                created_at: lock.time(),
            })
            .collect();
        insert_all!(self.0.raw, content_segments::table, rows).doing("store content segments")?;
        self.for_job(job_id)
    }
}

fn strings(words: &[Keyword]) -> DbJson {
    DbJson(
        words
            .iter()
            .map(|word| Value::from(word.as_str()))
            .collect(),
    )
}

fn is(stored: &ContentSegment, new: &NewContentSegment) -> bool {
    stored.time == new.time
        && stored.topic == new.topic
        && stored.description == new.description
        && stored.importance_score == new.importance_score
        && stored.keywords == new.keywords
        && stored.concepts == new.concepts
        && stored.segment_order == new.segment_order
}
