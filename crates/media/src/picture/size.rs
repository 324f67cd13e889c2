//! Sizes of pictures.

use lectern_domain::Resolution;

use crate::probe::VideoStream;

/// Width and height of the track's picture with square pixels, scaled to
/// `height` pixels. Both are even, as 4:2:0 requires.
pub(crate) fn square_pixel_size(video: &VideoStream, height: u32) -> (u32, u32) {
    let aspect_ratio = f64::from(video.width) * video.pixel_aspect / f64::from(video.height);
    (
        even(f64::from(height) * aspect_ratio),
        even(f64::from(height)),
    )
}

/// The track's height, but at most the height of the resolution.
pub(crate) fn capped_height(video: &VideoStream, cap: Option<Resolution>) -> u32 {
    let cap = match cap {
        None => u32::MAX,
        Some(Resolution::P720) => 720,
        Some(Resolution::P1080) => 1080,
        Some(Resolution::P1440) => 1440,
        Some(Resolution::P2160) => 2160,
    };
    video.height.min(cap)
}

/// The nearest even number of pixels, at least 2.
pub(crate) fn even(length: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive number of pixels; the cast saturates above u32"
    )]
    let half = (length / 2.0).round().max(1.0) as u32;
    half.saturating_mul(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::FrameRate;

    #[test]
    fn sizes_are_even_and_have_square_pixels() {
        let video = VideoStream {
            index: 0,
            codec: "h264".into(),
            width: 719,
            height: 576,
            rotation: 0,
            pixel_aspect: 64.0 / 45.0,
            frame_rate: FrameRate {
                frames: 25,
                seconds: 1,
            },
            variable_frame_rate: false,
            may_be_interlaced: false,
            is_interlaced: false,
            combed: None,
            hdr: None,
        };
        assert_eq!(square_pixel_size(&video, 576), (1022, 576));
        assert_eq!(square_pixel_size(&video, 61), (108, 62));
        assert_eq!(even(0.1), 2);
    }
}
