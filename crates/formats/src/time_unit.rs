//! Recognizes the unit of times that a file does not declare.
//!
//! Numbers without a unit are read as seconds first. People say between about 5 and 25
//! characters in a second: if the texts are a hundred or a thousand times too short for
//! their times, the numbers are hundredths of a second or milliseconds.

use crate::entry::Entry;
use crate::error::FormatError;
use crate::notes::Notes;

/// Characters per second below which speech is not plausible.
const SLOWEST: f64 = 0.5;
/// Without the length of the recording, only entries that would usually last this long, in
/// milliseconds, are suspicious: music and pauses make short ones sparse.
const SUSPICIOUS_MS: f64 = 60_000.0;
/// As [`SUSPICIOUS_MS`], if each entry is a word.
const SUSPICIOUS_WORD_MS: f64 = 10_000.0;
/// As [`SLOWEST`], for such entries.
const SUSPICIOUS_RATE: f64 = 0.2;
/// The pace of fluent speech, in characters per second.
const USUAL: f64 = 14.0;

/// The units other than seconds: how many make a second, and their name.
const UNITS: [(i64, &str); 2] = [(1_000, "milliseconds"), (100, "hundredths of a second")];

/// Corrects the times of a file that were read as seconds.
///
/// # Errors
///
/// The times fit neither the recording nor speech in any unit.
pub(crate) fn correct(
    entries: &mut [Entry],
    notes: &mut Notes,
    are_words: bool,
    recording_ms: Option<u64>,
) -> Result<(), FormatError> {
    let Some(pace) = Pace::of(entries) else {
        return Ok(());
    };
    // Files may name the length in another unit than their times, so only the length of
    // the recording itself decides.
    let fits = |divisor: i64| {
        recording_ms.is_none_or(|length| {
            let last = u64::try_from(pace.last_ms / divisor).unwrap_or(0);
            last <= length + length / 10 + 10_000
        })
    };
    let longest_plausible = if are_words {
        SUSPICIOUS_WORD_MS
    } else {
        SUSPICIOUS_MS
    };
    let is_suspicious = match recording_ms {
        Some(_) => !fits(1),
        None => pace.usual_ms >= longest_plausible && pace.chars_per_second < SUSPICIOUS_RATE,
    };
    if pace.chars_per_second >= SLOWEST || !is_suspicious {
        return Ok(());
    }
    let distance = |divisor: i64| {
        let scaled = pace.chars_per_second * f64::from(u32::try_from(divisor).unwrap_or(1));
        (scaled / USUAL).ln().abs()
    };
    // A twentieth to twenty times the usual pace.
    let unit = UNITS
        .into_iter()
        .filter(|(divisor, _)| fits(*divisor) && distance(*divisor) < 3.0)
        .min_by(|a, b| distance(a.0).total_cmp(&distance(b.0)));
    let Some((divisor, name)) = unit else {
        let last = pace.last_ms / 1_000;
        let line = entries.first().map_or(1, |entry| entry.line);
        return Err(FormatError::new(
            line,
            match recording_ms {
                Some(length) => format!(
                    "the times reach {last}, which does not fit a recording of {} s in seconds, \
                     milliseconds or hundredths of a second",
                    length / 1_000
                ),
                None => format!(
                    "the times reach {last} and do not fit the texts, neither in seconds nor in \
                     milliseconds or hundredths of a second"
                ),
            },
        ));
    };
    for entry in entries {
        entry.start_ms = entry.start_ms.map(|ms| ms / divisor);
        entry.end_ms = entry.end_ms.map(|ms| ms / divisor);
        for word in &mut entry.words {
            word.start_ms /= divisor.unsigned_abs();
            word.end_ms /= divisor.unsigned_abs();
        }
    }
    notes.remark(format!(
        "the times were read as {name}, because they are too long for the texts in seconds"
    ));
    Ok(())
}

