//! Removes black bars (letterbox and pillarbox) from the picture.
//!
//! A row or column belongs to a bar if it is black in all frames. Bars come in
//! pairs of equal width on opposite sides. The running time is linear in the
//! number of pixels of all frames.

use super::profile::Profiles;
use super::rectangle::Rectangle;
use super::sampling::{Orientation, SampledFrame};

/// The brightest value of a profile in a black bar. A value is the sum of four pixels;
/// each may have gray level 20, because encoded black is rarely exactly 0.
const MAX_BLACK_SUM: u16 = 4 * 20;

/// The picture without black bars.
///
/// Bars that would cover more than half of the width or height are not removed,
/// because such bars are more likely dark content.
pub(super) fn picture_without_bars(frames: &[SampledFrame]) -> Rectangle {
    let Some(first) = frames.first() else {
        return Rectangle {
            left: 0,
            top: 0,
            right: 0,
            bottom: 0,
        };
    };
    let profiles_across = |orientation| {
        frames
            .iter()
            .map(move |frame| frame.profiles_across(orientation))
    };
    let side = bar_width(profiles_across(Orientation::Vertical));
    let top = bar_width(profiles_across(Orientation::Horizontal));
    Rectangle {
        left: side,
        top,
        right: first.row_bands.length - side,
        bottom: first.column_bands.length - top,
    }
}

/// The width in pixels of the bar at each end of the profiles.
fn bar_width<'a>(profiles: impl Iterator<Item = &'a Profiles>) -> usize {
    let mut brightest: Vec<u16> = Vec::new();
    for profiles in profiles {
        brightest.resize(profiles.length, 0);
        for band in 0..profiles.band_count {
            for (brightest, &sum) in brightest.iter_mut().zip(profiles.band(band)) {
                *brightest = sum.max(*brightest);
            }
        }
    }
    let is_black = |sum: &&u16| **sum <= MAX_BLACK_SUM;
    let start = brightest.iter().take_while(is_black).count();
    let end = brightest.iter().rev().take_while(is_black).count();
    let width = start.min(end);
    if width * 4 > brightest.len() {
        0
    } else {
        width
    }
}
