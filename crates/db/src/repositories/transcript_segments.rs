//! What was said.

use diesel::prelude::*;
use lectern_domain::{
    JobId, NewTranscriptSegment, Ratio, SpeakerId, SpokenText, TranscriptSegment,
    TranscriptSegmentId, Window,
};

use crate::connection::MultiBackend;
use crate::connection::{Conn, ReadWrite};
use crate::dialect::{JobLock, JobRef, insert_all};
use crate::error::{Doing, Error};
use crate::schema::transcripts;
use crate::sql::row::{RowName, columns};
use crate::sql::types::{DbTime, DbUuid};
use crate::sql::{row, text_search, window};

columns!(transcripts:
    segment_id, job_id, start_time, end_time, text, confidence, speaker_id, created_at,
);

#[derive(Queryable)]
struct SegmentRow {
    segment_id: DbUuid,
    job_id: DbUuid,
    start_time: f64,
    end_time: f64,
    text: String,
    confidence: Option<f64>,
    speaker_id: Option<String>,
    created_at: DbTime,
}

impl TryFrom<SegmentRow> for TranscriptSegment {
    type Error = Error;

    fn try_from(row: SegmentRow) -> Result<Self, Error> {
        let name = RowName {
            table: "transcripts",
            id: row.segment_id.0,
        };
        Ok(Self {
            segment_id: TranscriptSegmentId::from(row.segment_id.0),
            job_id: JobId::from(row.job_id.0),
            data: NewTranscriptSegment {
                time: name.time(row.start_time, row.end_time)?,
                text: name.column("text", SpokenText::new(row.text))?,
                confidence: name.fraction("confidence", row.confidence)?,
                speaker_id: name.nullable("speaker_id", row.speaker_id, SpeakerId::new)?,
            },
            created_at: row.created_at.0,
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = transcripts, treat_none_as_default_value = false)]
struct NewSegmentRow<'a> {
    segment_id: DbUuid,
    job_id: DbUuid,
    start_time: f64,
    end_time: f64,
    text: &'a str,
    confidence: Option<f64>,
    speaker_id: Option<&'a str>,
    created_at: DbTime,
}

/// The repository of the transcripts: `conn.transcripts()`.
#[derive(Debug)]
pub struct Transcripts<'c, Mode>(pub(crate) Conn<'c, Mode>);

impl<Mode> Transcripts<'_, Mode> {
    /// All segments of a job, by time.
    pub fn for_job(&mut self, job_id: JobId) -> Result<Vec<TranscriptSegment>, Error> {
        self.list(job_id, Window::default(), None)
    }

    /// The segments that overlap `window`, by time.
    pub fn in_range(
        &mut self,
        job_id: JobId,
        window: Window,
    ) -> Result<Vec<TranscriptSegment>, Error> {
        self.list(job_id, window, None)
    }

    /// The segments whose text holds `words`, by time. Upper and lower case
    /// are the same; every character means itself.
    pub fn search(&mut self, job_id: JobId, words: &str) -> Result<Vec<TranscriptSegment>, Error> {
        self.list(job_id, Window::default(), Some(words))
    }

    /// The segments that overlap `window` and hold `words`, by time.
    pub fn list(
        &mut self,
        job_id: JobId,
        window: Window,
        words: Option<&str>,
    ) -> Result<Vec<TranscriptSegment>, Error> {
        let mut query = transcripts::table
            .filter(transcripts::job_id.eq(DbUuid(job_id.as_uuid())))
            .order((transcripts::start_time, transcripts::id))
            .select(COLUMNS)
            .into_boxed::<MultiBackend>();
        query = window::overlapping!(query, transcripts, window);
        let rows = query
            .load::<SegmentRow>(self.0.raw)
            .doing("list transcript segments")?;
        let segments: Vec<TranscriptSegment> = row::all(rows)?;
        Ok(match words {
            Some(words) => text_search::holding(segments, words, |segment| &segment.text),
            None => segments,
        })
    }

    /// How many segments a job has.
    pub fn count(&mut self, job_id: JobId) -> Result<i64, Error> {
        transcripts::table
            .filter(transcripts::job_id.eq(DbUuid(job_id.as_uuid())))
            .count()
            .get_result(self.0.raw)
            .doing("count transcript segments")
    }
}

impl Transcripts<'_, ReadWrite> {
    /// Makes `segments` the whole transcript of a job, and returns them.
    /// A set that is stored already stays as it is, ids and all.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`].
    pub fn replace_for_job(
        &mut self,
        job: impl Into<JobRef>,
        segments: &[NewTranscriptSegment],
    ) -> Result<Vec<TranscriptSegment>, Error> {
        let lock = self.0.lock_job(job)?;
        let job_id = lock.job_id();
        let mut stored: Vec<_> =
            row::in_insertion_order!(self.0.raw, transcripts, SegmentRow, job_id)?;
        if row::same(&stored, segments, is) {
            stored.sort_by(|a, b| a.time.start().total_cmp(&b.time.start()));
            return Ok(stored);
        }
        diesel::delete(transcripts::table.filter(transcripts::job_id.eq(DbUuid(job_id.as_uuid()))))
            .execute(self.0.raw)
            .doing("delete a transcript")?;
        let mut stored = self.insert(lock, segments)?;
        stored.sort_by(|a, b| a.time.start().total_cmp(&b.time.start()));
        Ok(stored)
    }

    /// Adds `segments` to the transcript of a job, as a live transcriber does,
    /// and returns them.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`].
    pub fn append(
        &mut self,
        job: impl Into<JobRef>,
        segments: &[NewTranscriptSegment],
    ) -> Result<Vec<TranscriptSegment>, Error> {
        let lock = self.0.lock_job(job)?;
        self.insert(lock, segments)
    }

    /// Inserts `segments` and answers them. Nothing is read back: both
    /// databases keep every one of these columns to the bit.
    fn insert(
        &mut self,
        lock: JobLock,
        segments: &[NewTranscriptSegment],
    ) -> Result<Vec<TranscriptSegment>, Error> {
        let stored: Vec<_> = segments
            .iter()
            .map(|segment| TranscriptSegment {
                segment_id: TranscriptSegmentId::new(self.0.clock),
                job_id: lock.job_id(),
                data: segment.clone(),
                created_at: lock.time().0,
            })
            .collect();
        let rows: Vec<_> = stored.iter().map(NewSegmentRow::from).collect();
        insert_all!(self.0.raw, transcripts::table, rows).doing("store a transcript")?;
        Ok(stored)
    }
}

impl<'a> From<&'a TranscriptSegment> for NewSegmentRow<'a> {
    fn from(segment: &'a TranscriptSegment) -> Self {
        Self {
            segment_id: DbUuid(segment.segment_id.as_uuid()),
            job_id: DbUuid(segment.job_id.as_uuid()),
            start_time: segment.time.start(),
            end_time: segment.time.end(),
            text: &segment.text,
            confidence: segment.confidence.map(Ratio::get),
            speaker_id: segment.speaker_id.as_deref(),
            created_at: DbTime(segment.created_at),
        }
    }
}

fn is(stored: &TranscriptSegment, new: &NewTranscriptSegment) -> bool {
    stored.time == new.time
        && stored.text == new.text
        && stored.confidence == new.confidence
        && stored.speaker_id == new.speaker_id
}
