//! Measures how far a segmentation is from the true one.

use lectern_domain::{NewContentSegment, NewTranscriptSegment};

/// `WindowDiff` (Pevzner & Hearst, "A critique and improvement of an evaluation
/// metric for text segmentation", 2002), 0 (equal) to 1.
///
/// It is the fraction of windows in which both segmentations have different
/// numbers of boundaries; a window is half as long as the mean true segment.
/// Both arguments have, for each transcript segment, the index of its topic segment.
pub(super) fn window_diff(truth: &[usize], found: &[usize]) -> f64 {
    let segments = boundaries(truth, 0, truth.len() - 1) + 1;
    let window = (truth.len() / segments / 2).max(1);
    let windows = truth.len() - window;
    let different = (0..windows)
        .filter(|&start| {
            boundaries(truth, start, start + window) != boundaries(found, start, start + window)
        })
        .count();
    different as f64 / windows as f64
}

fn boundaries(labels: &[usize], first: usize, last: usize) -> usize {
    labels[first..=last]
        .windows(2)
        .filter(|pair| pair[0] != pair[1])
        .count()
}

/// The index of the content segment that contains each transcript segment.
pub(super) fn labels(
    transcript: &[NewTranscriptSegment],
    segments: &[NewContentSegment],
) -> Vec<usize> {
    let label = |sentence: &NewTranscriptSegment| {
        let started = segments
            .iter()
            .filter(|segment| segment.time.start() <= sentence.time.start());
        started.count() - 1
    };
    transcript.iter().map(label).collect()
}
