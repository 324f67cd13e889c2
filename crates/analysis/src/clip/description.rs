//! Describes a clip by one of its sentences, or by a part of one.
//!
//! A reader sees the description without the clip. So a sentence that refers to what is said before it, an
//! aside about the speaker, a question and half a sentence count less than one that can stand
//! alone. Of a long sentence, the clauses that can stand alone are enough: "Longitude is a question
//! of time, that is what took them so long" gives "Longitude is a question of time". The sentence
//! that is best by all that is taken even if it is not good: it is said in the clip, and a
//! description that is made of keywords would only repeat the title.

use std::collections::HashSet;

use super::passage::{Opening, Passage, opening, topical_keys};
use super::standalone_clauses::{MIN_WORDS, has_verb, parts};
use crate::antecedent::with_subject;
use crate::disfluency::{ends_clause, fluent_words, without_presentation, without_words};
use crate::language::Lexicon;
use crate::reference::refers_back;
use crate::resumption::without_resumption;
use crate::segment_ref::ContentSegmentRef;
use crate::sentence::normalize;
use crate::term::tokenize;

/// A longer sentence says too much at once.
const MAX_WORDS: usize = 34;
/// Nobody reads one that is longer than this at once.
const MAX_READABLE_WORDS: usize = 40;
/// For a part of a sentence.
const PART_FACTOR: f64 = 0.6;
const BACK_REFERENCE_FACTOR: f64 = 0.12;
/// For a sentence without a term of the topic: it is better than one that cannot stand alone.
const BASE: f64 = 0.5;
/// For "I", for "we" and "our", and for "my son" and the like.
const SPEAKER_FACTOR: f64 = 0.35;
const SPEAKERS_FACTOR: f64 = 0.6;
const ANECDOTE_FACTOR: f64 = 0.15;
/// For a sentence in the past, which is probably an anecdote too.
const PAST_FACTOR: f64 = 0.75;
/// For one about nobody in particular: "nobody had any idea".
const STORY_FACTOR: f64 = 0.4;
/// For a sentence with "there is" after another clause, to which it only adds something.
const ADDED_EXISTENCE_FACTOR: f64 = 0.5;
/// For a sentence with no other terms than the title, and for the title itself.
const REPETITION_FACTOR: f64 = 0.5;
const EQUAL_FACTOR: f64 = 0.1;
/// For a sentence that has all of a title that is a sentence itself.
const CLAIM_REPETITION_FACTOR: f64 = 0.6;
/// For a sentence with neither a word of the title nor the best keyword: a reader does not know what it is
/// about.
const UNNAMED_FACTOR: f64 = 0.5;
/// For a sentence that names the topic: "the next topic is the delta".
const ANNOUNCEMENT_FACTOR: f64 = 0.3;
/// For "now let us turn to deltas", so that any sentence about the topic is better.
const PROMISE_FACTOR: f64 = 0.05;
/// The words at the start of a sentence that may promise a topic.
const PROMISE_WORDS: usize = 6;
/// For a sentence with a term of the title in its first words.
const SUBJECT_FACTOR: f64 = 1.25;
const SUBJECT_WORDS: usize = 4;
/// For "too", which refers to something that is alike.
const ADDITION_FACTOR: f64 = 0.5;
/// A sentence with fewer terms is not better for it.
const MIN_TERMS: usize = 4;

