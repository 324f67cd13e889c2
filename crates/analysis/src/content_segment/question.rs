//! Questions that are titles, such as "How does a database survive a crash?".
//!
//! A question is asked directly, or within a sentence: "let me show you how a hash table works".
//! It must be complete, name what the segment is about, and refer to nothing outside itself.

use super::announcement::INTRODUCTION_SENTENCES;
use super::keyphrases::TermWeights;
use super::title_words::{MAX_WORDS, Titles};
use super::word_use::capitalize;
use crate::language::Lexicon;
use crate::reference::refers_back;
use crate::sentence::normalize;

/// "Why is X?" is too little.
const MIN_WORDS: usize = 4;
/// The minimum weight of a term of the question, as a fraction of the highest weight.
const MIN_WEIGHT: f64 = 0.5;

/// A question in the first sentences that names their topic, with a capital letter.
pub(super) fn question(
    titles: &Titles<'_>,
    sentences: &[&str],
    weights: &TermWeights,
) -> Option<String> {
    let first = &sentences[..sentences.len().min(INTRODUCTION_SENTENCES)];
    question_in(titles, first, weights)
}

/// The same in any of the sentences, except the last one, after which there is no answer.
pub(super) fn answered_question(
    titles: &Titles<'_>,
    sentences: &[&str],
    weights: &TermWeights,
) -> Option<String> {
    let (_, before) = sentences.split_last()?;
    question_in(titles, before, weights)
}

fn question_in(titles: &Titles<'_>, sentences: &[&str], weights: &TermWeights) -> Option<String> {
    let min_weight = MIN_WEIGHT * weights.highest();
    let is_about_topic = |question: &String| {
        let ids = titles.ids(question);
        ids.iter().any(|&id| weights.get(id) >= min_weight)
    };
    sentences
        .iter()
        .enumerate()
        .filter_map(|(i, sentence)| {
            let direct = direct(sentence, i < 2, titles.lexicon);
            direct.or_else(|| indirect(sentence, titles.lexicon))
        })
        .find(is_about_topic)
        .map(|question| capitalize(&question))
}

/// A question with a question mark. `may_be_closed` permits one that is answered by yes or no.
fn direct(sentence: &str, may_be_closed: bool, lexicon: &Lexicon) -> Option<String> {
    let asked = sentence
        .split_inclusive(['?', '.', '!'])
        .map(str::trim)
        .find(|part| part.ends_with('?'))?;
    let words: Vec<&str> = asked.split_whitespace().collect();
    let starts = (0..words.len()).filter(|&i| {
        let is_clause_start = i == 0 || ends_clause(words[i - 1]) || is_opener(words[i - 1]);
        // ", which was about the tides" is none.
        let next = words
            .get(i + 1)
            .map_or(String::new(), |next| normalize(next));
        let is_relative = i > 0
            && ["which", "who"].contains(&normalize(words[i]).as_str())
            && ["is", "are", "was", "were", "has", "had"].contains(&next.as_str());
        is_clause_start && is_question_word(words[i]) && !is_relative
    });
    for start in starts {
        let clause = &words[start..];
        let length = clause.iter().position(|word| ends_clause(word));
        let clause = &clause[..length.map_or(clause.len(), |length| length + 1)];
        if let Some(text) = whole(clause, lexicon) {
            return Some(text + "?");
        }
    }
    let openers = words.iter().take_while(|word| is_opener(word)).count();
    let closed = &words[openers..];
    let is_one_clause = closed.iter().filter(|word| ends_clause(word)).count() == 1;
    let text = (may_be_closed && is_one_clause).then(|| whole(closed, lexicon))??;
    Some(text + "?")
}

/// "How a hash table works", after words that promise an explanation.
fn indirect(sentence: &str, lexicon: &Lexicon) -> Option<String> {
    let words: Vec<&str> = sentence.split_whitespace().collect();
    let start = (1..words.len()).find(|&i| {
        let before = normalize(words[i - 1]);
        let introduces = INTRODUCING_WORDS.contains(&before.as_str())
            || before == "you" && i > 1 && normalize(words[i - 2]) == "show";
        introduces && SUBORDINATE_QUESTION_WORDS.contains(&normalize(words[i]).as_str())
    })?;
    let length = words[start..].iter().position(|word| ends_clause(word))?;
    whole(&words[start..=start + length], lexicon)
}

