//! Finds straight lines that may be borders of the camera image.
//!
//! In each band of the frames (see [`profile`](super::profile)), a position has
//! evidence of a border if most frames have an edge there, or if one side of it
//! changes clearly more often than the other. Changes are counted in the calm pairs
//! of frames (see [`motion`](super::motion)). The support of a border is the
//! fraction of its bands that have evidence. Evidence is stored as cumulative
//! counts over the bands, so a lookup of the support takes constant time;
//! building the counts is linear in the number of pixels of all frames.

use std::ops::{Range, RangeInclusive};

use super::motion::Motion;
use super::profile::Profiles;
use super::sampling::{Orientation, SampledFrames};

/// The fraction of frames in which a static edge must be present, always as a
/// step in the same direction (dark to bright, or bright to dark).
const MIN_EDGE_PERSISTENCE: f64 = 0.7;
/// The smallest step of a static edge, in gray levels; larger if there is noise.
const MIN_EDGE_STEP: f64 = 6.0;
/// The smallest difference between the activities of both sides of a border, as
/// a fraction of the calm pairs.
const MIN_ACTIVITY_DIFFERENCE: f64 = 0.35;
/// The smallest support of a candidate.
const MIN_CANDIDATE_SUPPORT: f64 = 0.5;
/// The maximum number of candidates for each side of the rectangle. Those
/// nearest to the moving area are kept.
const MAX_CANDIDATES: usize = 16;

/// Evidence of borders of one orientation.
///
/// Position `p` is the border between the pixels `p - 1` and `p`. The camera
/// image starts at its left or top border and ends at its right or bottom one.
#[derive(Debug)]
pub(super) struct Borders {
    starts: EvidenceMap,
    ends: EvidenceMap,
}

impl Borders {
    pub(super) fn find(sampled: &SampledFrames, orientation: Orientation, motion: &Motion) -> Self {
        let frames: Vec<&Profiles> = sampled
            .frames
            .iter()
            .map(|frame| frame.profiles_across(orientation))
            .collect();
        let (length, bands) = frames
            .first()
            .map_or((0, 0), |first| (first.length, first.band_count));
        let min_step = MIN_EDGE_STEP.max(motion.threshold / 2.0);
        let mut starts = EvidenceMap::new(length, bands);
        let mut ends = EvidenceMap::new(length, bands);
        for band in 0..bands {
            let edges = static_edges(&frames, band, min_step);
            let activity = activity(&frames, band, sampled, motion);
            for position in 2..length.saturating_sub(1) {
                // Means of the two pixels on each side.
                let activity_increase = (activity[position] + activity[position + 1]
                    - activity[position - 1]
                    - activity[position - 2])
                    / 2.0;
                let has_edge = edges[position];
                starts.set(
                    position,
                    band,
                    has_edge || activity_increase >= MIN_ACTIVITY_DIFFERENCE,
                );
                ends.set(
                    position,
                    band,
                    has_edge || -activity_increase >= MIN_ACTIVITY_DIFFERENCE,
                );
            }
        }
        starts.accumulate();
        ends.accumulate();
        Self { starts, ends }
    }

    /// Candidates for the start of a camera image that spans `bands`, in
    /// descending order.
    pub(super) fn start_candidates(
        &self,
        positions: Range<usize>,
        bands: Range<usize>,
    ) -> Vec<usize> {
        let mut candidates = self.starts.local_maxima(positions, bands);
        candidates.reverse();
        candidates.truncate(MAX_CANDIDATES);
        candidates
    }

    /// Candidates for the end of a camera image that spans `bands`, in
    /// ascending order.
    pub(super) fn end_candidates(
        &self,
        positions: Range<usize>,
        bands: Range<usize>,
    ) -> Vec<usize> {
        let mut candidates = self.ends.local_maxima(positions, bands);
        candidates.truncate(MAX_CANDIDATES);
        candidates
    }

    /// The support for a start at `position` along `bands`, 0 to 1.
    pub(super) fn start_support(&self, position: usize, bands: Range<usize>) -> f64 {
        self.starts.support(position, bands)
    }

    /// The support for an end at `position` along `bands`, 0 to 1.
    pub(super) fn end_support(&self, position: usize, bands: Range<usize>) -> f64 {
        self.ends.support(position, bands)
    }

