//! Tells what a lecturer says about the course from what the lecture is about.
//!
//! Openings, announcements, interruptions, homework and goodbyes are housekeeping. Each
//! sentence gets log-odds from the words of the lexicon, from appointments (a date, and
//! somebody who is addressed), from its place in the recording, and from how many of the
//! recording's own terms it has: a lecture returns to its terms, and announcements do not.
//! Housekeeping comes in stretches, so the most probable sequence of the two states is
//! found (Viterbi, "Error bounds for convolutional codes", 1967), and neutral sentences such
//! as "Great, thank you" join the stretch around them. The running time is linear in the
//! number of words. In languages without a lexicon, nothing is housekeeping.

use std::collections::{HashMap, HashSet};

use crate::language::{HousekeepingTitles, Lexicon};
use crate::sentence::{Sentence, normalize};
use crate::term::tokenize;
use crate::time_span::TimeSpan;

/// The cost of a change between content and housekeeping, as log-odds.
const CHANGE_COST: f64 = 1.7;
/// Log-odds of a sentence about which nothing is known.
const PRIOR: f64 = -1.0;
/// A recording opens and closes within these many seconds, and this fraction of its time.
const EDGE_SECONDS: f64 = 100.0;
const EDGE_FRACTION: f64 = 0.12;
/// Log-odds that a sentence at an edge, or elsewhere, is housekeeping.
const EDGE: f64 = 0.8;
const MIDDLE: f64 = -0.3;
/// Log-odds of an appointment: a date and somebody who is addressed.
const APPOINTMENT: f64 = 1.5;
/// Log-odds of each own term of the recording, and the most that count.
const OWN_TERM: f64 = -0.9;
const MAX_OWN_TERMS: usize = 3;
/// Log-odds of a sentence with no own term at all.
const NO_OWN_TERM: f64 = 0.4;
/// The most that the words of one sentence count.
const MAX_WORDS_LOG_ODDS: f64 = 6.0;
/// The words of a stretch together have at least these log-odds, so that nothing is
/// housekeeping only because of its place.
const MIN_STRETCH_LOG_ODDS: f64 = 3.0;
/// The number of sentences in which a term occurs, at least, if it is the recording's own.
const MIN_OWN_TERM_SENTENCES: usize = 3;
/// The minimum number of letters of an own term.
const MIN_OWN_TERM_LETTERS: usize = 4;
/// The maximum number of words in a phrase of the lexicon.
const MAX_PHRASE_WORDS: usize = 4;

/// A kind of housekeeping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Housekeeping {
    /// From the start of the recording, with announcements that follow.
    Opening,
    Announcement,
    Interruption,
    /// Up to the end of the recording, with homework.
    Closing,
}

impl Housekeeping {
    /// A title of a stretch of this kind, in the language of the lexicon.
    pub(crate) fn title(self, titles: &HousekeepingTitles) -> &'static str {
        match self {
            Self::Opening => titles.opening,
            Self::Announcement => titles.announcement,
            Self::Interruption => titles.interruption,
            Self::Closing => titles.closing,
        }
    }
}

/// For each sentence, what kind of housekeeping it is; `None` for content.
pub(crate) fn classify(sentences: &[Sentence], lexicon: &Lexicon) -> Vec<Option<Housekeeping>> {
    if !lexicon.is_known() || sentences.is_empty() {
        return vec![None; sentences.len()];
    }
    let signs: Vec<Signs> = sentences
        .iter()
        .map(|sentence| Signs::of(sentence, lexicon))
        .collect();
    let own_terms = own_terms(sentences, &signs, lexicon);
    let recording = TimeSpan::new(
        sentences[0].span.start,
        sentences[sentences.len() - 1].span.end,
    );
    let log_odds: Vec<f64> = sentences
        .iter()
        .zip(&signs)
        .map(|(sentence, signs)| {
            let own: HashSet<String> = terms(&sentence.text, lexicon)
                .filter(|key| own_terms.contains(key))
                .collect();
            let by_terms = match own.len() {
                0 => NO_OWN_TERM,
                count => OWN_TERM * count.min(MAX_OWN_TERMS) as f64,
            };
            PRIOR + place_log_odds(sentence.span, recording) + signs.log_odds() + by_terms
        })
        .collect();
    let is_housekeeping = most_probable_states(&log_odds);
    kinds(&is_housekeeping, &signs)
}

/// What the words of a sentence say.
#[derive(Debug, Clone, Copy)]
struct Signs {
    words: f64,
    has_appointment: bool,
}

