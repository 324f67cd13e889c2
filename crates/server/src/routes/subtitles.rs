//! What is shown below a clip.

use actix_web::http::Method;
use actix_web::http::header;
use actix_web::web::{self, Bytes, Data};
use lectern_api::{Code, SubtitlesFormat, SubtitlesQuery, SubtitlesResponse};
use lectern_db::{Reader, Tx};
use lectern_domain::{Clip, ClipId, ClipMediaUpdate, Patch, Stage, Window};
use lectern_formats::{Cue, Format, clip_to, vtt};
use lectern_storage::ObjectKey;
use ring::digest::{SHA256, digest};

use super::Resource;
use crate::ApiError;
use crate::answer::{Answer, Reply};
use crate::body;
use crate::lease::Under;
use crate::path::ClipPath;
use crate::query::Query;
use crate::state::State;
use crate::transcript::{Accept, Spoken, VARY, segments};
use crate::urls::is_anothers;

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/clips/{clip_id}/subtitles")
            .get(find)
            .on(Method::PUT, replace),
    ]
}

/// The subtitles that were stored with the clip or, where there are none, what
/// the transcript says meanwhile.
async fn find(
    state: Data<State>,
    ClipPath(clip_id): ClipPath,
    accept: Accept,
    Query(SubtitlesFormat(asked)): Query<SubtitlesQuery>,
) -> Reply {
    let found = state.db.read(
        move |conn| {
            let clip = conn.clips().find(clip_id)?;
            let clip = clip.ok_or_else(|| ApiError::no_clip(clip_id))?;
            let meanwhile = Window::new(Some(clip.time.start()), Some(clip.time.end()))?;
            let said = conn.transcripts().list(clip.job_id, meanwhile, None)?;
            Ok((clip, said))
        },
        |(clip, said)| {
            let said: Vec<_> = said.into_iter().map(Cue::from).collect();
            let said = clip_to(&said, clip.time);
            (clip, said)
        },
    );
    let (clip, said) = found.await?;
    let cues = stored(&state, &clip).await?.unwrap_or(said);
    let file = accept.file(asked);
    let answer = web::block(move || match file {
        Some(format) => Ok(Answer::file(format, format.write(&cues))),
        None => Answer::ok(&SubtitlesResponse::new(clip_id, segments(cues)?)),
    });
    answer.await??.with(header::VARY, VARY)
}

/// What is in the file the clip names. A file that is gone or no subtitles is as
/// good as none.
async fn stored(state: &State, clip: &Clip) -> Result<Option<Vec<Cue>>, ApiError> {
    let key = clip.media.subtitle_s3_key.clone();
    let key = key.and_then(|key| ObjectKey::try_from(key).ok());
    let Some(key) = key.filter(|key| !is_anothers(key, clip.job_id)) else {
        return Ok(None);
    };
    let Some(file) = state.objects.read(&key, state.limits.output).await? else {
        return Ok(None);
    };
    let format = Format::from_filename(&key).unwrap_or(Format::Vtt);
    let read = body::understand_by(file, move |file| Ok(format.read(file))).await?;
    Ok(read
        .inspect_err(|error| log::warn!(job_id:% = clip.job_id; "{key} is no subtitles: {error}"))
        .ok())
}

/// The subtitles become a file of their own, named by what is in it, and the
/// clip names it once it is there. What it named before stays as long as the
/// job does: somebody may be fetching it, and a write that is refused at the end
/// has touched nothing.
async fn replace(
    state: Data<State>,
    ClipPath(clip_id): ClipPath,
    lease: Under,
    Spoken(spoken): Spoken,
) -> Reply {
    let file = web::block(move || {
        let cues: Vec<_> = spoken.into_iter().map(Cue::from).collect();
        vtt::write(&cues)
    });
    let file = file.await?;
    let limit = state.limits.output;
    if file.len() > limit {
        let detail = format!(
            "as WebVTT it has {} bytes, and {limit} are allowed",
            file.len()
        );
        return Err(ApiError::new(Code::BodyTooLarge, detail));
    }
    let find = move |conn: &mut Reader<'_>| {
        let clip = conn.clips().find(clip_id)?;
        clip.ok_or_else(|| ApiError::no_clip(clip_id))
    };
    let job_id = state.db.read(find, |clip| clip.job_id).await?;
    let turn = state.objects.turn_soon(job_id).await?;
    // Now that it is our turn the job cannot go with all its files meanwhile;
    // it, or the lease, may have gone before.
    let may = move |tx: &mut Tx<'_>| {
        let clip = tx.clips().find(clip_id)?;
        let clip = clip.ok_or_else(|| ApiError::no_clip(clip_id))?;
        lease.check(tx, clip.job_id, &[Stage::Compilation])
    };
    state.db.write(may, |()| ()).await?;
    let key = ObjectKey::of_job(job_id, &path(clip_id, &file))?;
    let bytes = Bytes::from(file);
    state.objects.write(&key, bytes.clone()).await?;
    let update = ClipMediaUpdate {
        subtitle_s3_key: Patch::Set(key.into()),
        ..ClipMediaUpdate::default()
    };
    let name = move |tx: &mut Tx<'_>| {
        may(tx)?;
        let named = tx.clips().set_media_keys(clip_id, &update)?;
        named
            .then_some(())
            .ok_or_else(|| ApiError::no_clip(clip_id))
    };
    let answer = move |()| {
        let cues = vtt::read(&bytes).map_err(ApiError::internal)?;
        Answer::ok(&SubtitlesResponse::new(clip_id, segments(cues)?))
    };
    let answer = state.db.write(name, answer).await?;
    drop(turn);
    answer
}

/// Where a file of subtitles lies among what the job owns. Compilation writes
/// its own elsewhere, and leaves a clip that names one of these as it is.
fn path(clip_id: ClipId, file: &str) -> String {
    let hash = digest(&SHA256, file.as_bytes());
    let hash = hash.as_ref()[..16]
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    format!("subtitles/{clip_id}-{hash}.vtt")
}
