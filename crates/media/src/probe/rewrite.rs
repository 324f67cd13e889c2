//! Rewriting a recording whose clock starts anew.

use std::path::Path;

use super::MediaInfo;
use crate::error::Error;
use crate::ffmpeg::Media;

impl Media {
    /// Copies the tracks of a recording into a file with one clock, without encoding them. The
    /// parts between which the clock starts anew follow each other. Returns the properties of
    /// the new file, which keep [`MediaInfo::has_clock_restarts`].
    ///
    /// `progress` gets the seconds done.
    pub fn join_clocks(
        &self,
        recording: &MediaInfo,
        out: &Path,
        progress: &mut dyn FnMut(f64),
    ) -> Result<MediaInfo, Error> {
        // Transport streams have codecs that Matroska cannot have, and the other way round.
        let format = match recording.format_name.as_str() {
            "mpegts" => "mpegts",
            _ => "matroska",
        };
        let video = recording.video.iter().map(|video| video.index);
        let audio = recording.audio_tracks.iter().map(|audio| audio.index);
        let mut ffmpeg = self
            .ffmpeg_with_progress()
            // In a program stream some pictures only have a decoding time.
            .args(["-fflags", "+genpts"])
            .args(self.input_options(&recording.path));
        for track in video.chain(audio) {
            ffmpeg = ffmpeg.args(["-map", &format!("0:{track}")]);
        }
        let ffmpeg = ffmpeg.args(["-c", "copy", "-f", format]);
        self.write("join the parts of the recording", ffmpeg, out, progress)?;
        Ok(MediaInfo {
            has_clock_restarts: true,
            ..self.probe(out)?
        })
    }
}
