//! Transcripts: the table `transcripts`.

use diesel::prelude::*;
use lectern_domain::{
    JobId, LanguageTag, NewTranscriptSegment, Ratio, SpeakerId, SpokenText, TimedWords,
    TranscriptSegment, TranscriptSegmentId, TranscriptSegmentUpdate, TranscriptSource, Window,
    fold_case,
};

use serde_json::Value;

use super::replace_set::edit::edit_rows;
use super::replace_set::parts::{self, StagedSet, store_in_parts};
use super::replace_set::set_page::{RowKey, SetCursor, SetPage, page_of_set, unless_large};
use super::replace_set::{self, job_set};
use crate::connection::MultiBackend;
use crate::connection::{Conn, ReadWrite, Tx, on_either};
use crate::dialect::{JobLock, JobRef};
use crate::error::{Doing, Error};
use crate::schema::{jobs, transcripts};
use crate::sql::prepared::Prepared;
use crate::sql::row::{RowDecoder, columns};
use crate::sql::stored::Stored;
use crate::sql::stored_time::StoredTime;

use crate::sql::types::{Id, Jsonb, Nullable, Text};
use crate::sql::window;

/// A row of `transcripts`.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = transcripts, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct SegmentRow {
    segment_id: Id<TranscriptSegmentId>,
    job_id: Id<JobId>,
    start_time: f64,
    end_time: f64,
    text: Stored<SpokenText>,
    confidence: Option<Stored<Ratio>>,
    speaker_id: Option<Stored<SpeakerId>>,
    created_at: StoredTime,
    language: Option<Stored<LanguageTag>>,
    words: Option<Stored<TimedWords>>,
}

/// SQL for the number of bytes in a row's columns of unbounded length.
const TEXT_BYTES: &str = "CAST(octet_length(transcripts.text) \
    + COALESCE(octet_length(CAST(transcripts.words AS text)), 0) AS bigint)";

/// SQL for the number of bytes in the text.
const SPOKEN_TEXT_BYTES: &str = "CAST(octet_length(transcripts.text) AS bigint)";

/// SQL for the words of a row that is not a page of its own.
const SMALL_WORDS: &str = "CASE WHEN octet_length(CAST(transcripts.words AS text)) <= 262144 \
    THEN transcripts.words END";

/// SQL in place of the words.
const NO_WORDS: &str = "NULL";

/// The columns of a [`SegmentRow`], without the text and the words of a large one.
macro_rules! columns_unless_large {
    ($words:expr) => {
        (
            transcripts::segment_id,
            transcripts::job_id,
            transcripts::start_time,
            transcripts::end_time,
            unless_large!(Text, "transcripts.text", else "''"),
            transcripts::confidence,
            transcripts::speaker_id,
            transcripts::created_at,
            transcripts::language,
            diesel::dsl::sql::<Nullable<Jsonb>>($words),
        )
    };
}

impl SegmentRow {
    fn key(&self, id: i64) -> RowKey {
        RowKey {
            id,
            public_id: self.segment_id.0.as_uuid(),
            start_time: self.start_time,
            position: 0,
        }
    }

    /// Whether the segment is in this language. Also true for an unreadable language.
    fn is_in(&self, wanted: Option<&LanguageTag>) -> bool {
        let language = self.language.as_ref().map(Stored::readable);
        wanted.is_none_or(|wanted| match language {
            None => false,
            Some(language) => language.is_none_or(|language| wanted.includes(language)),
        })
    }

    /// Whether the text contains the words. Also true for an unreadable text, so that
    /// the row is converted and its error reported.
    fn contains(&self, words: &Words) -> bool {
        self.text.readable().is_none_or(|text| words.are_in(text))
    }
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
                language: decoder.column("language", row.language)?,
                words: decoder.column("words", row.words)?,
            },
            created_at: decoder.column("created_at", row.created_at)?,
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
            created_at: segment.created_at.into(),
            language: data.language.map(Stored::from),
            words: data.words.map(Stored::from),
        }
    }
}

job_set! {
    transcripts: TranscriptSegment { segment_id: TranscriptSegmentId, data: NewTranscriptSegment }
        in SegmentRow,
    bytes of long columns: NewTranscriptSegment::memory,
    order by |a, b| a.time.start().total_cmp(&b.time.start()),
}