/// The clause without the punctuation at its end, up to another clause in it if it would be too
/// long; `None` if it cannot stand alone.
fn whole(clause: &[&str], lexicon: &Lexicon) -> Option<String> {
    let normalized: Vec<String> = clause.iter().map(|word| normalize(word)).collect();
    let is_cut = |word: &String| CUT_BEFORE.contains(&word.as_str());
    let cut = (MIN_WORDS..normalized.len()).find(|&i| is_cut(&normalized[i]));
    let words = &clause[..cut.unwrap_or(clause.len())];
    let normalized = &normalized[..words.len()];
    // "What could be the first one?": the first of what?
    let is_elliptic = normalized
        .iter()
        .any(|word| word == "one" || word == "ones");
    if !(MIN_WORDS..=MAX_WORDS).contains(&words.len())
        || is_elliptic
        || refers_outside(words, normalized, lexicon)
    {
        return None;
    }
    // "Warum ist das Meer denn eigentlich salzig?" asks for the same without.
    let is_kept = |word: &&&str| !PARTICLES.contains(&normalize(word).as_str());
    let words: Vec<&str> = words.iter().filter(is_kept).copied().collect();
    let text = words.join(" ");
    let text = text.trim_end_matches(|c: char| !c.is_alphanumeric());
    Some(text.to_owned())
}

/// Whether a question is about the people in the room, or about something that it does not name.
fn refers_outside(words: &[&str], normalized: &[String], lexicon: &Lexicon) -> bool {
    let is_outside = |word: &String| {
        let word = word.as_str();
        lexicon.first_person.contains(word)
            || lexicon.second_person.contains(word)
            || lexicon.demonstratives.contains(word) && word != "that"
    };
    let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    normalized.iter().any(is_outside) || refers_back(&words, lexicon)
}

fn ends_clause(word: &str) -> bool {
    word.ends_with([',', '.', ';', ':', '!', '?'])
}

fn is_question_word(word: &str) -> bool {
    let word = normalize(word);
    let others = [
        "which", "who", "when", "welche", "welcher", "welches", "wer", "woher", "wozu",
    ];
    SUBORDINATE_QUESTION_WORDS.contains(&word.as_str()) || others.contains(&word.as_str())
}

fn is_opener(word: &str) -> bool {
    [
        "now", "so", "and", "but", "well", "okay", "then", "um", "uh", "und", "aber", "also",
        "nun", "jetzt", "ähm", "äh", "ja",
    ]
    .contains(&normalize(word).as_str())
}

const SUBORDINATE_QUESTION_WORDS: [&str; 8] =
    ["how", "why", "where", "what", "wie", "warum", "wo", "was"];

/// Words that a question is complete without.
const PARTICLES: [&str; 7] = [
    "dann",
    "denn",
    "eigentlich",
    "also",
    "jetzt",
    "then",
    "actually",
];

/// Words before a question that the lecturer is going to answer.
const INTRODUCING_WORDS: [&str; 18] = [
    "explain",
    "explains",
    "understand",
    "show",
    "see",
    "ask",
    "about",
    "is",
    "wonder",
    "an",
    "zeigen",
    "verstehen",
    "erklären",
    "wir",
    "fragen",
    "ist",
    "über",
    "darum",
];

/// Conjunctions before which a question may end.
const CUT_BEFORE: [&str; 12] = [
    "when", "if", "because", "while", "although", "until", "wenn", "weil", "während", "obwohl",
    "bevor", "falls",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_found_after_openers_and_cut_before_another_clause() {
        let asked = |sentence| direct(sentence, false, Lexicon::of([sentence].into_iter()));
        assert_eq!(
            asked("We have no wind, so, um, where do the waves come from?").as_deref(),
            Some("where do the waves come from?")
        );
        assert_eq!(
            asked("But why is the sea salty when the river is not, I mean, is it?").as_deref(),
            Some("why is the sea salty?")
        );
        assert_eq!(
            asked("Und warum ist das Meer salzig?").as_deref(),
            Some("warum ist das Meer salzig?")
        );
        assert_eq!(asked("Why does it do that again?"), None);
        assert_eq!(
            asked("How does the sea know where it is, I mean, who told it?").as_deref(),
            Some("How does the sea know where it is?")
        );
        assert_eq!(asked("The sea is salty."), None);
    }

    #[test]
    fn a_promised_explanation_is_a_question() {
        let indirect = |sentence| super::indirect(sentence, Lexicon::of([sentence].into_iter()));
        assert_eq!(
            indirect("Let me now explain how a tide gauge works.").as_deref(),
            Some("how a tide gauge works")
        );
        assert_eq!(
            indirect("Schauen wir uns an, wie am Hafen gebaut wurde, also den Kai.").as_deref(),
            Some("wie am Hafen gebaut wurde")
        );
        assert_eq!(indirect("I know how they did it."), None);
    }
}
