//! Measures how much visible structure an area of the picture has.

use super::profile::BLOCK_SIZE;
use super::sampling::SampledFrame;

/// The smallest step of a visible edge, in gray levels.
const MIN_VISIBLE_STEP: f64 = 12.0;
/// The maximum number of frames that are measured, taken at even distances.
const MAX_FRAMES: usize = 16;

/// The fraction of the `included` pixels `(x, y)` at which there is a vertical
/// edge, over all measured frames; 0 to 1.
///
/// `change_threshold` is the smallest change that is not noise, in gray levels.
pub(super) fn edge_density(
    frames: &[SampledFrame],
    change_threshold: f64,
    included: impl Fn(usize, usize) -> bool,
) -> f64 {
    let min_step = MIN_VISIBLE_STEP.max(2.0 * change_threshold) * BLOCK_SIZE as f64;
    let (mut positions, mut edges) = (0_u32, 0_u32);
    for frame in frames
        .iter()
        .step_by(frames.len().div_ceil(MAX_FRAMES).max(1))
    {
        let profiles = &frame.row_bands;
        for band in 0..profiles.band_count {
            let top = band * BLOCK_SIZE;
            for (x, window) in profiles.band(band).windows(4).enumerate() {
                // Both corners, so that the edge of an excluded area does not count.
                if included(x, top) && included(x + 3, top + 3) {
                    positions += 1;
                    let step = f64::from(window[0].abs_diff(window[3]));
                    edges += u32::from(step >= min_step);
                }
            }
        }
    }
    f64::from(edges) / f64::from(positions.max(1))
}
