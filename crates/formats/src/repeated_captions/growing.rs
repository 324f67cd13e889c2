//! Live captions that grow: each cue repeats the line of the one before with more words, and
//! sometimes with another last word.

use super::continuation::{continues, count_steps};
use crate::cue::Word;
use crate::entry::Entry;
use crate::notes::{Change, Notes};
use crate::time::non_negative;

/// The last word may be corrected if there are at least this many words before it.
const MIN_KEPT_WORDS: usize = 2;

/// Joins cues that grow into one with the last of their texts, if the captions of the file grow.
/// The words of a joined cue have the times of the cues in which they were new. `entries` have
/// starts and are sorted by them.
pub(crate) fn join(entries: Vec<Entry>, notes: &mut Notes) -> Vec<Entry> {
    let steps = count_steps(&entries, |entry, next| {
        is_continued(entry, next) && grows(&entry.text, &next.text)
    });
    // Only many repetitions are a way of writing captions.
    if steps == 0 || steps * 3 < entries.len() {
        return entries;
    }
    let mut joined: Vec<Entry> = Vec::with_capacity(entries.len());
    for mut entry in entries {
        if let Some(last) = joined.last_mut()
            && is_continued(last, &entry)
            && let Some(kept) = kept_words(&last.text, &entry.text)
        {
            let new = timed_words(&entry, kept);
            last.words.truncate(kept);
            for (word, text) in last.words.iter_mut().zip(words(&entry.text)) {
                text.clone_into(&mut word.text);
            }
            last.words.extend(new);
            last.text = entry.text;
            last.end_ms = last.end_ms.max(entry.end_ms);
            notes.add(Change::Repeated, entry.line);
        } else {
            entry.words = timed_words(&entry, 0);
            joined.push(entry);
        }
    }
    joined
}

fn is_continued(entry: &Entry, next: &Entry) -> bool {
    continues(entry.end_ms, next.start_ms)
        && entry.speaker == next.speaker
        && entry.language == next.language
}

/// Whether the next text is this one with more words.
fn grows(text: &str, next: &str) -> bool {
    let count = words(text).count();
    kept_words(text, next) == Some(count) && words(next).count() > count
}

/// The number of words that the next text has in common with a text that it continues; `None` if
/// it does not continue it.
fn kept_words(text: &str, next: &str) -> Option<usize> {
    // Lines that scroll are no growing line.
    if line_count(text) != line_count(next) {
        return None;
    }
    let count = words(text).count();
    let kept = words(text)
        .zip(words(next))
        .take_while(|(a, b)| spoken(a) == spoken(b))
        .count();
    let has_all = kept == count && words(next).count() >= count;
    let is_corrected = kept + 1 == count && kept >= MIN_KEPT_WORDS && words(next).count() >= count;
    (count > 0 && (has_all || is_corrected)).then_some(kept)
}

/// The words of an entry from `first` on. They share its time.
fn timed_words(entry: &Entry, first: usize) -> Vec<Word> {
    let (Some(start), Some(end)) = (entry.start_ms, entry.end_ms) else {
        return Vec::new();
    };
    let (start, end) = (non_negative(start), non_negative(end));
    let new: Vec<&str> = words(&entry.text).skip(first).collect();
    let count = new.len().max(1) as u64;
    let time = |i: u64| start + end.saturating_sub(start) * i / count;
    (0..)
        .zip(new)
        .map(|(i, text)| Word {
            start_ms: time(i),
            end_ms: time(i + 1),
            text: text.to_owned(),
            probability: None,
        })
        .collect()
}

/// A word without case and punctuation, which are often added later.
fn spoken(word: &str) -> String {
    let letters = word.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}

fn line_count(text: &str) -> usize {
    text.trim().lines().count()
}

#[cfg(test)]
mod tests {
    use super::super::continuation::entries;
    use super::*;

    fn joined(cues: &[(i64, i64, &str)]) -> Vec<(i64, i64, String)> {
        let entries = join(entries(cues), &mut Notes::default());
        let cue = |entry: Entry| (entry.start_ms.unwrap(), entry.end_ms.unwrap(), entry.text);
        entries.into_iter().map(cue).collect()
    }

    const LIVE: [(i64, i64, &str); 7] = [
        (0, 500, "so a"),
        (500, 900, "so a tree"),
        (900, 1_500, "so a tree has roots"),
        (1_500, 1_900, "so a tree has a root"),
        (3_000, 3_400, "it"),
        (3_400, 3_900, "it grows"),
        (3_900, 4_200, "it grows down"),
    ];

    #[test]
    fn a_line_that_grows_is_one_cue_with_its_last_text() {
        let expected = [
            (0, 1_900, "so a tree has a root".to_owned()),
            (3_000, 4_200, "it grows down".to_owned()),
        ];
        assert_eq!(joined(&LIVE), expected);
        // Some programs leave the start of a line where it was.
        let from_one_start: Vec<_> = LIVE[4..].iter().map(|cue| (3_000, cue.1, cue.2)).collect();
        assert_eq!(joined(&from_one_start), expected[1..]);
    }

    #[test]
    fn words_have_the_times_at_which_they_appeared() {
        let entries = join(entries(&LIVE[4..]), &mut Notes::default());
        let starts: Vec<_> = entries[0].words.iter().map(|word| word.start_ms).collect();
        assert_eq!(starts, [3_000, 3_400, 3_900]);
    }

    #[test]
    fn speech_that_repeats_itself_is_kept() {
        let speech = [
            (0, 1_000, "No"),
            (1_000, 2_000, "No no"),
            (2_000, 3_000, "That is it."),
            (3_000, 4_000, "That is all."),
        ];
        assert_eq!(joined(&speech).len(), 4);
        // The second one is said later.
        let apart = [
            (0, 500, "a b"),
            (900, 1_500, "a b c"),
            (2_000, 2_500, "a b c d"),
        ];
        assert_eq!(joined(&apart).len(), 3);
    }
}
