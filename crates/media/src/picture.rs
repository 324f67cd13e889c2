//! Sizes of pictures, and two in one.

use lectern_domain::{Region, Resolution};

use crate::{Error, FrameRate, VideoStream};

/// Below how many frames a second each is shown more than once: the end of a
/// clip can only be where a frame ends.
const SLOWEST: u32 = 10;
/// Above how many frames a second a rate is taken for an error of the headers.
const FASTEST: f64 = 120.0;

/// How parts of the picture are put together anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Composition {
    /// On a canvas of 16:9, the screen in the left three quarters and the camera
    /// in the right quarter, each as large as fits there and in the middle of
    /// its height. Regions are in pixels of the picture as it is shown.
    SideBySide {
        /// Where the screen is in the recording.
        screen: Region,
        /// Where the camera is in the recording.
        camera: Region,
    },
}

/// Width and height of a picture of square pixels, `height` pixels high and as
/// wide as the track's shape asks; both even, as 4:2:0 needs them.
pub(crate) fn fit(video: &VideoStream, height: u32) -> (u32, u32) {
    let shape = f64::from(video.width) * video.pixel_aspect / f64::from(video.height);
    (even(f64::from(height) * shape), even(f64::from(height)))
}

/// The track's height, or that of the resolution if it is less.
pub(crate) fn height(video: &VideoStream, cap: Option<Resolution>) -> u32 {
    let cap = match cap {
        None => u32::MAX,
        Some(Resolution::P720) => 720,
        Some(Resolution::P1080) => 1080,
        Some(Resolution::P1440) => 1440,
        Some(Resolution::P2160) => 2160,
    };
    video.height.min(cap)
}

/// A constant rate that shows every frame of the track: its own, a multiple if
/// it is very low, and 60 where it is beyond belief. A rate that varies becomes
/// 30 or, if there are more frames than that, 60.
pub(crate) fn constant_rate(video: &VideoStream) -> FrameRate {
    let rate = video.frame_rate;
    let per_second = |frames| FrameRate { frames, seconds: 1 };
    match rate.get() {
        average if video.variable_frame_rate && average <= 30.0 => per_second(30),
        average if video.variable_frame_rate || average > FASTEST => per_second(60),
        ..1.0 => per_second(SLOWEST),
        _ => {
            let times = SLOWEST.saturating_mul(rate.seconds).div_ceil(rate.frames);
            FrameRate {
                frames: rate.frames.saturating_mul(times),
                seconds: rate.seconds,
            }
        }
    }
}

/// The filters that make a constant rate of what is shown from time 0 on,
/// without end. The track may have to begin before, as it does after a seek to
/// the key frame: its last frame before 0 is what is shown at 0. A track that
/// begins later shows its first frame until then, and one that ends its last.
pub(crate) fn shown_from_start(rate: FrameRate) -> String {
    let FrameRate { frames, seconds } = rate;
    // Padding needs a constant rate, and the start can only be found in what
    // may be all padding.
    format!(
        "fps=fps={frames}/{seconds},tpad=stop=-1:stop_mode=clone,\
         fps=fps={frames}/{seconds}:start_time=0"
    )
}

impl Composition {
    /// The filters that put the picture together anew, on a canvas `height`
    /// pixels high.
    pub(crate) fn filters(self, video: &VideoStream, height: u32) -> Result<String, Error> {
        let Self::SideBySide { screen, camera } = self;
        let height = even(f64::from(height));
        let width = even(f64::from(height) * 16.0 / 9.0);
        let left = even(f64::from(width) * 0.75);
        let screen = Part::new("screen", screen, video, left, height)?;
        let camera = Part::new("camera", camera, video, width - left, height)?;
        Ok(format!(
            "split[left][right];\
             [left]{screen_part},pad={width}:{height}:{x}:{y}[canvas];\
             [right]{camera_part}[camera];\
             [canvas][camera]overlay={camera_x}:{camera_y}",
            screen_part = screen.filters(),
            x = screen.x,
            y = screen.y,
            camera_part = camera.filters(),
            camera_x = left + camera.x,
            camera_y = camera.y,
        ))
    }
}

/// A region and the place in its box where it goes.
struct Part {
    /// Left, top, width and height in the recording.
    from: [u32; 4],
    width: u32,
    height: u32,
    x: u32,
    y: u32,
}

impl Part {
    /// Fits the part of `region` that is in the picture into a box.
    fn new(
        name: &'static str,
        region: Region,
        video: &VideoStream,
        box_width: u32,
        box_height: u32,
    ) -> Result<Self, Error> {
        let [x, y, width, height] = [region.x, region.y, region.width, region.height]
            .map(|number| number.get().unsigned_abs());
        let width = width.min(video.width.saturating_sub(x));
        let height = height.min(video.height.saturating_sub(y));
        if width == 0 || height == 0 {
            return Err(Error::RegionOutside {
                region: name,
                width: video.width,
                height: video.height,
            });
        }
        let shown = f64::from(width) * video.pixel_aspect;
        let scale = (f64::from(box_width) / shown).min(f64::from(box_height) / f64::from(height));
        let to_width = even(shown * scale).min(box_width);
        let to_height = even(f64::from(height) * scale).min(box_height);
        Ok(Self {
            from: [x, y, width, height],
            width: to_width,
            height: to_height,
            x: (box_width - to_width) / 4 * 2,
            y: (box_height - to_height) / 4 * 2,
        })
    }

    fn filters(&self) -> String {
        let [x, y, width, height] = self.from;
        let (to_width, to_height) = (self.width, self.height);
        format!("crop={width}:{height}:{x}:{y}:exact=1,scale={to_width}:{to_height},setsar=1")
    }
}

/// The nearest even number, 2 at least.
fn even(length: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of pixels, and what is beyond u32 stays at its bound"
    )]
    let half = (length / 2.0).round().max(1.0) as u32;
    half.saturating_mul(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn video(frames: u32, seconds: u32, variable_frame_rate: bool) -> VideoStream {
        VideoStream {
            index: 0,
            codec: "h264".into(),
            width: 719,
            height: 576,
            rotation: 0,
            pixel_aspect: 64.0 / 45.0,
            frame_rate: FrameRate { frames, seconds },
            variable_frame_rate,
        }
    }

    #[test]
    fn a_constant_rate_is_kept_or_multiplied() {
        let kept = [(10, 1), (24000, 1001), (30000, 1001), (60, 1), (120, 1)];
        for (frames, seconds) in kept {
            let rate = FrameRate { frames, seconds };
            assert_eq!(constant_rate(&video(frames, seconds, false)), rate);
        }
        let rate = |frames, seconds| constant_rate(&video(frames, seconds, false)).get();
        assert_eq!((rate(5, 1), rate(3, 1), rate(15, 2)), (10.0, 12.0, 15.0));
        assert_eq!(
            (rate(1, 60), rate(90_000, 1), rate(1, u32::MAX)),
            (10.0, 60.0, 10.0)
        );
    }

    #[test]
    fn a_rate_that_varies_becomes_thirty_or_sixty() {
        let rate = |frames| constant_rate(&video(frames, 1, true));
        let per_second = |frames| FrameRate { frames, seconds: 1 };
        assert_eq!((rate(7), rate(48)), (per_second(30), per_second(60)));
    }

    #[test]
    fn sizes_are_even_and_of_square_pixels() {
        assert_eq!(fit(&video(25, 1, false), 576), (1022, 576));
        assert_eq!(fit(&video(25, 1, false), 61), (108, 62));
        assert_eq!(even(0.1), 2);
    }
}
