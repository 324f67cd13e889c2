//! Transcripts: the table `transcripts`.

use diesel::prelude::*;
use lectern_domain::{
    JobId, NewTranscriptSegment, Ratio, SpeakerId, SpokenText, TranscriptSegment,
    TranscriptSegmentId, Window,
};

use super::replace_set::{self, job_set};
use crate::connection::MultiBackend;
use crate::connection::{Conn, ReadWrite};
use crate::dialect::JobRef;
use crate::error::{Doing, Error};
use crate::schema::transcripts;
use crate::sql::row::{RowDecoder, columns};
use crate::sql::stored::Stored;
use crate::sql::types::{DbTime, Id};
use crate::sql::{text_search, window};

/// A row of `transcripts`.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = transcripts, treat_none_as_default_value = false)]
pub(crate) struct SegmentRow {
    segment_id: Id<TranscriptSegmentId>,
    job_id: Id<JobId>,
    start_time: f64,
    end_time: f64,
    text: Stored<SpokenText>,
    confidence: Option<Stored<Ratio>>,
    speaker_id: Option<Stored<SpeakerId>>,
    created_at: DbTime,
}

impl TryFrom<SegmentRow> for TranscriptSegment {
    type Error = Error;

    fn try_from(row: SegmentRow) -> Result<Self, Error> {
        let decoder = RowDecoder::new("transcripts", row.segment_id.0);
        Ok(Self {
            segment_id: row.segment_id.0,
            job_id: row.job_id.0,
            data: NewTranscriptSegment {
                time: decoder.time_range(row.start_time, row.end_time)?,
                text: decoder.column("text", row.text)?,
                confidence: decoder.column("confidence", row.confidence)?,
                speaker_id: decoder.column("speaker_id", row.speaker_id)?,
            },
            created_at: row.created_at.0,
        })
    }
}

impl From<TranscriptSegment> for SegmentRow {
    fn from(segment: TranscriptSegment) -> Self {
        let data = segment.data;
        Self {
            segment_id: Id(segment.segment_id),
            job_id: Id(segment.job_id),
            start_time: data.time.start(),
            end_time: data.time.end(),
            text: data.text.into(),
            confidence: data.confidence.map(Stored::from),
            speaker_id: data.speaker_id.map(Stored::from),
            created_at: DbTime(segment.created_at),
        }
    }
}

job_set! {
    transcripts: TranscriptSegment { segment_id: TranscriptSegmentId, data: NewTranscriptSegment }
        in SegmentRow,
    arbitrary JSON: false,
    order by |a, b| a.time.start().total_cmp(&b.time.start()),
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

    /// The segments whose text contains `words`, by time. Ignores case; no
    /// character is a wildcard.
    pub fn search(&mut self, job_id: JobId, words: &str) -> Result<Vec<TranscriptSegment>, Error> {
        self.list(job_id, Window::default(), Some(words))
    }

    /// The segments that overlap `window` and contain `words`, by time.
    pub fn list(
        &mut self,
        job_id: JobId,
        window: Window,
        words: Option<&str>,
    ) -> Result<Vec<TranscriptSegment>, Error> {
        let mut query = transcripts::table
            .filter(transcripts::job_id.eq(Id(job_id)))
            .order((transcripts::start_time, transcripts::id))
            .select(columns::<SegmentRow>())
            .into_boxed::<MultiBackend>();
        query = window::overlapping!(query, transcripts, window);
        let rows = query
            .load::<SegmentRow>(self.0.raw)
            .doing("list transcript segments")?;
        let segments: Vec<TranscriptSegment> = self.0.readable(rows)?;
        Ok(match words {
            Some(words) => text_search::containing(segments, words, |segment| &segment.text),
            None => segments,
        })
    }

    /// The number of segments of a job.
    pub fn count(&mut self, job_id: JobId) -> Result<i64, Error> {
        transcripts::table
            .filter(transcripts::job_id.eq(Id(job_id)))
            .count()
            .get_result(self.0.raw)
            .doing("count transcript segments")
    }
}

impl Transcripts<'_, ReadWrite> {
    /// Replaces the transcript of a job and returns its segments by time. A set
    /// equal to the stored one changes nothing: its rows keep their ids.
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
        replace_set::replace(&mut self.0, lock, segments)
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
        replace_set::insert(&mut self.0, lock, segments)
    }
}
