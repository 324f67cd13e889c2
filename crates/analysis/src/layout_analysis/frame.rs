//! The input of the layout analysis: small grayscale frames.

use lectern_domain::{InField, Invalid, Seconds};

/// The smallest width and height of a frame, in pixels, that is analysed;
/// smaller frames give [`Unknown`](lectern_domain::LayoutType::Unknown).
pub const MIN_FRAME_SIZE: usize = 32;

/// A grayscale frame that was sampled from a recording.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GrayFrame<'a> {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `width * height` gray levels, 0 (black) to 255 (white), row by row from
    /// the top left.
    pub data: &'a [u8],
    /// Position in the recording, in seconds.
    pub time: f64,
}

impl GrayFrame<'_> {
    /// Checks that the frame is consistent and has the size of the `first` frame.
    pub(super) fn validate(&self, first: &GrayFrame<'_>) -> Result<(), Invalid> {
        for (field, size, expected) in [
            ("width", self.width, first.width),
            ("height", self.height, first.height),
        ] {
            if size != expected {
                return Err(Invalid::field(field, "must be the same in all frames"));
            }
        }
        if self.width.checked_mul(self.height) != Some(self.data.len()) {
            return Err(Invalid::field("data", "must have one byte for each pixel"));
        }
        Seconds::new(self.time).in_field("time").map(|_| ())
    }

    pub(super) fn is_too_small(&self) -> bool {
        self.width.min(self.height) < MIN_FRAME_SIZE
    }
}
