//! The loudness of clips (EBU R 128).

use std::path::Path;

use lectern_domain::TimeRange;

use super::sound::audio_filters;
use crate::error::Error;
use crate::ffmpeg::Media;
use crate::probe::MediaInfo;

/// What ffmpeg reports for silence, in LUFS; all sound that counts is louder.
const SILENCE_LUFS: f64 = -70.0;
/// Greatest amplification, in dB. More would make a recording's noise as loud as speech.
const MAX_GAIN_DB: f64 = 30.0;
/// The highest sample of amplified sound, as a ratio of full scale: -1.5 dBFS, so that lossy
/// encoding does not clip it.
const LIMIT: f64 = 0.84;

impl Media {
    /// The gain in dB that brings the sound of a range to the loudness `target`, in LUFS. 0 for
    /// a range that is silent. If the format of the sound changes within the range, `sound_file`
    /// is written meanwhile.
    pub(super) fn gain_to_loudness(
        &self,
        recording: &MediaInfo,
        range: TimeRange,
        target: f64,
        sound_file: &Path,
    ) -> Result<f64, Error> {
        let doing = "measure the loudness";
        let point = self
            .seek_point(recording, range.start())
            .map_err(Error::from_child(doing))?;
        let loudness = self.with_uniform_sound(recording, range, sound_file, &mut |inputs| {
            let inputs = inputs(point);
            let Some(sound) = inputs.sound else {
                return Ok(SILENCE_LUFS);
            };
            // Mono sound is played by both loudspeakers.
            let filters = format!(
                "{},ebur128=metadata=1:dualmono=true,\
                 ametadata=mode=print:key=lavfi.r128.I:file=-:direct=1[loudness]",
                audio_filters(sound, range.duration())
            );
            let ffmpeg = self
                .ffmpeg_with_progress()
                .args(inputs.options)
                .args(["-filter_complex", &filters, "-map", "[loudness]"])
                .args(["-f", "null", "-"]);
            let mut loudness = SILENCE_LUFS;
            let measured = self.run_with_progress(ffmpeg, &mut |_| {}, &mut |line| {
                let value = line.strip_prefix("lavfi.r128.I=");
                if let Some(value) = value.and_then(|value| value.parse().ok()) {
                    loudness = value;
                }
            });
            measured.map_err(Error::from_child(doing))?;
            Ok(loudness)
        })?;
        if loudness <= SILENCE_LUFS {
            return Ok(0.0);
        }
        Ok((target - loudness).min(MAX_GAIN_DB))
    }
}

/// The filters that amplify sound by a gain in dB, each with a comma before it.
pub(super) fn gain_filters(gain: f64) -> String {
    if gain == 0.0 {
        return String::new();
    }
    let limiter = if gain > 0.0 {
        format!(",alimiter=limit={LIMIT}:level=disabled:latency=true")
    } else {
        String::new()
    };
    format!(",volume={gain:.2}dB{limiter}")
}
