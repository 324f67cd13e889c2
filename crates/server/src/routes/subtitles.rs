//! Subtitles of a clip.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header;
use actix_web::web::{self, Bytes, Data};
use lectern_api::{Code, SubtitleSegment, SubtitlesFormat, SubtitlesQuery, SubtitlesResponse};
use lectern_db::{Error, Reader, SetCursor, SetPage, TranscriptSelection, Tx};
use lectern_domain::{
    Clip, ClipMediaUpdate, DownloadName, LogStatus, LongText, NewLogEntry, OwnerName, Patch, Scope,
    Stage, Window,
};
use lectern_formats::{Cue, FileParts, Format, InputFormat, clip_to, webvtt};
use lectern_storage::ObjectKey;

use super::set_pages::{CueFile, JsonSet, cues, respond_json};
use crate::database::caller_database::CallerDatabase;
use crate::database::handle::DatabaseHandle;
use crate::database::pages::first_part;
use crate::http::error::ApiError;
use crate::http::extract::json_body;
use crate::http::extract::lease_header::LeaseHeader;
use crate::http::extract::path_ids::ClipIdPath;
use crate::http::extract::query::Query;
use crate::http::extract::receive_body::BodyLimits;
use crate::http::extract::transcript_body::{TranscriptAccept, TranscriptBody, VARY, segments};
use crate::http::memory_budget::{MemoryBudget, MemoryPermit, WithPermit};
use crate::http::resource::Resource;
use crate::http::response::{ApiResponse, ApiResult};
use crate::objects::handle::Objects;

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/clips/{clip_id}/subtitles")
            .get(Scope::JobsRead, find)
            .on(Method::PUT, Scope::OutputsWrite, replace),
    ]
}

/// The stored subtitles of the clip or, if there are none, the part of the transcript
/// that the clip shows.
async fn find(
    CallerDatabase(db): CallerDatabase,
    memory: Data<MemoryBudget>,
    objects: Data<Objects>,
    limits: Data<BodyLimits>,
    ClipIdPath(clip_id): ClipIdPath,
    accept: TranscriptAccept,
    Query(SubtitlesFormat(requested)): Query<SubtitlesQuery>,
) -> ApiResult {
    let find = move |conn: &mut Reader<'_>| {
        let clip = conn.clips().find(clip_id)?;
        clip.ok_or_else(|| ApiError::no_clip(clip_id))
    };
    let clip = db.read_committed(find, |clip| clip).await?;
    let file = accept.file_format(requested);
    let response = match read_stored(&objects, &memory, db.owner(), &clip, limits.output).await? {
        Some((cues, permit)) => {
            let title = clip.title.clone();
            let write = move || match file {
                Some(format) => {
                    let name = DownloadName::new(&title, format.extension());
                    ApiResponse::file(format, format.write(&cues)).saved_as(&name)
                }
                None => ApiResponse::ok(&SubtitlesResponse::new(clip_id, segments(cues)?)),
            };
            web::block(write).await??.with_permit(permit)
        }
        None => from_transcript(&db, &memory, &clip, file).await?,
    };
    response.with_header(header::VARY, VARY)
}

/// The part of the transcript that a clip shows, with times from the beginning of the
/// clip.
async fn from_transcript(
    db: &Data<DatabaseHandle>,
    memory: &Data<MemoryBudget>,
    clip: &Clip,
    file: Option<Format>,
) -> ApiResult {
    let (job_id, time) = (clip.job_id, clip.time);
    let window = Window::new(Some(time.start()), Some(time.end()))?;
    let read = move |conn: &mut Reader<'_>, after: Option<&SetCursor>| {
        let selection = TranscriptSelection {
            window,
            with_words: true,
            ..TranscriptSelection::default()
        };
        let SetPage { items, next } = cues(conn.transcripts().page(job_id, &selection, after)?);
        let items = clip_to(&items, time);
        Ok::<_, Error>(SetPage { items, next })
    };
    if let Some((format, Some(parts))) = file.map(|format| (format, FileParts::new(format))) {
        let file = CueFile {
            job_id,
            parts,
            read,
        };
        let first = first_part(db, memory, file).await?;
        let name = DownloadName::new(&clip.title, format.extension());
        return ApiResponse::parts(format.content_type(), first).saved_as(&name);
    }
    let read_segments = move |conn: &mut Reader<'_>, after: Option<&SetCursor>| {
        let SetPage { items, next } = read(conn, after)?;
        let items = segments(items)?;
        Ok(SetPage { items, next })
    };
    let pages = JsonSet::<SubtitleSegment, _>::of_job(job_id, "segments", read_segments);
    respond_json(db, memory, pages.with_id_field("clip_id", clip.clip_id)).await
}

