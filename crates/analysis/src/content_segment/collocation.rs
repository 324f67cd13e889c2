//! Expressions that are said again and again with the same words, such as "security by obscurity".
//!
//! A noun phrase ends where a preposition begins. A longer sequence with prepositions, articles
//! and conjunctions inside is a phrase of its own if several sentences have it (as the multi-word
//! terms of Frantzi, Ananiadou & Mima, "Automatic recognition of multi-word terms", 2000). The running time is
//! linear in the number of words.

use std::collections::BTreeMap;

use super::title_words::Titles;
use crate::disfluency::{ends_clause, fluent_words};
use crate::sentence::normalize;

const MIN_WORDS: usize = 3;
const MAX_WORDS: usize = 5;
const MIN_SENTENCES: usize = 2;

struct Expression {
    spelling: String,
    /// Whether the spelling is from the beginning of a sentence, where it has a capital.
    is_initial: bool,
    /// The indices of the sentences with it, ascending.
    sentences: Vec<usize>,
}

/// The expressions of the sentences: their spelling, and the indices of the sentences with them.
pub(super) fn collocations(titles: &Titles<'_>, sentences: &[&str]) -> Vec<(String, Vec<usize>)> {
    let mut found: BTreeMap<Vec<String>, Expression> = BTreeMap::new();
    for (index, sentence) in sentences.iter().enumerate() {
        let words = fluent_words(sentence, titles.lexicon);
        let normalized: Vec<String> = words.iter().map(|word| normalize(word)).collect();
        for start in 0..words.len() {
            let longest = MAX_WORDS.min(words.len() - start);
            for length in MIN_WORDS..=longest {
                let range = start..start + length;
                let has_pause = words[start..range.end - 1]
                    .iter()
                    .any(|word| ends_clause(word));
                if has_pause || !is_expression(titles, &normalized[range.clone()]) {
                    continue;
                }
                let (spelling, is_initial) = (words[range.clone()].join(" "), start == 0);
                let found = found
                    .entry(normalized[range].to_vec())
                    .or_insert_with(|| Expression {
                        spelling: spelling.clone(),
                        is_initial,
                        sentences: Vec::new(),
                    });
                if found.is_initial && !is_initial {
                    (found.spelling, found.is_initial) = (spelling, is_initial);
                }
                if found.sentences.last() != Some(&index) {
                    found.sentences.push(index);
                }
            }
        }
    }
    let repeated = found
        .into_values()
        .filter(|found| found.sentences.len() >= MIN_SENTENCES);
    repeated
        .map(|found| {
            let text = found.spelling.trim_matches(|c: char| !c.is_alphanumeric());
            (text.to_owned(), found.sentences)
        })
        .collect()
}

/// Whether words begin and end with nouns, as far as that is known, and have a link inside.
fn is_expression(titles: &Titles<'_>, words: &[String]) -> bool {
    let lexicon = titles.lexicon;
    let is_content = |word: &str| {
        word.chars().filter(|c| c.is_alphabetic()).count() > 1
            && !lexicon.is_function_word(word)
            && !lexicon.general_words.contains(word)
            && !lexicon.dates.contains(word)
            && !lexicon.is_verb_form(word)
            && !lexicon.general_verbs.contains(word)
    };
    let is_link = |word: &str| LINKS.contains(&word);
    let (first, last) = (words[0].as_str(), words[words.len() - 1].as_str());
    let inside = &words[1..words.len() - 1];
    // In German a phrase with another case would need another article.
    let is_nominal = !lexicon.capitalizes_nouns
        || titles.word_use.has_capitalized_nouns
            && titles.word_use.is_capitalized(first, false)
            && titles.word_use.is_capitalized(last, false);
    is_nominal
        && first != last
        && is_content(first)
        && is_content(last)
        && !lexicon.adjectives.contains(last)
        && inside.iter().any(|word| is_link(word))
        && inside.iter().all(|word| is_link(word) || is_content(word))
}

const LINKS: &[&str] = &[
    "of", "by", "in", "for", "on", "to", "at", "from", "with", "between", "against", "without",
    "and", "the", "a", "an", "von", "im", "in", "für", "und", "des", "der", "mit", "gegen", "ohne",
    "zwischen",
];

#[cfg(test)]
mod tests {
    use super::super::sample_speech::with_titles;
    use super::collocations;

    fn found(sentences: &[&str]) -> Vec<(String, Vec<usize>)> {
        with_titles(sentences, |titles, _| collocations(titles, sentences))
    }

    #[test]
    fn an_expression_is_spelled_as_inside_a_sentence() {
        let sentences = [
            "Freedom of speech is older than the press.",
            "Newspapers live by freedom of speech.",
        ];
        let expected = ("freedom of speech".to_owned(), vec![0, 1]);
        assert_eq!(found(&sentences), [expected]);
    }

    #[test]
    fn an_expression_of_several_sentences_is_found() {
        let sentences = [
            "Many locks rely on security by obscurity.",
            "A burglar reads the plans, and the lock is open.",
            "Security by obscurity, um, fails when the plans are known.",
            "Nobody should trust in security by obscurity.",
        ];
        let expected = ("security by obscurity".to_owned(), vec![0, 2, 3]);
        assert_eq!(found(&sentences), [expected]);
    }

    #[test]
    fn a_german_expression_begins_and_ends_with_nouns() {
        let sentences = [
            "Auf dem Markt treffen Angebot und Nachfrage zusammen.",
            "Der Preis steigt, wenn Angebot und Nachfrage auseinandergehen.",
            "Die Händler warten und hoffen, und sie warten und hoffen lange.",
            "Dann warten und hoffen auch die Käufer.",
        ];
        let expected = ("Angebot und Nachfrage".to_owned(), vec![0, 1]);
        assert_eq!(found(&sentences), [expected]);
    }

    #[test]
    fn one_sentence_makes_no_expression() {
        let sentences = [
            "We have security by obscurity, and I say security by obscurity again.",
            "A burglar reads the plans of the lock.",
        ];
        assert_eq!(found(&sentences), []);
    }

    #[test]
    fn an_expression_has_no_pause_and_no_other_words_at_its_ends() {
        for sentence in [
            // A pause.
            "The lock has security, by obscurity.",
            // A verb at the start, an adjective at the end.
            "The locks keep from burglars.",
            "The lock is security by cheap.",
            // No link between the nouns, and nothing but a link.
            "The lock security obscurity.",
            // The same word twice.
            "Layer by layer, the paint dries.",
        ] {
            assert_eq!(found(&[sentence, sentence]), [], "{sentence}");
        }
    }
}
