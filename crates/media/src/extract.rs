//! Extracting single tracks: sound for speech recognition, and subtitles.

use std::path::Path;

use lectern_domain::TimeRange;

use crate::error::Error;
use crate::ffmpeg::Media;
use crate::probe::{MediaInfo, SubtitleStream};
use crate::sound::Inputs;

impl Media {
    /// Writes the sound of a range as WAV for speech recognizers: 16 kHz, mono,
    /// 16 bits. Gaps in the track become silence, so times in the file are times
    /// from the start of the range.
    ///
    /// `progress` gets the seconds done.
    pub fn extract_audio(
        &self,
        recording: &MediaInfo,
        range: TimeRange,
        out: &Path,
        progress: &mut dyn FnMut(f64),
    ) -> Result<(), Error> {
        if recording.audio.is_none() {
            return Err(Error::NoAudio);
        }
        let range = recording.clamp_range(range)?;
        let command = |inputs: Inputs<'_>| {
            let sound = inputs.sound.map(|sound| sound.filters(16_000));
            let filter = format!(
                "{},apad,atrim=end={}[a]",
                sound.unwrap_or_default(),
                range.duration()
            );
            self.ffmpeg_with_progress()
                .args(inputs.options)
                .args(["-filter_complex", &filter, "-map", "[a]"])
                .args(["-ac", "1", "-c:a", "pcm_s16le", "-map_metadata", "-1"])
                .args(["-f", "wav"])
        };
        self.write_with_sound(
            "extract the sound",
            recording,
            range,
            &command,
            out,
            progress,
        )
    }

    /// Writes a subtitle track. Fails for subtitles that are pictures, and for a
    /// [`SubtitleFormat::SubStationAlpha`] of a track in another codec.
    pub fn extract_subtitles(
        &self,
        recording: &MediaInfo,
        track: &SubtitleStream,
        format: SubtitleFormat,
        out: &Path,
    ) -> Result<(), Error> {
        let (encoder, muxer) = match format {
            SubtitleFormat::WebVtt => ("webvtt", "webvtt"),
            // The muxer takes the newer version only.
            SubtitleFormat::SubStationAlpha if track.codec == "ssa" => ("ass", "ass"),
            SubtitleFormat::SubStationAlpha => ("copy", "ass"),
        };
        let ffmpeg = self
            .ffmpeg_with_progress()
            .args(self.input_options(&recording.path))
            .args(["-map", &format!("0:{}", track.index)])
            .args(["-c:s", encoder, "-f", muxer]);
        self.write("extract subtitles", ffmpeg, out, &mut |_| {})
    }
}

/// The format of an extracted subtitle track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubtitleFormat {
    /// Text of any codec is converted.
    WebVtt,
    /// The track as it is, with its layers and drawings.
    SubStationAlpha,
}
