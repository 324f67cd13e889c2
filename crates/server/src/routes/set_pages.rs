//! Responses with a set of rows of a job, page by page.

use std::fmt::Display;
use std::marker::PhantomData;

use actix_web::web::Data;
use lectern_api::{Code, FieldError};
use lectern_db::{Error, Reader, SetCursor, SetPage};
use lectern_domain::{JobId, TranscriptSegment};
use lectern_formats::{Cue, FileParts};
use serde::Serialize;
use serde_json::Value;

use crate::database::handle::DatabaseHandle;
use crate::database::pages::{Pages, first_part};
use crate::http::error::ApiError;
use crate::http::memory_budget::MemoryBudget;
use crate::http::response::{ApiResponse, ApiResult, JSON};

/// Upper bound of the rows that a request keeps in memory for its response. The rows of a
/// larger response are read from the database.
const MAX_ROWS_IN_MEMORY: usize = 2_000;

/// Upper bound of the text in these rows, in bytes.
const MAX_BYTES_IN_MEMORY: usize = 256 << 10;

/// Whether a set is small enough to be kept in memory. `text_bytes` returns the size of
/// the texts of a row.
pub(super) fn fits_in_memory<T>(rows: &[T], text_bytes: impl Fn(&T) -> usize) -> bool {
    rows.len() <= MAX_ROWS_IN_MEMORY
        && rows.iter().map(text_bytes).sum::<usize>() <= MAX_BYTES_IN_MEMORY
}

/// Fails if a job would have more than `max` rows. The error names `list`.
pub(super) fn check_row_count(
    list: &str,
    stored: i64,
    added: usize,
    max: usize,
) -> Result<(), ApiError> {
    let stored = usize::try_from(stored).unwrap_or_default();
    if stored.saturating_add(added) <= max {
        return Ok(());
    }
    let message = format!("must not make more than {max} items with the {stored} that are stored");
    let error = FieldError::new(list, message);
    Err(ApiError::fields(Code::ValidationFailed, error))
}

/// The size of a value as JSON.
pub(super) fn json_bytes(value: &impl Serialize) -> usize {
    struct Counter(usize);

    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let mut counter = Counter(0);
    // An error makes the count too small, which is harmless: the value is serialized again
    // for the database, and this time the error is reported.
    let _ = serde_json::to_writer(&mut counter, value);
    counter.0
}

