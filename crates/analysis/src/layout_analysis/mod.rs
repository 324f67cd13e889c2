//! How screen and camera share the picture.
//!
//! # The rule
//!
//! A slide changes rarely, and then everywhere at once; a camera's picture
//! changes all the time, but only inside its rectangle. So:
//!
//! 1. **Noise.** Pixels are averaged to cells of 4 by 4. What changes among the
//!    four strips of a cell from one frame to the next, in the calmest tenth of
//!    the picture, is noise; a cell has changed when its average did by three
//!    times that, and by four levels of gray.
//! 2. **Motion.** The half of all pairs of neighbouring frames in which least
//!    changed is calm: slides do not turn there as long as they turn in less
//!    than half of the pairs. Cells that change in a fifth of the calm pairs
//!    keep moving; when they are less than 0.4 % of the picture, it is a clock
//!    or a cursor rather than a camera.
//! 3. **Borders.** A border passes where an edge stands in 70 % of the frames in
//!    the same sense, or where it moves on one side in 35 % more of the calm
//!    pairs than on the other. The camera's picture is the rectangle around what
//!    keeps moving whose four sides are seen best, each a border along its whole
//!    length or an edge of the picture.
//! 4. **Layout.** Nothing keeps moving and there is something to see:
//!    `screen_only`. The camera fills 90 % of width and height, or there is
//!    nothing beside it: `camera_only`. It is at the left or right edge, at most
//!    65 % wide, parted from the rest by a border as high as the picture, and
//!    has nothing above and below: `side_by_side`. It is at most 60 % wide and
//!    high: `picture_in_picture`. Anything else is `unknown`, and so is what is
//!    told with a confidence below 0.5, from fewer than eight frames, or from
//!    frames less than 32 pixels wide or high.
//!
//! Black bars of the same width on two opposite sides are no part of the
//! picture: no region has them, and the split is without them.
//!
//! The numbers were chosen on recordings rendered with grain and encoded as
//! H.264, those of the tests among them, which ask for the type, the regions
//! within 5 % of the picture's size and the split within 0.05.
//!
//! # The confidence
//!
//! It is how well that of these demands is met which is met worst, from 0, not
//! at all, to 1, in full:
//!
//! - the camera moves in all pairs: the share in which 3 % of its cells change;
//! - enough of it moves: by how much of 12 % of its rectangle, and of a third of
//!   the smallest rectangle around what moves (two cameras leave more still);
//! - its sides are seen: the share of the length of the worst that is border; of
//!   an edge of the picture, how near what moves comes to it and along how much
//!   of its length, on average;
//! - the screen rests: 1 less the share of pairs in which 5 % of its cells
//!   change, and less once more the share that do directly after another such
//!   pair;
//! - where there is no camera, nothing keeps moving: 1 less half of how near it
//!   comes to the least a camera moves, and 0.75 at most when the screen never
//!   changed, because that may be a camera's picture that was frozen.
//!
//! So 0.85 may mean: slides turned between 15 % of the samples. Samples should
//! be so near to each other that slides turn between less than a third of them.
//!
//! What it cannot see is a camera whose picture does not change from one sample
//! to the next: that is part of the screen, like any photograph.
//!
//! With `unknown` comes the confidence of the layout that was not told, less
//! than 0.5, and 0 where no layout fits.

mod border;
mod film;
mod motion;
mod picture;
mod rectangle;
mod rule;
mod strips;

use lectern_domain::{At, Invalid, LayoutType, NewLayoutAnalysis, Ratio, Seconds};

use film::Film;
use rectangle::Rectangle;

/// The least width and height in pixels of a frame in which a layout is told.
pub const MIN_FRAME_SIZE: usize = 32;

/// A small frame of brightness.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GrayFrame<'a> {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `width * height` bytes, 0 black to 255 white, row by row from the top
    /// left.
    pub data: &'a [u8],
    /// Where in the recording it was taken, in seconds.
    pub time: f64,
}

/// Tells the layout of a recording `source_width` by `source_height` pixels
/// large from frames sampled evenly, in order and all of one size: 40 to 200 of
/// about 256 by 144 pixels tell enough. The regions are in the recording's
/// pixels, and exact to about one pixel of the frames where borders are seen.
///
/// [How it is told](self). The time is that of the frame nearest to the average
/// of all; `unknown` has none.
///
/// The error names the first frame that does not fit, as in `frames[3].data`.
///
/// ```
/// use lectern_analysis::layout_analysis::{GrayFrame, analyse};
/// use lectern_domain::{LayoutType, Region};
///
/// // A gray screen with two lines, and a camera that flickers in its corner.
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
        check(frame, &frames[0]).at(&format!("frames[{index}]"))?;
    }
    let small = |frame: &GrayFrame<'_>| frame.width.min(frame.height) < MIN_FRAME_SIZE;
    let film = Film::new(if frames.first().is_some_and(small) {
        &[]
    } else {
        frames
    });
    let answer = rule::apply(&film);
    let region = |rectangle: Option<Rectangle>| {
        let (from, to) = (frames.first(), (source_width, source_height));
        let told = rectangle.zip(from);
        told.map(|(rectangle, frame)| rectangle.scaled((frame.width, frame.height), to))
            .transpose()
    };
    let time = match answer.layout {
        LayoutType::Unknown => None,
        _ => film.most_usual_time(),
    };
    Ok(NewLayoutAnalysis {
        layout_type: answer.layout,
        screen_region: region(answer.screen).at("source")?,
        camera_region: region(answer.camera).at("source")?,
        split_ratio: answer.split.map(Ratio::new).transpose()?,
        confidence_score: Ratio::new(answer.confidence)?,
        sample_frame_time: time.map(Seconds::new).transpose()?,
    })
}

fn check(frame: &GrayFrame<'_>, first: &GrayFrame<'_>) -> Result<(), Invalid> {
    for (name, size, same) in [
        ("width", frame.width, first.width),
        ("height", frame.height, first.height),
    ] {
        if size != same {
            return Err(Invalid::field(name, "must be the same in all frames"));
        }
    }
    if frame.width.checked_mul(frame.height) != Some(frame.data.len()) {
        return Err(Invalid::field("data", "must have one byte for each pixel"));
    }
    Seconds::new(frame.time).at("time").map(|_| ())
}
