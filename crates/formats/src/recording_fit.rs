//! Compares the times of a transcript with the length of the recording.
//!
//! Editing programs count from 01:00:00 or 10:00:00, so the times of a transcript may begin a
//! whole number of hours too late. A transcript may also be that of a longer version of the
//! recording, or of another recording, whose name its file has by mistake.

use crate::cue::Cue;
use crate::parsed_file::Transcript;
use crate::time::{TimestampSeconds, millis};

const HOUR_MS: u64 = 3_600_000;

/// A transcript of which a smaller share of the text begins within the recording belongs to
/// another recording.
const MIN_SHARE_INSIDE: f64 = 0.1;

/// Hours are taken off the times if at least this share of the text begins within the recording
/// then. Not all of it: credits at the end may be later than the recording.
const MIN_SHARE_AFTER_SHIFT: f64 = 0.9;

/// A note says that a transcript ends early if this share of the recording follows, and at least
/// [`MIN_REST_MS`].
const MIN_SHARE_OF_REST: f64 = 0.25;
const MIN_REST_MS: u64 = 60_000;

/// Too little of a transcript is within the recording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is the transcript of another recording: {} begin{} within this one ({}), and the times \
     are from {} to {}",
    of(*.inside, *.entries), if *.inside == 1 || *.entries == 1 { "s" } else { "" }, Length(*.recording_ms),
    TimestampSeconds(*.first_ms), TimestampSeconds(*.last_ms)
)]
pub struct OtherRecording {
    /// How many entries begin within the recording.
    pub inside: usize,
    /// How many entries the transcript has.
    pub entries: usize,
    recording_ms: u64,
    first_ms: u64,
    last_ms: u64,
}

impl Transcript {
    /// The part that is within a recording of this length in seconds, and notes about the rest.
    /// Entries that begin later are left out, and ends are at most the end of the recording. If
    /// the times are a whole number of hours too late, these are taken off.
    ///
    /// # Errors
    ///
    /// Less than a tenth of the text begins within the recording.
    pub fn within_recording(self, recording_seconds: f64) -> Result<Self, OtherRecording> {
        let length = millis(recording_seconds);
        let mut transcript = self.without_offset(length);
        let (cues, notes) = (&mut transcript.cues, &mut transcript.notes);
        let entries = cues.len();
        let inside = cues.iter().filter(|cue| cue.start_ms() < length).count();
        if let Some(first) = cues.first()
            && length > 0
            && share_inside(cues, length, 0) < MIN_SHARE_INSIDE
        {
            return Err(OtherRecording {
                inside,
                entries,
                recording_ms: length,
                first_ms: first.start_ms(),
                last_ms: cues.iter().map(Cue::end_ms).max().unwrap_or(0),
            });
        }
        if length == 0 {
            return Ok(transcript);
        }
        if inside < entries {
            cues.retain(|cue| cue.start_ms() < length);
            let were = if entries - inside == 1 { "was" } else { "were" };
            let note = note_of_late(entries - inside, entries, length);
            notes.loss(format!("{note} and {were} left out"));
        }
        for cue in cues {
            // Most often only the rounding of a program is cut.
            if cue.end_ms() > length {
                *cue = cue.clone().map_times(|ms| ms.min(length));
            }
        }
        Ok(transcript)
    }

    /// All of the transcript, with notes about what does not fit a recording of this length in
    /// seconds. If the times are a whole number of hours too late, these are taken off.
    #[must_use]
    pub fn compared_with_recording(self, recording_seconds: f64) -> Self {
        let length = millis(recording_seconds);
        let mut transcript = self.without_offset(length);
        if length == 0 {
            return transcript;
        }
        let (cues, notes) = (&transcript.cues, &mut transcript.notes);
        let late = cues.iter().filter(|cue| cue.start_ms() >= length).count();
        if late > 0 {
            let note = note_of_late(late, cues.len(), length);
            let are = if late == 1 { "is" } else { "are" };
            notes.remark(format!("{note} and {are} not used for topics and clips"));
        }
        let end = cues.iter().map(Cue::end_ms).max();
        if let Some(end) = end.filter(|end| is_early_end(*end, length)) {
            notes.remark(format!(
                "the transcript ends at {}, but the recording at {}",
                Length(end),
                Length(length)
            ));
        }
        transcript
    }

    /// Takes off the hours by which the times are too late, and notes it.
    fn without_offset(mut self, length: u64) -> Self {
        let first = self.cues.iter().map(Cue::start_ms).min().unwrap_or(0);
        let hours = first / HOUR_MS;
        let offset = hours * HOUR_MS;
        let fits = |offset| share_inside(&self.cues, length, offset) >= MIN_SHARE_AFTER_SHIFT;
        if hours == 0 || length == 0 || fits(0) || !fits(offset) {
            return self;
        }
        let cues = self.cues.into_iter();
        self.cues = cues
            .map(|cue| cue.map_times(|ms| ms.saturating_sub(offset)))
            .collect();
        let noun = if hours == 1 { "hour was" } else { "hours were" };
        self.notes.remark(format!(
            "{hours} {noun} taken off all times, which began at {} in a recording of {}",
            TimestampSeconds(first),
            Length(length)
        ));
        self
    }
}

/// Whether a large part of the recording follows the end of the transcript.
fn is_early_end(end_ms: u64, length: u64) -> bool {
    let rest = length.saturating_sub(end_ms);
    rest >= MIN_REST_MS && ratio(rest, length) >= MIN_SHARE_OF_REST
}

