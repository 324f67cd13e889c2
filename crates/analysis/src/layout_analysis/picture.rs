//! What is in the picture besides motion.

use super::film::Sample;
use super::rectangle::Rectangle;
use super::strips::{STRIP, Strips};

/// Up to which level of gray a bar beside the picture is black.
const BLACK: u16 = 20;
/// The least step, in levels of gray, of a line that is something to see.
const VISIBLE: f64 = 12.0;

/// The picture without black bars. There is one on two opposite sides, of the
/// same width and never lit, or none; and never more than half of the picture.
pub(super) fn without_bars(samples: &[Sample]) -> Rectangle {
    let Some(first) = samples.first() else {
        return Rectangle {
            left: 0,
            top: 0,
            right: 0,
            bottom: 0,
        };
    };
    let side = bar(samples.iter().map(|sample| &sample.upright));
    let top = bar(samples.iter().map(|sample| &sample.lying));
    Rectangle {
        left: side,
        top,
        right: first.upright.length - side,
        bottom: first.lying.length - top,
    }
}

fn bar<'a>(strips: impl Iterator<Item = &'a Strips>) -> usize {
    let mut brightest: Vec<u16> = Vec::new();
    for strips in strips {
        brightest.resize(strips.length, 0);
        for group in 0..strips.groups {
            for (brightest, &sum) in brightest.iter_mut().zip(strips.group(group)) {
                *brightest = sum.max(*brightest);
            }
        }
    }
    let black = |sum: &&u16| **sum <= BLACK * 4;
    let before = brightest.iter().take_while(black).count();
    let after = brightest.iter().rev().take_while(black).count();
    let bar = before.min(after);
    if bar * 4 > brightest.len() { 0 } else { bar }
}

/// Which share of the places `belongs` picks, by pixel column and row, has a
/// visible edge, on average over the samples.
pub(super) fn structure(
    samples: &[Sample],
    threshold: f64,
    belongs: impl Fn(usize, usize) -> bool,
) -> f64 {
    let least = VISIBLE.max(2.0 * threshold) * 4.0;
    let (mut places, mut edges) = (0_u32, 0_u32);
    // A few samples tell as much as all.
    for sample in samples.iter().step_by(samples.len().div_ceil(16).max(1)) {
        let strips = &sample.upright;
        for group in 0..strips.groups {
            for (x, four) in strips.group(group).windows(4).enumerate() {
                // An edge of the camera's picture is none of the screen's.
                if belongs(x, group * STRIP) && belongs(x + 3, group * STRIP + 3) {
                    places += 1;
                    edges += u32::from(f64::from(four[0].abs_diff(four[3])) >= least);
                }
            }
        }
    }
    f64::from(edges) / f64::from(places.max(1))
}
