//! The limits of recordings that are read. `probe/check_limits.rs` checks them.

use lectern_domain::VideoDuration;

/// The limits of a recording. The headers of a recording are checked against these
/// limits before anything is decoded, because decoding needs memory in proportion to the
/// picture and time in proportion to the duration, whatever the size of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingLimits {
    /// Longest side of the picture in pixels, as stored and with square pixels.
    pub max_side: u32,
    /// Number of pixels of the picture, as stored and with square pixels. ffmpeg
    /// also checks every frame, because a frame may be larger than the headers say.
    pub max_pixels: u32,
    /// Longest side of the displayed picture divided by its shortest.
    pub max_aspect: f64,
    /// Number of tracks, of any kind.
    pub max_streams: usize,
    /// Length of the recording.
    pub max_duration: VideoDuration,
    /// Names of ffmpeg's decoders that may be used besides those of common
    /// recordings.
    pub more_decoders: Vec<String>,
}

impl Default for RecordingLimits {
    /// The size of digital cinema in 8K and sides of 16,384 pixels, 16:1, 64
    /// tracks, [`VideoDuration::DEFAULT_MAX`], and no more decoders.
    fn default() -> Self {
        Self {
            max_side: 16_384,
            max_pixels: 8192 * 4320,
            max_aspect: 16.0,
            max_streams: 64,
            max_duration: VideoDuration::DEFAULT_MAX,
            more_decoders: Vec::new(),
        }
    }
}
