//! What all readers share: from the entries of a file to the cues of a recording.

use lectern_domain::LanguageTag;

use crate::cue::{Cue, speaker_id, spoken_text};
use crate::entry::Entry;
use crate::error::FormatError;
use crate::notes::{Change, Notes};
use crate::time::{MAX_MILLIS, millis, non_negative};
use crate::word_grouping::WordSeparator;
use crate::{repeated_captions, speaker_names, time_unit, word_grouping};

/// How long a last entry without an end is, for each character of its text, if the length of
/// the recording is unknown. People say about 15 characters in a second.
const MS_PER_CHARACTER: u64 = 65;

/// Fewer entries without a length do not show how a program writes them.
const MIN_ZERO_LENGTHS: usize = 3;

/// From this many entries in a row with the same text, a note mentions them.
const MANY_REPEATS: usize = 5;

/// The cues of a file, and what was left out or changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Transcript {
    /// Sorted by start.
    pub cues: Vec<Cue>,
    /// What differs from the file.
    pub notes: Notes,
    /// The language that the file names; `None` if its cues are in several.
    pub language: Option<LanguageTag>,
}

impl Transcript {
    /// Whether the file names several languages, each for some of the cues.
    pub fn has_several_languages(&self) -> bool {
        let mut languages = self.cues.iter().filter_map(|cue| cue.language.as_ref());
        let first = languages.next();
        languages.any(|language| Some(language) != first)
    }

    /// The same transcript in this language.
    #[must_use]
    pub fn in_language(self, language: &LanguageTag) -> Self {
        let language = Some(language);
        let cues = self.cues.into_iter();
        let cues = cues.map(|cue| cue.with_language(language.cloned()));
        Self {
            cues: cues.collect(),
            language: language.cloned(),
            ..self
        }
    }
}

/// A file whose entries were read. [`ParsedFile::transcript`] makes its cues.
#[derive(Debug, Clone)]
pub struct ParsedFile {
    pub(crate) entries: Vec<Entry>,
    pub(crate) notes: Notes,
    /// Whether the unit of the times is a guess of the reader.
    pub(crate) is_unit_undeclared: bool,
    /// The length of the recording that the file names, in milliseconds.
    pub(crate) duration_ms: Option<u64>,
    /// Each entry is a word, and these words are to be joined into cues.
    pub(crate) words_to_join: Option<WordSeparator>,
    /// Whether cues may repeat the lines of earlier cues, as captions do that roll.
    pub(crate) may_roll: bool,
    /// Whether texts may begin with the name of the speaker.
    pub(crate) has_names_in_texts: bool,
    /// The language that the file names.
    pub(crate) language: Option<LanguageTag>,
}

/// Without entries. Texts may begin with names, as in all formats.
impl Default for ParsedFile {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            notes: Notes::default(),
            is_unit_undeclared: false,
            duration_ms: None,
            words_to_join: None,
            may_roll: false,
            has_names_in_texts: true,
            language: None,
        }
    }
}

impl ParsedFile {
    /// Whether [`Self::transcript`] needs the length of the recording to be exact: because
    /// the last entry has no end, or because the file does not name the unit of its times.
    pub fn needs_recording_length(&self) -> bool {
        let is_open = |entry: &Entry| entry.end_ms.is_none();
        self.is_unit_undeclared || self.entries.iter().any(is_open)
    }

    /// Some programs write the start as the end, too. If most entries are like this, these have no
    /// end. Words may be without a length.
    pub(crate) fn open_zero_lengths(&mut self) {
        let has_no_length =
            |entry: &Entry| entry.end_ms.is_some() && entry.end_ms == entry.start_ms;
        let count = self
            .entries
            .iter()
            .filter(|entry| has_no_length(entry))
            .count();
        if self.words_to_join.is_some()
            || count < MIN_ZERO_LENGTHS
            || 2 * count <= self.entries.len()
        {
            return;
        }
        for entry in &mut self.entries {
            if has_no_length(entry) {
                entry.end_ms = None;
            }
        }
    }

    /// The cues, in a recording of this length in seconds; `None`: the length is unknown.
    ///
    /// # Errors
    ///
    /// The file has times in a unit that cannot be recognized.
    pub fn transcript(mut self, recording_seconds: Option<f64>) -> Result<Transcript, FormatError> {
        let recording_ms = recording_seconds.map(millis).filter(|&ms| ms > 0);
        if self.is_unit_undeclared {
            let are_words = self.words_to_join.is_some();
            time_unit::correct(&mut self.entries, &mut self.notes, are_words, recording_ms)?;
        }
        if let Some(separator) = self.words_to_join {
            self.entries = word_grouping::join(self.entries, separator);
        } else {
            self.entries = word_grouping::split_long(self.entries);
        }
        let Self {
            mut entries,
            mut notes,
            duration_ms,
            may_roll,
            has_names_in_texts,
            language,
            ..
        } = self;
        entries.retain(|entry| {
            if entry.text.trim().is_empty() {
                return false;
            }
            if entry.start_ms.is_none() {
                notes.add(Change::NoTimes, entry.line);
            }
            entry.start_ms.is_some()
        });
        entries.sort_by_key(|entry| entry.start_ms.map(|ms| ms.max(0)));
        if may_roll {
            entries =
                word_grouping::split_long(repeated_captions::join_growing(entries, &mut notes));
            repeated_captions::remove_repeated_lines(&mut entries, &mut notes);
        }
        end_at_next_start(&mut entries, recording_ms.or(duration_ms), &mut notes);
        note_repeats(&entries, &mut notes);
        if has_names_in_texts {
            speaker_names::take_from_texts(&mut entries);
        }
        let cues = entries
            .into_iter()
            .filter_map(|entry| cue(entry, &mut notes))
            .map(|cue| {
                let own = cue.language.clone();
                cue.with_language(own.or_else(|| language.clone()))
            })
            .collect::<Vec<_>>();
        let language = language.or_else(|| common_language(&cues));
        Ok(Transcript {
            cues,
            notes,
            language,
        })
    }
}

