//! The transcript of a job.

use actix_web::http::Method;
use actix_web::http::header;
use actix_web::web::Data;
use lectern_api::{
    TranscriptQuery, TranscriptResponse, TranscriptSegment, TranscriptSegmentQuery,
    TranscriptSegmentUpdateBody, TranscriptSegmentWithWords,
};
use lectern_db::{
    AddedRows, Conn, Error, JobRef, Reader, SetCursor, SetPage, TranscriptSelection, Tx,
};
use lectern_domain::{
    self as domain, DownloadName, JobId, NewTranscriptSegment, Scope, Stage, TranscriptSegmentId,
    TranscriptSource, VideoDuration,
};
use lectern_formats::FileParts;

use super::set_pages::{CueFile, JsonSet, check_row_count, cues, fits_in_memory, respond_json};
use super::single_row::{self, Preconditions, SingleRow};
use crate::database::caller_database::CallerDatabase;
use crate::database::handle::DatabaseHandle;
use crate::database::pages::first_part;
use crate::http::auth::RequestActor;
use crate::http::error::ApiError;
use crate::http::extract::idempotent_body::IdempotentTranscript;
use crate::http::extract::json_body::OutputPatchBody;
use crate::http::extract::lease_header::LeaseHeader;
use crate::http::extract::path_ids::{JobIdPath, SegmentIdPath};
use crate::http::extract::query::Query;
use crate::http::extract::receive_body::BodyLimits;
use crate::http::extract::transcript_body::{TranscriptAccept, TranscriptBody, VARY};
use crate::http::memory_budget::MemoryBudget;
use crate::http::resource::Resource;
use crate::http::response::etag::{IfMatchContent, IfNoneMatch};
use crate::http::response::{ApiResponse, ApiResult};

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/jobs/{job_id}/transcripts")
            .get(Scope::JobsRead, list)
            .on(Method::PUT, Scope::OutputsWrite, replace)
            .on(Method::POST, Scope::OutputsWrite, append),
        Resource::at("/api/v1/transcripts/{segment_id}")
            .get(Scope::JobsRead, find_one)
            .on(Method::PATCH, Scope::JobsWrite, update_one)
            .on(Method::DELETE, Scope::JobsWrite, delete_one),
    ]
}

async fn list(
    CallerDatabase(db): CallerDatabase,
    memory: Data<MemoryBudget>,
    JobIdPath(job_id): JobIdPath,
    accept: TranscriptAccept,
    Query(query): Query<TranscriptQuery>,
) -> ApiResult {
    let file = accept
        .file_format(query.format)
        .map(|format| (format, FileParts::new(format)));
    let with_words = query.words && file.is_none();
    let read = move |conn: &mut Reader<'_>, after: Option<&SetCursor>| {
        let selection = TranscriptSelection {
            window: query.window,
            text: query.q.as_deref(),
            language: query.language.as_ref(),
            with_words,
        };
        conn.transcripts().page(job_id, &selection, after)
    };
    let response = if let Some((format, Some(parts))) = file {
        let job = db.find_job(job_id).await?;
        let job = job.ok_or_else(|| ApiError::no_job(job_id))?;
        let name = DownloadName::beside(&job.filename, format.extension());
        let file = CueFile {
            job_id,
            parts,
            read: move |conn: &mut Reader<'_>, after: Option<&SetCursor>| {
                Ok(cues(read(conn, after)?))
            },
        };
        let first = first_part(&db, &memory, file).await?;
        ApiResponse::parts(format.content_type(), first).saved_as(&name)?
    } else if with_words {
        let set = JsonSet::<TranscriptSegmentWithWords, _>::of_job(job_id, "segments", read);
        respond_json(&db, &memory, set).await?
    } else {
        respond_json(&db, &memory, json_set(job_id, read)).await?
    };
    response.with_header(header::VARY, VARY)
}

