//! Plain text, for people to read.

use std::fmt::Write;

use crate::cue::{Cue, in_order};
use crate::time::Clock;

/// A pause longer than this many milliseconds begins a paragraph.
const PAUSE_MS: u64 = 2_000;

/// Writes the texts one after the other. A paragraph begins after a pause of
/// more than two seconds and with another speaker, and at its head is the time
/// it begins at, cut down to whole seconds, and who speaks:
///
/// ```
/// use lectern_domain::{SpeakerId, SpokenText};
/// use lectern_formats::{Cue, plain_text};
///
/// let cue = Cue::new(61_200, 64_000, SpokenText::new("Welcome\nback.")?)
///     .with_speaker(Some(SpeakerId::new("Ada")?));
/// assert_eq!(plain_text::write(&[cue]), "[00:01:01] Ada: Welcome back.\n");
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
pub fn write(cues: &[Cue]) -> String {
    let mut file = String::new();
    // Where the last paragraph ends so far, and whose it is.
    let mut last: Option<(u64, &str)> = None;
    for cue in in_order(cues) {
        let speaker = cue.speaker.as_deref().unwrap_or_default();
        let goes_on = last.is_some_and(|(end, whose)| {
            whose == speaker && cue.start_ms() <= end.saturating_add(PAUSE_MS)
        });
        if !goes_on {
            let blank = if last.is_some() { "\n\n" } else { "" };
            // Writing to a String cannot fail.
            let _ = write!(file, "{blank}[{}]", Clock(cue.start_ms()));
            if !speaker.trim().is_empty() {
                let _ = write!(file, " {}:", words(speaker));
            }
        }
        let _ = write!(file, " {}", words(&cue.text));
        let end = last.map_or(0, |(end, _)| end).max(cue.end_ms());
        last = Some((end, speaker));
    }
    if last.is_some() {
        file.push('\n');
    }
    file
}

/// The text on one line.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use lectern_domain::{SpeakerId, SpokenText};

    use super::*;

    fn cue(start_ms: u64, end_ms: u64, speaker: &str, text: &str) -> Cue {
        Cue::new(start_ms, end_ms, SpokenText::new(text).unwrap())
            .with_speaker(Some(SpeakerId::new(speaker).unwrap()))
    }

    #[test]
    fn a_paragraph_ends_at_a_pause_of_more_than_two_seconds_or_a_speaker() {
        let cues = [
            cue(360_000_999, 360_001_000, "", "later"),
            cue(0, 9_000, "", "one\n\ntwo"),
            cue(1_000, 2_000, "", " three "),
            cue(11_000, 12_000, "", "four"),
            cue(14_001, 15_000, "", "five"),
            cue(15_000, 16_000, "Ada  L.", "six"),
            cue(16_000, 17_000, "Ada  L.", "seven"),
        ];
        assert_eq!(
            write(&cues),
            "[00:00:00] one two three four\n\n\
             [00:00:14] five\n\n\
             [00:00:15] Ada L.: six seven\n\n\
             [100:00:00] later\n"
        );
    }

    #[test]
    fn nothing_said_is_an_empty_file() {
        assert_eq!(write(&[]), "");
    }
}
