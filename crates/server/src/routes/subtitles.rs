//! Subtitles of a clip.

use actix_web::http::Method;
use actix_web::http::header;
use actix_web::web::{self, Bytes, Data};
use lectern_api::{Code, SubtitlesFormat, SubtitlesQuery, SubtitlesResponse};
use lectern_db::{Reader, Tx};
use lectern_domain::{Clip, ClipMediaUpdate, Patch, Stage, Window};
use lectern_formats::{Cue, Format, clip_to, webvtt};
use lectern_storage::ObjectKey;

use crate::database::handle::DatabaseHandle;
use crate::http::error::ApiError;
use crate::http::extract::json_body;
use crate::http::extract::lease_header::LeaseHeader;
use crate::http::extract::limited_body::BodyLimits;
use crate::http::extract::path_ids::ClipIdPath;
use crate::http::extract::query::Query;
use crate::http::extract::transcript_body::{TranscriptAccept, TranscriptBody, VARY, segments};
use crate::http::resource::Resource;
use crate::http::response::{ApiResponse, ApiResult};
use crate::objects::handle::Objects;

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/clips/{clip_id}/subtitles")
            .get(find)
            .on(Method::PUT, replace),
    ]
}

/// The stored subtitles of the clip or, without any, the matching part of the
/// transcript.
async fn find(
    db: Data<DatabaseHandle>,
    objects: Data<Objects>,
    limits: Data<BodyLimits>,
    ClipIdPath(clip_id): ClipIdPath,
    accept: TranscriptAccept,
    Query(SubtitlesFormat(requested)): Query<SubtitlesQuery>,
) -> ApiResult {
    let found = db.read(
        move |conn| {
            let clip = conn.clips().find(clip_id)?;
            let clip = clip.ok_or_else(|| ApiError::no_clip(clip_id))?;
            let window = Window::new(Some(clip.time.start()), Some(clip.time.end()))?;
            let transcript = conn.transcripts().list(clip.job_id, window, None)?;
            Ok((clip, transcript))
        },
        |(clip, transcript)| {
            let transcript: Vec<_> = transcript.into_iter().map(Cue::from).collect();
            let transcript = clip_to(&transcript, clip.time);
            (clip, transcript)
        },
    );
    let (clip, transcript) = found.await?;
    let cues = stored(&objects, &clip, limits.output)
        .await?
        .unwrap_or(transcript);
    let file_format = accept.file_format(requested);
    let response = web::block(move || match file_format {
        Some(format) => Ok(ApiResponse::file(format, format.write(&cues))),
        None => ApiResponse::ok(&SubtitlesResponse::new(clip_id, segments(cues)?)),
    });
    response.await??.with_header(header::VARY, VARY)
}

/// Reads the clip's subtitle file; `None` when it is missing or invalid.
async fn stored(
    objects: &Objects,
    clip: &Clip,
    limit: usize,
) -> Result<Option<Vec<Cue>>, ApiError> {
    let Some(key) = clip_object(clip) else {
        return Ok(None);
    };
    let Some(file) = objects.read(&key, limit).await? else {
        return Ok(None);
    };
    let format = Format::from_filename(&key).unwrap_or(Format::Vtt);
    let read = json_body::decode_with(file, move |file| Ok(format.read(file))).await?;
    Ok(read
        .inspect_err(
            |error| log::warn!(job_id:% = clip.job_id; "cannot read the subtitles {key}: {error}"),
        )
        .ok())
}

/// Writes the subtitles to a new object, then stores its key in the clip. The
/// previous object is kept for clients that are downloading it and in case the
/// second write is refused; `lectern gc` removes it.
async fn replace(
    db: Data<DatabaseHandle>,
    objects: Data<Objects>,
    limits: Data<BodyLimits>,
    ClipIdPath(clip_id): ClipIdPath,
    lease: LeaseHeader,
    TranscriptBody(new_segments): TranscriptBody,
) -> ApiResult {
    let file = web::block(move || {
        let cues: Vec<_> = new_segments.into_iter().map(Cue::from).collect();
        webvtt::write(&cues)
    });
    let file = file.await?;
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
    // The lock keeps the job's objects from being deleted meanwhile; before
    // it was acquired, the job may have been deleted or the lease expired.
    let authorize = move |tx: &mut Tx<'_>| {
        let clip = tx.clips().find(clip_id)?;
        let clip = clip.ok_or_else(|| ApiError::no_clip(clip_id))?;
        lease.check(tx, clip.job_id, &[Stage::Compilation])?;
        Ok(clip)
    };
    let clip = db.write(authorize, |clip| clip).await?;
    let bytes = Bytes::from(file);
    let key = store_file(&objects, &clip, &bytes).await?;
    let update = ClipMediaUpdate {
        subtitle_s3_key: Patch::Set(key.into()),
        ..ClipMediaUpdate::default()
    };
    let set_key = move |tx: &mut Tx<'_>| {
        authorize(tx)?;
        tx.clips().set_media_keys(clip_id, &update)?;
        Ok(())
    };
    let respond = move |()| {
        let cues = webvtt::read(&bytes).map_err(ApiError::internal)?;
        ApiResponse::ok(&SubtitlesResponse::new(clip_id, segments(cues)?))
    };
    let response = db.write(set_key, respond).await?;
    drop(lock);
    response
}

/// Writes the object, unless the clip already refers to an identical one, so that
/// repeated requests leave no extra objects.
async fn store_file(objects: &Objects, clip: &Clip, file: &Bytes) -> Result<ObjectKey, ApiError> {
    if let Some(key) = clip_object(clip).filter(ObjectKey::is_custom_subtitles)
        && objects.read(&key, file.len()).await?.as_ref() == Some(file)
    {
        return Ok(key);
    }
    let key = ObjectKey::custom_subtitles(clip.job_id, clip.clip_id).map_err(ApiError::internal)?;
    objects.write(&key, file.clone()).await?;
    Ok(key)
}

/// The clip's subtitle object, unless it belongs to another job.
fn clip_object(clip: &Clip) -> Option<ObjectKey> {
    let key = clip.media.subtitle_s3_key.clone()?;
    let key = ObjectKey::try_from(key).ok()?;
    (!key.belongs_to_another_job(clip.job_id)).then_some(key)
}
