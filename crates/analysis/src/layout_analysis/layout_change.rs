//! Finds the frame at which the picture changes to another layout.

use lectern_domain::{InField, Invalid, Region};

use super::frame::GrayFrame;

/// Width and height of the compared blocks, in pixels.
const BLOCK_SIZE: usize = 8;
/// The fewest frames on one side of a change.
const MIN_SIDE: usize = 2;
/// The level of a block in a frame is the median of this many frames on each side of it, so that
/// a flash is no change, but at most of an eighth of all frames.
const MEDIAN_SIDE: usize = 3;
/// Added to the variance of a block in time, in squared gray levels: noise of the encoding.
const NOISE_VARIANCE: f64 = 16.0;
/// How much the cost of a block has to decrease by a division of the frames, in the mean of all
/// blocks and in multiples of the logarithm of the number of frames. The division has three
/// parameters more for a block, for which the Bayesian information criterion asks 3.
const MIN_GAIN: f64 = 4.0;

/// The index of the first frame with another picture than before, among `frames` in order of
/// time that begin with one layout and end with another. `None` if no change stands out.
///
/// Only the parts of the picture within `regions` are compared, or all of it if there are none.
/// They are in pixels of the recording, whose width and height is `source_size`. The frames are
/// divided where the gray levels of blocks are most likely to be normally distributed with one
/// mean and variance before, and another after: a change between a still screen and a camera is
/// one of the variance.
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
    let levels = medians(&levels);
    let count = frames.len();
    let mut sums = vec![Sums::default(); blocks.len()];
    let mut all = sums.clone();
    for levels in &levels {
        for (sums, level) in all.iter_mut().zip(levels) {
            sums.add(*level);
        }
    }
    let undivided: f64 = all.iter().map(Sums::cost).sum();
    let mut best: Option<(f64, usize)> = None;
    for (index, levels) in levels.iter().enumerate() {
        if index >= MIN_SIDE && count - index >= MIN_SIDE {
            let sides = sums.iter().zip(&all);
            let divided: f64 = sides
                .map(|(before, all)| before.cost() + all.without(before).cost())
                .sum();
            if best.is_none_or(|(least, _)| divided < least) {
                best = Some((divided, index));
            }
        }
        for (sums, level) in sums.iter_mut().zip(levels) {
            sums.add(*level);
        }
    }
    let min_gain = MIN_GAIN * (count as f64).ln() * blocks.len() as f64;
    let found = best.filter(|(divided, _)| undivided - divided >= min_gain);
    Ok(found.map(|(_, index)| index))
}

/// The median over time of each level and its neighbours.
fn medians(levels: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let side = MEDIAN_SIDE.min(levels.len() / 8);
    let median = |frame: usize, block: usize| {
        // As many on each side, so that a change stays where it is.
        let side = side.min(frame).min(levels.len() - 1 - frame);
        let mut near: Vec<f64> = levels[frame - side..=frame + side]
            .iter()
            .map(|levels| levels[block])
            .collect();
        *near.select_nth_unstable_by(side, f64::total_cmp).1
    };
    (0..levels.len())
        .map(|frame| {
            let blocks = 0..levels[frame].len();
            blocks.map(|block| median(frame, block)).collect()
        })
        .collect()
}

/// The gray levels of a block in some frames.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Sums {
    fn add(&mut self, level: f64) {
        self.count += 1.0;
        self.sum += level;
        self.squares += level * level;
    }

    fn without(&self, other: &Self) -> Self {
        Self {
            count: self.count - other.count,
            sum: self.sum - other.sum,
            squares: self.squares - other.squares,
        }
    }

    /// Minus twice the logarithm of the likelihood of the levels, apart from a constant for each.
    fn cost(&self) -> f64 {
        let mean = self.sum / self.count;
        let variance = (self.squares / self.count - mean * mean).max(0.0);
        self.count * (variance + NOISE_VARIANCE).ln()
    }
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
    fn a_flash_is_no_change() {
        let still = |x: usize, y: usize| if y % 16 < 8 { 40 } else { x + 100 };
        let level = |i: usize, x: usize, y: usize| match i {
            4 | 5 => 235,
            14.. => camera(i, x, y),
            _ => still(x, y),
        };
        assert_eq!(change(&[], level), Some(14));
    }

    #[test]
    fn motion_alone_is_no_change() {
        assert_eq!(change(&[], camera), None);
        assert_eq!(change(&[], |_, _, _| 100), None);
        assert_eq!(find_change(&[], &[], (640, 320)), Ok(None));
    }
}
