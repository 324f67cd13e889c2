//! Constant frame rates.

use crate::probe::{FrameRate, VideoStream};

/// Lowest frame rate of a clip, in frames per second. A clip can only end at the end
/// of a frame, so in slower recordings frames are repeated.
const MIN_FRAME_RATE: u32 = 10;
/// Highest credible frame rate, in frames per second. A higher rate is an error in
/// the headers.
const MAX_FRAME_RATE: f64 = 120.0;

/// The constant rate at which the frames of a track are shown, in frames per second.
///
/// - A constant rate from 10 to 120 is kept.
/// - A constant rate from 1 to 10 becomes its lowest multiple that is at least 10.
/// - A constant rate below 1 becomes 10.
/// - A constant rate above 120 is not credible and becomes 60.
/// - A variable rate becomes 30 or, if its average is higher, 60.
pub(crate) fn constant_rate(video: &VideoStream) -> FrameRate {
    let rate = video.frame_rate;
    let per_second = |frames| FrameRate { frames, seconds: 1 };
    match rate.get() {
        average if video.variable_frame_rate && average <= 30.0 => per_second(30),
        average if video.variable_frame_rate || average > MAX_FRAME_RATE => per_second(60),
        ..1.0 => per_second(MIN_FRAME_RATE),
        _ => {
            let factor = MIN_FRAME_RATE
                .saturating_mul(rate.seconds)
                .div_ceil(rate.frames);
            FrameRate {
                frames: rate.frames.saturating_mul(factor),
                seconds: rate.seconds,
            }
        }
    }
}

/// The filters that produce an endless picture of constant rate from time 0 on.
///
/// If the track starts before 0, as after a seek to the key frame, the picture
/// starts with the frame that is shown at 0. If the track starts after 0, its first
/// frame is shown until then. After the track's end, the last frame is repeated.
pub(crate) fn constant_rate_filters(rate: FrameRate) -> String {
    let FrameRate { frames, seconds } = rate;
    // The first `fps` gives `tpad` the constant rate that `tpad` needs. The second `fps`
    // starts the picture at 0. It comes after `tpad` because the track may end before 0;
    // the padded track has a frame at 0 in any case.
    format!(
        "fps=fps={frames}/{seconds},tpad=stop=-1:stop_mode=clone,\
         fps=fps={frames}/{seconds}:start_time=0"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn video(frames: u32, seconds: u32, variable_frame_rate: bool) -> VideoStream {
        VideoStream {
            index: 0,
            codec: "h264".into(),
            width: 720,
            height: 576,
            rotation: 0,
            pixel_aspect: 1.0,
            frame_rate: FrameRate { frames, seconds },
            variable_frame_rate,
            may_be_interlaced: false,
            is_interlaced: false,
            combed: None,
            hdr: None,
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
    fn a_variable_rate_becomes_thirty_or_sixty() {
        let rate = |frames| constant_rate(&video(frames, 1, true));
        let per_second = |frames| FrameRate { frames, seconds: 1 };
        assert_eq!((rate(7), rate(48)), (per_second(30), per_second(60)));
    }
}