async fn replace(
    CallerDatabase(db): CallerDatabase,
    memory: Data<MemoryBudget>,
    JobIdPath(job_id): JobIdPath,
    lease: LeaseHeader,
    TranscriptBody(body): TranscriptBody,
) -> ApiResult {
    let (new, notes) = body.for_recording(recording_seconds(&db, job_id)).await?;
    let writer = db
        .one_at_a_time_for(job_id.as_uuid())
        .with_time_for_rows(new.len() + kibibytes(&new));
    if fits_in_memory(&new, NewTranscriptSegment::memory) {
        let respond = move |segments| {
            ApiResponse::ok(&TranscriptResponse::new(job_id, segments).with_notes(notes))
        };
        let replace = move |tx: &mut Tx<'_>| {
            let job = lease.check_output(tx, job_id, &[Stage::Transcription])?;
            Ok(tx.transcripts().replace_made_by(job, &new, source(lease))?)
        };
        return writer.write(replace, respond).await?;
    }
    let is_stored = move |conn: &mut Reader<'_>, new: &[NewTranscriptSegment]| {
        let is_allowed = lease.allows_output(conn, job_id, &[Stage::Transcription])?;
        Ok(is_allowed && conn.transcripts().is_stored(job_id, new, source(lease))?)
    };
    let check = move |tx: &mut Tx<'_>| lease.check_output(tx, job_id, &[Stage::Transcription]);
    let show = move |tx: &mut Tx<'_>, job, set, new: &[NewTranscriptSegment]| {
        tx.transcripts().show_set(job, set, new, source(lease))
    };
    let store = move |tx: &mut Tx<'_>, job, new: &[NewTranscriptSegment]| {
        let mut transcripts = tx.transcripts();
        transcripts.replace_without_returning(job, new, source(lease))
    };
    writer
        .store_set_in_parts(job_id, new, is_stored, check, show, store)
        .await?;
    let read = move |conn: &mut Reader<'_>, after: Option<&SetCursor>| {
        let all = TranscriptSelection::default();
        conn.transcripts().page(job_id, &all, after)
    };
    let set = json_set(job_id, read).with_notes(notes);
    respond_json(&db, &memory, set).await
}

async fn append(
    CallerDatabase(db): CallerDatabase,
    memory: Data<MemoryBudget>,
    limits: Data<BodyLimits>,
    JobIdPath(job_id): JobIdPath,
    lease: LeaseHeader,
    IdempotentTranscript { body, key }: IdempotentTranscript,
) -> ApiResult {
    let (new, notes) = body.for_recording(recording_seconds(&db, job_id)).await?;
    let rows = limits.rows;
    let check = move |tx: &mut Tx<'_>, added: usize| {
        let job = lease.check_output(tx, job_id, &[Stage::Transcription])?;
        check_row_count("segments", tx.transcripts().count(job_id)?, added, rows)?;
        Ok::<_, ApiError>(job)
    };
    let writer = db
        .one_at_a_time_for(job_id.as_uuid())
        .with_time_for_rows(new.len() + kibibytes(&new));
    if fits_in_memory(&new, NewTranscriptSegment::memory) {
        let respond = move |segments| {
            let notes = notes.clone();
            let response = TranscriptResponse::new(job_id, segments).with_notes(notes);
            Ok(ApiResponse::ok(&response)?.created())
        };
        let append = move |tx: &mut Tx<'_>| {
            let job = check(tx, new.len())?;
            let added = tx.transcripts().append(job, &new)?;
            record_worker(tx, job, lease)?;
            Ok((Some(job_id), added))
        };
        return writer.write_once(key, append, respond).await;
    }
    // The response is as large as the body. So the rows are stored for a repeated request,
    // and read again.
    let append = move |tx: &mut Tx<'_>| {
        if let Some(stored) = key.take(tx)? {
            let no_rows = || ApiError::internal(format!("{stored} is not a stored response"));
            return AddedRows::from_json(&stored).ok_or_else(no_rows);
        }
        let job = check(tx, new.len())?;
        let added = tx.transcripts().append_rows(job, &new)?;
        record_worker(tx, job, lease)?;
        key.store(tx, Some(job_id), &added.to_json())?;
        Ok(added)
    };
    let added = writer.write(append, |added| added).await?;
    let read = move |conn: &mut Reader<'_>, after: Option<&SetCursor>| {
        conn.transcripts().added_page(job_id, added, after)
    };
    let set = json_set(job_id, read).with_notes(notes);
    let response = respond_json(&db, &memory, set).await?;
    Ok(response.created())
}

