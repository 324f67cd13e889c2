//! Estimates when each word is spoken.
//!
//! A transcript segment has one start and one end. Within it, words take time by their
//! length, and a pause is expected at punctuation. Silences inside a segment are known
//! pauses: the words are distributed over the rest of the segment, and each silence is
//! assigned to the place between two words where it fits best by time, by
//! punctuation and by the words around it ([`silence_places`](super::silence_places)). Where
//! every word is a segment of its own, its times are kept, and so are the times of a recognizer.
//! The running time is linear in the number of words.

use super::boundary_cues::BoundaryCues;
use super::known_times;
use super::silence_places::{Pauses, Split, split_into_islands};
use super::word::{Ending, Word};
use crate::segment_ref::TranscriptSegmentRef;
use crate::time_span::TimeSpan;

/// The standard deviation of the estimated time of a word, in seconds, and what is added to it
/// if all silences are missing.
const TIME_DEVIATION: f64 = 0.5;
const MISSING_DEVIATION: f64 = 0.5;
/// In gaps between segments of at least this many seconds a silence is expected; and the number
/// of gaps from which the missing ones are counted.
const MIN_GAP: f64 = 0.6;
const MIN_GAPS: usize = 8;
/// The expected pauses after a sentence and after a clause, where no silence is known,
/// in seconds.
const SENTENCE_PAUSE: f64 = 0.45;
const CLAUSE_PAUSE: f64 = 0.15;
/// The pauses are at most this fraction of the time: who speaks fast pauses less.
const MAX_PAUSES: f64 = 0.25;
/// Segments that are this many seconds apart, or less, are shown without a break: the
/// pause between their sentences is part of the first.
const MAX_CONTIGUOUS_GAP: f64 = 0.05;
/// Shorter parts between two silences have no words.
const MIN_ISLAND: f64 = 0.12;

