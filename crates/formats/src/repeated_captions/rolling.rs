//! Captions that roll: each cue repeats the last lines of the one before and adds a line.

use super::continuation::{continues, count_steps};
use crate::entry::Entry;
use crate::notes::{Change, Notes};

/// A cue that only repeats lines is a step of rolling captions if it is at most this long.
const MAX_STEP_MS: i64 = 100;

/// Removes the lines that a cue repeats from the cue before, if the captions of the file
/// roll. `entries` have starts and are sorted by them.
pub(crate) fn remove_repeated_lines(entries: &mut Vec<Entry>, notes: &mut Notes) {
    let steps = count_steps(entries, is_step);
    // Only many repetitions are a way of writing captions.
    if steps == 0 || steps * 4 < entries.len() {
        return;
    }
    let mut shown: Vec<String> = Vec::new();
    let mut shown_until = None;
    entries.retain_mut(|entry| {
        let lines: Vec<String> = lines(&entry.text).map(str::to_owned).collect();
        let repeated = if continues(shown_until, entry.start_ms) {
            repeated_lines(&shown, &lines)
        } else {
            0
        };
        if repeated > 0 {
            entry.text = lines[repeated..].join("\n");
        }
        let is_repetition = repeated > 0 && repeated == lines.len();
        if is_repetition {
            notes.add(Change::Repeated, entry.line);
        }
        if !lines.is_empty() {
            shown = lines;
        }
        shown_until = entry.end_ms.or(entry.start_ms);
        !is_repetition
    });
}

/// Whether `next` shows lines of `entry` again, as in rolling captions.
fn is_step(entry: &Entry, next: &Entry) -> bool {
    let (before, lines): (Vec<_>, Vec<_>) =
        (lines(&entry.text).collect(), lines(&next.text).collect());
    let repeated = repeated_lines(&before, &lines);
    let is_short = match (next.start_ms, next.end_ms) {
        (Some(start), Some(end)) => end.saturating_sub(start) <= MAX_STEP_MS,
        _ => false,
    };
    continues(entry.end_ms, next.start_ms) && repeated > 0 && (repeated < lines.len() || is_short)
}

/// How many of the first lines are the last lines of `before`.
fn repeated_lines<T: AsRef<str>>(before: &[T], lines: &[T]) -> usize {
    // Captions have few lines; the limit keeps this linear for any file.
    let most = before.len().min(lines.len()).min(8);
    let is_repeated = |&count: &usize| {
        let last = &before[before.len() - count..];
        last.iter()
            .zip(lines)
            .all(|(a, b)| a.as_ref() == b.as_ref())
    };
    (1..=most).rev().find(is_repeated).unwrap_or(0)
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n')
        .map(str::trim)
        .filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::continuation::entries;
    use super::*;

    fn texts(cues: &[(i64, i64, &str)]) -> (Vec<String>, usize) {
        let mut entries = entries(cues);
        let mut notes = Notes::default();
        remove_repeated_lines(&mut entries, &mut notes);
        let texts = entries.into_iter().map(|entry| entry.text).collect();
        (texts, notes.count(Change::Repeated))
    }

    #[test]
    fn rolling_lines_are_kept_once() {
        let rolling = [
            (0, 2_000, " \na"),
            (2_000, 2_010, "a\n "),
            (2_010, 4_000, "a\nb"),
            (4_000, 4_010, "b"),
            (4_010, 6_000, "b\nc"),
        ];
        assert_eq!(texts(&rolling).0.join("|"), " \na|b|c");
        assert_eq!(texts(&rolling).1, 2);
        let three_lines = [
            (0, 1_000, "a"),
            (1_000, 2_000, "a\nb"),
            (2_000, 3_000, "a\nb\nc"),
            (3_000, 4_000, "b\nc\nd"),
        ];
        assert_eq!(texts(&three_lines).0, ["a", "b", "c", "d"]);
    }

    #[test]
    fn speech_that_repeats_itself_is_kept() {
        let speech = [
            (0, 1_000, "No."),
            (1_000, 2_000, "No."),
            (2_000, 3_000, "No."),
            (9_000, 9_500, "Yes.\nNo."),
        ];
        assert_eq!(
            texts(&speech),
            (speech.map(|cue| cue.2.to_owned()).to_vec(), 0)
        );
    }
}