/// Records that a worker wrote the transcript, if the request has a lease.
fn record_worker(tx: &mut Tx<'_>, job: JobRef, lease: LeaseHeader) -> Result<(), Error> {
    match source(lease) {
        TranscriptSource::Client => Ok(()),
        worker => tx.transcripts().set_source(job, worker),
    }
}

/// Who makes the transcript of a request: with a lease, a worker.
fn source(lease: LeaseHeader) -> TranscriptSource {
    match lease.id() {
        Some(_) => TranscriptSource::Recognizer,
        None => TranscriptSource::Client,
    }
}

/// The length of the recording; `None` if it is unknown, or if there is no such job.
async fn recording_seconds(
    db: &Data<DatabaseHandle>,
    job_id: JobId,
) -> Result<Option<f64>, ApiError> {
    let job = db.find_job(job_id).await?;
    Ok(job
        .and_then(|job| job.video_duration)
        .map(VideoDuration::get))
}

/// The size of the texts and words in KiB. The time limit of a write counts a KiB as one row.
fn kibibytes(segments: &[NewTranscriptSegment]) -> usize {
    let bytes: usize = segments.iter().map(NewTranscriptSegment::memory).sum();
    bytes >> 10
}

fn json_set<R>(job_id: JobId, read: R) -> JsonSet<TranscriptSegment, R>
where
    R: Fn(&mut Reader<'_>, Option<&SetCursor>) -> Result<SetPage<domain::TranscriptSegment>, Error>,
{
    JsonSet::of_job(job_id, "segments", read)
}

async fn find_one(
    CallerDatabase(db): CallerDatabase,
    memory: Data<MemoryBudget>,
    SegmentIdPath(id): SegmentIdPath<TranscriptSegmentId>,
    Query(view): Query<TranscriptSegmentQuery>,
    known: IfNoneMatch,
) -> ApiResult {
    if view.words {
        single_row::find_whole(&db, &memory, id, &known).await
    } else {
        single_row::find(&db, &memory, id, &known).await
    }
}

async fn update_one(
    CallerDatabase(db): CallerDatabase,
    RequestActor(actor): RequestActor,
    memory: Data<MemoryBudget>,
    SegmentIdPath(id): SegmentIdPath<TranscriptSegmentId>,
    lease: LeaseHeader,
    expected: IfMatchContent,
    OutputPatchBody(update): OutputPatchBody<TranscriptSegmentUpdateBody>,
) -> ApiResult {
    let change = move |tx: &mut Tx<'_>, job| {
        let segment = tx.transcripts().update(job, id, &update)?;
        record_worker(tx, job, lease)?;
        Ok(segment)
    };
    single_row::update(
        &db.acting_as(actor),
        &memory,
        id,
        Preconditions { lease, expected },
        change,
    )
    .await
}

async fn delete_one(
    CallerDatabase(db): CallerDatabase,
    RequestActor(actor): RequestActor,
    SegmentIdPath(id): SegmentIdPath<TranscriptSegmentId>,
    lease: LeaseHeader,
    expected: IfMatchContent,
) -> ApiResult {
    single_row::delete(&db.acting_as(actor), id, Preconditions { lease, expected }).await
}

impl SingleRow for TranscriptSegmentId {
    type Value = domain::TranscriptSegment;
    type Wire = TranscriptSegmentWithWords;

    const NOUN: &'static str = "segment";
    const OWNERS: &'static [Stage] = &[Stage::Transcription];

    fn large_bytes(self, conn: &mut Reader<'_>) -> Result<Option<usize>, Error> {
        conn.transcripts().large_bytes(self)
    }

    fn find<Mode>(self, conn: &mut Conn<'_, Mode>) -> Result<Option<Self::Value>, Error> {
        conn.transcripts().find(self)
    }

    fn delete(self, tx: &mut Tx<'_>, job: JobRef) -> Result<(), Error> {
        tx.transcripts().delete(job, self)
    }

    fn job_of(value: &Self::Value) -> JobId {
        value.job_id
    }

    fn missing(self) -> ApiError {
        ApiError::no_segment(self)
    }

    fn without_optional(whole: &Self::Wire) -> Option<Self::Wire> {
        whole.without_words()
    }
}
