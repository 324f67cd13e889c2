//! Finds the frame at which the picture changes to another layout.

use lectern_domain::{InField, Invalid, Region};

use super::frame::GrayFrame;

/// Width and height of the compared blocks, in pixels.
const BLOCK_SIZE: usize = 8;
/// The smallest fraction of the variance in time that a change has to explain. A lecturer who
/// moves explains less.
const MIN_EXPLAINED: f64 = 0.3;

/// The index of the first frame with another picture than before, among `frames` in order of
/// time that begin with one layout and end with another. `None` if no change stands out.
///
/// Only the parts of the picture within `regions` are compared, or all of it if there are none.
/// They are in pixels of the recording, whose width and height is `source_size`. The frames are
/// divided at the place that leaves the least variance of the gray levels on both sides.
///
/// # Errors
///
/// If a frame is inconsistent or differs in size from the first one; the error names the field.
pub fn find_change(
    frames: &[GrayFrame<'_>],
    regions: &[Region],
    source_size: (u32, u32),
) -> Result<Option<usize>, Invalid> {
    let Some(first) = frames.first() else {
        return Ok(None);
    };
    for (index, frame) in frames.iter().enumerate() {
        frame
            .validate(first)
            .in_field(&format!("frames[{index}]"))?;
    }
    let blocks = blocks_within(first, regions, source_size);
    let levels: Vec<Vec<f64>> = frames
        .iter()
        .map(|frame| blocks.iter().map(|block| mean(frame, *block)).collect())
        .collect();
    let count = frames.len() as f64;
    let mut totals = vec![0.0; blocks.len()];
    for levels in &levels {
        for (total, level) in totals.iter_mut().zip(levels) {
            *total += level;
        }
    }
    let means: Vec<f64> = totals.iter().map(|total| total / count).collect();
    let variance: f64 = levels
        .iter()
        .flat_map(|levels| levels.iter().zip(&means))
        .map(|(level, mean)| (level - mean).powi(2))
        .sum();
    // With the sums of deviations before a frame, the variance that a division explains is the
    // sum of the squares of the two parts' mean deviations, each as often as it has frames.
    let mut before = vec![0.0; blocks.len()];
    let mut best: Option<(f64, usize)> = None;
    for (index, levels) in levels.iter().enumerate() {
        if index > 0 {
            let squares: f64 = before.iter().map(|sum: &f64| sum.powi(2)).sum();
            let explained = squares / index as f64 + squares / (count - index as f64);
            if best.is_none_or(|(most, _)| explained > most) {
                best = Some((explained, index));
            }
        }
        for (sum, (level, mean)) in before.iter_mut().zip(levels.iter().zip(&means)) {
            *sum += level - mean;
        }
    }
    // At least one gray level, or else it is noise.
    let min_variance = count * blocks.len() as f64;
    let found = best.filter(|(explained, _)| {
        variance >= min_variance && *explained >= MIN_EXPLAINED * variance
    });
    Ok(found.map(|(_, index)| index))
}

/// The left and top pixel of each block whose centre is in one of the regions, or of all blocks
/// if there are none.
fn blocks_within(
    frame: &GrayFrame<'_>,
    regions: &[Region],
    source_size: (u32, u32),
) -> Vec<(usize, usize)> {
    let starts = |length: usize| (0..length.saturating_sub(BLOCK_SIZE - 1)).step_by(BLOCK_SIZE);
    let all: Vec<_> = starts(frame.height)
        .flat_map(|top| starts(frame.width).map(move |left| (left, top)))
        .collect();
    let is_within = |(left, top): &(usize, usize)| {
        let centre = |start: usize, length: usize, source: u32| {
            (start + BLOCK_SIZE / 2) as f64 / length.max(1) as f64 * f64::from(source)
        };
        let x = centre(*left, frame.width, source_size.0);
        let y = centre(*top, frame.height, source_size.1);
        let contains = |start: i32, length: i32, position: f64| {
            let start = f64::from(start);
            (start..start + f64::from(length)).contains(&position)
        };
        regions.iter().any(|region| {
            contains(region.x.get(), region.width.get(), x)
                && contains(region.y.get(), region.height.get(), y)
        })
    };
    let within: Vec<_> = all.iter().copied().filter(is_within).collect();
    if within.is_empty() { all } else { within }
}

/// The mean gray level of a block.
fn mean(frame: &GrayFrame<'_>, (left, top): (usize, usize)) -> f64 {
    let rows = frame.data.chunks_exact(frame.width);
    let block = rows
        .skip(top)
        .take(BLOCK_SIZE)
        .flat_map(|row| &row[left..left + BLOCK_SIZE]);
    let sum: u32 = block.map(|level| u32::from(*level)).sum();
    f64::from(sum) / (BLOCK_SIZE * BLOCK_SIZE) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 64;
    const HEIGHT: usize = 32;

    /// The index of the change in 20 frames whose pixels are given by frame, x and y.
    fn change(regions: &[Region], level: impl Fn(usize, usize, usize) -> usize) -> Option<usize> {
        let pictures: Vec<Vec<u8>> = (0..20)
            .map(|i| {
                let pixels =
                    (0..WIDTH * HEIGHT).map(|pixel| level(i, pixel % WIDTH, pixel / WIDTH));
                pixels.map(|level| u8::try_from(level).unwrap()).collect()
            })
            .collect();
        let frames: Vec<_> = pictures
            .iter()
            .map(|data| GrayFrame {
                width: WIDTH,
                height: HEIGHT,
                data,
                time: 0.0,
            })
            .collect();
        find_change(&frames, regions, (640, 320)).unwrap()
    }

    /// A camera in which somebody moves.
    fn camera(i: usize, x: usize, y: usize) -> usize {
        (x * 7 + y * 13 + i * 37) % 60 + 60
    }

    #[test]
    fn a_camera_that_moves_to_the_other_side_is_found_in_its_regions() {
        let camera_x = |i: usize| if i < 13 { 40..64 } else { 0..24 };
        // The slide changes at another time, and changes more.
        let level = |i: usize, x: usize, y: usize| {
            if camera_x(i).contains(&x) && y >= 16 {
                camera(i, x, y)
            } else if i < 6 {
                20
            } else {
                230
            }
        };
        let regions = [
            Region::new(400, 160, 240, 160).unwrap(),
            Region::new(0, 160, 240, 160).unwrap(),
        ];
        let moved_only = |i: usize, x: usize, y: usize| {
            let i = if i < 6 { 6 } else { i };
            level(i, x, y)
        };
        assert_eq!(change(&regions, moved_only), Some(13));
        assert_eq!(
            change(&[], |i, x, y| if y < 16 { level(i, x, y) } else { 0 }),
            Some(6)
        );
    }

    #[test]
    fn a_switch_to_the_camera_is_found_in_the_whole_picture() {
        let level = |i: usize, x: usize, y: usize| {
            let camera = camera(i, x, y);
            if (4..19).contains(&i) { camera } else { 230 }
        };
        assert_eq!(change(&[], |i, x, y| level(i.min(18), x, y)), Some(4));
    }

    #[test]
    fn motion_alone_is_no_change() {
        assert_eq!(change(&[], camera), None);
        assert_eq!(change(&[], |_, _, _| 100), None);
        assert_eq!(find_change(&[], &[], (640, 320)), Ok(None));
    }
}