/// The sentence that says most about the topic of the segment and about the title of the clip, as
/// it can stand alone. `None` without text.
pub(super) fn of(
    passages: &[Passage],
    segment: &ContentSegmentRef<'_>,
    title: &str,
    lexicon: &Lexicon,
) -> Option<String> {
    let keywords = segment.keywords.iter().flat_map(|word| tokenize(word));
    let best_keyword = segment.keywords.iter().take(1);
    let best_keyword = best_keyword.flat_map(|word| tokenize(word));
    let topic = Topic {
        keywords: keywords.map(|term| term.key).collect(),
        best_keyword: best_keyword.map(|term| term.key).collect(),
        title: topical_keys(title, lexicon),
        title_words: title.split_whitespace().map(normalize).collect(),
        lexicon,
    };
    let mut best: Option<(f64, String)> = None;
    for (i, passage) in passages.iter().enumerate() {
        // Claims come before their details and examples.
        let place = if i < passages.len() / 2 { 1.2 } else { 1.0 };
        let words = standalone_words(&passage.text, lexicon);
        let before = i
            .checked_sub(1)
            .map(|i| fluent_words(&passages[i].text, lexicon));
        let named = before.and_then(|before| with_subject(&before, &words, lexicon));
        let words = named.unwrap_or(words);
        for range in parts(&words, lexicon) {
            let part_factor = if range.len() == words.len() {
                1.0
            } else {
                PART_FACTOR
            };
            let text = as_sentence(&words[range.clone()]);
            let value = place * part_factor * topic.value(&words[range], &text, passage);
            if !text.is_empty() && best.as_ref().is_none_or(|(highest, _)| value > *highest) {
                best = Some((value, text));
            }
        }
    }
    best.map(|(_, text)| text)
}

/// What a clip is about.
struct Topic<'a> {
    keywords: HashSet<String>,
    best_keyword: Vec<String>,
    title: HashSet<String>,
    title_words: Vec<String>,
    lexicon: &'a Lexicon,
}

