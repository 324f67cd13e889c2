//! Cues that continue each other.

use crate::entry::Entry;

/// A cue that begins up to this long after the one before continues it.
const MAX_GAP_MS: i64 = 100;

/// Whether a cue that begins at `start_ms` continues one that is shown until `end_ms`.
pub(super) fn continues(end_ms: Option<i64>, start_ms: Option<i64>) -> bool {
    match (end_ms, start_ms) {
        (Some(end), Some(start)) => start <= end.saturating_add(MAX_GAP_MS),
        _ => false,
    }
}

/// The number of pairs of neighbours of which the second repeats text of the first. Fewer than two
/// say nothing about a file: a speaker may repeat words.
pub(super) fn count_steps(entries: &[Entry], is_step: impl Fn(&Entry, &Entry) -> bool) -> usize {
    let pairs = entries.windows(2);
    let count = pairs.filter(|pair| is_step(&pair[0], &pair[1])).count();
    if count < 2 { 0 } else { count }
}

/// Entries with these starts, ends and texts, in lines 0, 1 and so on.
#[cfg(test)]
pub(super) fn entries(cues: &[(i64, i64, &str)]) -> Vec<Entry> {
    let entry = |(line, &(start, end, text)): (usize, &(i64, i64, &str))| Entry {
        line,
        start_ms: Some(start),
        end_ms: Some(end),
        text: text.to_owned(),
        ..Entry::default()
    };
    cues.iter().enumerate().map(entry).collect()
}
