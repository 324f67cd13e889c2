//! The words of a sentence, and which of them may be in a noun phrase.

use super::word_use::WordUse;
use crate::language::Lexicon;
use crate::sentence::normalize;

/// A word of a sentence without punctuation.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) normalized: String,
    /// Whether a clause ends after the word.
    pub(super) ends_clause: bool,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// May be in a phrase.
    Content,
    /// A single letter, as in "B tree": may begin a phrase.
    Letter,
    /// A form of a common verb that the recording does not use as a noun.
    Verb,
    /// None of these.
    Other,
}

/// The words of a sentence, in order.
pub(super) fn tokens<'a>(sentence: &'a str, words: &WordUse, lexicon: &Lexicon) -> Vec<Token<'a>> {
    let mut tokens: Vec<Token<'_>> = sentence
        .split_whitespace()
        .map(|word| token(word, words, lexicon))
        .collect();
    add_compounds(&mut tokens, lexicon);
    tokens
}

/// Lets the base form of a verb after a singular noun be a noun: "a hash join builds" is one, "the
/// stones knock" is none.
fn add_compounds(tokens: &mut [Token<'_>], lexicon: &Lexicon) {
    for i in 1..tokens.len() {
        let before = &tokens[i - 1];
        let follows_noun = before.kind == Kind::Content
            && !before.ends_clause
            && !before.normalized.ends_with('s')
            && !lexicon.adjectives.contains(before.normalized.as_str());
        let is_base_form = lexicon.verbs.contains(tokens[i].normalized.as_str());
        if follows_noun && is_base_form && tokens[i].kind == Kind::Verb {
            tokens[i].kind = Kind::Content;
        }
    }
}

fn token<'a>(word: &'a str, words: &WordUse, lexicon: &Lexicon) -> Token<'a> {
    let text = word.trim_matches(|c: char| !c.is_alphanumeric());
    let normalized = normalize(word);
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let after = &word[word.find(text).unwrap_or(0) + text.len()..];
    let is_noun = lexicon.verbs.contains(normalized.as_str()) && words.is_often_noun(&normalized);
    let is_general = lexicon.is_function_word(&normalized)
        || lexicon.dates.contains(normalized.as_str())
        || lexicon.general_words.contains(normalized.as_str()) && !is_noun;
    // "The taste" makes "tastes" a noun in this recording; in others it is a verb.
    let is_verb = lexicon.is_verb_form(&normalized) && !words.is_after_article(&normalized);
    let has_apostrophe = text.contains(['\'', '’']);
    let kind = match letters {
        1 if text.chars().count() == 1
            && !["a", "i", "s", "t", "o"].contains(&normalized.as_str()) =>
        {
            Kind::Letter
        }
        2.. if !is_general && !has_apostrophe && is_verb => Kind::Verb,
        2.. if !is_general && !has_apostrophe => Kind::Content,
        _ => Kind::Other,
    };
    Token {
        text,
        ends_clause: !after.is_empty(),
        normalized,
        kind,
    }
}