/// JSON of the form `{"job_id": …, "segments": […], "total": …}`.
pub(super) struct JsonSet<W, R> {
    pub(super) job_id: JobId,
    /// The first field, which holds an id, and its value.
    id_field: (&'static str, Value),
    /// The name of the field that holds the rows.
    list_field: &'static str,
    /// The field `notes`, left out if there are none.
    notes: Vec<String>,
    read: R,
    row: PhantomData<fn() -> W>,
}

impl<W, R> JsonSet<W, R> {
    /// The rows of a job that `read` returns.
    pub(super) fn of_job<T>(job_id: JobId, list_field: &'static str, read: R) -> Self
    where
        R: Fn(&mut Reader<'_>, Option<&SetCursor>) -> Result<SetPage<T>, Error>,
    {
        Self {
            job_id,
            id_field: ("job_id", job_id.to_string().into()),
            list_field,
            notes: Vec::new(),
            read,
            row: PhantomData,
        }
    }

    /// Adds notes about the rows.
    pub(super) fn with_notes(self, notes: Vec<String>) -> Self {
        Self { notes, ..self }
    }

    /// Replaces the field `job_id` by another id, such as that of a clip.
    pub(super) fn with_id_field(self, field: &'static str, id: impl Display) -> Self {
        Self {
            id_field: (field, id.to_string().into()),
            ..self
        }
    }
}

impl<W, T, R> Pages for JsonSet<W, R>
where
    W: From<T> + Serialize + 'static,
    R: Fn(&mut Reader<'_>, Option<&SetCursor>) -> Result<SetPage<T>, Error> + Send + Sync + 'static,
{
    /// The next row, and the number of rows before it.
    type Cursor = (SetCursor, usize);

    fn page(
        &self,
        conn: &mut Reader<'_>,
        at: Option<&Self::Cursor>,
    ) -> Result<(Vec<u8>, Option<Self::Cursor>), ApiError> {
        let page = (self.read)(conn, at.map(|(cursor, _)| cursor))?;
        let mut total = at.map_or(0, |(_, count)| *count);
        // Reserves space for a large row, whose JSON would otherwise be copied whenever
        // the buffer grows. The margin is for escapes and field names.
        let large_row = at.and_then(Self::large_row_bytes).unwrap_or_default();
        let mut json = Vec::with_capacity(large_row + large_row / 64);
        if at.is_none() {
            if page.items.is_empty() && page.next.is_none() {
                ApiError::unless_found(self.job_id, conn.jobs().exists(self.job_id)?)?;
            }
            let (field, id) = &self.id_field;
            json.extend(format!("{{\"{field}\":{id},\"{}\":[", self.list_field).into_bytes());
        }
        for row in page.items {
            push_item(&mut json, total, &W::from(row))?;
            total += 1;
        }
        if page.next.is_none() {
            json.extend(format!("],\"total\":{total}").into_bytes());
            if !self.notes.is_empty() {
                json.extend_from_slice(b",\"notes\":");
                serde_json::to_writer(&mut json, &self.notes).map_err(ApiError::internal)?;
            }
            json.push(b'}');
        }
        Ok((json, page.next.map(|next| (next, total))))
    }

    fn large_row_bytes((cursor, _): &Self::Cursor) -> Option<usize> {
        cursor.large_row_bytes()
    }
}

/// Appends an item to a JSON array that already has `count` items.
pub(super) fn push_item(
    json: &mut Vec<u8>,
    count: usize,
    item: &impl Serialize,
) -> Result<(), ApiError> {
    if count > 0 {
        json.push(b',');
    }
    serde_json::to_writer(json, item).map_err(ApiError::internal)
}

/// A file of cues: subtitles or plain text.
pub(super) struct CueFile<R> {
    pub(super) job_id: JobId,
    pub(super) parts: FileParts,
    /// Reads a page of cues, in order of time.
    pub(super) read: R,
}

impl<R> Pages for CueFile<R>
where
    R: Fn(&mut Reader<'_>, Option<&SetCursor>) -> Result<SetPage<Cue>, Error>
        + Send
        + Sync
        + 'static,
{
    type Cursor = (SetCursor, FileParts);

    fn page(
        &self,
        conn: &mut Reader<'_>,
        at: Option<&Self::Cursor>,
    ) -> Result<(Vec<u8>, Option<Self::Cursor>), ApiError> {
        let page = (self.read)(conn, at.map(|(cursor, _)| cursor))?;
        if at.is_none() && page.items.is_empty() && page.next.is_none() {
            ApiError::unless_found(self.job_id, conn.jobs().exists(self.job_id)?)?;
        }
        let mut parts = at.map_or_else(|| self.parts.clone(), |(_, parts)| parts.clone());
        let mut text = parts.write(&page.items);
        if page.next.is_none() {
            text.push_str(&parts.end());
        }
        Ok((text.into_bytes(), page.next.map(|next| (next, parts))))
    }

    fn large_row_bytes((cursor, _): &Self::Cursor) -> Option<usize> {
        cursor.large_row_bytes()
    }
}

/// The cues of a page of segments.
pub(super) fn cues(page: SetPage<TranscriptSegment>) -> SetPage<Cue> {
    SetPage {
        items: page.items.into_iter().map(Cue::from).collect(),
        next: page.next,
    }
}

/// Responds with pages of JSON.
pub(super) async fn respond_json(
    db: &Data<DatabaseHandle>,
    memory: &Data<MemoryBudget>,
    pages: impl Pages,
) -> ApiResult {
    let first = first_part(db, memory, pages).await?;
    Ok(ApiResponse::parts(JSON, first))
}
