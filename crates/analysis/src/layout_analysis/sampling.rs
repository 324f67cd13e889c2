//! Selects the frames to analyse and pairs them for frame differencing.
//!
//! The frames of a pair are at least half a second apart. If there are many frames,
//! a fixed number of pairs at even distances is selected, so the running time of
//! the analysis does not depend on the number of frames.

use super::frame::GrayFrame;
use super::profile::Profiles;

/// The maximum number of frame pairs; more pairs would make the analysis slower, but
/// not better.
const MAX_PAIRS: usize = 48;

/// The minimum time between the frames of a pair, in seconds. In less time, a
/// person hardly moves.
const MIN_PAIR_INTERVAL: f64 = 0.5;

/// Orientation of a border line.
#[derive(Debug, Clone, Copy)]
pub(super) enum Orientation {
    Vertical,
    Horizontal,
}

/// The intensity profiles of one frame.
#[derive(Debug, Clone)]
pub(super) struct SampledFrame {
    /// Profiles along x, which cross vertical borders.
    pub(super) row_bands: Profiles,
    /// Profiles along y, which cross horizontal borders.
    pub(super) column_bands: Profiles,
    /// Position in the recording, in seconds.
    pub(super) time: f64,
}

impl SampledFrame {
    pub(super) fn new(frame: &GrayFrame<'_>) -> Self {
        Self {
            row_bands: Profiles::of_row_bands(frame),
            column_bands: Profiles::of_column_bands(frame),
            time: frame.time,
        }
    }

    /// The profiles that cross borders of the given orientation.
    pub(super) fn profiles_across(&self, orientation: Orientation) -> &Profiles {
        match orientation {
            Orientation::Vertical => &self.row_bands,
            Orientation::Horizontal => &self.column_bands,
        }
    }
}

/// How many frames are between the frames of a pair. `frames` are at even intervals.
pub(super) fn pair_step(frames: &[SampledFrame]) -> usize {
    let too_close = |frame: &&SampledFrame| frame.time - frames[0].time < MIN_PAIR_INTERVAL;
    frames.iter().take_while(too_close).count().max(1)
}

/// The selected frames, and the pairs of them that are compared.
#[derive(Debug)]
pub(super) struct SampledFrames {
    pub(super) frames: Vec<SampledFrame>,
    /// Indices into `frames`: the second frame of a pair is at least
    /// [`MIN_PAIR_INTERVAL`] later than the first.
    pub(super) pairs: Vec<(usize, usize)>,
}

impl SampledFrames {
    /// `frames` are in order of time, at even intervals.
    pub(super) fn select(frames: &[SampledFrame]) -> Self {
        let step = pair_step(frames);
        let pair_count = frames.len().saturating_sub(step);
        if pair_count <= MAX_PAIRS {
            return Self {
                frames: frames.to_vec(),
                pairs: (0..pair_count).map(|first| (first, first + step)).collect(),
            };
        }
        let selected = (0..MAX_PAIRS)
            .map(|pair| pair * pair_count / MAX_PAIRS)
            .flat_map(|first| [&frames[first], &frames[first + step]]);
        Self {
            frames: selected.cloned().collect(),
            pairs: (0..MAX_PAIRS)
                .map(|pair| (2 * pair, 2 * pair + 1))
                .collect(),
        }
    }

    /// The time of the frame with the smallest L1 distance to the mean frame,
    /// in seconds; `None` without frames.
    pub(super) fn representative_time(&self) -> Option<f64> {
        let mut totals: Vec<u32> = Vec::new();
        for frame in &self.frames {
            let sums = frame.row_bands.all();
            totals.resize(sums.len(), 0);
            for (total, &sum) in totals.iter_mut().zip(sums) {
                *total += u32::from(sum);
            }
        }
        // Compares `sum * count` with `total`, which avoids a division.
        let count = u32::try_from(self.frames.len()).ok()?;
        let distance = |frame: &&SampledFrame| -> u64 {
            let sums = frame.row_bands.all().iter().zip(&totals);
            sums.map(|(&sum, &total)| u64::from((u32::from(sum) * count).abs_diff(total)))
                .sum()
        };
        self.frames
            .iter()
            .min_by_key(distance)
            .map(|frame| frame.time)
    }
}
