//! Clips of a recording in which nothing is known to be said.

use super::edge::Edges;
use super::rules::ClipRules;
use crate::span::Span;

/// Spreads clips evenly: as many equal slots as clips of the greatest length
/// would fit one after the other (within the least and greatest number, and no
/// slot shorter than the least length), and in each the longest stretch
/// between two silences, or the slot's middle when all of them are too short.
pub(super) fn spread(
    silences: &[Span],
    edges: &Edges,
    recording: Span,
    rules: &ClipRules,
) -> Vec<Span> {
    let fitting = |length: f64| {
        (1..=rules.max_clips)
            .rev()
            .find(|&n| n as f64 * length <= recording.length())
    };
    let most = fitting(rules.min_length).unwrap_or(1);
    let slots = fitting(rules.max_length)
        .unwrap_or(1)
        .max(rules.min_clips)
        .min(most);
    let length = recording.length() / slots as f64;
    (0..slots)
        .map(|i| {
            let start = recording.start + i as f64 * length;
            let slot = Span::new(start, (start + length).min(recording.end));
            let between = slot.without(silences).into_iter().rev();
            let longest = between.max_by(|a, b| a.length().total_cmp(&b.length()));
            let heard = longest.filter(|span| span.length() >= rules.min_length);
            let span = middle_of(heard.unwrap_or(slot), rules.max_length);
            edges.snap(span, span.middle(), slot, rules)
        })
        .collect()
}

fn middle_of(span: Span, most: f64) -> Span {
    let margin = (span.length() - most).max(0.0) / 2.0;
    Span::new(span.start + margin, span.end - margin)
}
