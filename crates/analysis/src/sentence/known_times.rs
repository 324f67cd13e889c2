//! Takes the times of words from the recognizer, where the transcript has them.
//!
//! The words of a recognizer are not always the words of the text: one may be split or
//! normalized in another way, and scripts without spaces have no words at all. So the letters
//! and digits of both are compared in their order. A word of the text that is not found gets
//! its share of the time between its neighbours.

use lectern_domain::TimedWord;

use super::word::Word;
use crate::time_span::TimeSpan;

/// How many letters of the recognizer's words are skipped in search of a word.
const MAX_SKIPPED_LETTERS: usize = 40;
/// If fewer words of a segment are found, its words belong to another text.
const MIN_FOUND: f64 = 0.5;

/// Sets the times of the words of one segment. Returns whether enough of them were found;
/// otherwise no time is set. `span` is the time of the segment, `silences` are sorted and
/// disjoint: a recognizer often extends a word over the silence next to it.
pub(super) fn set(
    words: &mut [Word<'_>],
    timed: &[TimedWord],
    span: TimeSpan,
    silences: &[TimeSpan],
) -> bool {
    if timed.is_empty() || words.is_empty() {
        return false;
    }
    let found = find(words, timed);
    let count = found.iter().flatten().count();
    if (count as f64) < MIN_FOUND * words.len() as f64 {
        return false;
    }
    let mut earliest = span.start;
    let spans: Vec<Option<TimeSpan>> = found
        .into_iter()
        .map(|range| {
            let (first, last) = range?;
            let start = timed[first].time.start().clamp(earliest, span.end);
            let end = timed[last].time.end().clamp(start, span.end);
            earliest = start;
            Some(without_silence(TimeSpan::new(start, end), silences))
        })
        .collect();
    fill(words, &spans, span);
    true
}

/// For each word, the first and the last of the recognizer's words that it consists of.
fn find(words: &[Word<'_>], timed: &[TimedWord]) -> Vec<Option<(usize, usize)>> {
    let mut heard: Vec<(char, usize)> = Vec::new();
    for (i, word) in timed.iter().enumerate() {
        heard.extend(letters(&word.text).map(|letter| (letter, i)));
    }
    let begins_word = |at: usize| at == 0 || heard[at - 1].1 != heard[at].1;
    let mut next = 0;
    let find_one = |word: &Word<'_>| {
        let wanted: Vec<char> = letters(word.text).collect();
        if wanted.is_empty() {
            return None;
        }
        let at = (next..heard.len())
            .take(MAX_SKIPPED_LETTERS)
            .filter(|&at| at == next || begins_word(at))
            .find(|&at| {
                let part = heard.get(at..at + wanted.len());
                part.is_some_and(|part| part.iter().map(|(letter, _)| letter).eq(&wanted))
            })?;
        next = at + wanted.len();
        Some((heard[at].1, heard[next - 1].1))
    };
    words.iter().map(find_one).collect()
}

fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
}

/// The longest part of a word that is not silent; the whole word if all of it is silent.
fn without_silence(word: TimeSpan, silences: &[TimeSpan]) -> TimeSpan {
    let first = silences.partition_point(|silence| silence.end <= word.start);
    let last = silences.partition_point(|silence| silence.start < word.end);
    let silences = silences.get(first..last).unwrap_or_default();
    let parts = word.difference(silences);
    let longest = parts
        .into_iter()
        .max_by(|a, b| a.length().total_cmp(&b.length()));
    longest.unwrap_or(word)
}