impl Topic<'_> {
    /// How good a description these words of the passage are.
    fn value(&self, words: &[String], text: &str, passage: &Passage) -> f64 {
        let lexicon = self.lexicon;
        let mut normalized: Vec<String> = words.iter().map(|word| normalize(word)).collect();
        // "It's" begins with "it".
        if let Some(first) = normalized.first_mut() {
            let length = first.find('\'').unwrap_or(first.len());
            first.truncate(length);
        }
        let keys = topical_keys(text, lexicon);
        let common = keys.intersection(&self.keywords).count() as f64;
        let titled = keys.intersection(&self.title).count() as f64;
        let length = (keys.len().max(MIN_TERMS) as f64).sqrt();
        // "There is a net", unlike "there, it is a net".
        let is_existential = normalized.len() > 1
            && normalized[0] == "there"
            && ["is", "are"].contains(&normalized[1].as_str());
        let opening = match opening(&normalized, lexicon) {
            _ if is_existential => 1.0,
            Opening::Connective => 0.1,
            Opening::LeadIn => 0.4,
            Opening::Neutral => 1.0,
        };
        let reference = if refers_back(words, lexicon) {
            BACK_REFERENCE_FACTOR
        } else {
            1.0
        };
        let size = match words.len() {
            MIN_WORDS..=MAX_WORDS => 1.0,
            ..MIN_WORDS => 0.4,
            words if words <= MAX_READABLE_WORDS => 0.3,
            _ => 0.2,
        };
        let question = if passage.is_question { 0.3 } else { 1.0 };
        let is_claim = self.title_words.len() > MIN_TERMS;
        let repeats_title = is_claim && self.title.is_subset(&keys);
        let mut claimed = normalized
            .iter()
            .filter(|word| *word != "really" && *word != "just");
        let repetition = if claimed.by_ref().eq(&self.title_words) {
            EQUAL_FACTOR
        } else if keys.is_subset(&self.title) {
            REPETITION_FACTOR
        } else if repeats_title {
            CLAIM_REPETITION_FACTOR
        } else {
            1.0
        };
        let has = |list: &[&str]| normalized.iter().any(|word| list.contains(&word.as_str()));
        let announcement = if self.promises_topic(&normalized) {
            PROMISE_FACTOR
        } else if has(&["topic", "thema", "today", "heute"]) {
            ANNOUNCEMENT_FACTOR
        } else {
            1.0
        };
        let addition = if has(&["too", "also", "ebenfalls", "umgekehrt", "again"]) {
            ADDITION_FACTOR
        } else {
            1.0
        };
        // What the title is about is the subject of the best sentence.
        let subject = words[..words.len().min(SUBJECT_WORDS)].join(" ");
        let subject = topical_keys(&subject, lexicon);
        let subject = if subject.is_disjoint(&self.title) {
            1.0
        } else {
            SUBJECT_FACTOR
        };
        let names_topic = titled > 0.0 || self.best_keyword.iter().any(|key| keys.contains(key));
        let naming = if names_topic { 1.0 } else { UNNAMED_FACTOR };
        let emphasis = 0.5 * passage.emphasis.min(2) as f64;
        opening
            * reference
            * size
            * question
            * repetition
            * announcement
            * addition
            * subject
            * naming
            * self.person(&normalized)
            * self.completeness(words, &normalized)
            * (common + titled + emphasis + BASE)
            / length
    }

    /// Whether the lecturer says what comes next: "let us look at the delta".
    fn promises_topic(&self, normalized: &[String]) -> bool {
        let first = &normalized[..normalized.len().min(PROMISE_WORDS)];
        let is_lecturer = |word: &String| {
            self.lexicon.first_person.contains(word.as_str()) || word == "let" || word == "let's"
        };
        let beginning = format!(" {} ", first.join(" "));
        let mut frames = self.lexicon.topic_frames.iter();
        first.iter().any(is_lecturer)
            && frames.any(|frame| beginning.contains(&format!(" {frame} ")))
    }

    /// Less for a sentence about the people in the room.
    fn person(&self, normalized: &[String]) -> f64 {
        let lexicon = self.lexicon;
        let has = |words: &HashSet<&'static str>| {
            let has = |word: &String| words.contains(word.as_str());
            normalized.iter().any(has)
        };
        let is_plural = |word: &String| {
            ["we", "us", "our", "we're", "we've", "wir", "uns"].contains(&word.as_str())
                || word.starts_with("unser")
        };
        let is_first = |word: &&String| lexicon.first_person.contains(word.as_str());
        let first = normalized.iter().filter(is_first);
        let speaker = first.fold(1.0, |factor: f64, word| {
            let is_mine = word.starts_with("my") || word.starts_with("mein");
            factor.min(match is_plural(word) {
                true => SPEAKERS_FACTOR,
                false if is_mine => ANECDOTE_FACTOR,
                false => SPEAKER_FACTOR,
            })
        });
        let is_past = |word: &String| {
            ["was", "were", "had", "did", "hatte", "war", "waren"].contains(&word.as_str())
        };
        let is_of_anybody = |word: &String| ANYBODY.contains(&word.as_str());
        let past = if normalized.iter().any(is_past) {
            // "Nobody had any idea."
            let story = normalized.iter().any(is_of_anybody);
            if story { STORY_FACTOR } else { PAST_FACTOR }
        } else {
            1.0
        };
        let begins_with_you = normalized
            .first()
            .is_some_and(|first| lexicon.second_person.contains(first.as_str()));
        let listener = match begins_with_you {
            true => 0.5,
            false if has(&lexicon.second_person) => 0.85,
            false => 1.0,
        };
        speaker * listener * past
    }

    /// Less for half a sentence, and for one that the speaker corrects.
    fn completeness(&self, words: &[String], normalized: &[String]) -> f64 {
        let first_clause = words.iter().position(|word| ends_clause(word));
        let first_clause = first_clause.map_or(words.len(), |last| last + 1);
        let first = normalized.first().map_or("", String::as_str);
        // "Alcohol, there is some in it" is half a sentence, "in the freezer, nothing moves" is
        // a whole one.
        let has_verb = has_verb(words, 0..first_clause, self.lexicon);
        // "Because the net is full." has no main clause.
        let is_subordinate = ["because", "although", "weil", "obwohl", "which", "that"]
            .contains(&first)
            && first_clause == words.len();
        let fragment = match has_verb {
            true if is_subordinate => 0.3,
            true => 1.0,
            false if self.lexicon.adverbial_starts.contains(first) => 0.7,
            false => 0.4,
        };
        let is_correction = |word: &String| {
            ["no,", "no.", "yes,", "nein,", "doch,"].contains(&word.to_lowercase().as_str())
        };
        let corrected = if words.iter().any(is_correction) {
            0.4
        } else {
            1.0
        };
        let begins_existence = |i: usize| {
            i > 0
                && ends_clause(&words[i - 1])
                && normalized[i] == "there"
                && matches!(
                    normalized.get(i + 1).map(String::as_str),
                    Some("is" | "are")
                )
        };
        let added = if (0..words.len()).any(begins_existence) {
            ADDED_EXISTENCE_FACTOR
        } else {
            1.0
        };
        fragment * corrected * added
    }
}

