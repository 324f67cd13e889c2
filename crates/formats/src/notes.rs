//! What a reader left out or changed, so that nothing is lost silently.

use std::collections::BTreeMap;
use std::fmt;

/// The most lines that a note lists.
const MAX_LINES: usize = 10;

/// A kind of entry that is not taken as it is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// Left out: the times are there, but cannot be read.
    UnreadableTimes,
    /// Left out: there are no times, or the entry is between two cues.
    NoTimes,
    /// Left out: there is no text where one belongs.
    NoText,
    /// Left out: the entry has an unexpected type.
    Unreadable,
    /// Left out: it ends before the recording starts.
    BeforeZero,
    /// Left out, because the recognizer's own measures say that there is no speech.
    NoSpeech,
    /// Left out: it repeats text that the cue before it has shown already.
    Repeated,
    /// A negative start was changed to 0.
    NegativeStart,
    /// An end before the start was changed to the start.
    EndBeforeStart,
    /// There is no end; the entry ends where the next one starts.
    NoEnd,
    /// The name of a speaker was cut to the length that a name may have.
    LongSpeaker,
    /// Kept, although the recognizer measured that the text repeats itself.
    RepeatsItself,
    /// Kept, although many entries in a row have this text: speech recognizers invent such
    /// repetitions where nobody speaks.
    SameText,
}

impl Change {
    /// The words after the number of entries.
    fn predicate(self, is_one: bool) -> &'static str {
        match (self, is_one) {
            (Self::UnreadableTimes, true) => "was left out, because its times cannot be read",
            (Self::UnreadableTimes, false) => "were left out, because their times cannot be read",
            (Self::NoTimes, true) => "was left out, because it has no times",
            (Self::NoTimes, false) => "were left out, because they have no times",
            (Self::NoText, true) => "was left out, because it has no text",
            (Self::NoText, false) => "were left out, because they have no text",
            (Self::Unreadable, true) => "was left out, because it cannot be read",
            (Self::Unreadable, false) => "were left out, because they cannot be read",
            (Self::BeforeZero, true) => "was left out, because it ends before 0",
            (Self::BeforeZero, false) => "were left out, because they end before 0",
            (Self::NoSpeech, true) => {
                "was left out, because the recognizer heard no speech and guessed its text"
            }
            (Self::NoSpeech, false) => {
                "were left out, because the recognizer heard no speech and guessed their texts"
            }
            (Self::RepeatsItself, true) => "repeats itself, as texts do that a recognizer invents",
            (Self::RepeatsItself, false) => {
                "repeat themselves, as texts do that a recognizer invents"
            }
            (Self::Repeated, true) => "was left out, because it only repeats the one before",
            (Self::Repeated, false) => "were left out, because they only repeat the ones before",
            (Self::NegativeStart, true) => "starts before 0 and was moved to 0",
            (Self::NegativeStart, false) => "start before 0 and were moved to 0",
            (Self::EndBeforeStart, true) => "ends before it starts and was left with no length",
            (Self::EndBeforeStart, false) => "end before they start and were left with no length",
            (Self::NoEnd, true) => {
                "has no end and was ended at the next start or with the recording"
            }
            (Self::NoEnd, false) => {
                "have no end and were ended at the next start or with the recording"
            }
            (Self::LongSpeaker, true) => "has a speaker with a long name, which was cut",
            (Self::LongSpeaker, false) => "have a speaker with a long name, which was cut",
            (Self::SameText, true) => "has the same text as the ones before it",
            (Self::SameText, false) => "have the same text as the ones before them",
        }
    }
}

/// Entries of a file that were left out or changed, counted by kind. Displayed as English
/// text, one sentence per kind, separated by `; `.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    entries: BTreeMap<Change, Entries>,
    remarks: Vec<String>,
    /// Whether a remark is about something that was left out.
    has_lossy_remark: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Entries {
    count: usize,
    /// The first lines, counted from 1.
    lines: Vec<usize>,
}

impl Notes {
    /// Whether everything was read as it is in the file.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.remarks.is_empty()
    }

    /// How many entries were changed in this way.
    pub fn count(&self, change: Change) -> usize {
        self.entries.get(&change).map_or(0, |entries| entries.count)
    }

    /// The first lines with such entries, at most ten, counted from 1.
    pub fn lines(&self, change: Change) -> &[usize] {
        self.entries
            .get(&change)
            .map_or(&[], |entries| &entries.lines)
    }

    /// Whether something was left out that is not elsewhere in the file.
    pub fn has_losses(&self) -> bool {
        let losses = [
            Change::UnreadableTimes,
            Change::NoTimes,
            Change::NoText,
            Change::Unreadable,
            Change::BeforeZero,
            Change::NoSpeech,
        ];
        self.has_lossy_remark || losses.iter().any(|loss| self.entries.contains_key(loss))
    }

    /// One sentence for each kind of change.
    pub fn messages(&self) -> Vec<String> {
        let counted = self
            .entries
            .iter()
            .map(|(change, Entries { count, lines })| {
                let noun = if *count == 1 { "entry" } else { "entries" };
                let predicate = change.predicate(*count == 1);
                let list: Vec<_> = lines.iter().map(usize::to_string).collect();
                if lines.is_empty() {
                    return format!("{count} {noun} {predicate}");
                }
                let more = if lines.len() == MAX_LINES && *count > MAX_LINES {
                    " …"
                } else {
                    ""
                };
                let word = if lines.len() == 1 { "line" } else { "lines" };
                format!(
                    "{count} {noun} {predicate} ({word} {}{more})",
                    list.join(", ")
                )
            });
        counted.chain(self.remarks.iter().cloned()).collect()
    }

    /// Adds the counts of another file, without its lines; for a transcript in several files.
    pub fn add_counts(&mut self, other: &Self) {
        for (change, entries) in &other.entries {
            self.entries.entry(*change).or_default().count += entries.count;
        }
        self.has_lossy_remark |= other.has_lossy_remark;
        for remark in &other.remarks {
            if !self.remarks.contains(remark) {
                self.remarks.push(remark.clone());
            }
        }
    }

    pub(crate) fn add(&mut self, change: Change, line: usize) {
        let entries = self.entries.entry(change).or_default();
        entries.count += 1;
        // A file in one line has many entries on it.
        if entries.lines.len() < MAX_LINES && entries.lines.last() != Some(&line) {
            entries.lines.push(line);
        }
    }

    /// Adds a sentence about the whole file.
    pub(crate) fn remark(&mut self, sentence: impl Into<String>) {
        self.remarks.push(sentence.into());
    }

    /// Adds a sentence about something that was left out.
    pub(crate) fn loss(&mut self, sentence: impl Into<String>) {
        self.has_lossy_remark = true;
        self.remark(sentence);
    }
}

impl fmt::Display for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.messages().join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_counts_all_entries_and_lists_the_first_lines() {
        let mut notes = Notes::default();
        assert!(notes.is_empty());
        notes.add(Change::NoText, 7);
        assert_eq!(
            notes.to_string(),
            "1 entry was left out, because it has no text (line 7)"
        );
        for line in 1..=12 {
            notes.add(Change::UnreadableTimes, line);
        }
        notes.remark("times are in milliseconds");
        assert_eq!(
            notes.to_string(),
            "12 entries were left out, because their times cannot be read \
             (lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 …); \
             1 entry was left out, because it has no text (line 7); \
             times are in milliseconds"
        );
        assert_eq!(notes.count(Change::UnreadableTimes), 12);
        assert_eq!(notes.count(Change::NoEnd), 0);
    }
}
