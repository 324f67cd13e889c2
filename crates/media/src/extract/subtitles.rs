//! Extracting a subtitle track.

use std::path::Path;

use crate::error::Error;
use crate::ffmpeg::Media;
use crate::probe::MediaInfo;

impl Media {
    /// Writes a subtitle track as WebVTT. `index` is the index of the
    /// [`SubtitleStream`](crate::SubtitleStream). Fails for subtitles that are pictures.
    pub fn extract_subtitles(
        &self,
        recording: &MediaInfo,
        index: u32,
        out: &Path,
    ) -> Result<(), Error> {
        let ffmpeg = self
            .ffmpeg_with_progress()
            .args(self.input_options(&recording.path))
            .args(["-map", &format!("0:{index}")])
            .args(["-c:s", "webvtt", "-f", "webvtt"]);
        self.write("extract subtitles", ffmpeg, out, &mut |_| {})
    }
}