impl Signs {
    fn of(sentence: &Sentence, lexicon: &Lexicon) -> Self {
        let words: Vec<String> = sentence
            .text
            .split_whitespace()
            .map(normalize)
            .filter(|word| !word.is_empty())
            .collect();
        let mut sum = 0.0;
        for (i, word) in words.iter().enumerate() {
            let stems = lexicon.housekeeping_stems.iter();
            let stem = stems.filter(|(stem, _)| word.starts_with(stem));
            sum += stem.map(|(_, weight)| *weight).fold(0.0, f64::max);
            let mut phrase = word.clone();
            for next in words.iter().skip(i + 1).take(MAX_PHRASE_WORDS - 1) {
                phrase.push(' ');
                phrase.push_str(next);
                sum += lexicon
                    .housekeeping_phrases
                    .get(phrase.as_str())
                    .unwrap_or(&0.0);
            }
        }
        let has =
            |set: &HashSet<&'static str>| words.iter().any(|word| set.contains(word.as_str()));
        Self {
            words: sum.min(MAX_WORDS_LOG_ODDS),
            has_appointment: has(&lexicon.dates) && has(&lexicon.second_person),
        }
    }

    fn log_odds(self) -> f64 {
        self.words
            + if self.has_appointment {
                APPOINTMENT
            } else {
                0.0
            }
    }
}

/// The keys of the terms that may be a recording's own.
fn terms<'a>(text: &'a str, lexicon: &'a Lexicon) -> impl Iterator<Item = String> + 'a {
    tokenize(text).into_iter().filter_map(|term| {
        let word = term.surface.to_lowercase();
        let is_topical = word.chars().count() >= MIN_OWN_TERM_LETTERS
            && !lexicon.is_function_word(&word)
            && !lexicon.general_words.contains(word.as_str());
        is_topical.then_some(term.key)
    })
}

/// The terms to which the recording returns, in sentences that do not look like
/// housekeeping.
fn own_terms(sentences: &[Sentence], signs: &[Signs], lexicon: &Lexicon) -> HashSet<String> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for (sentence, signs) in sentences.iter().zip(signs) {
        if signs.log_odds() < APPOINTMENT {
            let distinct: HashSet<String> = terms(&sentence.text, lexicon).collect();
            for key in distinct {
                *counts.entry(key).or_default() += 1;
            }
        }
    }
    counts.retain(|_, count| *count >= MIN_OWN_TERM_SENTENCES);
    counts.into_keys().collect()
}

fn place_log_odds(sentence: TimeSpan, recording: TimeSpan) -> f64 {
    let edge = EDGE_SECONDS.min(EDGE_FRACTION * recording.length());
    let time = sentence.midpoint();
    let is_at_edge = time < recording.start + edge || time > recording.end - edge;
    if is_at_edge { EDGE } else { MIDDLE }
}

/// The most probable sequence of states, `true` for housekeeping.
fn most_probable_states(log_odds: &[f64]) -> Vec<bool> {
    // The scores of the best sequences that end in content and in housekeeping, and for
    // each sentence, the states before them.
    let (mut content, mut housekeeping) = (0.0, 0.0);
    let mut before: Vec<(bool, bool)> = Vec::with_capacity(log_odds.len());
    for odds in log_odds {
        let to_content = housekeeping - CHANGE_COST > content;
        let to_housekeeping = housekeeping >= content - CHANGE_COST;
        let next_content = if to_content {
            housekeeping - CHANGE_COST
        } else {
            content
        };
        let next = if to_housekeeping {
            housekeeping
        } else {
            content - CHANGE_COST
        };
        (content, housekeeping) = (next_content, next + odds);
        before.push((to_content, to_housekeeping));
    }
    let mut state = housekeeping > content;
    let mut states = Vec::with_capacity(log_odds.len());
    for (from_content, from_housekeeping) in before.into_iter().rev() {
        states.push(state);
        state = if state {
            from_housekeeping
        } else {
            from_content
        };
    }
    states.reverse();
    states
}

