//! Finds out when a camera at a known place is in the picture.
//!
//! A frame fits a camera if its part of the picture resembles the median of the camera's frames
//! there, and moves. The sequence of cameras with the lowest total cost is found by the Viterbi
//! algorithm: each frame costs what it lacks to fit its camera, and each change of the camera
//! costs [`CHANGE_COST`], so that a short disturbance changes nothing.

use std::ops::Range;

use super::profile::BLOCK_SIZE;
use super::rectangle::Rectangle;
use super::sampling::SampledFrame;

/// The cost of a frame without a camera.
const NO_CAMERA_COST: f64 = 0.75;
/// The cost of a change of the camera.
const CHANGE_COST: f64 = 1.5;
/// The cost of a frame that does not move where the camera is.
const STILL_COST: f64 = 0.6;
/// The greatest cost of a frame that does not resemble the camera's.
const MAX_DIFFERENCE_COST: f64 = 1.5;
/// A block resembles another one if their means differ by less than this, in gray levels.
const MIN_DIFFERENCE: f64 = 12.0;
/// The smallest fraction of the camera's blocks that differ from the median of a frame; a
/// smaller one is noise.
const MIN_USUAL_DIFFERENCE: f64 = 0.05;
/// The smallest fraction of the camera's blocks that change in a frame with motion.
const MIN_CAMERA_CHANGE: f64 = 0.03;
/// The smallest fraction of the blocks outside of the camera that change when the slide changes.
const MIN_SLIDE_CHANGE: f64 = 0.05;

/// The mean gray levels of the blocks of frames.
pub(super) struct BlockMeans {
    columns: usize,
    /// For each frame, row by row.
    frames: Vec<Vec<f64>>,
    /// The smallest change of a block that is not noise, in gray levels.
    threshold: f64,
    /// How many frames later the frame is with which a frame is compared.
    step: usize,
}

impl BlockMeans {
    /// `threshold` is the smallest change of a block that is not noise, in gray levels. Frames
    /// are compared with those `step` frames later.
    pub(super) fn new(frames: &[SampledFrame], threshold: f64, step: usize) -> Self {
        let columns = frames
            .first()
            .map_or(0, |frame| frame.column_bands.band_count);
        let means = |frame: &SampledFrame| -> Vec<f64> {
            let bands = 0..frame.row_bands.band_count;
            let blocks = bands.flat_map(|band| {
                let blocks = frame.row_bands.band(band).chunks_exact(BLOCK_SIZE);
                blocks.map(|sums| sums.iter().map(|&sum| f64::from(sum)).sum::<f64>() / 16.0)
            });
            blocks.collect()
        };
        Self {
            columns,
            frames: frames.iter().map(means).collect(),
            threshold,
            step,
        }
    }

    /// How many frames later the frame is with which a frame is compared.
    pub(super) fn step(&self) -> usize {
        self.step
    }

    fn blocks(&self, included: impl Fn(usize, usize) -> bool) -> Vec<usize> {
        let count = self.frames.first().map_or(0, Vec::len);
        let columns = self.columns.max(1);
        (0..count)
            .filter(|block| included(block % columns, block / columns))
            .collect()
    }

    /// The fraction of the `blocks` that differ by at least `threshold` between a frame and
    /// `other`.
    fn difference(&self, frame: usize, other: &[f64], blocks: &[usize], threshold: f64) -> f64 {
        let differs =
            |&&block: &&usize| (self.frames[frame][block] - other[block]).abs() >= threshold;
        blocks.iter().filter(differs).count() as f64 / blocks.len().max(1) as f64
    }

    /// The fraction of the `blocks` that change from a frame to the one `step` frames later.
    fn change(&self, frame: usize, blocks: &[usize]) -> f64 {
        match self.frames.get(frame + self.step) {
            Some(later) => self.difference(frame, later, blocks, self.threshold),
            None => 0.0,
        }
    }

