//! Cutting a clip out of a recording.

use std::path::Path;

use lectern_domain::TimeRange;

use super::burned_subtitles;
use super::encoding::{CutSettings, clip_channels, encode};
use super::loudness::gain_filters;
use super::sound::audio_filters;
use crate::error::Error;
use crate::ffmpeg::Media;
use crate::picture::{capped_height, constant_rate, constant_rate_filters, square_pixel_size};
use crate::probe::{MediaInfo, VideoStream};
use crate::seek::SeekPoint;

impl Media {
    /// Cuts `range` out of the recording, exact to the frame. Writes an MP4 that
    /// can be played while it loads: H.264 with a constant frame rate, even size
    /// and square pixels; AAC with 48 kHz and one or two channels. The clip has
    /// the same kinds of tracks as the recording.
    ///
    /// The clip starts with the frame shown at the start of the range, even if that
    /// frame starts earlier. If a track ends before the range, its last frame is
    /// repeated, or silence is added.
    ///
    /// Returns the part of the range that is inside the recording, which is as
    /// long as the clip. `progress` gets the seconds done.
    pub fn cut(
        &self,
        recording: &MediaInfo,
        range: TimeRange,
        settings: &CutSettings,
        out: &Path,
        progress: &mut dyn FnMut(f64),
    ) -> Result<TimeRange, Error> {
        let range = recording.clamp_range(range)?;
        let (video, audio) = (recording.video.as_ref(), recording.audio.as_ref());
        let mut filters = Vec::new();
        if let Some(video) = video {
            filters.push(video_filters(video, range.duration(), settings)?);
        }
        if let Some(audio) = audio {
            let gain = match settings.loudness {
                Some(target) => self.gain_to_loudness(recording, audio, range, target.get())?,
                None => 0.0,
            };
            let gain = gain_filters(gain);
            filters.push(format!(
                "{}{gain}[a]",
                audio_filters(audio, range.duration())
            ));
        }
        let filters = filters.join(";");
        let command = |point: SeekPoint| {
            let ffmpeg = self
                .ffmpeg_with_progress()
                .args(point.options())
                .args(self.input_options(&recording.path))
                .args(["-filter_complex", &filters]);
            encode(ffmpeg, video.is_some(), audio.map(clip_channels), settings)
        };
        self.write_after_seek(
            "cut a clip",
            recording,
            range.start(),
            &command,
            out,
            progress,
        )?;
        Ok(range)
    }
}

/// The filters that convert the recording's picture. Their output is `[v]`. Time 0
/// is the start of the clip.
fn video_filters(
    video: &VideoStream,
    duration: f64,
    settings: &CutSettings,
) -> Result<String, Error> {
    let rate = constant_rate(video);
    let frame_count = (duration * rate.get()).round().max(1.0);
    let height = capped_height(video, settings.resolution);
    let size_filters = if let Some(composition) = settings.composition {
        composition.filters(video, height)?
    } else {
        let (width, height) = square_pixel_size(video, height);
        format!("scale={width}:{height}")
    };
    Ok(format!(
        "[0:{index}]{rate_filters},trim=end_frame={frame_count},{size_filters},setsar=1{subtitles},format=yuv420p[v]",
        index = video.index,
        rate_filters = constant_rate_filters(rate),
        subtitles = settings
            .subtitles
            .as_deref()
            .map_or_else(String::new, burned_subtitles::filter),
    ))
}
