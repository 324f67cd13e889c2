//! Subtitle tracks in the recording.

use std::fs::File;

use lectern_domain::{LanguageTag, TranscriptSource};
use lectern_formats::{InputFormat, Transcript};
use lectern_media::MediaInfo;

use super::Found;
use crate::failure::Failure;
use crate::sidecar::{OTHER_LANGUAGE, language_rank, read_bounded};
use crate::stage_handler::StageContext;

/// Codecs of subtitles that are text. Other codecs store pictures.
const TEXT_CODECS: [&str; 6] = ["subrip", "webvtt", "ass", "ssa", "mov_text", "text"];

/// The transcript of the best text track that has cues, and its language: a track in the wanted
/// language, or else one without a language. A track that cannot be read is skipped: another
/// one, or a recognizer, may give a transcript.
pub(super) fn read(
    context: &StageContext<'_>,
    probe: &MediaInfo,
    wanted: Option<&LanguageTag>,
) -> Result<Option<Found>, Failure> {
    let tracks = probe.subtitles.iter();
    let mut tracks: Vec<_> = tracks
        .filter(|track| TEXT_CODECS.contains(&track.codec.as_str()))
        .map(|track| {
            (
                track,
                track.language.as_deref().and_then(LanguageTag::of_name),
            )
        })
        .collect();
    if wanted.is_some() {
        // Stable: of equal tracks, the one that players prefer comes first.
        let rank = |language: &Option<LanguageTag>| language_rank(language.as_ref(), wanted);
        tracks.retain(|(_, language)| rank(language) != OTHER_LANGUAGE);
        tracks.sort_by_key(|(_, language)| rank(language));
    }
    for (track, language) in tracks {
        match read_track(context, probe, track.index) {
            Ok(transcript) if transcript.cues.is_empty() => {}
            Ok(transcript) => {
                let note = match &language {
                    Some(language) => format!("taken from a track of the recording ({language})"),
                    None => "taken from a track of the recording".to_owned(),
                };
                return Ok(Some(Found::subtitles(
                    transcript,
                    language.as_ref(),
                    TranscriptSource::Track,
                    note,
                )));
            }
            Err(failure) => {
                context.check()?;
                let (job, index) = (context.job().job_id, track.index);
                log::warn!("job {job}: skipping the subtitles of track {index}: {failure}");
            }
        }
    }
    Ok(None)
}

fn read_track(
    context: &StageContext<'_>,
    probe: &MediaInfo,
    index: u32,
) -> Result<Transcript, Failure> {
    let file = context.scratch_file("track.vtt");
    let media = context.media();
    media.extract_subtitles(probe, index, &file)?;
    let bytes = read_bounded("the track", File::open(file)?)?;
    let file = InputFormat::Vtt.read(&bytes);
    file.and_then(|file| file.transcript(Some(probe.duration)))
        .map_err(|error| Failure::permanent(error.to_string()))
}
