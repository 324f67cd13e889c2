//! Clips of a recording without content segments.

use super::rules::ClipRules;
use super::selection::first_max;
use super::snapping::SnapPoints;
use crate::time_span::TimeSpan;

/// Divides the recording into equal slots, and takes one clip from each.
///
/// The number of slots is the number of clips of the maximum length that fit into the
/// recording, but at least the minimum and at most the maximum number of clips. No slot
/// is shorter than the minimum length of a clip. The clip is taken from the longest part
/// of its slot between two silences, or from the middle of the slot if all parts are too
/// short. `silences` are sorted and disjoint.
pub(super) fn spread_evenly(
    silences: &[TimeSpan],
    snap_points: &SnapPoints,
    recording: TimeSpan,
    rules: &ClipRules,
) -> Vec<TimeSpan> {
    let slots = slot_count(recording.length(), rules);
    let length = recording.length() / slots as f64;
    (0..slots)
        .map(|i| {
            let start = recording.start + i as f64 * length;
            let slot = TimeSpan::new(start, (start + length).min(recording.end));
            let longest_part = first_max(slot.difference(silences), |part| part.length())
                .filter(|part| part.length() >= rules.min_length);
            let clip = centered(longest_part.unwrap_or(slot), rules.max_length);
            snap_points.snap(clip, clip.midpoint(), slot, rules)
        })
        .collect()
}

fn slot_count(duration: f64, rules: &ClipRules) -> usize {
    let count_that_fits = |length: f64| {
        (1..=rules.max_clips)
            .rev()
            .find(|&count| count as f64 * length <= duration)
            .unwrap_or(1)
    };
    count_that_fits(rules.max_length)
        .max(rules.min_clips)
        .min(count_that_fits(rules.min_length))
}

/// The middle of `span`, at most `max_length` seconds long.
fn centered(span: TimeSpan, max_length: f64) -> TimeSpan {
    let margin = (span.length() - max_length).max(0.0) / 2.0;
    TimeSpan::new(span.start + margin, span.end - margin)
}
