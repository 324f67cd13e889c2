//! The properties of a recording and of its tracks.

use std::path::PathBuf;

use lectern_domain::TimeRange;

use crate::error::Error;

/// The properties of a recording or of a clip.
#[derive(Debug, Clone, PartialEq)]
pub struct MediaInfo {
    /// The absolute path of the file.
    pub path: PathBuf,
    /// Duration in seconds, greater than 0.
    pub duration: f64,
    /// The timestamp of the recording's start, in seconds; often 0.
    pub start: f64,
    /// Whether the clock of the file starts anew or jumps, as where recordings were appended
    /// to each other.
    pub has_clock_restarts: bool,
    /// Size in bytes.
    pub size: u64,
    /// ffmpeg's name of the container, such as `mov,mp4,m4a,3gp,3g2,mj2`.
    pub format_name: String,
    /// The video track, if there is one. Cover art does not count.
    pub video: Option<VideoStream>,
    /// When the picture ends according to the headers, in seconds; `None` if they do not say it.
    pub picture_end: Option<f64>,
    /// The audio track that is used, if there is one: at first the one that players
    /// choose.
    pub audio: Option<AudioStream>,
    /// All audio tracks.
    pub audio_tracks: Vec<AudioStream>,
    /// The subtitle tracks in order of preference: default tracks first, forced tracks
    /// last, because forced tracks translate only the parts in a foreign language.
    pub subtitles: Vec<SubtitleStream>,
}

impl MediaInfo {
    /// The part of a range that is inside the recording.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyRange`] if that part has no length.
    pub fn clamp_range(&self, range: TimeRange) -> Result<TimeRange, Error> {
        let (start, end) = (range.start(), range.end().min(self.duration));
        match TimeRange::new(start, end) {
            Ok(part) if part.duration() > 0.0 => Ok(part),
            _ => Err(Error::EmptyRange {
                start,
                end: range.end(),
                duration: self.duration,
            }),
        }
    }
}

/// A video track.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoStream {
    /// Index among all tracks of the file.
    pub index: u32,
    /// ffmpeg's name of the codec, such as `h264`.
    pub codec: String,
    /// Displayed width in pixels, after rotation.
    pub width: u32,
    /// Displayed height in pixels, after rotation.
    pub height: u32,
    /// Clockwise rotation for display, in degrees from 0 to 359.
    pub rotation: u32,
    /// Width of a displayed pixel divided by its height: 1 for square pixels.
    pub pixel_aspect: f64,
    /// The average frame rate.
    pub frame_rate: FrameRate,
    /// Whether the time between frames varies.
    pub variable_frame_rate: bool,
    /// Whether the headers say that pictures have two fields, or do not say it of a codec that
    /// can have them. Each picture says for itself whether it has.
    pub may_be_interlaced: bool,
    /// Whether the headers say that pictures have two fields.
    pub is_interlaced: bool,
    /// The order of the fields, if pictures show two fields that were recorded one after the
    /// other, whatever they say for themselves. [`Media::find_combing`](crate::Media::find_combing)
    /// finds it; `None` before.
    pub combed: Option<FieldOrder>,
    /// The transfer function, if the picture has a high dynamic range.
    pub hdr: Option<HdrTransfer>,
}

/// Which field of an interlaced picture was recorded first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldOrder {
    /// The lines with even numbers, from 0.
    TopFirst,
    /// The lines with odd numbers.
    BottomFirst,
}

/// A transfer function of high dynamic range (ITU-R BT.2100).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HdrTransfer {
    /// Perceptual quantization, as in HDR10 and Dolby Vision.
    Pq,
    /// Hybrid log-gamma, as in broadcasts and in recordings of phones.
    Hlg,
}

/// An audio track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioStream {
    /// Index among all tracks of the file.
    pub index: u32,
    /// ffmpeg's name of the codec, such as `aac`.
    pub codec: String,
    /// Samples per second.
    pub sample_rate: u32,
    /// Number of channels, at least 1.
    pub channels: u32,
    /// The language code in the file, such as `eng`.
    pub language: Option<String>,
    /// Indices of the tracks that are mixed with this one.
    pub mixed_with: Vec<u32>,
    /// The channel of stereo sound that is used alone, where the other one is silent or
    /// has the opposite phase.
    pub only_channel: Option<StereoChannel>,
}

impl AudioStream {
    /// Indices of the tracks that are heard.
    pub(crate) fn tracks(&self) -> impl Iterator<Item = u32> + '_ {
        std::iter::once(self.index).chain(self.mixed_with.iter().copied())
    }
}

/// A channel of stereo sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StereoChannel {
    /// The first channel.
    Left,
    /// The second channel.
    Right,
}

impl StereoChannel {
    /// The index among the channels: 0 or 1.
    pub(crate) fn index(self) -> u8 {
        match self {
            Self::Left => 0,
            Self::Right => 1,
        }
    }
}

/// A subtitle track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubtitleStream {
    /// Index among all tracks of the file.
    pub index: u32,
    /// ffmpeg's name of the codec, such as `mov_text` or `subrip`.
    pub codec: String,
    /// The language code in the file, such as `eng`.
    pub language: Option<String>,
    /// Whether it has only the parts in a foreign language, or signs, according to the
    /// disposition or the title.
    pub is_forced: bool,
}

/// A frame rate as a fraction: 30000/1001 has no exact decimal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameRate {
    /// The numerator.
    pub frames: u32,
    /// The denominator, not 0.
    pub seconds: u32,
}

impl FrameRate {
    /// Frames per second.
    pub fn get(self) -> f64 {
        f64::from(self.frames) / f64::from(self.seconds)
    }
}