store_in_parts! { Transcripts of transcripts: TranscriptSegment { data: NewTranscriptSegment } }

/// Selects segments of a transcript; the default selects all, without their words.
#[derive(Debug, Clone, Default)]
pub struct TranscriptSelection<'a> {
    /// Segments that overlap this part of the recording.
    pub window: Window,
    /// Segments whose text contains this, ignoring case; no character is a wildcard.
    pub text: Option<&'a str>,
    /// Segments in this language, with any region.
    pub language: Option<&'a LanguageTag>,
    /// Whether the segments are returned with their words.
    pub with_words: bool,
}

/// Rows that were added to a transcript.
#[derive(Debug, Clone, Copy)]
pub struct AddedRows {
    after_id: i64,
}

impl AddedRows {
    /// The rows as JSON, to be kept in the same database and read by
    /// [`AddedRows::from_json`].
    pub fn to_json(self) -> Value {
        self.after_id.into()
    }

    /// The rows of [`AddedRows::to_json`]. `None` if `json` is something else.
    pub fn from_json(json: &Value) -> Option<Self> {
        let after_id = json.as_i64()?;
        Some(Self { after_id })
    }
}

/// The repository of the transcripts: `conn.transcripts()`.
#[derive(Debug)]
pub struct Transcripts<'c, Mode>(pub(crate) Conn<'c, Mode>);

edit_rows! {
    Transcripts of transcripts: TranscriptSegment { segment_id: TranscriptSegmentId } in SegmentRow,
    bytes: TEXT_BYTES,
    not_found: |id: TranscriptSegmentId| Error::SegmentNotFound { segment_id: id.as_uuid() },
    after_edit: mark_as_edited,
}

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
            .filter(self.0.context.owned("transcripts"))
            .order((transcripts::start_time, transcripts::id))
            .select(columns::<SegmentRow>())
            .into_boxed::<MultiBackend>();
        query = window::overlapping!(query, transcripts, window);
        let rows = query
            .load::<SegmentRow>(self.0.raw)
            .doing("list transcript segments")?;
        let words = Words::new(words);
        let rows = rows.into_iter().filter(|row| row.contains(&words));
        self.0.readable(rows.collect())
    }

    /// A page of the selected segments, by time: the first one, or the one that begins at
    /// `after`. Only the rows of the page are in memory.
    ///
    /// Later pages omit segments that were added after the first page was read. Call it
    /// in [`Database::read`](crate::Database::read), because the queries of a page must
    /// see the same snapshot.
    ///
    /// # Errors
    ///
    /// [`Error::ReplacedMeanwhile`] when the segments of the pages before have been
    /// replaced or deleted.
    pub fn page(
        &mut self,
        job_id: JobId,
        selection: &TranscriptSelection<'_>,
        after: Option<&SetCursor>,
    ) -> Result<SetPage<TranscriptSegment>, Error> {
        let words = Words::new(selection.text);
        let window = selection.window;
        let (bytes, word_column) = if selection.with_words {
            (TEXT_BYTES, SMALL_WORDS)
        } else {
            (SPOKEN_TEXT_BYTES, NO_WORDS)
        };
        page_of_set!(
            self.0, job_id, after,
            transcripts, SegmentRow, segment_id,
            query: window::overlapping!(transcripts::table.into_boxed::<Db>(), transcripts, window),
            sorted: |query, pages| {
            if let Some(last) = pages.last {
                query = query
                    .filter(transcripts::start_time.ge(last.start_time))
                    .filter(transcripts::start_time.gt(last.start_time).or(transcripts::id.gt(last.id)));
            }
            query.order((transcripts::start_time, transcripts::id))
            },
            columns: columns_unless_large!(word_column),
            bytes: bytes,
            key: |row, id| row.key(id),
            matches: |row| row.contains(&words) && row.is_in(selection.language),
        )
    }

    /// A page of `rows` and of all segments added after them, in the order in which they
    /// were added, and without their words. Otherwise like [`Transcripts::page`].
    pub fn added_page(
        &mut self,
        job_id: JobId,
        rows: AddedRows,
        after: Option<&SetCursor>,
    ) -> Result<SetPage<TranscriptSegment>, Error> {
        page_of_set!(
            self.0, job_id, after,
            transcripts, SegmentRow, segment_id,
            query: transcripts::table.into_boxed::<Db>(),
            sorted: |query, pages| {
                let last_id = pages.last.map_or(rows.after_id, |last| last.id);
                query.filter(transcripts::id.gt(last_id)).order(transcripts::id)
            },
            columns: columns_unless_large!(NO_WORDS),
            bytes: SPOKEN_TEXT_BYTES,
            key: |row, id| row.key(id),
            matches: |_row| true,
        )
    }

    /// The number of segments of a job.
    pub fn count(&mut self, job_id: JobId) -> Result<i64, Error> {
        transcripts::table
            .filter(transcripts::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("transcripts"))
            .count()
            .get_result(self.0.raw)
            .doing("count transcript segments")
    }

    /// Whether the job exists and has this transcript, made by `source`. Storing it again
    /// would change nothing. In [`Database::read`](crate::Database::read), this does not wait
    /// for other writes.
    pub fn is_stored(
        &mut self,
        job_id: JobId,
        segments: &[NewTranscriptSegment],
        source: TranscriptSource,
    ) -> Result<bool, Error> {
        let stored: Option<Option<String>> = jobs::table
            .filter(jobs::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("jobs"))
            .select(jobs::transcript_source)
            .first(self.0.raw)
            .optional()
            .doing("read the source of a transcript")?;
        if stored.flatten().as_deref() != Some(source.as_str()) {
            return Ok(false);
        }
        replace_set::is_stored::<TranscriptSegment, _>(&mut self.0, job_id, segments)
    }
}

