//! Joins words with times into cues of a readable length.

use lectern_domain::{LanguageTag, Ratio};

use crate::cue::Word;
use crate::entry::Entry;
use crate::time::non_negative;

/// The longest pause within a cue.
const MAX_PAUSE_MS: i64 = 1_000;
/// The longest duration of a cue of more than one word.
const MAX_DURATION_MS: i64 = 10_000;
/// The longest text of a cue of more than one word, in characters: two lines of a
/// subtitle.
const MAX_CHARS: usize = 80;
/// An entry that is longer than this is divided where its words allow it.
const LONG_ENTRY_MS: i64 = 30_000;

/// What stands between two words of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WordSeparator {
    Space,
    /// The words bring their own spaces, or their language has none.
    Nothing,
}

impl WordSeparator {
    /// The separator for the words of a file: nothing if they begin or end with spaces, as
    /// Whisper's do, or if their script is written without spaces.
    pub(crate) fn of(words: &[Entry]) -> Self {
        let has_space = |word: &&Entry| word.text.starts_with(' ') || word.text.ends_with(' ');
        let with_space = words.iter().filter(has_space).count();
        if with_space * 4 >= words.len() || are_unspaced(words) {
            Self::Nothing
        } else {
            Self::Space
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Space => " ",
            Self::Nothing => "",
        }
    }
}

/// Whether most words are in a script that is written without spaces.
fn are_unspaced(words: &[Entry]) -> bool {
    let unspaced = |word: &&Entry| word.text.chars().any(is_unspaced);
    words.iter().filter(unspaced).count() * 2 > words.len()
}

/// Chinese, Japanese, Thai, Lao, Burmese and Khmer characters.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0e00..=0x0eff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x3040..=0x30ff | 0x3400..=0x9fff
        | 0xf900..=0xfaff | 0x2_0000..=0x3_ffff)
}

/// Joins words. A cue ends at a pause of more than a second, at another speaker, and before
/// it exceeds ten seconds or 80 characters.
pub(crate) fn join(words: Vec<Entry>, separator: WordSeparator) -> Vec<Entry> {
    let mut phrases: Vec<Phrase> = Vec::new();
    for word in words {
        let last_end = phrases.last().map_or(0, |phrase| phrase.end_ms);
        // A recognizer that could not align a word leaves its times out.
        let start_ms = word.start_ms.unwrap_or(last_end);
        let end_ms = word.end_ms.unwrap_or(start_ms).max(start_ms);
        let is_blank = word.text.trim().is_empty();
        match phrases.last_mut() {
            // Some recognizers list spaces and pauses as words.
            Some(phrase) if is_blank => phrase.text.push_str(&word.text),
            _ if is_blank => {}
            Some(phrase) if phrase.accepts(&word, start_ms, end_ms) => {
                phrase.push(&word, start_ms, end_ms, separator);
            }
            _ => phrases.push(Phrase::new(&word, start_ms, end_ms)),
        }
    }
    phrases.into_iter().map(Phrase::into_entry).collect()
}

/// Divides entries that are long, such as an uninterrupted speech of minutes, between their
/// words.
pub(crate) fn split_long(entries: Vec<Entry>) -> Vec<Entry> {
    let is_long = |entry: &Entry| {
        let length = entry.end_ms.unwrap_or(0) - entry.start_ms.unwrap_or(0);
        length > LONG_ENTRY_MS && entry.words.len() > 1
    };
    if !entries.iter().any(is_long) {
        return entries;
    }
    let split = |entry: Entry| {
        if !is_long(&entry) {
            return vec![entry];
        }
        let signed = |ms: u64| i64::try_from(ms).ok();
        let words: Vec<_> = entry
            .words
            .iter()
            .map(|word| Entry {
                line: entry.line,
                start_ms: signed(word.start_ms),
                end_ms: signed(word.end_ms),
                text: word.text.clone(),
                speaker: entry.speaker.clone(),
                confidence: entry.confidence,
                words: vec![word.clone()],
                language: entry.language.clone(),
            })
            .collect();
        let separator = WordSeparator::of(&words);
        join(words, separator)
    };
    entries.into_iter().flat_map(split).collect()
}

/// How many words are in each language.
#[derive(Default)]
struct LanguageCounts(Vec<(LanguageTag, usize)>);

impl LanguageCounts {
    fn add(&mut self, language: Option<&LanguageTag>) {
        let Some(language) = language else {
            return;
        };
        let mut counts = self.0.iter_mut();
        match counts.find(|(known, _)| known == language) {
            Some((_, count)) => *count += 1,
            None => self.0.push((language.clone(), 1)),
        }
    }