/// Bytes of memory that reading a stored file takes per byte of the file: for the file
/// itself and for its cues.
const MEMORY_PER_FILE_BYTE: usize = 4;

/// Reads the clip's subtitle file, with a permit for the memory; `None` when the file is
/// missing, larger than `limit` bytes or invalid.
async fn read_stored(
    objects: &Objects,
    memory: &MemoryBudget,
    owner: Option<&OwnerName>,
    clip: &Clip,
    limit: usize,
) -> Result<Option<(Vec<Cue>, MemoryPermit)>, ApiError> {
    let Some(key) = clip_object(clip, owner) else {
        return Ok(None);
    };
    let clip_seconds = clip.time.duration();
    let Some(info) = objects.head(&key).await? else {
        return Ok(None);
    };
    let size = usize::try_from(info.size).unwrap_or(usize::MAX).min(limit);
    let permit = memory
        .for_response(MEMORY_PER_FILE_BYTE.saturating_mul(size))
        .await?;
    let Some(file) = objects.read(&key, limit).await? else {
        return Ok(None);
    };
    let format = InputFormat::from_filename(&key).unwrap_or(InputFormat::Vtt);
    let is_written_here = key.is_custom_subtitles();
    let read = move |file: &[u8]| {
        if is_written_here {
            return Ok(webvtt::read(file));
        }
        let file = format.read(file);
        Ok(file.and_then(|file| file.transcript(Some(clip_seconds))))
    };
    let read = json_body::inline_or_blocking(file, read).await?;
    let cues = read
        .map(|transcript| transcript.cues)
        .inspect_err(|error| log::warn!(job_id:% = clip.job_id; "{key} is no subtitles: {error}"))
        .ok();
    Ok(cues.map(|cues| (cues, permit)))
}

/// Writes the subtitles to a new object, then stores the key of the object in the clip.
/// The previous object is kept, because clients may be downloading it and because the
/// update of the clip may be refused. `lectern gc` removes the object that no clip refers
/// to.
async fn replace(
    CallerDatabase(db): CallerDatabase,
    memory: Data<MemoryBudget>,
    objects: Data<Objects>,
    limits: Data<BodyLimits>,
    ClipIdPath(clip_id): ClipIdPath,
    lease: LeaseHeader,
    TranscriptBody(body): TranscriptBody,
) -> ApiResult {
    let clip_seconds = async {
        let find = move |conn: &mut Reader<'_>| Ok::<_, ApiError>(conn.clips().find(clip_id)?);
        let clip = db.read(find, |clip| clip).await?;
        Ok(clip.map(|clip| clip.time.duration()))
    };
    let (new_segments, notes) = body.for_clip(clip_seconds).await?;
    let write = move || {
        let cues: Vec<_> = new_segments.iter().cloned().map(Cue::from).collect();
        let file = WithPermit::new(webvtt::write(&cues), new_segments.into_permit());
        (file, Extent::of(&cues))
    };
    let (file, new_extent) = web::block(write).await?;
    let limit = limits.output;
    if file.len() > limit {
        let detail = format!(
            "the subtitles have {} bytes as WebVTT; at most {limit} are allowed",
            file.len()
        );
        return Err(ApiError::new(Code::BodyTooLarge, detail));
    }
    let find = move |conn: &mut Reader<'_>| {
        let clip = conn.clips().find(clip_id)?;
        clip.ok_or_else(|| ApiError::no_clip(clip_id))
    };
    let job_id = db.read(find, |clip| clip.job_id).await?;
    let lock = objects.try_lock_job(job_id).await?;
    // While the lock is held, the job's objects are not deleted. The lease is checked
    // after the lock was acquired, because the job may have been deleted or the lease may
    // have expired during the wait for the lock.
    let authorize = move |tx: &mut Tx<'_>| {
        let clip = tx.clips().find(clip_id)?;
        let clip = clip.ok_or_else(|| ApiError::no_clip(clip_id))?;
        lease.check_output(tx, clip.job_id, &[Stage::Compilation])?;
        Ok(clip)
    };
    let clip = db.write(authorize, |clip| clip).await?;
    let (file, _permit) = file.into_parts();
    let bytes = Bytes::from(file);
    let stored = read_stored(&objects, &memory, db.owner(), &clip, limit).await?;
    let stored_extent = stored.map(|(cues, _permit)| Extent::of(&cues));
    let warning = stored_extent.and_then(|stored| new_extent.warning(stored, &clip));
    let key = store_file(&objects, &clip, &bytes).await?;
    let update = ClipMediaUpdate {
        subtitle_s3_key: Patch::Set(key.into()),
        ..ClipMediaUpdate::default()
    };
    let entry_message = warning.clone();
    let set_key = move |tx: &mut Tx<'_>| {
        authorize(tx)?;
        tx.clips().set_media_keys(clip_id, &update)?;
        if let Some(message) = &entry_message {
            let entry = NewLogEntry {
                message: Some(message.clone()),
                ..NewLogEntry::new(Stage::Compilation, LogStatus::Completed)
            };
            match tx.processing_logs().append(job_id, &entry) {
                // The response has the warning, too.
                Err(Error::QuotaExceeded(_)) => {}
                appended => drop(appended?),
            }
        }
        Ok(())
    };
    let respond = move |()| {
        let cues = webvtt::read(&bytes).map_err(ApiError::internal)?.cues;
        let response = SubtitlesResponse::new(clip_id, segments(cues)?);
        ApiResponse::ok(&response.with_notes(notes))
    };
    let response = db.write(set_key, respond).await?;
    if let Some(message) = warning {
        log::warn!(job_id:%; "{}", message.as_str());
    }
    drop(lock);
    response
}

