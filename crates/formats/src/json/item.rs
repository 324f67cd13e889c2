//! Segments and words, as most programs write them.

use lectern_domain::{LanguageTag, Ratio};

use super::document::{LineFinder, Object, Raw, list, number, text};
use super::times::item_times;
use crate::cue::Word;
use crate::entry::Entry;
use crate::notes::{Change, Notes};
use crate::time::non_negative;
use crate::word_grouping::{WordSeparator, join, main_language};

/// Fields with the text of an item, the best first.
const TEXTS: [&str; 17] = [
    "punctuated_word",
    "text",
    "word",
    "body",
    "transcript",
    "content",
    "Content",
    "display",
    "DisplayText",
    "Word",
    "value",
    "utf8",
    "line",
    "sentence",
    "caption",
    "Caption",
    "name",
];

/// Fields with the speaker of an item: names before identifiers.
const SPEAKERS: [&str; 13] = [
    "speaker_name",
    "speakerName",
    "speakerDisplayName",
    "speaker",
    "speaker_id",
    "speakerId",
    "speaker_label",
    "speakerLabel",
    "speakerTag",
    "speaker_tag",
    "spk",
    "ParticipantRole",
    "participant",
];

/// Fields with lists of words inside of a segment.
const WORDS: [&str; 4] = ["words", "Words", "displayWords", "segs"];

/// Fields with the language of an item or a file.
const LANGUAGES: [&str; 6] = [
    "language",
    "language_code",
    "languageCode",
    "lang",
    "locale",
    "detected_language",
];

/// Whisper's own rule for a segment without speech: above this probability that there is none,
/// and below this mean log probability of its tokens. Whisper applies it while it transcribes;
/// programs and services that are derived from it often do not.
const MIN_NO_SPEECH_PROB: f64 = 0.6;
const MAX_AVG_LOGPROB: f64 = -1.0;
/// Whisper's limit: a text that can be compressed more than this repeats itself.
const MAX_COMPRESSION_RATIO: f64 = 2.4;

/// Reads the items of one file.
pub(super) struct ItemReader<'a> {
    lines: LineFinder<'a>,
    /// Whether times without a unit are in milliseconds.
    pub(super) is_in_milliseconds: bool,
    /// Whether an item had times in a unit that the file does not name.
    pub(super) is_unit_undeclared: bool,
    pub(super) notes: Notes,
}