    /// The first of those with the most words.
    fn most_frequent(self) -> Option<LanguageTag> {
        let counts = self.0.into_iter().rev();
        let most = counts.max_by_key(|(_, count)| *count);
        most.map(|(language, _)| language)
    }
}

/// The language of most words, so that a foreign word in a sentence does not change it.
pub(crate) fn main_language(words: &[Entry]) -> Option<LanguageTag> {
    let mut counts = LanguageCounts::default();
    for word in words {
        counts.add(word.language.as_ref());
    }
    counts.most_frequent()
}

/// Words that become one cue.
struct Phrase {
    line: usize,
    start_ms: i64,
    end_ms: i64,
    text: String,
    chars: usize,
    speaker: Option<String>,
    confidence_sum: f64,
    confidence_count: u32,
    words: Vec<Word>,
    languages: LanguageCounts,
}

impl Phrase {
    fn new(word: &Entry, start_ms: i64, end_ms: i64) -> Self {
        let mut phrase = Self {
            line: word.line,
            start_ms,
            end_ms,
            text: String::new(),
            chars: 0,
            speaker: word.speaker.clone(),
            confidence_sum: 0.0,
            confidence_count: 0,
            words: Vec::new(),
            languages: LanguageCounts::default(),
        };
        phrase.push(word, start_ms, end_ms, WordSeparator::Nothing);
        phrase
    }

    fn accepts(&self, word: &Entry, start_ms: i64, end_ms: i64) -> bool {
        // A punctuation mark belongs to the word before it, and has no times or speaker.
        if word.start_ms.is_none() && is_punctuation(&word.text) {
            return true;
        }
        start_ms >= self.start_ms
            && (word.speaker.is_none() || word.speaker == self.speaker)
            && start_ms.saturating_sub(self.end_ms) <= MAX_PAUSE_MS
            && end_ms.saturating_sub(self.start_ms) <= MAX_DURATION_MS
            && self.chars + word.text.chars().count() < MAX_CHARS
    }

    fn push(&mut self, word: &Entry, start_ms: i64, end_ms: i64, separator: WordSeparator) {
        let is_attached = is_punctuation(&word.text) && !word.text.starts_with(is_opening);
        let is_separated =
            self.text.ends_with(char::is_whitespace) || word.text.starts_with(char::is_whitespace);
        let separator = match separator {
            _ if self.text.is_empty() || is_separated => "",
            WordSeparator::Space if is_attached && word.start_ms.is_none() => "",
            separator => separator.as_str(),
        };
        let follows_directly = separator.is_empty() && !is_separated;
        self.text.extend([separator, &word.text]);
        self.chars += word.text.chars().count();
        self.end_ms = self.end_ms.max(end_ms);
        if let Some(confidence) = word.confidence {
            self.confidence_sum += confidence.get();
            self.confidence_count += 1;
        }
        self.languages.add(word.language.as_ref());
        // A word of a segment that is divided has its own probability.
        let probability = match word.words.first() {
            Some(own) => own.probability,
            None => word.confidence,
        };
        let text = word.text.trim();
        match self.words.last_mut() {
            // Parts of a word follow it without a space.
            Some(last) if follows_directly && !text.starts_with(is_unspaced) => {
                last.text.push_str(text);
                last.end_ms = last.end_ms.max(non_negative(end_ms));
                let both = last.probability.zip(probability);
                last.probability = both.map(|(a, b)| if b < a { b } else { a });
            }
            _ => self.words.push(Word {
                start_ms: non_negative(start_ms),
                end_ms: non_negative(end_ms),
                text: text.to_owned(),
                probability,
            }),
        }
    }

    fn into_entry(self) -> Entry {
        let confidence = (self.confidence_count > 0)
            .then(|| self.confidence_sum / f64::from(self.confidence_count))
            .and_then(|mean| Ratio::new(mean).ok());
        Entry {
            line: self.line,
            start_ms: Some(self.start_ms),
            end_ms: Some(self.end_ms),
            language: self.languages.most_frequent(),
            text: self.text.trim().to_owned(),
            speaker: self.speaker,
            confidence,
            words: self.words,
        }
    }
}

pub(crate) fn is_punctuation(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && !text.contains(char::is_alphanumeric)
}

fn is_opening(c: char) -> bool {
    matches!(
        c,
        '(' | '['
            | '{'
            | '"'
            | '\''
            | '“'
            | '‘'
            | '«'
            | '„'
            | '¿'
            | '¡'
            | '—'
            | '–'
            | '-'
            | '&'
            | '+'
            | '$'
            | '€'
    )
}