/// Sets the times of the words. `words` are in the order of `segments`, which are
/// sorted by start; `silences` are sorted and disjoint.
pub(super) fn estimate(
    words: &mut [Word<'_>],
    segments: &[TranscriptSegmentRef<'_>],
    silences: &[TimeSpan],
    cues: &BoundaryCues,
) {
    let deviation = TIME_DEVIATION + MISSING_DEVIATION * missing_silences(segments, silences);
    let mut first = 0;
    while first < words.len() {
        let segment = words[first].segment;
        let count = words[first..].partition_point(|word| word.segment == segment);
        let span = TimeSpan::from(segments[segment].time);
        let next_start = segments.get(segment + 1).map(|next| next.time.start());
        let is_contiguous = next_start.is_some_and(|next| next - span.end <= MAX_CONTIGUOUS_GAP);
        let silences = silences_near(silences, span);
        let segment_words = &mut words[first..first + count];
        if !known_times::set(segment_words, segments[segment].words, span, silences) {
            let pauses = Pauses {
                log_odds: &|place| cues.pause(first + place),
                deviation,
            };
            estimate_in_segment(segment_words, span, silences, is_contiguous, &pauses);
        }
        // The times of two segments are given; a pause between them is known.
        segment_words[count - 1].pause_certainty = 1.0;
        segment_words[count - 1].is_next_contiguous = count == 1;
        first += count;
    }
}

/// The silences that overlap the span.
fn silences_near(silences: &[TimeSpan], span: TimeSpan) -> &[TimeSpan] {
    let first = silences.partition_point(|silence| silence.end <= span.start);
    let last = silences.partition_point(|silence| silence.start < span.end);
    silences.get(first..last).unwrap_or_default()
}

fn estimate_in_segment(
    words: &mut [Word<'_>],
    span: TimeSpan,
    silences: &[TimeSpan],
    is_contiguous: bool,
    pauses: &Pauses<'_>,
) {
    let mut islands: Vec<TimeSpan> = span.difference(silences);
    islands.retain(|island| island.length() >= MIN_ISLAND);
    // Not even a word per island: the silences or the times are wrong.
    if islands.is_empty() || islands.len() > words.len() {
        islands = vec![span];
    }
    let splits = split_into_islands(words, &islands, pauses);
    let mut first = 0;
    for (i, (island, Split { end, certainty })) in islands.iter().zip(splits).enumerate() {
        let is_last = i + 1 == islands.len();
        let ends_in_silence = !is_last
            || silences
                .iter()
                .any(|silence| silence.start <= island.end && island.end < silence.end);
        let has_final_pause = is_last && is_contiguous && !ends_in_silence;
        distribute(&mut words[first..end], *island, has_final_pause);
        words[end - 1].pause_certainty = certainty;
        first = end;
    }
}

/// The fraction of the longer gaps between segments in which no silence is known: 0 if all
/// are found, or if there are too few gaps to tell, and 1 without silences.
pub(super) fn missing_silences(
    segments: &[TranscriptSegmentRef<'_>],
    silences: &[TimeSpan],
) -> f64 {
    if silences.is_empty() {
        return 1.0;
    }
    let gaps: Vec<TimeSpan> = segments
        .windows(2)
        .map(|pair| (pair[0].time.end(), pair[1].time.start()))
        .filter(|(start, end)| end - start >= MIN_GAP)
        .map(|(start, end)| TimeSpan::new(start, end))
        .collect();
    if gaps.len() < MIN_GAPS {
        return 0.0;
    }
    let missing = gaps.iter().filter(|gap| {
        let near = silences_near(silences, **gap);
        !near
            .iter()
            .any(|silence| silence.intersection(**gap).is_some())
    });
    missing.count() as f64 / gaps.len() as f64
}

/// Distributes the words over a part of the recording without known pauses.
fn distribute(words: &mut [Word<'_>], span: TimeSpan, has_final_pause: bool) {
    let last = words.len() - 1;
    let pause = |i: usize, word: &Word<'_>| match word.ending {
        _ if i == last && !has_final_pause => 0.0,
        Ending::Sentence | Ending::Probable => SENTENCE_PAUSE,
        Ending::Clause if i < last => CLAUSE_PAUSE,
        Ending::Clause | Ending::None => 0.0,
    };
    let pauses: f64 = words
        .iter()
        .enumerate()
        .map(|(i, word)| pause(i, word))
        .sum();
    let scale = (MAX_PAUSES * span.length() / pauses.max(1e-9)).min(1.0);
    let total_letters: f64 = words.iter().map(Word::length_in_letters).sum();
    let seconds_per_letter = (span.length() - scale * pauses) / total_letters;
    let mut time = span.start;
    for (i, word) in words.iter_mut().enumerate() {
        let pause = pause(i, word);
        // Rounding may carry the sum past the end.
        word.start = time.min(span.end);
        time += word.length_in_letters() * seconds_per_letter;
        word.end = time.min(span.end);
        time += scale * pause;
    }
    if !has_final_pause {
        words[last].end = span.end;
    }
}

#[cfg(test)]
mod tests {
    use lectern_domain::TimeRange;

    use super::super::word::words;
    use super::*;
    use crate::language::Lexicon;

    /// The words with their times, rounded to a tenth of a second.
    fn times(segments: &[(f64, f64, &str)], silences: &[(f64, f64)]) -> Vec<(String, f64, f64)> {
        let segments: Vec<TranscriptSegmentRef<'_>> = segments
            .iter()
            .map(|&(start, end, text)| TranscriptSegmentRef {
                time: TimeRange::new(start, end).unwrap(),
                text,
                words: &[],
            })
            .collect();
        let silences: Vec<TimeSpan> = silences
            .iter()
            .map(|&(start, end)| TimeSpan::new(start, end))
            .collect();
        let lexicon = Lexicon::of(segments.iter().map(|segment| segment.text));
        let mut words = words(&segments, lexicon);
        let normalized: Vec<String> = words.iter().map(Word::normalized).collect();
        let cues = BoundaryCues::of(&normalized, lexicon);
        estimate(&mut words, &segments, &silences, &cues);
        let round = |time: f64| (time * 10.0).round() / 10.0;
        words
            .iter()
            .map(|word| (word.text.to_owned(), round(word.start), round(word.end)))
            .collect()
    }

    fn time_of(word: &str, segments: &[(f64, f64, &str)], silences: &[(f64, f64)]) -> (f64, f64) {
        let times = times(segments, silences);
        let (_, start, end) = times.iter().find(|(text, ..)| text == word).unwrap();
        (*start, *end)
    }

    #[test]
    fn words_take_time_by_their_length() {
        let segment = [(0.0, 4.0, "it is transcendental")];
        assert_eq!(time_of("it", &segment, &[]), (0.0, 0.6));
        assert_eq!(time_of("transcendental", &segment, &[]), (1.2, 4.0));
    }

    #[test]
    fn the_times_of_single_words_are_kept() {
        let segments = [(0.0, 0.4, "a"), (1.0, 1.3, "tree"), (1.3, 1.9, "grows")];
        let found = times(&segments, &[(0.4, 1.0)]);
        let expected = segments.map(|(start, end, text)| (text.to_owned(), start, end));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_pause_is_expected_after_a_sentence() {
        let segment = [(0.0, 4.0, "That was it. This is it.")];
        assert_eq!(time_of("it.", &segment, &[]), (1.4, 1.8));
        let (start, _) = time_of("This", &segment, &[]);
        assert!((2.1..=2.5).contains(&start), "{start}");
    }

    #[test]
    fn a_silence_is_assigned_to_the_end_of_a_sentence_near_it() {
        let segment = [(0.0, 6.0, "we see the end of it. Now we go on from there")];
        // One second later than the estimated place of the full stop.
        let silences = [(3.4, 4.0)];
        let (_, end) = time_of("it.", &segment, &silences);
        let (start, _) = time_of("Now", &segment, &silences);
        assert_eq!((end, start), (3.4, 4.0));
    }

    #[test]
    fn silences_at_the_edges_of_a_segment_have_no_words() {
        let segment = [(0.0, 6.0, "we see the end")];
        let silences = [(0.0, 1.0), (5.0, 7.0)];
        let (start, _) = time_of("we", &segment, &silences);
        let (_, end) = time_of("end", &segment, &silences);
        assert_eq!((start, end), (1.0, 5.0));
    }

    #[test]
    fn more_silences_than_words_are_ignored() {
        let segment = [(0.0, 6.0, "so well")];
        let silences = [(1.0, 1.5), (2.0, 2.5), (3.0, 3.5), (4.0, 4.5)];
        assert_eq!(times(&segment, &silences), times(&segment, &[]));
    }

    #[test]
    fn the_words_of_a_segment_without_length_are_at_its_time() {
        assert_eq!(time_of("well.", &[(3.0, 3.0, "so well.")], &[]), (3.0, 3.0));
    }
}
