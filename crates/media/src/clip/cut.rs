//! Cutting a clip out of a recording.

use std::path::Path;

use lectern_domain::TimeRange;

use super::burned_subtitles;
use super::composed_picture::{frame_at, picture_filters};
use super::encoding::{CutSettings, clip_channels, encode};
use super::loudness::gain_filters;
use super::sound::audio_filters;
use crate::error::Error;
use crate::ffmpeg::{Media, Tools};
use crate::picture::{
    constant_rate, constant_rate_filters, deinterlacing_filters, tone_mapping_filters,
};
use crate::probe::{MediaInfo, VideoStream};
use crate::sound::Inputs;

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
        let video = recording.video.as_ref();
        let video_filters = video
            .map(|video| video_filters(video, range.duration(), settings, &self.tools))
            .transpose()?;
        let gain = match settings.loudness {
            Some(target) => {
                let sound_file = out.with_extension("measured.mkv");
                self.gain_to_loudness(recording, range, target.get(), &sound_file)?
            }
            None => 0.0,
        };
        let gain = gain_filters(gain);
        let command = |inputs: Inputs<'_>| {
            let mut ffmpeg = self.ffmpeg_with_progress().args(inputs.options);
            // One graph for each track: a track that starts late does not make ffmpeg keep the
            // frames of the other one in memory.
            if let Some(filters) = &video_filters {
                ffmpeg = ffmpeg.args(["-filter_complex", filters]);
            }
            if let Some(sound) = inputs.sound {
                let filters = audio_filters(sound, range.duration());
                let filters = format!("{filters}{gain}[a]");
                ffmpeg = ffmpeg.args(["-filter_complex", &filters]);
            }
            let channels = inputs.sound.map(|sound| clip_channels(sound.audio()));
            encode(ffmpeg, video.is_some(), channels, settings)
        };
        self.write_with_sound("cut a clip", recording, range, &command, out, progress)?;
        Ok(range)
    }
}

/// The filters that convert the recording's picture. Their output is `[v]`. Time 0
/// is the start of the clip.
fn video_filters(
    video: &VideoStream,
    duration: f64,
    settings: &CutSettings,
    tools: &Tools,
) -> Result<String, Error> {
    let rate = constant_rate(video);
    let frame_count = frame_at(duration, rate).max(1);
    let picture_filters = picture_filters(video, frame_count, rate, settings)?;
    Ok(format!(
        "[0:{index}]{deinterlacing}{rate_filters},trim=end_frame={frame_count},{picture_filters}\
         {tone_mapping}{subtitles},format=yuv420p[v]",
        index = video.index,
        deinterlacing = deinterlacing_filters(video),
        rate_filters = constant_rate_filters(rate),
        tone_mapping = tone_mapping_filters(video, tools),
        subtitles = settings
            .subtitles
            .as_deref()
            .map_or_else(String::new, burned_subtitles::filter),
    ))
}