impl Transcripts<'_, ReadWrite> {
    /// Changes a segment of a job and returns it.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`]; [`Error::SegmentNotFound`]; [`Error::Invalid`] when the
    /// segment would end before it starts.
    pub fn update(
        &mut self,
        job: impl Into<JobRef>,
        segment_id: TranscriptSegmentId,
        update: &TranscriptSegmentUpdate,
    ) -> Result<TranscriptSegment, Error> {
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

    /// Replaces the transcript of a job, which a client made, and returns its segments by time.
    /// A set equal to the stored one changes nothing: its rows keep their ids.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`]; [`Error::QuotaExceeded`].
    pub fn replace_for_job(
        &mut self,
        job: impl Into<JobRef>,
        segments: &[NewTranscriptSegment],
    ) -> Result<Vec<TranscriptSegment>, Error> {
        self.replace_made_by(job, segments, TranscriptSource::Client)
    }

    /// As [`replace_for_job`](Self::replace_for_job), for a transcript that `source` made. An
    /// equal transcript of the same source leaves the version of the job as it is.
    ///
    /// # Errors
    ///
    /// As [`Transcripts::replace_for_job`].
    pub fn replace_made_by(
        &mut self,
        job: impl Into<JobRef>,
        segments: &[NewTranscriptSegment],
        source: TranscriptSource,
    ) -> Result<Vec<TranscriptSegment>, Error> {
        let lock = self.0.lock_job(job)?;
        let stored = replace_set::replace(&mut self.0, lock, segments)?;
        store_source(&mut self.0, lock, source_of(segments, source))?;
        Ok(stored)
    }

    /// Like [`replace_made_by`](Self::replace_made_by), but does not return the segments, so
    /// that a large set is in memory only once.
    ///
    /// # Errors
    ///
    /// As [`Transcripts::replace_for_job`].
    pub fn replace_without_returning(
        &mut self,
        job: impl Into<JobRef>,
        segments: &[NewTranscriptSegment],
        source: TranscriptSource,
    ) -> Result<(), Error> {
        let lock = self.0.lock_job(job)?;
        replace_set::replace_without_returning::<TranscriptSegment>(&mut self.0, lock, segments)?;
        store_source(&mut self.0, lock, source_of(segments, source))
    }

    /// Puts a set that was stored in parts, and consists of `segments`, in place of the transcript
    /// of the job; see [`begin_set`](Self::begin_set). If the two are equal, the stored rows keep
    /// their ids.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`]; [`Error::ReplacedMeanwhile`] an hour after the set was begun.
    pub fn show_set(
        &mut self,
        job: impl Into<JobRef>,
        set: StagedSet,
        segments: &[NewTranscriptSegment],
        source: TranscriptSource,
    ) -> Result<(), Error> {
        let lock = self.0.lock_job(job)?;
        parts::show::<TranscriptSegment>(
            &mut self.0,
            "transcripts",
            lock,
            set,
            segments,
            |segment| segment.time.start(),
        )?;
        store_source(&mut self.0, lock, source_of(segments, source))
    }

    /// Like [`append`](Self::append), but does not return the added segments:
    /// [`Transcripts::added_page`] reads them.
    pub fn append_rows(
        &mut self,
        job: impl Into<JobRef>,
        segments: &[NewTranscriptSegment],
    ) -> Result<AddedRows, Error> {
        let lock = self.0.lock_job(job)?;
        let newest: Option<i64> = transcripts::table
            .filter(transcripts::job_id.eq(Id(lock.job_id())))
            .select(diesel::dsl::max(transcripts::id))
            .first(self.0.raw)
            .doing("find the newest transcript segment")?;
        replace_set::append_without_returning::<TranscriptSegment>(&mut self.0, lock, segments)?;
        mark_as_edited(&mut self.0, lock)?;
        Ok(AddedRows {
            after_id: newest.unwrap_or_default(),
        })
    }

    /// Adds `segments` to the transcript of a job, as a live transcriber does,
    /// and returns them.
    ///
    /// # Errors
    ///
    /// [`Error::QuotaExceeded`]; [`Error::JobNotFound`].
    pub fn append(
        &mut self,
        job: impl Into<JobRef>,
        segments: &[NewTranscriptSegment],
    ) -> Result<Vec<TranscriptSegment>, Error> {
        let lock = self.0.lock_job(job)?;
        let added = replace_set::append(&mut self.0, lock, segments)?;
        mark_as_edited(&mut self.0, lock)?;
        Ok(added)
    }

    /// Stores who made the transcript that was just written. Without this call it is
    /// [`TranscriptSource::Client`].
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`].
    pub fn set_source(
        &mut self,
        job: impl Into<JobRef>,
        source: TranscriptSource,
    ) -> Result<(), Error> {
        let lock = self.0.lock_job(job)?;
        store_source(&mut self.0, lock, Some(source))
    }
}

fn mark_as_edited(tx: &mut Tx<'_>, lock: JobLock) -> Result<(), Error> {
    store_source(tx, lock, Some(TranscriptSource::Client))
}

/// Without segments there is no transcript.
fn source_of(
    segments: &[NewTranscriptSegment],
    source: TranscriptSource,
) -> Option<TranscriptSource> {
    (!segments.is_empty()).then_some(source)
}

/// Stores who made the transcript of a job. Responses show it, so a change is a new version
/// of the job.
fn store_source(
    tx: &mut Tx<'_>,
    lock: JobLock,
    source: Option<TranscriptSource>,
) -> Result<(), Error> {
    let source = source.map(TranscriptSource::as_str);
    let job = jobs::table.filter(jobs::job_id.eq(Id(lock.job_id())));
    let (stored, version) = (jobs::transcript_source, jobs::version);
    let change = (stored.eq(source), version.eq(version + 1));
    if let Some(source) = source {
        let other = job.filter(stored.is_null().or(stored.assume_not_null().ne(source)));
        let change = Prepared(diesel::update(other).set(change));
        on_either!(tx.raw, conn => change.execute(conn))
    } else {
        let change = Prepared(diesel::update(job.filter(stored.is_not_null())).set(change));
        on_either!(tx.raw, conn => change.execute(conn))
    }
    .doing("store the source of a transcript")
}

/// Words to search for.
///
/// The search is done in Rust because the databases differ: SQLite's `LIKE` folds the
/// case of ASCII only, and PostgreSQL's `ILIKE` folds case by the locale of the cluster.
/// The number of rows is bounded, because all rows belong to one job.
#[derive(Debug)]
struct Words(Option<String>);

impl Words {
    /// `None` matches every text.
    fn new(words: Option<&str>) -> Self {
        Self(words.map(folded))
    }

    /// Whether `text` contains the words, ignoring case.
    fn are_in(&self, text: &str) -> bool {
        let words = self.0.as_ref();
        words.is_none_or(|words| folded(text).contains(words))
    }
}

fn folded(text: &str) -> String {
    text.chars().map(fold_case).collect()
}
