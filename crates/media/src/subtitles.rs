//! Tracks of subtitles.

use std::path::Path;

use crate::media::input;
use crate::{Error, Media, Probe};

impl Media {
    /// Writes a track of subtitles as WebVTT. `index` is the track's number
    /// among all tracks of the file; its subtitles have to be text, not
    /// pictures.
    pub fn extract_subtitles(
        &self,
        recording: &Probe,
        index: u32,
        out: &Path,
    ) -> Result<(), Error> {
        let ffmpeg = self.telling_ffmpeg().args(input(&recording.path)).args([
            "-map",
            &format!("0:{index}"),
            "-c:s",
            "webvtt",
            "-f",
            "webvtt",
        ]);
        self.write("extract subtitles", ffmpeg, out, &mut |_| {})
    }
}
