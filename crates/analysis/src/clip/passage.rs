//! The parts of a recording that a clip contains whole or not at all.
//!
//! A passage is a sentence. Where there is no transcript, it is a part between two
//! silences.

use std::collections::HashSet;

use lectern_domain::fold_case;

use crate::housekeeping;
use crate::language::Lexicon;
use crate::segment_ref::TranscriptSegmentRef;
use crate::sentence::{self, Sentence, normalize};
use crate::term::tokenize;
use crate::time_span::TimeSpan;

/// The number of words in a phrase of the lexicon, at most.
const MAX_PHRASE_WORDS: usize = 4;
/// The number of passages on each side of a place that are compared to find a change
/// of subject.
const COMPARED_PASSAGES: usize = 3;

/// Parts between silences are not divided into shorter ones than this, in seconds.
const MIN_PART: f64 = 1.0;

/// A part of the recording that is never cut.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Passage {
    /// The time of the speech, without the pauses around it.
    pub(super) span: TimeSpan,
    /// Empty without a transcript.
    pub(super) text: String,
    /// The keys of its terms that may name a topic.
    pub(super) keys: HashSet<String>,
    /// The number of words that mark definitions, reasons and conclusions.
    pub(super) emphasis: usize,
    /// Whether it is about the organization of the course and the like.
    pub(super) is_housekeeping: bool,
    pub(super) opening: Opening,
    /// Whether it is a question, to which the next passage may be the answer.
    pub(super) is_question: bool,
    /// The probability that a sentence begins with it, 0 to 1.
    pub(super) certainty: f64,
    /// Whether the pause before it is known, and not estimated.
    pub(super) is_start_known: bool,
    /// How much the subject changes before it, 0 to 1.
    pub(super) subject_change: f64,
}

/// How a passage begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// It begins an idea: "Now let us …", "What is …?".
    LeadIn,
    Neutral,
    /// It refers to what was said before: "However, …", "This …".
    Connective,
}

/// The sentences of a transcript, which is sorted by start. `silences` are sorted and
/// disjoint.
pub(super) fn sentences(
    transcript: &[TranscriptSegmentRef<'_>],
    silences: &[TimeSpan],
) -> Vec<Passage> {
    let lexicon = Lexicon::of(transcript.iter().map(|segment| segment.text));
    let sentences = sentence::split(transcript, silences, lexicon);
    let kinds = housekeeping::classify(&sentences, lexicon);
    let mut passages: Vec<Passage> = sentences
        .into_iter()
        .zip(kinds)
        .map(|(sentence, kind)| passage(sentence, kind.is_some(), lexicon))
        .collect();
    for i in 1..passages.len() {
        let before = &passages[i.saturating_sub(COMPARED_PASSAGES)..i];
        let after = &passages[i..passages.len().min(i + COMPARED_PASSAGES)];
        passages[i].subject_change = 1.0 - overlap(before, after);
    }
    passages
}

/// The parts of `span` between silences. A part of more than `max_length` is divided into
/// equal ones.
pub(super) fn parts_between_silences(
    span: TimeSpan,
    silences: &[TimeSpan],
    max_length: f64,
) -> Vec<Passage> {
    let mut passages = Vec::new();
    for part in span.difference(silences) {
        let count = (part.length() / max_length.max(MIN_PART)).ceil().max(1.0);
        let boundary = |number: u32| part.start + part.length() * f64::from(number) / count;
        for number in (0_u32..).take_while(|number| f64::from(*number) < count) {
            let is_after_silence = number == 0;
            passages.push(Passage {
                span: TimeSpan::new(boundary(number), boundary(number + 1).min(part.end)),
                text: String::new(),
                keys: HashSet::new(),
                emphasis: 0,
                is_housekeeping: false,
                opening: Opening::Neutral,
                is_question: false,
                certainty: if is_after_silence { 1.0 } else { 0.0 },
                is_start_known: is_after_silence,
                subject_change: 0.0,
            });
        }
    }
    passages
}

fn passage(sentence: Sentence, is_housekeeping: bool, lexicon: &Lexicon) -> Passage {
    let words: Vec<String> = sentence
        .text
        .split_whitespace()
        .map(normalize)
        .filter(|word| !word.is_empty())
        .collect();
    let emphasis = words
        .iter()
        .filter(|word| lexicon.emphasis.contains(word.as_str()))
        .count();
    Passage {
        span: sentence.span,
        keys: topical_keys(&sentence.text, lexicon),
        emphasis,
        is_housekeeping,
        opening: opening(&words, lexicon),
        is_question: sentence.text.ends_with(['?', '？', '؟']),
        certainty: sentence.certainty,
        is_start_known: sentence.is_start_known,
        subject_change: 0.0,
        text: sentence.text,
    }
}

/// The keys of the terms that are neither function words nor general words.
pub(super) fn topical_keys(text: &str, lexicon: &Lexicon) -> HashSet<String> {
    let terms = tokenize(text).into_iter().filter(|term| {
        let word: String = term.surface.chars().map(fold_case).collect();
        word.chars().count() > 1
            && !lexicon.is_function_word(&word)
            && !lexicon.general_words.contains(word.as_str())
    });
    terms.map(|term| term.key).collect()
}

pub(super) fn opening(words: &[String], lexicon: &Lexicon) -> Opening {
    let mut phrase = String::new();
    // The longest phrase decides: "then" is a connective, but "then let" is not.
    let mut found = Opening::Neutral;
    for word in words.iter().take(MAX_PHRASE_WORDS) {
        if !phrase.is_empty() {
            phrase.push(' ');
        }
        phrase.push_str(word);
        if lexicon.lead_ins.contains(phrase.as_str()) {
            found = Opening::LeadIn;
        } else if lexicon.connectives.contains(phrase.as_str()) {
            found = Opening::Connective;
        }
    }
    found
}

/// The fraction of terms that two groups of passages have in common, 0 to 1, of the
/// smaller group (the overlap coefficient).
fn overlap(a: &[Passage], b: &[Passage]) -> f64 {
    let keys = |passages: &[Passage]| -> HashSet<String> {
        passages
            .iter()
            .flat_map(|passage| passage.keys.iter().cloned())
            .collect()
    };
    let (a, b) = (keys(a), keys(b));
    let smaller = a.len().min(b.len());
    if smaller == 0 {
        return 0.0;
    }
    a.intersection(&b).count() as f64 / smaller as f64
}
