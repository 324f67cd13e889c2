//! A track of subtitles in the recording.

use std::fs::File;

use lectern_formats::{Cue, webvtt};
use lectern_media::Probe;

use crate::stage::StageContext;
use crate::stages::LOOKING;
use crate::{Failure, sidecar};

/// Codecs whose subtitles are text; the others are pictures.
const TEXT: [&str; 6] = ["subrip", "webvtt", "ass", "ssa", "mov_text", "text"];

/// The first track of text that says something. One that cannot be read is passed
/// over: another, or whoever listens, may do better.
pub(super) fn read(task: &StageContext<'_>, probe: &Probe) -> Result<Option<Vec<Cue>>, Failure> {
    let tracks = probe.subtitles.iter();
    for track in tracks.filter(|track| TEXT.contains(&track.codec.as_str())) {
        match cues(task, probe, track.index) {
            Ok(cues) if cues.is_empty() => {}
            Ok(cues) => return Ok(Some(cues)),
            Err(failure) => {
                task.check()?;
                let (job, index) = (task.job().job_id, track.index);
                log::warn!("job {job}: passing over the subtitles of track {index}: {failure}");
            }
        }
    }
    Ok(None)
}

fn cues(task: &StageContext<'_>, probe: &Probe, index: u32) -> Result<Vec<Cue>, Failure> {
    let file = task.file("track.vtt");
    task.media(LOOKING).extract_subtitles(probe, index, &file)?;
    let bytes = sidecar::whole("the track", File::open(file)?)?;
    webvtt::read(&bytes).map_err(|error| Failure::permanent(error.to_string()))
}
