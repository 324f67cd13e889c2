//! How long written subtitles show a cue that has no length.

use crate::cue::Cue;
use crate::time::MAX_MILLIS;

/// The time to read a character, in milliseconds: subtitles are made for 15 to 20 characters in
/// a second.
const MS_PER_CHARACTER: u64 = 60;
/// The bounds of what viewers can read and want to see, in milliseconds.
const SHORTEST_MS: u64 = 1_000;
const LONGEST_MS: u64 = 7_000;

/// The end of each cue, in milliseconds, as subtitles show it. `cues` are sorted by start. A cue
/// of zero length, which players do not show, is shown for as long as it takes to read it, but
/// not after the next start.
/// `next_start` is that of the cue after them, if there is one.
pub(crate) fn shown_ends(cues: &[&Cue], next_start: Option<u64>) -> Vec<u64> {
    let next_starts = cues.iter().skip(1).map(|cue| Some(cue.start_ms()));
    let ends = cues.iter().zip(next_starts.chain([next_start]));
    ends.map(|(cue, next)| shown_end(cue, next)).collect()
}

fn shown_end(cue: &Cue, next_start: Option<u64>) -> u64 {
    if has_length(cue) {
        return cue.end_ms();
    }
    let characters = u64::try_from(cue.text.chars().count()).unwrap_or(u64::MAX);
    let reading = characters.saturating_mul(MS_PER_CHARACTER);
    let end = cue.start_ms() + reading.clamp(SHORTEST_MS, LONGEST_MS);
    end.min(next_start.unwrap_or(MAX_MILLIS)).min(MAX_MILLIS)
}

pub(crate) fn has_length(cue: &Cue) -> bool {
    cue.end_ms() > cue.start_ms()
}

#[cfg(test)]
mod tests {
    use lectern_domain::SpokenText;

    use super::*;

    #[test]
    fn a_cue_without_length_is_shown_until_it_is_read_or_the_next_one_begins() {
        let cue = |start, end, text: String| Cue::new(start, end, SpokenText::new(text).unwrap());
        let cues = [
            cue(0, 0, "Hm".to_owned()),
            cue(5_000, 5_000, "x".repeat(50)),
            cue(9_000, 9_000, "Hm".to_owned()),
            cue(9_400, 9_400, "Hm".to_owned()),
            cue(9_400, 9_500, "Hm".to_owned()),
            cue(10_000, 10_000, "x".repeat(500)),
        ];
        let cues: Vec<_> = cues.iter().collect();
        assert_eq!(
            shown_ends(&cues, None),
            [1_000, 8_000, 9_400, 9_400, 9_500, 17_000]
        );
    }
}