/// How much of a clip its subtitles cover.
#[derive(Debug, Clone, Copy)]
struct Extent {
    cues: usize,
    /// From the first start to the last end, in milliseconds.
    covered_ms: u64,
}

impl Extent {
    fn of(cues: &[Cue]) -> Self {
        let start = cues.iter().map(Cue::start_ms).min().unwrap_or_default();
        let end = cues.iter().map(Cue::end_ms).max().unwrap_or_default();
        Self {
            cues: cues.len(),
            covered_ms: end - start,
        }
    }

    /// The warning for replacing `stored` subtitles: the new ones have less than half of the
    /// cues, or cover less than nine tenths of the time. Both are more than what corrections
    /// change, and less than what an incomplete file lacks.
    fn warning(self, stored: Self, clip: &Clip) -> Option<LongText> {
        let has_fewer_cues = 2 * self.cues < stored.cues;
        let is_shorter = 10 * u128::from(self.covered_ms) < 9 * u128::from(stored.covered_ms);
        let seconds = |extent: Self| Duration::from_millis(extent.covered_ms).as_secs_f64();
        let message = format!(
            "warning: the subtitles of clip {} were replaced by shorter ones: {} cues over {} s \
             instead of {} cues over {} s",
            clip.clip_id,
            self.cues,
            seconds(self),
            stored.cues,
            seconds(stored),
        );
        (has_fewer_cues || is_shorter)
            .then(|| LongText::new(message).ok())
            .flatten()
    }
}

/// Writes the file to a new object, unless the clip already refers to an object with the
/// same content, so that repeated requests leave no extra objects.
async fn store_file(objects: &Objects, clip: &Clip, file: &Bytes) -> Result<ObjectKey, ApiError> {
    if let Some(key) = clip_object(clip, None).filter(ObjectKey::is_custom_subtitles)
        && objects.read(&key, file.len()).await?.as_ref() == Some(file)
    {
        return Ok(key);
    }
    let key = ObjectKey::custom_subtitles(clip.job_id, clip.clip_id).map_err(ApiError::internal)?;
    objects.write(&key, file.clone()).await?;
    Ok(key)
}

/// The clip's subtitle object, unless it belongs to another job or, for a caller with an owner,
/// to none of the owner's.
fn clip_object(clip: &Clip, owner: Option<&OwnerName>) -> Option<ObjectKey> {
    let key = clip.media.subtitle_s3_key.clone()?;
    let key = ObjectKey::try_from(key).ok()?;
    (!key.is_forbidden_to_owner(clip.job_id, owner)).then_some(key)
}
