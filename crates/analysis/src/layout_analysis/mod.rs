//! Classifies how screen and camera share the picture.
//!
//! A slide changes rarely, and then everywhere at once; the image of a camera
//! changes all the time, but only inside its rectangle. [`analyse`] takes
//! frames sampled from a recording and returns the layout type, the regions of
//! screen and camera, and a confidence. The running time is linear in the
//! number of pixels of the compared frames.
//!
//! # Algorithm
//!
//! 1. **Frame pairs.** Up to 48 pairs of frames are compared by blocks of 4 by
//!    4 pixels; the frames of a pair are at least half a second apart. A block
//!    has changed if its mean differs by at least three times the noise, and by
//!    at least four gray levels. The noise is estimated in the calmest tenth of
//!    the picture.
//! 2. **Motion.** The half of the pairs with the least change is called calm. If
//!    slides change in less than half of the pairs, no slide changes in a calm pair.
//!    Blocks that change in 20 % of the calm pairs form the moving area. A moving area
//!    of less than 0.4 % of the picture is a clock or a cursor and not a camera.
//! 3. **Camera.** A border is a straight line with a static edge (the same step
//!    in 70 % of the frames) or with an activity difference (one side changes
//!    in more of the calm pairs than the other, by at least 35 percentage
//!    points). The camera is the rectangle around the moving area whose sides
//!    have the best support. The support of a side is the fraction of its length
//!    that is border; a side may also be an edge of the picture. If a side has less than 80 %
//!    and the support of a circle around the moving area is higher than the mean of the sides, the camera is round, and its
//!    region is the square around the circle.
//! 4. **Layout.** The first rule that applies decides:
//!
//!    | layout | rule |
//!    |---|---|
//!    | `screen_only` | no camera, and the picture is not empty |
//!    | `camera_only` | the camera fills 90 % of width and height |
//!    | `picture_in_picture` | the rest is empty, the camera is at most 60 % wide and high, and within 8 % of an edge of the picture |
//!    | `camera_only` | the rest is empty |
//!    | `side_by_side` | the camera touches the left or right edge, is at most 65 % wide, a border as high as the picture separates it from the rest, and there is nothing above and below it |
//!    | `screen_only` | the camera is not within 8 % of an edge of the picture, or it is larger than 60 % and what moves in it is not: it is a video on a slide or a web page |
//!    | `picture_in_picture` | the camera is at most 60 % wide and high |
//!    | `unknown` | anything else |
//!
//! These steps are also done for windows of some frames, and then for each stretch of frames with
//! the same camera, or without one. The result has a row for each stretch; its other fields are
//! the layout type that takes most of the time, with the regions that it has longest. A moving
//! area on the screen that begins and ends with a slide is a video and no camera. A stretch is
//! exact to a few of the frames; [`find_change`] finds its border in denser ones.
//!
//! The layout is also `unknown` if its confidence is below 0.5, if there are
//! fewer than seven pairs of frames, or if the frames are smaller than
//! [`MIN_FRAME_SIZE`].
//!
//! Black bars of equal width on two opposite sides do not belong to the
//! picture: regions exclude them, and the split ratio is relative to the rest.
//!
//! The thresholds were tuned on rendered recordings with film grain, encoded as
//! H.264. The integration tests use the same kind of recordings and require the
//! exact type, regions within 5 % of the picture's size, and a split ratio
//! within 0.05.
//!
//! # Confidence
//!
//! The confidence is the lowest of several scores, each from 0 to 1.
//!
//! A layout with a camera has these scores:
//!
//! - the fraction of pairs in which 3 % of the camera's blocks change;
//! - the fraction of the camera's rectangle that moves, divided by 12 %, at
//!   most 1;
//! - the fraction of the moving area's bounding box that moves, divided by one
//!   third, at most 1: a bounding box around two cameras contains much that
//!   does not move;
//! - the support of the camera's weakest side. The support of an edge of the
//!   picture is the mean of two numbers: how close the moving area comes to the
//!   edge, and which fraction of the side's length the moving area covers. For a round camera,
//!   it is the support of the circle;
//! - 0.7 if the rest of the picture is empty: it may be a margin of the camera image, or an
//!   empty slide.
//!
//! A layout with a screen has one score, the stillness of the screen: 1 minus
//! the fraction of pairs in which 5 % of the screen's blocks change, minus the
//! fraction of pairs in which such a change directly follows another one. If the
//! slide changes in 15 % of the pairs, but never in two successive pairs, the
//! stillness is 0.85. Frames should be sampled so densely that slides change in less
//! than a third of the pairs.
//!
//! `screen_only` with a video has the scores of a camera, and is at most 0.7. Otherwise it has
//! two more scores:
//!
//! - `1 - m / 2`, where `m` is the moving area divided by the smallest moving
//!   area of a camera;
//! - 0.75 if the screen never changes, because it may be the frozen image of a
//!   camera.
//!
//! The confidence of `unknown` is the confidence of the rejected layout, or 0 if no
//! rule applies.
//!
//! # Limitation
//!
//! A camera image that does not change from one sampled frame to the next is
//! taken for a part of the screen, like any photograph.