/// How fast the texts of a file would be spoken if its times were seconds. Medians, so that a
/// single wrong time does not matter.
struct Pace {
    chars_per_second: f64,
    /// The length of an entry.
    usual_ms: f64,
    /// Where the file ends, or almost.
    last_ms: i64,
}

impl Pace {
    /// `None` if the file has no text with times.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn of(entries: &[Entry]) -> Option<Self> {
        let (mut paces, mut lengths) = (Vec::new(), Vec::new());
        let (mut starts, mut ends) = (Vec::new(), Vec::new());
        let mut add = |ms: i64, text: &str| {
            let chars = text.chars().filter(|c| !c.is_whitespace()).count();
            if ms > 0 && chars > 0 {
                paces.push(chars as f64 * 1_000.0 / ms as f64);
                lengths.push(ms as f64);
            }
        };
        let mut open: Option<(i64, &str)> = None;
        for entry in entries {
            let Some(start) = entry.start_ms else {
                continue;
            };
            starts.push(start);
            if let Some((before, text)) = open.take() {
                add(start.saturating_sub(before), text);
            }
            match entry.end_ms {
                Some(end) => {
                    ends.push(end);
                    add(end.saturating_sub(start), &entry.text);
                }
                None => open = Some((start, &entry.text)),
            }
        }
        let at =
            |count: usize, percent: usize| (count * percent / 100).min(count.saturating_sub(1));
        let median = |values: &mut [f64]| {
            values.sort_unstable_by(f64::total_cmp);
            values.get(at(values.len(), 50)).copied()
        };
        starts.sort_unstable();
        ends.sort_unstable();
        let last_start = starts.get(at(starts.len(), 95)).copied();
        let middle_end = ends.get(at(ends.len(), 50)).copied();
        Some(Self {
            chars_per_second: median(&mut paces)?,
            usual_ms: median(&mut lengths)?,
            last_ms: last_start.max(middle_end)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a tree has one root";

    /// Entries of two units each, with a pause of one, read as seconds.
    fn entries(unit_ms: i64, count: i64) -> Vec<Entry> {
        let entry = |i: i64| Entry {
            line: 1,
            start_ms: Some(3 * i * unit_ms),
            end_ms: Some((3 * i + 2) * unit_ms),
            text: TEXT.to_owned(),
            ..Entry::default()
        };
        (0..count).map(entry).collect()
    }

    /// The second start, in milliseconds.
    fn second_start(
        mut entries: Vec<Entry>,
        recording_ms: Option<u64>,
    ) -> Result<Option<i64>, FormatError> {
        correct(&mut entries, &mut Notes::default(), false, recording_ms)?;
        Ok(entries[1].start_ms)
    }

    #[test]
    fn the_unit_follows_from_the_texts_and_the_recording() {
        for recording_ms in [None, Some(31_000)] {
            for unit_ms in [1_000, 100_000, 1_000_000] {
                let second = second_start(entries(unit_ms, 10), recording_ms);
                assert_eq!(second, Ok(Some(3_000)), "{unit_ms} {recording_ms:?}");
            }
        }
        let mut notes = Notes::default();
        correct(&mut entries(1_000_000, 10), &mut notes, false, None).unwrap();
        assert_eq!(
            notes.to_string(),
            "the times were read as milliseconds, because they are too long for the texts in seconds"
        );
    }

    #[test]
    fn sparse_speech_keeps_its_times() {
        let mut music = entries(15_000, 10);
        for entry in &mut music {
            entry.text = "♪".to_owned();
        }
        assert_eq!(second_start(music, None), Ok(Some(45_000)));
        let mut one_wrong = entries(1_000, 10);
        one_wrong[4].end_ms = Some(3_600_000_000);
        assert_eq!(second_start(one_wrong, Some(31_000)), Ok(Some(3_000)));
    }

    #[test]
    fn times_that_fit_in_no_unit_are_refused() {
        let error = second_start(entries(1_000_000_000, 10), Some(31_000)).unwrap_err();
        assert!(
            error.message.starts_with("the times reach 27000000, which"),
            "{error}"
        );
    }
}