    /// The highest support for a start or an end at any of the `positions`.
    pub(super) fn max_support(&self, positions: RangeInclusive<usize>, bands: Range<usize>) -> f64 {
        let support = |position| {
            self.start_support(position, bands.clone())
                .max(self.end_support(position, bands.clone()))
        };
        positions.map(support).fold(0.0, f64::max)
    }
}

/// For each position of a band, whether most frames have an edge there of at
/// least `min_step` gray levels.
fn static_edges(frames: &[&Profiles], band: usize, min_step: f64) -> Vec<bool> {
    let length = frames.first().map_or(0, |first| first.length);
    let (mut rising, mut falling) = (vec![0_u32; length], vec![0_u32; length]);
    // Two profile values on each side, each a sum of four pixels.
    let min_step = min_step * 8.0;
    for profiles in frames {
        for (start, window) in profiles.band(band).windows(4).enumerate() {
            let step = (i32::from(window[2]) + i32::from(window[3]))
                - (i32::from(window[0]) + i32::from(window[1]));
            let step = f64::from(step);
            rising[start + 2] += u32::from(step >= min_step);
            falling[start + 2] += u32::from(step <= -min_step);
        }
    }
    let min_count = MIN_EDGE_PERSISTENCE * frames.len() as f64;
    rising
        .iter()
        .zip(&falling)
        .map(|(&rising, &falling)| f64::from(rising.max(falling)) >= min_count)
        .collect()
}

/// For each position of a band, the fraction of calm pairs in which it changed.
fn activity(
    frames: &[&Profiles],
    band: usize,
    sampled: &SampledFrames,
    motion: &Motion,
) -> Vec<f64> {
    let length = frames.first().map_or(0, |first| first.length);
    let mut change_counts = vec![0_u32; length];
    // A profile value is a sum of four pixels.
    let threshold = motion.threshold * 4.0;
    for &pair in &motion.calm_pairs {
        let (first, second) = sampled.pairs[pair];
        let values = frames[first]
            .band(band)
            .iter()
            .zip(frames[second].band(band));
        for (count, (&first, &second)) in change_counts.iter_mut().zip(values) {
            *count += u32::from(f64::from(first.abs_diff(second)) >= threshold);
        }
    }
    let pairs = motion.calm_pairs.len().max(1) as f64;
    change_counts
        .into_iter()
        .map(|count| f64::from(count) / pairs)
        .collect()
}

/// Which positions have evidence in which bands.
#[derive(Debug)]
struct EvidenceMap {
    length: usize,
    /// `counts[band * length + position]` is the number of bands before `band`
    /// that have evidence at `position`, once [`Self::accumulate`] has run.
    counts: Vec<u32>,
}

impl EvidenceMap {
    fn new(length: usize, bands: usize) -> Self {
        Self {
            length,
            counts: vec![0; length * (bands + 1)],
        }
    }

    fn set(&mut self, position: usize, band: usize, evidence: bool) {
        self.counts[(band + 1) * self.length + position] = u32::from(evidence);
    }

    /// Turns the evidence of each band into cumulative counts.
    fn accumulate(&mut self) {
        for index in self.length..self.counts.len() {
            self.counts[index] += self.counts[index - self.length];
        }
    }

    /// The fraction of `bands` with evidence at `position`.
    fn support(&self, position: usize, bands: Range<usize>) -> f64 {
        if position >= self.length || bands.is_empty() {
            return 0.0;
        }
        let count_before = |band: usize| self.counts[band * self.length + position];
        f64::from(count_before(bands.end) - count_before(bands.start)) / bands.len() as f64
    }

    /// The local maxima of the support that reach [`MIN_CANDIDATE_SUPPORT`], in
    /// ascending order. Of a plateau, the middle is returned.
    fn local_maxima(&self, positions: Range<usize>, bands: Range<usize>) -> Vec<usize> {
        let support = |position: usize| self.support(position, bands.clone());
        let mut maxima = Vec::new();
        let mut start = positions.start;
        while start < positions.end {
            let value = support(start);
            let mut end = start + 1;
            while end < positions.end && support(end).total_cmp(&value).is_eq() {
                end += 1;
            }
            let rises = start == 0 || support(start - 1) <= value;
            let falls = support(end) < value;
            if value >= MIN_CANDIDATE_SUPPORT && rises && falls {
                maxima.push(usize::midpoint(start, end - 1));
            }
            start = end;
        }
        maxima
    }
}
