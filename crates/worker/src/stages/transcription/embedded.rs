//! A track of subtitles in the recording.

use lectern_formats::{Cue, vtt};
use lectern_media::Probe;

use crate::Failure;
use crate::stages::LOOKING;
use crate::task::Task;

/// Codecs whose subtitles are text; the others are pictures.
const TEXT: [&str; 6] = ["subrip", "webvtt", "ass", "ssa", "mov_text", "text"];

/// The first track of text that says something.
pub(super) fn read(task: &Task<'_>, probe: &Probe) -> Result<Option<Vec<Cue>>, Failure> {
    let tracks = probe.subtitles.iter();
    for track in tracks.filter(|track| TEXT.contains(&track.codec.as_str())) {
        let file = task.file("track.vtt");
        let media = task.media(LOOKING);
        media.extract_subtitles(probe, track.index, &file)?;
        let cues = vtt::read(&std::fs::read(&file)?)
            .map_err(|error| Failure::last(format!("a track of subtitles: {error}")))?;
        if !cues.is_empty() {
            return Ok(Some(cues));
        }
    }
    Ok(None)
}
