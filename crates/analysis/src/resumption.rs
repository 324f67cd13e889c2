//! Removes the pronoun with which a speaker resumes what was just named: "the net, it holds gas".
//!
//! Speech often names the subject first and begins the sentence after it. Written text says "the net
//! holds gas". German also resumes a place or a time: "in the dough, there the net holds gas", with
//! "da". The pronoun is only left out right before a finite verb, and after a beginning without one,
//! so that relative clauses and other sentences stay as they are. The running time is linear in the
//! number of words.

use crate::disfluency::ends_clause;
use crate::language::Lexicon;
use crate::sentence::normalize;

/// The number of words that name the subject, at most.
const MAX_SUBJECT_WORDS: usize = 5;
/// The number of words that name a place or a time, at most.
const MAX_ADVERBIAL_WORDS: usize = 7;

/// The words of a sentence without pronouns that resume the first words of a clause.
pub(crate) fn without_resumption(words: &[String], lexicon: &Lexicon) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(words.len());
    let mut clause_start = 0;
    let mut i = 0;
    while i < words.len() {
        kept.push(words[i].clone());
        if words[i].ends_with(',') && i + 2 < words.len() {
            let conjunctions = words[clause_start..i]
                .iter()
                .take_while(|word| lexicon.removable_starts.contains(normalize(word).as_str()));
            let named_start = clause_start + conjunctions.count();
            let dropped = resuming_words(&words[named_start..i + 3], lexicon);
            if let Some(last) = kept.last_mut().filter(|_| dropped > 0) {
                last.pop();
            }
            i += dropped;
        }
        if ends_clause(&words[i]) {
            clause_start = i + 1;
        }
        i += 1;
    }
    kept
}

/// How many words only resume what is before them. The words are a beginning that ends with a comma, and
/// the two after it.
fn resuming_words(words: &[String], lexicon: &Lexicon) -> usize {
    let normalized: Vec<String> = words.iter().map(|word| normalize(word)).collect();
    let [named @ .., pronoun, verb] = normalized.as_slice() else {
        return 0;
    };
    let named_words = &words[..named.len()];
    if ends_clause(&words[named.len()]) {
        0
    } else if !ends_clause(&words[named.len() + 1])
        && is_repeated_verb(named, pronoun, verb, lexicon)
    {
        // "A knot sits, it sits crooked."
        2
    } else {
        let is_resumed = is_resumed_subject(named_words, named, pronoun, verb, lexicon)
            || is_resumed_adverbial(named, pronoun, verb, lexicon);
        usize::from(is_resumed)
    }
}

/// "The net, it is full", "das Netz, das ist voll".
fn is_resumed_subject(
    words: &[String],
    named: &[String],
    pronoun: &str,
    verb: &str,
    lexicon: &Lexicon,
) -> bool {
    let pronouns: &[&str] = if lexicon.capitalizes_nouns {
        &["der", "die", "das"]
    } else {
        &["it", "they", "he", "she"]
    };
    let is_noun_phrase = lexicon.articles.contains(named[0].as_str())
        || lexicon.capitalizes_nouns && named.len() == 1 && !lexicon.is_function_word(&named[0]);
    // "The first time, it was cold": not the time was cold.
    let is_time = named
        .iter()
        .any(|word| lexicon.dates.contains(word.as_str()) || TIMES.contains(&word.as_str()));
    // After an article, "bend" and "walk" are nouns.
    let has_verb = named[1..].iter().zip(named).any(|(word, before)| {
        is_verb(word, lexicon) && !lexicon.articles.contains(before.as_str())
    });
    // "The net that holds gas, it is full" has a clause of its own.
    let has_clause = named[1..]
        .iter()
        .any(|word| lexicon.clause_starts.contains(word.as_str()) || word == "that");
    let ends_with_name = words
        .last()
        .is_some_and(|last| !lexicon.capitalizes_nouns || last.starts_with(char::is_uppercase));
    named.len() <= MAX_SUBJECT_WORDS
        && pronouns.contains(&pronoun)
        && is_verb(verb, lexicon)
        && is_noun_phrase
        && ends_with_name
        && !is_time
        && !has_verb
        && !has_clause
}

/// "In dem Teig, da ist das Netz".
fn is_resumed_adverbial(named: &[String], pronoun: &str, verb: &str, lexicon: &Lexicon) -> bool {
    lexicon.capitalizes_nouns
        && pronoun == "da"
        && named.len() <= MAX_ADVERBIAL_WORDS
        && lexicon.adverbial_starts.contains(named[0].as_str())
        && lexicon.finite_verbs.contains(verb)
        && !named.iter().any(|word| is_verb(word, lexicon))
}

fn is_repeated_verb(named: &[String], pronoun: &str, verb: &str, lexicon: &Lexicon) -> bool {
    named.len() > 2
        && named.last().is_some_and(|last| last == verb)
        && lexicon.articles.contains(named[0].as_str())
        && (lexicon.subject_pronouns.contains(pronoun) || lexicon.articles.contains(pronoun))
}

fn is_verb(word: &str, lexicon: &Lexicon) -> bool {
    lexicon.finite_verbs.contains(word)
        || lexicon.general_verbs.contains(word)
        || !lexicon.capitalizes_nouns && lexicon.is_verb_form(word)
}

/// Words for times that are no dates.
const TIMES: [&str; 8] = [
    "time", "moment", "while", "century", "year", "years", "mal", "jahr",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str) -> String {
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        without_resumption(&words, Lexicon::of([text].into_iter())).join(" ")
    }

    #[test]
    fn a_pronoun_for_the_subject_is_left_out() {
        for (said, written) in [
            (
                "The net, it is full of the gas.",
                "The net is full of the gas.",
            ),
            (
                "The wet old ropes, they are of the same hemp.",
                "The wet old ropes are of the same hemp.",
            ),
            (
                "And so the bend, it is full of gas.",
                "And so the bend is full of gas.",
            ),
            (
                "It is cold, so the net, it is full.",
                "It is cold, so the net is full.",
            ),
            (
                "Das Netz, das ist in dem Teig.",
                "Das Netz ist in dem Teig.",
            ),
            (
                "Alkohol, der ist auch in dem Teig.",
                "Alkohol ist auch in dem Teig.",
            ),
            (
                "A granny knot sits, it sits crooked on the shoe.",
                "A granny knot sits crooked on the shoe.",
            ),
            (
                "In dem Teig, da ist auch das Netz.",
                "In dem Teig ist auch das Netz.",
            ),
        ] {
            assert_eq!(rewritten(said), written);
        }
    }

    #[test]
    fn other_clauses_stay() {
        for text in [
            "The first time, it was cold in the net.",
            "In the dough, it is the net that holds the gas.",
            "The net holds the gas, it is full of it.",
            "The net that is in the dough, it is full.",
            "Das Netz, das in dem Teig ist, hält das Gas.",
            "If the net is full, it is in the dough.",
            "Das Netz, er hat es in dem Teig.",
            "The net,",
            "A granny knot sits, it sits.",
        ] {
            assert_eq!(rewritten(text), text);
        }
    }
}