const ANYBODY: [&str; 8] = [
    "nobody",
    "somebody",
    "someone",
    "everybody",
    "people",
    "niemand",
    "jemand",
    "keiner",
];

/// A sentence without disfluencies, and without conjunctions and interjections at its start.
fn standalone_words(text: &str, lexicon: &Lexicon) -> Vec<String> {
    let words = without_presentation(fluent_words(text, lexicon), lexicon);
    let starts = words.iter().enumerate().take_while(|(i, word)| {
        let normalized = normalize(word);
        let has_comma = word.ends_with(',');
        let next = words
            .get(i + 1)
            .map_or(String::new(), |next| normalize(next));
        let is_conjunction = lexicon.removable_starts.contains(normalized.as_str())
            && !["that", "far", "much", "many", "long", "dass"].contains(&next.as_str());
        is_conjunction || has_comma && lexicon.openers.contains(normalized.as_str())
    });
    let start = starts.count();
    let mut words = if start + 1 < words.len() {
        words[start..].to_vec()
    } else {
        words
    };
    // "Ein breiter Reifen drückt sich aber in die Breite": nothing else is said here.
    let first_clause = words.iter().position(|word| ends_clause(word));
    let rest = words.split_off(first_clause.map_or(words.len(), |last| last + 1));
    let start = words.iter().take(1).cloned();
    let end = without_words(&words[words.len().min(1)..], |word| {
        lexicon.contrasts.contains(word)
    });
    let words: Vec<String> = start.chain(end).chain(rest).collect();
    without_resumption(&words, lexicon)
}

/// The words with a capital letter at the start and a full stop at the end.
fn as_sentence(words: &[String]) -> String {
    let mut sentence = words.join(" ");
    if let Some(first) = sentence.chars().next().filter(|first| first.is_lowercase()) {
        let capital: String = first.to_uppercase().collect();
        sentence.replace_range(..first.len_utf8(), &capital);
    }
    if sentence.ends_with([',', ';', ':']) {
        sentence.pop();
    }
    if sentence.ends_with(char::is_alphanumeric) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_text(text: &str) -> String {
        as_sentence(&standalone_words(text, Lexicon::of([text].into_iter())))
    }

    #[test]
    fn fillers_and_conjunctions_are_left_out() {
        assert_eq!(
            of_text("So, um, the net is, uh, a kind of sieve for the, the gas."),
            "The net is a kind of sieve for the gas."
        );
        assert_eq!(
            of_text("And the net can hold gas, which is the point."),
            "The net can hold gas, which is the point."
        );
        assert_eq!(
            of_text("Und, ähm, das Netz hält das Gas in dem Teig."),
            "Das Netz hält das Gas in dem Teig."
        );
        // The verb would come before its subject.
        let german = "Deshalb hält das Netz das Gas in dem Teig.";
        assert_eq!(of_text(german), german);
        assert_eq!(
            of_text("So far the net is empty."),
            "So far the net is empty."
        );
    }

    #[test]
    fn a_sentence_without_punctuation_gets_a_capital_and_a_full_stop() {
        assert_eq!(
            of_text("and the net is what holds the gas"),
            "The net is what holds the gas."
        );
        assert_eq!(of_text(""), "");
    }
}
