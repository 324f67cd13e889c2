//! How the words of a recording are used in its sentences.

use std::collections::{HashMap, HashSet};

use crate::language::Lexicon;
use crate::sentence::normalize;

/// The minimum fraction of words with a capital letter, if a recognizer writes them.
const MIN_CAPITALIZED: f64 = 0.05;
/// A word that is mostly a verb is a noun if it is used as one this many times.
const MIN_NOUN_USES: usize = 3;
/// Words before which a noun stands.
pub(super) const NOUN_FOLLOWERS: [&str; 6] = ["is", "are", "of", "was", "were", "has"];

/// How the words of a recording are used in its sentences.
#[derive(Debug, Default)]
pub(super) struct WordUse {
    /// How often each word begins with a capital letter in the middle of a sentence, and
    /// how often it does not.
    casing: HashMap<String, (usize, usize)>,
    /// The words, without the endings of the plural, that are used as nouns somewhere: after an article or a
    /// preposition, or before "is" or "of".
    nouns: HashSet<String>,
    /// Those that stand at the end of such a phrase somewhere, so that they are no adjectives.
    last_nouns: HashSet<String>,
    /// The words that follow an article somewhere; names of people do not.
    after_articles: HashSet<String>,
    /// How often each word is all of a phrase after an article.
    noun_uses: HashMap<String, usize>,
    /// Whether nouns can be recognized by their capital letters.
    pub(super) has_capitalized_nouns: bool,
    /// The language capitalizes its nouns, and the transcript does not, so nouns are not told
    /// from other words.
    pub(super) lacks_capitals: bool,
}

impl WordUse {
    pub(super) fn of<'a>(sentences: impl Iterator<Item = &'a str>, lexicon: &Lexicon) -> Self {
        let mut casing: HashMap<String, (usize, usize)> = HashMap::new();
        let (mut nouns, mut last_nouns) = (HashSet::new(), HashSet::new());
        let mut after_articles = HashSet::new();
        let mut noun_uses: HashMap<String, usize> = HashMap::new();
        for sentence in sentences {
            let words: Vec<&str> = sentence.split_whitespace().collect();
            let normalized: Vec<String> = words.iter().map(|word| normalize(word)).collect();
            for (word, normalized) in words.iter().zip(&normalized).skip(1) {
                let count = casing.entry(normalized.clone()).or_default();
                if is_capitalized(word) {
                    count.0 += 1;
                } else {
                    count.1 += 1;
                }
            }
            for (before, after) in normalized.iter().zip(normalized.iter().skip(1)) {
                // "That" is a conjunction as often as an article.
                if lexicon.articles.contains(before.as_str()) && before != "that" {
                    after_articles.insert(after.clone());
                }
                if lexicon.determiners.contains(before.as_str()) {
                    nouns.insert(stem(after));
                }
                if NOUN_FOLLOWERS.contains(&after.as_str()) {
                    nouns.insert(stem(before));
                }
            }
            for i in 1..words.len() {
                let is_last = words[i].ends_with([',', '.', ';', ':', '!', '?'])
                    || normalized
                        .get(i + 1)
                        .is_none_or(|next| lexicon.is_function_word(next));
                let is_function_word = lexicon.is_function_word(&normalized[i]);
                let is_after_article = lexicon.articles.contains(normalized[i - 1].as_str());
                if is_last && is_after_article && !is_function_word {
                    last_nouns.insert(stem(&normalized[i]));
                    *noun_uses.entry(normalized[i].clone()).or_default() += 1;
                }
            }
        }
        let (upper, lower) = casing
            .values()
            .fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
        // In German, about a quarter of the words.
        let has_capitals = upper as f64 > MIN_CAPITALIZED * (upper + lower) as f64;
        Self {
            casing,
            nouns,
            last_nouns,
            after_articles,
            noun_uses,
            has_capitalized_nouns: lexicon.capitalizes_nouns && has_capitals,
            lacks_capitals: lexicon.capitalizes_nouns && !has_capitals,
        }
    }

    pub(super) fn is_noun(&self, normalized: &str) -> bool {
        self.nouns.contains(&stem(normalized))
    }

    /// Whether the word is a noun and no adjective.
    pub(super) fn is_last_noun(&self, normalized: &str) -> bool {
        self.last_nouns.contains(&stem(normalized))
    }

    /// Whether the word is a noun several times, as "mean" in a lecture about the mean.
    pub(super) fn is_often_noun(&self, normalized: &str) -> bool {
        self.noun_uses
            .get(normalized)
            .is_some_and(|count| *count >= MIN_NOUN_USES)
    }

    pub(super) fn is_after_article(&self, normalized: &str) -> bool {
        self.after_articles.contains(normalized)
    }

    /// Whether the word begins with a capital letter in the middle of a sentence.
    /// `unknown` is returned for a word that only begins sentences.
    pub(super) fn is_capitalized(&self, normalized: &str, unknown: bool) -> bool {
        match self.casing.get(normalized) {
            Some((upper, lower)) => upper > lower,
            None => unknown,
        }
    }
}

/// A word without the endings of the plural, "s" and "es".
fn stem(word: &str) -> String {
    word.trim_end_matches('s').trim_end_matches('e').to_owned()
}

pub(super) fn is_capitalized(word: &str) -> bool {
    word.chars()
        .find(|c| c.is_alphanumeric())
        .is_some_and(char::is_uppercase)
}

/// With a capital letter at the start.
pub(super) fn capitalize(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).collect()
}
