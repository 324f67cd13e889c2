//! Detects motion by frame differencing.
//!
//! Compares pairs of frames at least half a second apart ([`SampledFrames`]). Each
//! frame is cut into blocks of 4 by 4 pixels. A block has changed from one frame of a
//! pair to the other if its mean gray level differs by at least [`MIN_CHANGE`], and by
//! [`MIN_CHANGE_TO_NOISE`] times the noise, which is estimated from the recording
//! itself. The half of the pairs with the fewest changed blocks is calm: a camera moves
//! in calm pairs, too, but slides rarely change in them. The running time is linear in
//! the number of pixels of all frames.

use super::profile::{BLOCK_SIZE, Profiles};
use super::sampling::SampledFrames;

/// The smallest change of a block, in gray levels. In a still picture, encoding
/// causes smaller changes than this.
const MIN_CHANGE: f64 = 4.0;
/// The smallest change of a block, as a multiple of the noise.
///
/// The noise is the standard deviation, between two frames, of the difference of a
/// profile value, which is the mean of four pixels. The mean of a block is over 16
/// pixels. If the noise of the pixels is independent, the
/// standard deviation of that mean is half as large, so this threshold is six
/// standard deviations. If scaling and encoding have spread the noise over
/// neighbouring pixels, it is about three.
const MIN_CHANGE_TO_NOISE: f64 = 3.0;

/// Which blocks changed in which pairs of frames.
#[derive(Debug)]
pub(super) struct Motion {
    /// Blocks per row.
    pub(super) columns: usize,
    /// Rows of blocks.
    pub(super) rows: usize,
    /// The smallest change of a block's mean, in gray levels.
    pub(super) threshold: f64,
    /// Indices of the calm pairs: the half of all pairs with the fewest changed
    /// blocks.
    pub(super) calm_pairs: Vec<usize>,
    /// For each block, row by row: the fraction of calm pairs in which it
    /// changed.
    pub(super) change_rates: Vec<f64>,
    /// For each pair, whether each block changed.
    changed: Vec<Vec<bool>>,
}

impl Motion {
    pub(super) fn detect(sampled: &SampledFrames) -> Self {
        let (columns, rows) = sampled.frames.first().map_or((0, 0), |first| {
            (first.column_bands.band_count, first.row_bands.band_count)
        });
        let profiles = |frame: usize| &sampled.frames[frame].row_bands;
        let differences: Vec<FrameDifference> = sampled
            .pairs
            .iter()
            .map(|&(first, second)| {
                FrameDifference::between(profiles(first), profiles(second), columns)
            })
            .collect();
        let noise = noise_level(&differences, columns * rows);
        let threshold = MIN_CHANGE.max(MIN_CHANGE_TO_NOISE * noise);
        let changed: Vec<Vec<bool>> = differences
            .iter()
            .map(|difference| {
                let means = difference.means.iter();
                means.map(|mean| mean.abs() >= threshold).collect()
            })
            .collect();
        let mut calm_pairs: Vec<usize> = (0..changed.len()).collect();
        calm_pairs.sort_by_key(|&pair| changed[pair].iter().filter(|&&block| block).count());
        calm_pairs.truncate(changed.len().div_ceil(2));
        let change_rates = (0..columns * rows)
            .map(|block| fraction_true(calm_pairs.iter().map(|&pair| changed[pair][block])))
            .collect();
        Self {
            columns,
            rows,
            threshold,
            calm_pairs,
            change_rates,
            changed,
        }
    }

    /// For each pair, whether at least the fraction `min_changed` of the blocks for which
    /// `included(column, row)` is true have changed.
    pub(super) fn pairs_with_change(
        &self,
        min_changed: f64,
        included: impl Fn(usize, usize) -> bool,
    ) -> Vec<bool> {
        let blocks: Vec<usize> = (0..self.change_rates.len())
            .filter(|block| included(block % self.columns, block / self.columns))
            .collect();
        self.changed
            .iter()
            .map(|changed| fraction_true(blocks.iter().map(|&block| changed[block])) >= min_changed)
            .collect()
    }
}

/// The difference of two frames, block by block.
struct FrameDifference {
    /// Mean difference of each block, in gray levels.
    means: Vec<f64>,
    /// Variance of the differences of the four profile values in each block, in
    /// squared gray levels.
    variances: Vec<f64>,
}

impl FrameDifference {
    fn between(first: &Profiles, second: &Profiles, columns: usize) -> Self {
        let blocks = columns * first.band_count;
        let (mut means, mut variances) = (Vec::with_capacity(blocks), Vec::with_capacity(blocks));
        for band in 0..first.band_count {
            let (first, second) = (first.band(band), second.band(band));
            for (first, second) in first
                .chunks_exact(BLOCK_SIZE)
                .zip(second.chunks_exact(BLOCK_SIZE))
            {
                let (mut sum, mut sum_of_squares) = (0, 0);
                for (&first, &second) in first.iter().zip(second) {
                    let difference = i32::from(second) - i32::from(first);
                    sum += difference;
                    sum_of_squares += difference * difference;
                }
                // A profile value is a sum of four pixels: divide by 4 for gray
                // levels, and by 16 for squared gray levels.
                let mean = f64::from(sum) / 4.0;
                means.push(mean / 4.0);
                variances.push((f64::from(sum_of_squares) - 4.0 * mean * mean) / 3.0 / 16.0);
            }
        }
        Self { means, variances }
    }
}

/// Estimates the noise as the square root of a typical variance within a block,
/// in gray levels.
///
/// For each block, the median over all pairs is taken, which ignores slide
/// changes. Then the 10th percentile over all blocks is taken, which ignores a
/// camera unless it fills nine tenths of the picture.
fn noise_level(differences: &[FrameDifference], blocks: usize) -> f64 {
    if differences.is_empty() || blocks == 0 {
        return 0.0;
    }
    let mut medians: Vec<f64> = (0..blocks)
        .map(|block| {
            let mut variances: Vec<f64> = differences
                .iter()
                .map(|difference| difference.variances[block])
                .collect();
            let middle = variances.len() / 2;
            *variances.select_nth_unstable_by(middle, f64::total_cmp).1
        })
        .collect();
    let tenth_percentile = *medians
        .select_nth_unstable_by(blocks / 10, f64::total_cmp)
        .1;
    tenth_percentile.max(0.0).sqrt()
}

/// The fraction of `values` that are true, 0 to 1; 0 without values.
pub(super) fn fraction_true(values: impl Iterator<Item = bool>) -> f64 {
    let (mut count, mut matching) = (0_u32, 0_u32);
    for value in values {
        count += 1;
        matching += u32::from(value);
    }
    f64::from(matching) / f64::from(count.max(1))
}
