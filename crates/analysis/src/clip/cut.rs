//! Where a clip is cut before and after its speech.

use super::passage::Passage;
use crate::time_span::TimeSpan;

/// The maximum margin before and after the speech, in seconds.
const MAX_MARGIN: f64 = 0.5;

/// The time of a clip of the passages `first..=last`, with margins: half of the pause
/// before and after it, but at most [`MAX_MARGIN`]. So a pause of 0.3 s gives a margin of
/// 0.15 s, and clips of adjacent passages do not overlap.
pub(super) fn clip_span(
    passages: &[Passage],
    first: usize,
    last: usize,
    recording: TimeSpan,
) -> TimeSpan {
    let (start, end) = (passages[first].span.start, passages[last].span.end);
    // Two clips get the same middle of the pause between them.
    let earliest = match first.checked_sub(1) {
        Some(previous) => passages[previous].span.end.midpoint(start),
        None => recording.start,
    };
    let latest = match passages.get(last + 1) {
        Some(next) => end.midpoint(next.span.start),
        None => recording.end,
    };
    TimeSpan::new(
        earliest.max(start - MAX_MARGIN),
        latest.min(end + MAX_MARGIN),
    )
}

#[cfg(test)]
mod tests {
    use super::super::passage::parts_between_silences;
    use super::*;

    #[test]
    fn the_margin_is_half_of_the_pause_but_at_most_half_a_second() {
        let silences = [(10.0, 10.3), (20.0, 20.8), (30.0, 34.0), (40.0, 40.1)];
        let silences = silences.map(|(start, end)| TimeSpan::new(start, end));
        let recording = TimeSpan::new(0.0, 50.0);
        let passages = parts_between_silences(recording, &silences, 60.0);
        let cut = |first, last| {
            let span = clip_span(&passages, first, last, recording);
            let round = |time: f64| (time * 1e3).round() / 1e3;
            (round(span.start), round(span.end))
        };
        assert_eq!(cut(0, 0), (0.0, 10.15));
        assert_eq!(cut(1, 1), (10.15, 20.4));
        assert_eq!(cut(2, 2), (20.4, 30.5));
        assert_eq!(cut(3, 4), (33.5, 50.0));
    }
}
