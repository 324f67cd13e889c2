//! How far a division is from the known one.

use lectern_domain::{NewContentSegment, NewTranscriptSegment};

/// `WindowDiff` (Pevzner & Hearst, "A critique and improvement of an evaluation
/// metric for text segmentation", 2002): the share of windows of half the mean
/// length of a true segment in which both divisions have not the same number
/// of boundaries. 0 is perfect; never dividing gets the share of windows that
/// hold a boundary.
pub(super) fn window_diff(truth: &[usize], found: &[usize]) -> f64 {
    let subjects = boundaries(truth, 0, truth.len() - 1) + 1;
    let window = (truth.len() / subjects / 2).max(1);
    let windows = truth.len() - window;
    let wrong = (0..windows)
        .filter(|&from| {
            boundaries(truth, from, from + window) != boundaries(found, from, from + window)
        })
        .count();
    wrong as f64 / windows as f64
}

fn boundaries(labels: &[usize], from: usize, to: usize) -> usize {
    labels[from..=to]
        .windows(2)
        .filter(|pair| pair[0] != pair[1])
        .count()
}

/// The topic each segment of the transcript was put into.
pub(super) fn labels(
    transcript: &[NewTranscriptSegment],
    topics: &[NewContentSegment],
) -> Vec<usize> {
    let label = |segment: &NewTranscriptSegment| {
        let begun = topics
            .iter()
            .filter(|topic| topic.time.start() <= segment.time.start());
        begun.count() - 1
    };
    transcript.iter().map(label).collect()
}