/// Sets the known times, and divides the time between two of them among the words without.
fn fill(words: &mut [Word<'_>], known: &[Option<TimeSpan>], span: TimeSpan) {
    let mut i = 0;
    while i < words.len() {
        if let Some(time) = known[i] {
            (words[i].start, words[i].end) = (time.start, time.end);
            // The pause before the next word is known if its time is.
            let is_known = known.get(i + 1).is_some_and(Option::is_some);
            words[i].pause_certainty = f64::from(u8::from(is_known));
            words[i].is_next_contiguous = is_known;
            i += 1;
            continue;
        }
        let count = known[i..].iter().take_while(|time| time.is_none()).count();
        let start = match i {
            0 => span.start,
            _ => words[i - 1].end,
        };
        let end = known.get(i + count).copied().flatten();
        let end = end.map_or(span.end, |next| next.start).max(start);
        let each = (end - start) / count as f64;
        for (place, word) in words[i..i + count].iter_mut().enumerate() {
            word.start = start + each * place as f64;
            word.end = (word.start + each).min(end);
        }
        i += count;
    }
}

#[cfg(test)]
mod tests {
    use lectern_domain::{TimeRange, WordText};

    use super::super::word::words;
    use super::*;
    use crate::language::Lexicon;
    use crate::segment_ref::TranscriptSegmentRef;

    fn timed(words: &[(f64, f64, &str)]) -> Vec<TimedWord> {
        let word = |&(start, end, text): &(f64, f64, &str)| TimedWord {
            time: TimeRange::new(start, end).unwrap(),
            text: WordText::new(text).unwrap(),
            probability: None,
        };
        words.iter().map(word).collect()
    }

    /// The words of a text from 0 to 10 seconds with their times; `None` if they are unknown.
    fn times(
        text: &str,
        heard: &[(f64, f64, &str)],
        silences: &[(f64, f64)],
    ) -> Option<Vec<(String, f64, f64)>> {
        let time = TimeRange::new(0.0, 10.0).unwrap();
        let words_ref = timed(heard);
        let segment = TranscriptSegmentRef {
            time,
            text,
            words: &words_ref,
        };
        let mut words = words(&[segment], Lexicon::of([text].into_iter()));
        let silences: Vec<_> = silences
            .iter()
            .map(|&(start, end)| TimeSpan::new(start, end))
            .collect();
        let is_known = set(&mut words, &words_ref, TimeSpan::from(time), &silences);
        is_known.then(|| {
            let time = |word: &Word<'_>| (word.text.to_owned(), word.start, word.end);
            words.iter().map(time).collect()
        })
    }

    #[test]
    fn words_have_the_times_of_the_recognizer() {
        let heard = [(1.0, 1.5, "roots"), (2.0, 2.25, "grow"), (4.0, 5.0, "down")];
        let found = times("Roots grow, down!", &heard, &[]).unwrap();
        let expected = [
            ("Roots", 1.0, 1.5),
            ("grow,", 2.0, 2.25),
            ("down!", 4.0, 5.0),
        ];
        assert_eq!(
            found,
            expected.map(|(text, start, end)| (text.to_owned(), start, end))
        );
    }

    #[test]
    fn a_word_may_be_heard_in_parts_or_as_part_of_another() {
        let heard = [
            (1.0, 2.0, "self"),
            (2.0, 3.0, "evident"),
            (3.0, 4.0, "isn't"),
            (4.0, 5.0, "it"),
        ];
        let found = times("self-evident isn't it", &heard, &[]).unwrap();
        assert_eq!(found[0], ("self-evident".to_owned(), 1.0, 3.0));
        let heard = [
            (1.0, 2.0, "木"),
            (2.0, 3.0, "の"),
            (3.0, 4.0, "根"),
            (5.0, 6.0, "葉"),
        ];
        let found = times("木の根。葉", &heard, &[]).unwrap();
        assert_eq!(found[0], ("木の根。".to_owned(), 1.0, 4.0));
        assert_eq!(found[1], ("葉".to_owned(), 5.0, 6.0));
    }

    #[test]
    fn a_word_that_was_not_heard_is_between_its_neighbours() {
        let heard = [(1.0, 2.0, "see"), (3.0, 4.0, "roots"), (5.0, 6.0, "grow")];
        let found = times("see 2 roots grow", &heard, &[]).unwrap();
        assert_eq!(found[1], ("2".to_owned(), 2.0, 3.0));
    }

    #[test]
    fn the_words_of_another_text_are_ignored() {
        let heard = [
            (1.0, 2.0, "a"),
            (2.0, 3.0, "corrected"),
            (3.0, 4.0, "roots"),
        ];
        assert_eq!(times("see how the roots grow down", &heard, &[]), None);
    }

    #[test]
    fn a_word_does_not_reach_into_a_silence() {
        let heard = [(1.0, 4.0, "roots"), (4.0, 5.0, "grow")];
        let found = times("roots grow", &heard, &[(1.5, 4.25)]).unwrap();
        assert_eq!((found[0].2, found[1].1), (1.5, 4.25));
    }
}