impl<'a> ItemReader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            lines: LineFinder::new(text),
            is_in_milliseconds: false,
            is_unit_undeclared: false,
            notes: Notes::default(),
        }
    }

    pub(super) fn line(&self, raw: Raw<'a>) -> usize {
        self.lines.line(raw)
    }

    /// The entries of a list of segments. Items that cannot be read are noted.
    pub(super) fn segments(&mut self, items: &[Raw<'a>]) -> Vec<Entry> {
        let mut entries = Vec::with_capacity(items.len());
        for raw in items {
            let line = self.line(raw);
            let Some(item) = Object::of(raw) else {
                self.notes.add(Change::Unreadable, line);
                continue;
            };
            entries.extend(self.segment(&item, line));
        }
        entries
    }

    /// The entries of a segment: more than one if its words have different speakers.
    fn segment(&mut self, item: &Object<'a>, line: usize) -> Vec<Entry> {
        if text_of(item).is_none() {
            let words = self.words_without_text(item, line);
            if !words.is_empty() {
                let separator = WordSeparator::of(&words);
                return join(words, separator);
            }
        }
        let Some(mut entry) = self.entry(item, line) else {
            return Vec::new();
        };
        if is_without_speech(item) {
            self.notes.add(Change::NoSpeech, line);
            return Vec::new();
        }
        if item.number(&["compression_ratio"]) > Some(MAX_COMPRESSION_RATIO) {
            self.notes.add(Change::RepeatsItself, line);
        }
        let words = self.words_of(item, line);
        if entry.confidence.is_none() {
            entry.confidence = mean(words.iter().filter_map(|word| word.confidence));
        }
        if entry.language.is_none() {
            entry.language = main_language(&words);
        }
        if entry.speaker.is_none() {
            let first = words.iter().find_map(|word| word.speaker.clone());
            let is_other = |word: &Entry| word.speaker.is_some() && word.speaker != first;
            if words.iter().any(is_other) {
                let separator = WordSeparator::of(&words);
                return join(words, separator);
            }
            entry.speaker = first;
        }
        if entry.start_ms.is_none() {
            entry.start_ms = words.first().and_then(|word| word.start_ms);
            entry.end_ms = words.last().and_then(|word| word.end_ms);
        }
        entry.words = words.iter().filter_map(timed_word).collect();
        vec![entry]
    }

    /// The words of a segment.
    fn words_of(&mut self, item: &Object<'a>, line: usize) -> Vec<Entry> {
        let mut lists = WORDS.iter().map(|name| item.list(name));
        let words = lists.find(|words| !words.is_empty());
        let words = words.unwrap_or_default().into_iter();
        words
            .filter_map(|raw| self.word(&Object::of(raw)?, line))
            .collect()
    }

    /// The words of a segment without a text of its own, as Premiere and Amberscript write them,
    /// with its speaker.
    fn words_without_text(&mut self, item: &Object<'a>, line: usize) -> Vec<Entry> {
        let mut words = self.words_of(item, line);
        let speaker = speaker(item);
        for word in &mut words {
            word.speaker = word.speaker.take().or_else(|| speaker.clone());
        }
        words
    }

    /// The entries of a list of words.
    pub(super) fn words(&mut self, items: &[Raw<'a>]) -> Vec<Entry> {
        let mut entries = Vec::with_capacity(items.len());
        for raw in items {
            let line = self.line(raw);
            match Object::of(raw) {
                Some(item) => entries.extend(self.entry_of_word(&item, line)),
                None => self.notes.add(Change::Unreadable, line),
            }
        }
        entries
    }

    fn entry_of_word(&mut self, item: &Object<'a>, line: usize) -> Option<Entry> {
        let word = self.word(item, line);
        if word.is_none() {
            self.notes.add(Change::NoText, line);
        }
        word
    }

    /// A word; `None` if it has no text.
    pub(super) fn word(&mut self, item: &Object<'a>, line: usize) -> Option<Entry> {
        let text = text_of(item)?;
        let times = item_times(item, self.is_in_milliseconds);
        self.is_unit_undeclared |= times.start_ms.is_some() && !times.is_unit_declared;
        Some(Entry {
            line,
            start_ms: times.start_ms,
            end_ms: times.end_ms,
            text,
            speaker: speaker(item),
            confidence: confidence(item),
            language: language(item),
            ..Entry::default()
        })
    }

    /// An item without its words. `None`, and a note, if it has no text.
    pub(super) fn entry(&mut self, item: &Object<'a>, line: usize) -> Option<Entry> {
        let Some(mut entry) = self.word(item, line) else {
            self.notes.add(Change::NoText, line);
            return None;
        };
        // Whisper begins most texts with a space, which separates words in lists of words.
        if let Some(mean) = token_confidence(item) {
            entry.confidence = entry.confidence.or(Some(mean));
        }
        Some(entry)
    }
}

/// The text of an item, or that of the parts of its content, as Kaltura writes it.
fn text_of(item: &Object<'_>) -> Option<String> {
    item.text(&TEXTS).or_else(|| {
        let parts = item.list("content").into_iter();
        let parts: Vec<_> = parts
            .filter_map(|raw| Object::of(raw)?.text(&["text"]))
            .collect();
        (!parts.is_empty()).then(|| parts.concat())
    })
}

/// Whether a segment of Whisper has no speech.
fn is_without_speech(item: &Object<'_>) -> bool {
    let no_speech = item.number(&["no_speech_prob"]);
    let logprob = item.number(&["avg_logprob"]);
    let is_below = logprob.is_some_and(|logprob| logprob < MAX_AVG_LOGPROB);
    no_speech > Some(MIN_NO_SPEECH_PROB) && is_below
}

/// A word with its times, if it has them.
pub(super) fn timed_word(word: &Entry) -> Option<Word> {
    let start_ms = non_negative(word.start_ms?);
    let end_ms = word.end_ms.map_or(start_ms, non_negative).max(start_ms);
    let text = word.text.trim().to_owned();
    (!text.is_empty()).then_some(Word {
        start_ms,
        end_ms,
        text,
        probability: word.confidence,
    })
}

/// The speaker of an item; programs write 0, `?` or `UU` for one who is not known.
pub(super) fn speaker(item: &Object<'_>) -> Option<String> {
    let (name, raw) = SPEAKERS
        .iter()
        .find_map(|name| Some((*name, item.get(name)?)))?;
    let speaker = match Object::of(raw) {
        Some(object) => object.text(&["name", "display_name", "label", "id"])?,
        None => text(raw)?,
    };
    let is_tag = matches!(name, "speakerTag" | "speaker_tag");
    let is_unknown = matches!(speaker.as_str(), "" | "?" | "UU") || (is_tag && speaker == "0");
    (!is_unknown).then_some(speaker)
}

/// The language that an item or a file names, as a code or in English.
pub(super) fn language(item: &Object<'_>) -> Option<LanguageTag> {
    LanguageTag::of_name(&item.text(&LANGUAGES)?)
}

/// The confidence of an item itself.
pub(super) fn confidence(item: &Object<'_>) -> Option<Ratio> {
    let confidence = item
        .number(&["confidence", "conf", "Confidence"])
        .or_else(|| item.number(&["avg_logprob", "logprob"]).map(f64::exp))
        .or_else(|| item.number(&["probability", "score"]))?;
    ratio(confidence)
}

/// The mean probability of the tokens that whisper.cpp describes; other programs list only
/// the numbers of tokens.
fn token_confidence(item: &Object<'_>) -> Option<Ratio> {
    let tokens = list(item.get("tokens")?)?;
    mean(tokens.into_iter().filter_map(|raw| {
        let token = Object::of(raw)?;
        // Control tokens such as `[_BEG_]` are not speech.
        let is_speech = !token.text(&["text"])?.starts_with("[_");
        let probability = number(token.get("p")?)?;
        is_speech.then(|| ratio(probability)).flatten()
    }))
}

pub(super) fn ratio(value: f64) -> Option<Ratio> {
    Ratio::new(value.clamp(0.0, 1.0)).ok()
}

pub(super) fn mean(values: impl Iterator<Item = Ratio>) -> Option<Ratio> {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value.get();
        count += 1.0;
    }
    (count > 0.0).then(|| ratio(sum / count)).flatten()
}

/// Gives words to the segments in which they are spoken, if these have none of their own.
pub(super) fn attach_words(segments: &mut [Entry], words: &[Entry]) {
    if segments.iter().any(|segment| !segment.words.is_empty()) {
        return;
    }
    let mut words: Vec<&Entry> = words
        .iter()
        .filter(|word| word.start_ms.is_some())
        .collect();
    words.sort_by_key(|word| word.start_ms);
    let mut order: Vec<usize> = (0..segments.len()).collect();
    order.sort_by_key(|&i| segments[i].start_ms);
    let mut words = words.into_iter().peekable();
    for i in order {
        let segment = &mut segments[i];
        let (Some(start), Some(end)) = (segment.start_ms, segment.end_ms) else {
            continue;
        };
        while let Some(word) = words.next_if(|word| word.start_ms < Some(end)) {
            if word.start_ms >= Some(start) && word.speaker == segment.speaker {
                segment.words.extend(timed_word(word));
            }
        }
    }
}