impl ParsedFile {
    /// The cues of a file that this crate has written, in which names in a text and repeated
    /// lines are nothing but text.
    pub(crate) fn into_written(self) -> Result<Transcript, FormatError> {
        let file = Self {
            may_roll: false,
            has_names_in_texts: false,
            ..self
        };
        file.transcript(None)
    }
}

/// The language of all cues; `None` if they have several or none.
fn common_language(cues: &[Cue]) -> Option<LanguageTag> {
    let first = cues.first()?.language.clone();
    first.filter(|first| cues.iter().all(|cue| cue.language.as_ref() == Some(first)))
}

/// Sets missing ends. `entries` are sorted by start.
fn end_at_next_start(entries: &mut [Entry], recording_ms: Option<u64>, notes: &mut Notes) {
    for entry in entries.iter().filter(|entry| entry.end_ms.is_none()) {
        notes.add(Change::NoEnd, entry.line);
    }
    let mut next_start: Option<i64> = None;
    let mut later_start: Option<i64> = None;
    for entry in entries.iter_mut().rev() {
        let start = entry.start_ms.unwrap_or(0);
        // Entries that start together end together.
        if next_start != Some(start) {
            later_start = next_start;
            next_start = Some(start);
        }
        if entry.end_ms.is_some() {
            continue;
        }
        entry.end_ms = later_start.or_else(|| {
            let end = recording_ms.and_then(|ms| i64::try_from(ms).ok());
            end.filter(|&end| end > start)
        });
        if entry.end_ms.is_none() {
            let characters = u64::try_from(entry.text.chars().count()).unwrap_or(u64::MAX);
            let length = characters.saturating_mul(MS_PER_CHARACTER).min(MAX_MILLIS);
            entry.end_ms = Some(start.saturating_add_unsigned(length));
        }
    }
}

fn note_repeats(entries: &[Entry], notes: &mut Notes) {
    for run in entries.chunk_by(|a, b| a.text.trim() == b.text.trim()) {
        if run.len() >= MANY_REPEATS {
            for entry in &run[1..] {
                notes.add(Change::SameText, entry.line);
            }
        }
    }
}

/// `None` if the text is blank or the entry ends before the recording starts.
fn cue(entry: Entry, notes: &mut Notes) -> Option<Cue> {
    let text = spoken_text(&entry.text)?;
    let (start, end) = (entry.start_ms?, entry.end_ms?);
    if start < 0 && end <= 0 {
        notes.add(Change::BeforeZero, entry.line);
        return None;
    }
    if start < 0 {
        notes.add(Change::NegativeStart, entry.line);
    }
    if end < start {
        notes.add(Change::EndBeforeStart, entry.line);
    }
    let (speaker, is_cut) = speaker_id(entry.speaker.as_deref().unwrap_or_default());
    if is_cut {
        notes.add(Change::LongSpeaker, entry.line);
    }
    let cue = Cue::new(non_negative(start), non_negative(end), text)
        .with_speaker(speaker)
        .with_confidence(entry.confidence)
        .with_language(entry.language)
        .with_words(entry.words);
    Some(cue)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(line: usize, start_ms: i64, end_ms: Option<i64>) -> Entry {
        Entry {
            line,
            start_ms: Some(start_ms),
            end_ms,
            text: "abc".to_owned(),
            ..Entry::default()
        }
    }

    fn times(entries: Vec<Entry>, seconds: Option<f64>) -> Vec<(u64, u64)> {
        let file = ParsedFile {
            entries,
            ..ParsedFile::default()
        };
        let transcript = file.transcript(seconds).unwrap();
        let times = |cue: &Cue| (cue.start_ms(), cue.end_ms());
        transcript.cues.iter().map(times).collect()
    }

    #[test]
    fn an_entry_without_an_end_ends_at_the_next_later_start() {
        let open = || {
            vec![
                entry(1, 4_000, None),
                entry(2, 0, None),
                entry(3, 0, None),
                entry(4, 1_000, Some(1_500)),
            ]
        };
        assert_eq!(
            times(open(), Some(60.0)),
            [(0, 1_000), (0, 1_000), (1_000, 1_500), (4_000, 60_000)]
        );
        assert_eq!(times(open(), None)[3], (4_000, 4_195));
        assert_eq!(times(open(), Some(3.0))[3], (4_000, 4_195));
    }

    #[test]
    fn entries_before_zero_are_cut_or_left_out() {
        assert_eq!(
            times(
                vec![
                    entry(1, -1_500, Some(-500)),
                    entry(2, -500, Some(500)),
                    entry(3, 0, Some(0))
                ],
                None
            ),
            [(0, 500), (0, 0)]
        );
    }
}
