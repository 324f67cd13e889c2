//! Shorter forms of a clause that say the same, so that it fits into a title.
//!
//! "Bei ungefähr neunzig Grad gibt das Wasser einen Ton" gives "Das Wasser gibt einen Ton": a number
//! before the subject is a detail. A place before or after a clause that is too long is left out as
//! well. What changes the meaning stays, such as "without" and conditions.

use super::title_words::MAX_WORDS;
use super::word_use::{capitalize, is_capitalized};
use crate::disfluency::ends_clause;
use crate::language::Lexicon;
use crate::sentence::normalize;

/// The most words of an adverbial before the verb.
const MAX_ADVERBIAL_WORDS: usize = 6;
/// The fewest words that are left where the end of a clause is cut.
const MIN_WORDS_LEFT: usize = 5;

/// The forms of a clause of a sentence that are shorter than it. `begins_sentence` is whether
/// nothing is before the clause, so that it depends on no condition.
pub(super) fn shorter_forms(
    clause: &[String],
    begins_sentence: bool,
    lexicon: &Lexicon,
) -> Vec<Vec<String>> {
    let mut forms = without_start(clause, begins_sentence, lexicon);
    let whole = std::iter::once(clause.to_vec()).filter(|_| begins_sentence);
    let long: Vec<Vec<String>> = whole.chain(forms.iter().cloned()).collect();
    let cut = long.iter().filter(|form| form.len() > MAX_WORDS);
    let cut: Vec<Vec<String>> = cut.filter_map(|form| without_end(form, lexicon)).collect();
    forms.extend(cut);
    forms
}

/// The clause without a number, a place or a word such as "deshalb" before its subject.
fn without_start(clause: &[String], begins_sentence: bool, lexicon: &Lexicon) -> Vec<Vec<String>> {
    let normalized: Vec<String> = clause.iter().map(|word| normalize(word)).collect();
    let Some(first) = normalized.first() else {
        return Vec::new();
    };
    let connective = CONNECTIVES
        .iter()
        .filter(|phrase| {
            phrase
                .split(' ')
                .eq(normalized.iter().take(phrase.split(' ').count()))
        })
        .map(|phrase| phrase.split(' ').count())
        .max();
    let is_adverbial = |end: usize| {
        if let Some(length) = connective {
            return end == length && begins_sentence;
        }
        // "At four degrees the water is densest" is only true with the number.
        let has_object = normalized[(end + 2).min(normalized.len())..]
            .iter()
            .any(|word| OBJECT_ARTICLES.contains(&word.as_str()));
        let has_number = has_object && normalized[..end].iter().any(|word| is_number(word));
        let is_place = PLACES.contains(&first.as_str());
        lexicon.adverbial_starts.contains(first.as_str())
            && !CONDITIONS.contains(&first.as_str())
            && (has_number || is_place && clause.len() > MAX_WORDS)
    };
    let ends = 1..clause.len().min(MAX_ADVERBIAL_WORDS + 1);
    let ends = ends
        .filter(|&end| is_adverbial(end) && !clause[..end].iter().any(|word| ends_clause(word)));
    let article = |at: usize, list: &[&str]| {
        normalized
            .get(at)
            .is_some_and(|word| list.contains(&word.as_str()))
    };
    if lexicon.capitalizes_nouns {
        let is_verb = |&end: &usize| {
            end + 2 < clause.len()
                && is_german_verb(&clause[end], lexicon)
                && (connective.is_some() || is_capitalized(&clause[end - 1]))
                && article(end + 1, GERMAN_ARTICLES)
        };
        let verb = ends.into_iter().find(is_verb);
        let subject = verb.and_then(|verb| Some((verb, subject_end(clause, verb + 1)?)));
        let form = subject.map(|(verb, end)| {
            let subject = clause[verb + 1..end].iter();
            let subject = subject.chain([&clause[verb]]).chain(&clause[end..]);
            subject.cloned().collect::<Vec<String>>()
        });
        let form = form.filter(|form| form.len() + verb.unwrap_or(0) == clause.len());
        form.map(capitalized).into_iter().collect()
    } else {
        let starts = ends
            .filter(|&end| (end > 1 || connective == Some(end)) && article(end, ENGLISH_ARTICLES));
        starts
            .map(|end| capitalized(clause[end..].to_vec()))
            .collect()
    }
}

/// The end of a German subject of an article, adjectives and one noun.
fn subject_end(clause: &[String], start: usize) -> Option<usize> {
    let noun = (start + 1..(start + 4).min(clause.len())).find(|&i| is_capitalized(&clause[i]))?;
    let is_apart = clause[start..=noun].iter().any(|word| ends_clause(word));
    let adjectives = &clause[start + 1..noun];
    let are_adjectives = adjectives.iter().all(|word| {
        ["e", "er", "es", "en"]
            .iter()
            .any(|ending| word.ends_with(ending))
    });
    (!is_apart && are_adjectives).then_some(noun + 1)
}

fn is_german_verb(word: &str, lexicon: &Lexicon) -> bool {
    let normalized = normalize(word);
    let endings = ["t", "en", "te"];
    lexicon.finite_verbs.contains(normalized.as_str())
        || !is_capitalized(word)
            && !lexicon.is_function_word(&normalized)
            && endings.iter().any(|ending| normalized.ends_with(ending))
}

