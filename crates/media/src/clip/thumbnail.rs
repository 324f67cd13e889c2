//! A picture that represents a clip.

use std::path::Path;

use lectern_domain::TimeRange;

use super::composed_picture::{frame_at, middle_picture_filters};
use super::encoding::CutSettings;
use crate::error::Error;
use crate::ffmpeg::Media;
use crate::picture::{
    constant_rate, constant_rate_filters, constant_size_options, deinterlacing_filters,
    fit_filters, square_pixel_size, tone_mapping_filters,
};
use crate::probe::{FrameRate, MediaInfo, VideoStream};
use crate::seek::SeekPoint;

/// The recording is read at this constant rate, so the time is rounded to 1/25 s.
const RATE: FrameRate = FrameRate {
    frames: 25,
    seconds: 1,
};

impl Media {
    /// Writes the picture at `time` seconds as JPEG, at most `max_height` pixels
    /// high. A time after the recording's end shows the last frame.
    pub fn thumbnail(
        &self,
        recording: &MediaInfo,
        time: f64,
        max_height: u32,
        out: &Path,
    ) -> Result<(), Error> {
        let video = recording.video.as_ref().ok_or(Error::NoVideo)?;
        let size = square_pixel_size(video, video.height.min(max_height));
        let filters = format!("{},setsar=1", fit_filters(size));
        self.write_thumbnail(recording, video, time, &filters, out)
    }

    /// Writes the picture in the middle of a clip as JPEG, arranged as [`Media::cut`] arranges it
    /// and in the shape of the clip, at most `max_height` pixels high. Subtitles are left out:
    /// they would be too small to read.
    pub fn clip_thumbnail(
        &self,
        recording: &MediaInfo,
        range: TimeRange,
        settings: &CutSettings,
        max_height: u32,
        out: &Path,
    ) -> Result<(), Error> {
        let video = recording.video.as_ref().ok_or(Error::NoVideo)?;
        let range = recording.clamp_range(range)?;
        let rate = constant_rate(video);
        let frames = frame_at(range.duration(), rate).max(1);
        let filters = middle_picture_filters(video, frames, rate, settings, max_height)?;
        let middle = f64::midpoint(range.start(), range.end());
        self.write_thumbnail(recording, video, middle, &filters, out)
    }

    /// Writes the picture at a time as JPEG. `filters` give it its size.
    fn write_thumbnail(
        &self,
        recording: &MediaInfo,
        video: &VideoStream,
        time: f64,
        filters: &str,
        out: &Path,
    ) -> Result<(), Error> {
        let time = time.clamp(0.0, recording.duration);
        let filter = format!(
            "{deinterlacing}{rate_filters},{filters}{tone_mapping},format=yuvj420p",
            deinterlacing = deinterlacing_filters(video),
            tone_mapping = tone_mapping_filters(video, &self.tools),
            rate_filters = constant_rate_filters(RATE),
        );
        let command = |point: SeekPoint| {
            self.ffmpeg_with_progress()
                .args(point.options())
                .args(constant_size_options(video))
                .args(self.input_options(&recording.path))
                .args(["-map", &format!("0:{}", video.index), "-vf", &filter])
                .args(["-frames:v", "1", "-c:v", "mjpeg", "-q:v", "3"])
                .args(["-f", "mjpeg"])
        };
        self.write_after_seek(
            "make a thumbnail",
            recording,
            time,
            &command,
            out,
            &mut |_| {},
        )
    }
}
