//! How sure it is that a cut in the pause between two words is between these words in the sound.
//!
//! Where a silence or the edge of a segment is, the time of the pause is known. Elsewhere it is
//! estimated from the words since the nearest known time, and the further that is, the more the
//! estimate may be off.

use super::MIN_KNOWN;
use super::word::Word;

/// At this many seconds of speech from a known time, half of the cuts are between other words.
const HALF_SURE: f64 = 2.0;

/// The probability that a cut before the word `at` is right before it, 0 to 1.
pub(super) fn placement(words: &[Word<'_>], at: usize) -> f64 {
    let Some(before) = at.checked_sub(1) else {
        return 1.0;
    };
    let is_segment_edge = words[before].segment != words[at].segment;
    if is_segment_edge || words[before].is_next_contiguous {
        return 1.0;
    }
    let known = words[before].pause_certainty;
    known + (1.0 - known) * estimated(distance(words, at))
}

fn estimated(distance: f64) -> f64 {
    1.0 / (1.0 + (distance / HALF_SURE).powi(2))
}

/// The seconds of speech between the pause before the word `at` and the nearest known time in its
/// segment.
fn distance(words: &[Word<'_>], at: usize) -> f64 {
    let is_known = |after: usize| {
        words[after - 1].segment != words[after].segment
            || words[after - 1].pause_certainty >= MIN_KNOWN
    };
    let first = (1..at).rev().find(|&i| is_known(i)).unwrap_or(0);
    let end = (at + 1..words.len())
        .find(|&i| is_known(i))
        .unwrap_or(words.len());
    let length = |words: &[Word<'_>]| words.iter().map(|word| word.end - word.start).sum::<f64>();
    length(&words[first..at]).min(length(&words[at..end]))
}

#[cfg(test)]
mod tests {
    use super::super::word::Ending;
    use super::*;

    /// Twelve words of half a second in one segment, and one of another after them.
    fn words() -> Vec<Word<'static>> {
        let word = |i: u32| Word {
            text: "rope",
            segment: usize::from(i == 12),
            ending: Ending::None,
            start: f64::from(i) / 2.0,
            end: f64::from(i + 1) / 2.0,
            pause_certainty: 0.0,
            is_next_contiguous: false,
        };
        (0..13).map(word).collect()
    }

    #[test]
    fn the_time_at_the_edge_of_a_segment_is_known() {
        let words = words();
        assert_eq!((placement(&words, 0), placement(&words, 12)), (1.0, 1.0));
        assert!(placement(&words, 1) > placement(&words, 3));
        assert!(placement(&words, 3) > placement(&words, 6));
        assert!((placement(&words, 3) - placement(&words, 9)).abs() < 1e-9);
    }

    #[test]
    fn a_silence_is_a_known_time_for_the_words_next_to_it_too() {
        let mut with_silence = words();
        with_silence[5].pause_certainty = 0.9;
        assert!(placement(&with_silence, 6) > 0.9);
        assert!(placement(&with_silence, 7) > placement(&words(), 7));
    }
}