    /// Whether the picture outside of `camera` changes in one of the `frames`: in all compared
    /// pairs that begin with one of them.
    pub(super) fn slide_changes(&self, frames: Range<usize>, camera: Rectangle) -> bool {
        let camera = camera.expanded(BLOCK_SIZE);
        let blocks = self.blocks(|column, row| !camera.contains_block(column, row));
        let last = frames.end.min(self.frames.len());
        (frames.start..last).any(|frame| self.change(frame, &blocks) >= MIN_SLIDE_CHANGE)
    }

    /// For each frame, how little it fits a camera at `rectangle` that is in the picture in the
    /// frames `known`; 0 if it fits.
    fn costs(&self, rectangle: Rectangle, known: &[usize]) -> Vec<f64> {
        let blocks = self.blocks(|column, row| rectangle.contains_block(column, row));
        let mut median = vec![0.0; self.frames.first().map_or(0, Vec::len)];
        for &block in &blocks {
            let levels = known.iter().map(|&frame| self.frames[frame][block]);
            median[block] = median_of(levels.collect());
        }
        let differences: Vec<f64> = (0..self.frames.len())
            .map(|frame| self.difference(frame, &median, &blocks, MIN_DIFFERENCE))
            .collect();
        let usual = median_of(known.iter().map(|&frame| differences[frame]).collect());
        let usual = usual.max(MIN_USUAL_DIFFERENCE);
        let moves: Vec<bool> = (0..self.frames.len())
            .map(|frame| self.change(frame, &blocks) >= MIN_CAMERA_CHANGE)
            .collect();
        let cost = |(frame, difference): (usize, &f64)| {
            let later = moves[frame];
            // The last frames are compared with no later ones.
            let is_last = frame + self.step >= moves.len();
            let earlier = frame.checked_sub(self.step).map(|frame| moves[frame]);
            let is_still = |moves: bool| if moves { 0.0 } else { STILL_COST };
            let stillness = match earlier {
                Some(earlier) if is_last => is_still(earlier),
                Some(earlier) => f64::midpoint(is_still(earlier), is_still(later)),
                None => is_still(later),
            };
            (difference / usual - 1.0).clamp(0.0, MAX_DIFFERENCE_COST) + stillness
        };
        differences.iter().enumerate().map(cost).collect()
    }

    /// For each frame, the index of the camera in the picture. A camera is its rectangle and
    /// some frames in which it is known to be in the picture.
    pub(super) fn cameras(&self, cameras: &[(Rectangle, Vec<usize>)]) -> Vec<Option<usize>> {
        let mut costs = vec![vec![NO_CAMERA_COST; self.frames.len()]];
        costs.extend(
            cameras
                .iter()
                .map(|(rectangle, known)| self.costs(*rectangle, known)),
        );
        // The states are no camera, and each of the cameras.
        let mut totals: Vec<f64> = costs
            .iter()
            .map(|costs| costs.first().map_or(0.0, |c| *c))
            .collect();
        let mut before: Vec<Vec<usize>> = Vec::new();
        #[expect(
            clippy::needless_range_loop,
            reason = "a frame is an index in the costs of each state"
        )]
        for frame in 1..self.frames.len() {
            let best = index_of_least(&totals);
            let from: Vec<usize> = (0..totals.len())
                .map(|state| {
                    if totals[state] <= totals[best] + CHANGE_COST {
                        state
                    } else {
                        best
                    }
                })
                .collect();
            totals = from
                .iter()
                .enumerate()
                .map(|(state, &from)| {
                    let change = if from == state { 0.0 } else { CHANGE_COST };
                    totals[from] + change + costs[state][frame]
                })
                .collect();
            before.push(from);
        }
        let mut states = vec![index_of_least(&totals)];
        for from in before.iter().rev() {
            let state = states.last().map_or(0, |&state| from[state]);
            states.push(state);
        }
        states.reverse();
        states.truncate(self.frames.len());
        states
            .into_iter()
            .map(|state| state.checked_sub(1))
            .collect()
    }
}

fn index_of_least(values: &[f64]) -> usize {
    let indices = (0..values.len()).min_by(|&a, &b| values[a].total_cmp(&values[b]));
    indices.unwrap_or(0)
}

/// The upper of two middle values; 0 without values.
fn median_of(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}