mod border;
mod camera;
mod classify;
mod edge_density;
mod frame;
mod layout_change;
mod letterbox;
mod motion;
mod moving_area;
mod presence;
mod profile;
mod recording_layout;
mod rectangle;
mod round;
mod sampling;
mod stretches;

use lectern_domain::{InField, Invalid, NewLayoutAnalysis};

pub use frame::{GrayFrame, MIN_FRAME_SIZE};
pub use layout_change::find_change;
use sampling::SampledFrame;

/// Analyses the layout of a recording of `source_width` by `source_height`
/// pixels, as [described above](self#algorithm).
///
/// `frames` are sampled at even intervals, in order of time, and have the same
/// size; 40 to 200 frames of about 256 by 144 pixels are enough. The regions
/// are in pixels of the recording, with a precision of about one pixel of the
/// frames. `sample_frame_time` is the time of the frame that is most similar to
/// the mean of all frames, or `None` if the layout is unknown.
///
/// # Errors
///
/// If a frame is inconsistent or differs in size from the first one; the error
/// names the field, as in `frames[3].data`.
///
/// ```
/// use lectern_analysis::layout_analysis::{GrayFrame, analyse};
/// use lectern_domain::{LayoutType, Region};
///
/// // A gray screen with two lines, and a flickering camera in its corner.
/// let pictures: Vec<Vec<u8>> = (0..20)
///     .map(|number| {
///         let pixel = |x: u32, y: u32| match (x, y) {
///             (44..60, 36..45) => (x * 31 + y * 17 + number * 57) % 200,
///             (8..40, 10 | 20) => 40,
///             _ => 220,
///         };
///         (0..48).flat_map(|y| (0..64).map(move |x| pixel(x, y) as u8)).collect()
///     })
///     .collect();
/// let frames: Vec<GrayFrame> = (0..20)
///     .map(|number| GrayFrame { width: 64, height: 48, data: &pictures[number], time: number as f64 })
///     .collect();
///
/// let layout = analyse(&frames, 1280, 960)?;
/// assert_eq!(layout.layout_type, LayoutType::PictureInPicture);
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
pub fn analyse(
    frames: &[GrayFrame<'_>],
    source_width: u32,
    source_height: u32,
) -> Result<NewLayoutAnalysis, Invalid> {
    for (index, frame) in frames.iter().enumerate() {
        frame
            .validate(&frames[0])
            .in_field(&format!("frames[{index}]"))?;
    }
    let sampled: Vec<SampledFrame> = if frames.first().is_some_and(GrayFrame::is_too_small) {
        Vec::new()
    } else {
        frames.iter().map(SampledFrame::new).collect()
    };
    let frame_size = frames
        .first()
        .map_or((1, 1), |frame| (frame.width, frame.height));
    let source_size = (source_width, source_height);
    recording_layout::describe(&sampled, frame_size, source_size).in_field("source")
}
