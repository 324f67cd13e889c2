//! The samples that are looked at, and in which pairs.

use super::GrayFrame;
use super::strips::Strips;

/// How many pairs are looked at; of more frames as many pairs
/// are taken evenly, which tells the same in less time.
const MOST_PAIRS: usize = 48;

/// How many seconds are at least between the frames of a pair: within less
/// nobody moves far.
const APART: f64 = 0.5;

/// A frame as strips in both directions.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) upright: Strips,
    pub(super) lying: Strips,
    /// When it is shown, in seconds.
    time: f64,
}

impl Sample {
    fn new(frame: &GrayFrame<'_>) -> Self {
        Self {
            upright: Strips::upright(frame),
            lying: Strips::lying(frame),
            time: frame.time,
        }
    }
}

/// Which of the two directions of borders is meant.
pub(super) type Direction = fn(&Sample) -> &Strips;

/// Borders from top to bottom.
pub(super) const UPRIGHT: Direction = |sample| &sample.upright;
/// Borders from left to right.
pub(super) const LYING: Direction = |sample| &sample.lying;

/// Samples and the pairs among them.
#[derive(Debug)]
pub(super) struct Film {
    pub(super) samples: Vec<Sample>,
    /// Each the places of a frame and of one soon after it in `samples`.
    pub(super) pairs: Vec<(usize, usize)>,
}

impl Film {
    pub(super) fn new(frames: &[GrayFrame<'_>]) -> Self {
        let soon = |frame: &GrayFrame<'_>| frame.time - frames[0].time < APART;
        let step = frames.iter().take_while(|frame| soon(frame)).count().max(1);
        let count = frames.len().saturating_sub(step);
        if count <= MOST_PAIRS {
            return Self {
                samples: frames.iter().map(Sample::new).collect(),
                pairs: (0..count).map(|first| (first, first + step)).collect(),
            };
        }
        let firsts = (0..MOST_PAIRS).map(|pair| pair * count / MOST_PAIRS);
        let both = firsts.flat_map(|first| [&frames[first], &frames[first + step]]);
        Self {
            samples: both.map(Sample::new).collect(),
            pairs: (0..MOST_PAIRS)
                .map(|pair| (2 * pair, 2 * pair + 1))
                .collect(),
        }
    }

    /// When the sample is shown that is nearest to the average of all.
    pub(super) fn most_usual_time(&self) -> Option<f64> {
        let mut total: Vec<u32> = Vec::new();
        for sample in &self.samples {
            let all = sample.upright.all();
            total.resize(all.len(), 0);
            for (total, &sum) in total.iter_mut().zip(all) {
                *total += u32::from(sum);
            }
        }
        let count = u32::try_from(self.samples.len()).ok()?;
        let distance = |sample: &&Sample| -> u64 {
            let all = sample.upright.all().iter().zip(&total);
            all.map(|(&sum, &total)| u64::from((u32::from(sum) * count).abs_diff(total)))
                .sum()
        };
        self.samples
            .iter()
            .min_by_key(distance)
            .map(|sample| sample.time)
    }
}