/// The clause up to a place or a time at its end, after an object with an article.
fn without_end(clause: &[String], lexicon: &Lexicon) -> Option<Vec<String>> {
    let last = clause.last()?;
    // A German verb may end with what is last: "die Säure greift das Metall … an".
    if lexicon.capitalizes_nouns && !is_capitalized(last) {
        return None;
    }
    let normalized: Vec<String> = clause.iter().map(|word| normalize(word)).collect();
    let is_end = |&at: &usize| {
        let is_place = ENDS.contains(&normalized[at].as_str());
        let noun = &normalized[at - 1];
        let has_object = (at.saturating_sub(3)..at - 1)
            .any(|i| i > 1 && OBJECT_ARTICLES.contains(&normalized[i].as_str()));
        let is_noun = if lexicon.capitalizes_nouns {
            is_capitalized(&clause[at - 1])
        } else {
            !lexicon.is_function_word(noun)
        };
        is_place && has_object && is_noun && !ends_clause(&clause[at - 1])
    };
    let end = (MIN_WORDS_LEFT..clause.len().min(MAX_WORDS + 1))
        .rev()
        .find(is_end)?;
    Some(clause[..end].to_vec())
}

/// Whether a word is a number or ends with one.
pub(super) fn is_number(word: &str) -> bool {
    word.chars().any(|c| c.is_ascii_digit())
        || NUMBERS.contains(&word)
        || NUMBER_ENDINGS.iter().any(|ending| word.ends_with(ending))
}

fn capitalized(mut words: Vec<String>) -> Vec<String> {
    if let Some(first) = words.first_mut() {
        *first = capitalize(first);
    }
    words
}

const NUMBERS: &[&str] = &[
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "twelve",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "zwei",
    "drei",
    "vier",
    "fünf",
    "sechs",
    "sieben",
    "acht",
    "neun",
    "zehn",
    "elf",
    "zwölf",
    "tausend",
    "million",
    "millionen",
];

/// Endings of number words that are written as one, as in "fünfundzwanzig".
const NUMBER_ENDINGS: &[&str] = &[
    "hundred", "thousand", "hundert", "tausend", "zwanzig", "dreißig", "vierzig", "fünfzig",
    "sechzig", "siebzig", "achtzig", "neunzig",
];

/// Words that only connect a sentence with the one before.
const CONNECTIVES: &[&str] = &[
    "deshalb",
    "darum",
    "daher",
    "deswegen",
    "am ende",
    "im grunde",
    "therefore",
    "in the end",
    "in fact",
    "after all",
];

const PLACES: &[&str] = &["in", "im", "an", "am", "auf", "on", "at"];

/// Prepositions of what a statement depends on.
const CONDITIONS: &[&str] = &[
    "without", "with", "before", "after", "during", "under", "ohne", "mit", "trotz", "bis", "vor",
    "nach", "während", "unter", "seit", "wegen", "for", "für", "to", "zu", "zum", "zur",
];

/// Prepositions with which a place or a time begins after an object.
const ENDS: &[&str] = &["at", "in", "on", "during", "inside", "im", "am", "während"];

const GERMAN_ARTICLES: &[&str] = &["der", "die", "das", "ein", "eine", "jeder", "jede", "jedes"];

const ENGLISH_ARTICLES: &[&str] = &["the", "a", "an", "every", "each"];

const OBJECT_ARTICLES: &[&str] = &[
    "the", "a", "an", "den", "die", "das", "einen", "eine", "ein",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(clause: &str) -> Vec<String> {
        let words: Vec<String> = clause.split(' ').map(str::to_owned).collect();
        let forms = shorter_forms(&words, true, Lexicon::of([clause].into_iter()));
        forms.into_iter().map(|form| form.join(" ")).collect()
    }

    #[test]
    fn a_number_before_the_subject_is_left_out() {
        assert_eq!(
            forms("Bei ungefähr neunzig Grad gibt das Wasser einen Ton"),
            ["Das Wasser gibt einen Ton"]
        );
        assert_eq!(
            forms("At about ninety degrees the water makes a sound"),
            ["The water makes a sound"]
        );
    }

    #[test]
    fn an_adjective_is_no_number() {
        assert!(is_number("fünfundzwanzig") && is_number("twelve") && is_number("1518"));
        assert!(!is_number("regelmäßig") && !is_number("salzig") && !is_number("einzig"));
    }

    #[test]
    fn a_place_is_left_out_where_there_is_no_room() {
        assert_eq!(
            forms("In dem Keller hält ein altes Fass den Wein sehr lange"),
            ["Ein altes Fass hält den Wein sehr lange"]
        );
        assert!(forms("In dem Keller hält das Fass lange").is_empty());
        assert_eq!(
            forms("The sail has a seam at the edge of the whole cloth"),
            ["The sail has a seam"]
        );
    }

    #[test]
    fn a_word_that_only_connects_is_left_out() {
        assert_eq!(
            forms("Deshalb fährt ein leerer Zug schneller"),
            ["Ein leerer Zug fährt schneller"]
        );
        assert_eq!(forms("In the end the rope is cut"), ["The rope is cut"]);
    }

    #[test]
    fn what_changes_the_meaning_stays() {
        for clause in [
            "Ohne zwei Seile hält das Zelt nicht",
            "Without two ropes the tent does not stand",
            "Nach zwei Tagen hält man das Zelt fest",
            "In the tent sits my old friend",
            "At four degrees the water is densest",
        ] {
            assert!(forms(clause).is_empty(), "{clause}");
        }
    }
}