/// The share of the characters in entries that begin before the end of the recording, once
/// `offset` is taken off.
fn share_inside(cues: &[Cue], length: u64, offset: u64) -> f64 {
    let (mut inside, mut all) = (0, 0);
    for cue in cues {
        let characters = cue.text.chars().count() as u64;
        all += characters;
        if cue.start_ms().saturating_sub(offset) < length {
            inside += characters;
        }
    }
    if all == 0 { 1.0 } else { ratio(inside, all) }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

fn note_of_late(late: usize, entries: usize, length: u64) -> String {
    let verb = if late == 1 { "begins" } else { "begin" };
    let counts = of(late, entries);
    let length = Length(length);
    format!("{counts} {verb} after the end of the recording ({length})")
}

/// `3 of 5 entries`.
fn of(part: usize, whole: usize) -> String {
    let noun = if whole == 1 { "entry" } else { "entries" };
    match part {
        0 => format!("none of {whole} {noun}"),
        _ => format!("{part} of {whole} {noun}"),
    }
}

/// Displays milliseconds as seconds: with a decimal below 10 s, rounded down to whole ones
/// above.
struct Length(u64);

impl std::fmt::Display for Length {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (seconds, tenths) = (self.0 / 1_000, self.0 / 100 % 10);
        if seconds < 10 && tenths > 0 {
            write!(f, "{seconds}.{tenths} s")
        } else {
            write!(f, "{seconds} s")
        }
    }
}

#[cfg(test)]
mod tests {
    use lectern_domain::SpokenText;

    use super::*;
    use crate::cue::Word;

    /// Entries of 5 s from `from_seconds` on, one after the other.
    fn transcript(from_seconds: u64, count: u64) -> Transcript {
        let cue = |i| {
            let start_ms = (from_seconds + 5 * i) * 1_000;
            let word = Word {
                start_ms,
                end_ms: start_ms + 1_000,
                text: "a".to_owned(),
                probability: None,
            };
            let text = SpokenText::new("a tree has one root").unwrap();
            Cue::new(start_ms, start_ms + 5_000, text).with_words(vec![word])
        };
        Transcript {
            cues: (0..count).map(cue).collect(),
            ..Transcript::default()
        }
    }

    fn times(transcript: &Transcript) -> (usize, u64, u64) {
        let cues = &transcript.cues;
        (
            cues.len(),
            cues[0].start_ms(),
            cues[cues.len() - 1].end_ms(),
        )
    }

    #[test]
    fn whole_hours_before_the_first_entry_are_taken_off() {
        for (hours, begin) in [(1, "1 hour was"), (10, "10 hours were")] {
            let shifted = transcript(hours * 3_600 + 2, 20)
                .within_recording(120.0)
                .unwrap();
            assert_eq!(times(&shifted), (20, 2_000, 102_000));
            assert_eq!(shifted.cues[0].words[0].start_ms, 2_000);
            assert!(!shifted.notes.has_losses());
            assert_eq!(
                shifted.notes.to_string(),
                format!(
                    "{begin} taken off all times, which began at {hours:02}:00:02 in a recording \
                     of 120 s"
                )
            );
        }
        // Longer than an hour, so that the first entries would be within the recording.
        let shifted = transcript(3_600, 1_000).within_recording(5_400.0).unwrap();
        assert_eq!(times(&shifted), (1_000, 0, 5_000_000));
    }

    #[test]
    fn times_that_fit_keep_their_hours() {
        let late = transcript(3_605, 20);
        let kept = late.clone().within_recording(7_200.0).unwrap();
        assert_eq!(kept, late);
        assert_eq!(late.clone().compared_with_recording(3_800.0), late);
    }

    #[test]
    fn the_transcript_of_another_recording_is_refused() {
        // 3 of 40 entries are less than a tenth.
        let error = transcript(0, 40).within_recording(15.0).unwrap_err();
        assert_eq!(
            error.to_string(),
            "this is the transcript of another recording: 3 of 40 entries begin within this one \
             (15 s), and the times are from 00:00:00 to 00:03:20"
        );
        let error = transcript(600, 10).within_recording(0.3).unwrap_err();
        assert_eq!((error.inside, error.entries), (0, 10));
        assert!(
            error
                .to_string()
                .contains("none of 10 entries begin within this one (0.3 s)")
        );
        // Hours and minutes too late.
        assert!(transcript(4_200, 10).within_recording(120.0).is_err());
    }

    #[test]
    fn what_begins_after_the_end_is_left_out_and_noted() {
        let part = transcript(0, 40).within_recording(101.5).unwrap();
        assert_eq!(times(&part), (21, 0, 101_500));
        assert!(part.notes.has_losses());
        assert_eq!(
            part.notes.to_string(),
            "19 of 40 entries begin after the end of the recording (101 s) and were left out"
        );
    }

    #[test]
    fn a_transcript_that_is_only_compared_keeps_its_entries() {
        let long = transcript(0, 40).compared_with_recording(195.0);
        assert_eq!(times(&long), (40, 0, 200_000));
        assert_eq!(
            long.notes.to_string(),
            "1 of 40 entries begins after the end of the recording (195 s) and is not used for \
             topics and clips"
        );
        let short = transcript(0, 12).compared_with_recording(203.0);
        assert_eq!(
            short.notes.to_string(),
            "the transcript ends at 60 s, but the recording at 203 s"
        );
        let nearly_whole = transcript(0, 20).compared_with_recording(130.0);
        assert!(nearly_whole.notes.is_empty());
        let other = transcript(600, 10).compared_with_recording(4.0);
        assert_eq!(other.cues.len(), 10);
    }
}