fn kinds(is_housekeeping: &[bool], signs: &[Signs]) -> Vec<Option<Housekeeping>> {
    let mut kinds = Vec::with_capacity(is_housekeeping.len());
    for run in is_housekeeping.chunk_by(|a, b| a == b) {
        let range = kinds.len()..kinds.len() + run.len();
        let has_appointment = signs[range.clone()]
            .iter()
            .any(|signs| signs.has_appointment);
        let (is_first, is_last) = (range.start == 0, range.end == is_housekeeping.len());
        let kind = if is_first && !is_last {
            Housekeeping::Opening
        } else if is_last && !is_first {
            Housekeeping::Closing
        } else if has_appointment || is_first {
            Housekeeping::Announcement
        } else {
            Housekeeping::Interruption
        };
        let words: f64 = signs[range.clone()].iter().map(|signs| signs.words).sum();
        let is_certain = run[0] && words >= MIN_STRETCH_LOG_ODDS;
        kinds.resize(range.end, is_certain.then_some(kind));
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;
    use Housekeeping::{Announcement, Closing, Interruption, Opening};

    const TREES: [&str; 12] = [
        "A tree has a root and many leaves.",
        "Each leaf of the tree hangs on a node.",
        "The root of the tree is a node too.",
        "You can search the tree for a key.",
        "The search starts at the root and compares one key at each node.",
        "A leaf has no node below it.",
        "Please note that a deep tree makes the search slow.",
        "A rotation moves a node closer to the root.",
        "Every rotation keeps the order of the keys.",
        "With rotation the tree is never deep.",
        "The search then needs few nodes.",
        "So a balanced tree with rotation keeps its keys close to the root.",
    ];

    /// Sentences of four seconds each.
    fn kinds(texts: &[&str]) -> Vec<Option<Housekeeping>> {
        let sentences: Vec<Sentence> = (0_u32..)
            .zip(texts)
            .map(|(i, text)| Sentence {
                text: (*text).to_owned(),
                span: TimeSpan::new(f64::from(i) * 4.0, f64::from(i) * 4.0 + 3.6),
                speech_time: 3.6,
                words: text.split(' ').count(),
                certainty: 1.0,
                is_start_known: true,
            })
            .collect();
        classify(&sentences, Lexicon::of(texts.iter().copied()))
    }

    /// The kinds of the sentences between the first and the last six of [`TREES`], or before or
    /// after all of them.
    fn kinds_of(place: usize, texts: &[&str]) -> Vec<Option<Housekeeping>> {
        let all = [&TREES[..place], texts, &TREES[place..]].concat();
        let found = kinds(&all);
        for (i, kind) in found.iter().enumerate() {
            let is_tree = i < place || i >= place + texts.len();
            assert!(!is_tree || kind.is_none(), "{}", all[i]);
        }
        found[place..place + texts.len()].to_vec()
    }

    #[test]
    fn content_is_not_housekeeping() {
        assert_eq!(kinds(&TREES), [None; 12]);
        assert_eq!(kinds(&[]), []);
    }

    #[test]
    fn the_opening_and_its_announcements_are_told_apart() {
        let opening = [
            "Good morning, everybody, and welcome.",
            "Can you hear me in the back row?",
            "Great.",
            "The homework is due on Friday, and you have to submit it online.",
            "You may bring one sheet.",
            "Are there any questions?",
        ];
        assert_eq!(kinds_of(0, &opening), [Some(Opening); 6]);
    }

    #[test]
    fn the_homework_and_the_goodbye_are_told_apart() {
        let closing = [
            "For next week please read chapter nine.",
            "The slides will be online this evening.",
            "Thank you, and see you on Monday.",
        ];
        assert_eq!(kinds_of(12, &closing), [Some(Closing); 3]);
    }

    #[test]
    fn interruptions_and_announcements_in_the_middle_are_told_apart() {
        let interruption = [
            "Sorry, one moment, the projector is off.",
            "It needs a minute.",
            "Could somebody in the first row press the button, please?",
        ];
        assert_eq!(kinds_of(6, &interruption), [Some(Interruption); 3]);
        let announcement = [
            "Before I forget, the exam for you is on the third of July.",
            "Please hand in your assignment before, and write me an email if you have questions.",
        ];
        assert_eq!(kinds_of(6, &announcement), [Some(Announcement); 2]);
    }

    #[test]
    fn german_housekeeping_is_told_apart() {
        let texts = [
            "Guten Morgen, schön, dass Sie da sind.",
            "Die Klausur findet am 14. Februar statt, bitte melden Sie sich an.",
            "Ein Baum hat eine Wurzel und viele Blätter.",
            "Jedes Blatt von dem Baum hängt an einem Knoten.",
            "Die Wurzel von dem Baum ist auch ein Knoten.",
            "Die Suche beginnt bei der Wurzel.",
            "Ein Blatt hat keine Knoten unter sich.",
            "Der Baum hat bei der Wurzel die wenigsten Knoten.",
            "Haben Sie noch Fragen zu den Hausaufgaben?",
            "Dann vielen Dank und bis nächste Woche.",
        ];
        let found = kinds(&texts);
        assert_eq!(found[..2], [Some(Opening); 2]);
        assert_eq!(found[2..8], [None; 6]);
        assert_eq!(found[8..], [Some(Closing); 2]);
    }

    #[test]
    fn other_languages_have_no_housekeeping() {
        assert_eq!(
            kinds(&["Bonjour tout le monde.", "Les devoirs sont pour vendredi."]),
            [None; 2]
        );
    }
}
