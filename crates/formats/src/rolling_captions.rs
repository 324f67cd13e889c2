//! Captions that roll: each cue repeats the last lines of the one before and adds a line.

use crate::entry::Entry;
use crate::notes::{Change, Notes};

/// A cue that begins up to this long after the one before continues it.
const MAX_GAP_MS: i64 = 100;
/// A cue that only repeats lines is a step of rolling captions if it is at most this long.
const MAX_STEP_MS: i64 = 100;

/// Removes the lines that a cue repeats from the cue before, if the captions of the file
/// roll. `entries` have starts and are sorted by them.
pub(crate) fn remove_repeated_lines(entries: &mut Vec<Entry>, notes: &mut Notes) {
    let steps = entries
        .windows(2)
        .filter(|pair| is_step(&pair[0], &pair[1]))
        .count();
    // A speaker may repeat a sentence; only many repetitions are a way of writing captions.
    if steps < 2 || steps * 4 < entries.len() {
        return;
    }
    let mut shown: Vec<String> = Vec::new();
    let mut shown_until = i64::MIN;
    entries.retain_mut(|entry| {
        let start = entry.start_ms.unwrap_or(0);
        let lines: Vec<String> = lines(&entry.text).map(str::to_owned).collect();
        let is_continued = start <= shown_until.saturating_add(MAX_GAP_MS);
        let repeated = if is_continued {
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
        shown_until = entry.end_ms.unwrap_or(start);
        !is_repetition
    });
}

/// Whether `next` shows lines of `entry` again, as in rolling captions.
fn is_step(entry: &Entry, next: &Entry) -> bool {
    let (Some(end), Some(start)) = (entry.end_ms, next.start_ms) else {
        return false;
    };
    let (before, lines): (Vec<_>, Vec<_>) =
        (lines(&entry.text).collect(), lines(&next.text).collect());
    let repeated = repeated_lines(&before, &lines);
    let is_short = next
        .end_ms
        .is_some_and(|end| end.saturating_sub(start) <= MAX_STEP_MS);
    start <= end.saturating_add(MAX_GAP_MS) && repeated > 0 && (repeated < lines.len() || is_short)
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
    use super::*;

    fn texts(cues: &[(i64, i64, &str)]) -> (Vec<String>, usize) {
        let entry = |(line, &(start, end, text)): (usize, &(i64, i64, &str))| Entry {
            line,
            start_ms: Some(start),
            end_ms: Some(end),
            text: text.to_owned(),
            ..Entry::default()
        };
        let mut entries = cues.iter().enumerate().map(entry).collect();
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
