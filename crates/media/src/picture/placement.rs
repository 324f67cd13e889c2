//! Regions of the recording, and their places on a canvas.

use lectern_domain::Region;

use super::size::even;
use crate::error::Error;
use crate::probe::VideoStream;

/// Height in pixels of the rows beside a covered region from which its colour is taken.
const COLOUR_ROWS: u32 = 4;
/// How much larger than the region the cover is on each side, as a fraction of the picture's
/// height: about the precision with which regions are found.
const COVER_MARGIN: f64 = 0.015;

/// A region of the recording, and its size and position in its part of the canvas.
pub(super) struct Placement {
    /// Left, top, width and height in the recording.
    crop: [u32; 4],
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) x: u32,
    pub(super) y: u32,
}

impl Placement {
    /// Fits the part of `region` that is inside the picture into a box of the
    /// given width and height.
    pub(super) fn new(
        name: &'static str,
        region: Region,
        video: &VideoStream,
        (box_width, box_height): (u32, u32),
    ) -> Result<Self, Error> {
        let [x, y, width, height] = numbers(region);
        let width = width.min(video.width.saturating_sub(x));
        let height = height.min(video.height.saturating_sub(y));
        if width == 0 || height == 0 {
            return Err(Error::RegionOutsidePicture {
                region: name,
                width: video.width,
                height: video.height,
            });
        }
        let square_width = f64::from(width) * video.pixel_aspect;
        let scale =
            (f64::from(box_width) / square_width).min(f64::from(box_height) / f64::from(height));
        let scaled_width = even(square_width * scale).min(box_width);
        let scaled_height = even(f64::from(height) * scale).min(box_height);
        Ok(Self {
            crop: [x, y, width, height],
            width: scaled_width,
            height: scaled_height,
            // Even offsets, because 4:2:0 stores colours for pairs of pixels.
            x: (box_width - scaled_width) / 4 * 2,
            y: (box_height - scaled_height) / 4 * 2,
        })
    }

    pub(super) fn filters(&self) -> String {
        let [x, y, width, height] = self.crop;
        let (scaled_width, scaled_height) = (self.width, self.height);
        format!(
            "crop={width}:{height}:{x}:{y}:exact=1,scale={scaled_width}:{scaled_height},setsar=1"
        )
    }
}

/// The filters that cover the part of `camera` on top of `screen` with the mean colour of the
/// rows above it, or else below it; they end with a comma. `None`: the camera is not on top of
/// the screen.
pub(super) fn covered(screen: Region, camera: Region, video: &VideoStream) -> Option<String> {
    let [screen_x, screen_y, screen_width, screen_height] = numbers(screen);
    let [x, y, width, height] = numbers(camera);
    let overlap = |start: u32, length: u32, other: u32, other_length: u32| {
        let end = start
            .saturating_add(length)
            .min(other.saturating_add(other_length));
        end.saturating_sub(start.max(other))
    };
    let columns = overlap(x, width, screen_x, screen_width);
    let rows = overlap(y, height, screen_y, screen_height);
    // The regions of a screen and a camera side by side may touch.
    if u64::from(columns) * u64::from(rows) * 10 < u64::from(width) * u64::from(height) {
        return None;
    }
    let margin = even(f64::from(video.height) * COVER_MARGIN);
    let (left, top) = (
        x.saturating_sub(margin) / 2 * 2,
        y.saturating_sub(margin) / 2 * 2,
    );
    let right = x
        .saturating_add(width)
        .saturating_add(margin)
        .min(video.width);
    let bottom = y
        .saturating_add(height)
        .saturating_add(margin)
        .min(video.height);
    let (width, height) = (right.checked_sub(left)?, bottom.checked_sub(top)?);
    let colour_top = if top >= COLOUR_ROWS {
        top - COLOUR_ROWS
    } else {
        bottom.min(video.height.checked_sub(COLOUR_ROWS)?)
    };
    (width > 0 && height > 0).then(|| {
        format!(
            "split[screen][beside];\
             [beside]crop={width}:{COLOUR_ROWS}:{left}:{colour_top}:exact=1,scale=1:1:flags=area,\
             scale={width}:{height}[cover];\
             [screen][cover]overlay={left}:{top},"
        )
    })
}

/// x, y, width and height.
fn numbers(region: Region) -> [u32; 4] {
    [region.x, region.y, region.width, region.height].map(|number| number.get().unsigned_abs())
}
