//! Subtitle tracks in the recording.

use std::fs::File;

use lectern_formats::{InputFormat, Transcript};
use lectern_media::MediaInfo;

use crate::failure::Failure;
use crate::sidecar;
use crate::stage_handler::StageContext;

/// Codecs of subtitles that are text. Other codecs store pictures.
const TEXT_CODECS: [&str; 6] = ["subrip", "webvtt", "ass", "ssa", "mov_text", "text"];

/// The transcript of the first text track that has cues. A track that cannot be read is
/// skipped: another one, or a recognizer, may give a transcript.
pub(super) fn read(
    context: &StageContext<'_>,
    probe: &MediaInfo,
) -> Result<Option<Transcript>, Failure> {
    let tracks = probe.subtitles.iter();
    for track in tracks.filter(|track| TEXT_CODECS.contains(&track.codec.as_str())) {
        match read_track(context, probe, track.index) {
            Ok(transcript) if transcript.cues.is_empty() => {}
            Ok(transcript) => return Ok(Some(transcript)),
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
    let bytes = sidecar::read_bounded("the track", File::open(file)?)?;
    let file = InputFormat::Vtt.read(&bytes);
    file.and_then(|file| file.transcript(Some(probe.duration)))
        .map_err(|error| Failure::permanent(error.to_string()))
}
