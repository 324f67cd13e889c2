//! Noun phrases: the words from which titles are made.
//!
//! Without a grammar of the language, a phrase is a sequence of words that are neither
//! function words nor general words, within one clause (as in Rose et al., "Automatic
//! keyword extraction from individual documents", 2010). A verb at the end of such a sequence
//! is recognized by the article after it. In German a phrase ends with nouns, which have
//! capital letters. The running time is linear in the number of words.

use super::german_phrase::has_noun_ending;
use super::phrase_token::{Kind, Token, tokens};
use super::word_use::{NOUN_FOLLOWERS, WordUse, is_capitalized};
use crate::language::Lexicon;

/// The maximum number of words that are not links.
const MAX_WORDS: usize = 3;
/// The maximum number of words with the part after a link, as in "law of motion".
const MAX_LINKED_WORDS: usize = 5;

/// A phrase in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NounPhrase {
    /// As it is written in the middle of a sentence.
    pub(super) text: String,
    /// Index of its first word in the sentence.
    pub(super) position: usize,
    /// The number of words.
    pub(super) words: usize,
    /// The number of words before "of", of which the last is the noun.
    pub(super) noun_words: usize,
}

/// The phrases of a sentence, in order.
pub(super) fn noun_phrases(sentence: &str, words: &WordUse, lexicon: &Lexicon) -> Vec<NounPhrase> {
    let tokens = tokens(sentence, words, lexicon);
    let mut phrases: Vec<NounPhrase> = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        let Some(count) = phrase_length(&tokens, i, words, lexicon) else {
            i += 1;
            continue;
        };
        phrases.push(phrase(&tokens, i, count, count, words, lexicon));
        if let Some(linked) = linked_length(&tokens, i, count, words, lexicon) {
            phrases.push(phrase(&tokens, i, linked, count, words, lexicon));
        }
        i += count;
    }
    phrases
}

/// The number of words of the phrase that begins at `start`; `None` if none does.
fn phrase_length(
    tokens: &[Token<'_>],
    start: usize,
    words: &WordUse,
    lexicon: &Lexicon,
) -> Option<usize> {
    let mut count = 0;
    for (offset, token) in tokens[start..].iter().enumerate() {
        let is_first_letter = offset == 0 && token.kind == Kind::Letter && !token.ends_clause;
        // "We begin with erosion erosion means": two sentences without punctuation.
        let is_repeated = tokens[start..start + offset]
            .iter()
            .any(|before| before.normalized == token.normalized);
        let may_be_here = token.kind == Kind::Content || is_first_letter;
        if !may_be_here || is_repeated || offset > MAX_WORDS {
            break;
        }
        count = offset + 1;
        if token.ends_clause {
            break;
        }
    }
    if words.has_capitalized_nouns {
        return german_phrase_length(tokens, start, count, words);
    }
    let after = tokens.get(start + count);
    let is_verb_last = count > 0
        && !tokens[start + count - 1].ends_clause
        && after.is_some_and(|after| {
            let is_article = lexicon.determiners.contains(after.normalized.as_str());
            let is_preposition = lexicon.phrase_links.contains(after.normalized.as_str())
                && !["a", "the"].contains(&after.normalized.as_str());
            let is_object = OBJECTS.contains(&after.normalized.as_str());
            is_object || is_article && !is_preposition && !is_noun_preposition(&after.normalized)
        });
    let is_after_determiner = start > 0
        && !tokens[start - 1].ends_clause
        && lexicon
            .determiners
            .contains(tokens[start - 1].normalized.as_str());
    if is_verb_last && (count > 1 || !is_after_determiner) {
        count -= 1;
    }
    // A word that is never used as a noun, before a preposition, is probably a verb:
    // "the stones knock against each other".
    let is_before_preposition = tokens.get(start + count).is_some_and(|after| {
        let word = after.normalized.as_str();
        lexicon.is_function_word(word)
            && !NOUN_FOLLOWERS.contains(&word)
            && !["and", "or"].contains(&word)
    });
    let follows_content =
        start > 0 && tokens[start - 1].kind == Kind::Content && !tokens[start - 1].ends_clause;
    let last = start + count.saturating_sub(1);
    if (count > 1 || count == 1 && follows_content)
        && !tokens[last].ends_clause
        && is_before_preposition
        && !words.is_noun(&tokens[last].normalized)
    {
        count -= 1;
    }
    let is_predicate = |token: &Token<'_>| {
        let word = token.normalized.as_str();
        is_adverb(word) || lexicon.is_adjective_form(word) && !words.is_last_noun(word)
    };
    while count > 0 && is_predicate(&tokens[start + count - 1]) {
        count -= 1;
    }
    let is_only_letter = count == 1 && tokens[start].kind == Kind::Letter;
    (count > 0 && count <= MAX_WORDS && !is_only_letter && !is_adverb(&tokens[start].normalized))
        .then_some(count)
}

/// Pronouns that follow a verb.
const OBJECTS: [&str; 8] = [
    "it",
    "them",
    "him",
    "her",
    "us",
    "me",
    "itself",
    "themselves",
];

/// Prepositions that stand after nouns as often as after verbs.
fn is_noun_preposition(word: &str) -> bool {
    [
        "in", "on", "at", "by", "for", "from", "with", "into", "between", "without", "about",
        "over", "under", "through", "onto", "no", "some", "any", "called",
    ]
    .contains(&word)
}

fn is_adverb(word: &str) -> bool {
    word.len() > 4 && word.ends_with("ly") && word != "family" && word != "assembly"
}

/// Adjectives that end in -e, -en and so on, and then nouns.
fn german_phrase_length(
    tokens: &[Token<'_>],
    start: usize,
    count: usize,
    words: &WordUse,
) -> Option<usize> {
    let is_noun = |i: usize| {
        let token = &tokens[i];
        let is_upper = is_capitalized(token.text);
        // Every word is capitalized at the start of a sentence.
        is_upper
            && (i > 0
                || words.is_capitalized(&token.normalized, has_noun_ending(&token.normalized)))
    };
    let is_adjective = |i: usize| {
        let word = &tokens[i].normalized;
        let endings = ["e", "en", "er", "es", "em"];
        // "Hartes Wasser ist nicht gut": a noun follows the capital letter.
        let is_first = i == 0
            && !words.is_capitalized(word, has_noun_ending(word))
            && tokens.get(1).is_some_and(|next| is_capitalized(next.text));
        word.len() > 4
            && (is_first || i > 0 && !is_capitalized(tokens[i].text))
            && endings.iter().any(|ending| word.ends_with(ending))
    };
    if count == 0 || tokens[start].kind == Kind::Letter {
        return None;
    }
    let begins_after_verb = !is_noun(start);
    if begins_after_verb && !is_adjective(start) {
        return None;
    }
    let mut length = usize::from(begins_after_verb);
    while length < count.min(MAX_WORDS) && is_noun(start + length) {
        length += 1;
    }
    (length > usize::from(begins_after_verb)).then_some(length)
}

/// The number of words with a link and a second phrase after the first `count` words.
fn linked_length(
    tokens: &[Token<'_>],
    start: usize,
    count: usize,
    words: &WordUse,
    lexicon: &Lexicon,
) -> Option<usize> {
    if tokens[start + count - 1].ends_clause {
        return None;
    }
    let is_link = |token: &Token<'_>| {
        ["of", "der", "des", "von", "vom"].contains(&token.normalized.as_str())
            && !token.ends_clause
    };
    let mut next = start + count;
    if !tokens.get(next).is_some_and(is_link) {
        return None;
    }
    next += 1;
    let is_article = |token: &Token<'_>| {
        ["the", "a", "an"].contains(&token.normalized.as_str()) && !token.ends_clause
    };
    if tokens.get(next).is_some_and(is_article) {
        next += 1;
    }
    if next >= tokens.len() {
        return None;
    }
    let second = phrase_length(tokens, next, words, lexicon)?;
    let total = next + second - start;
    (total <= MAX_LINKED_WORDS).then_some(total)
}

fn phrase(
    tokens: &[Token<'_>],
    start: usize,
    count: usize,
    noun_words: usize,
    words: &WordUse,
    lexicon: &Lexicon,
) -> NounPhrase {
    let texts = tokens[start..start + count]
        .iter()
        .enumerate()
        .map(|(offset, token)| {
            let is_sentence_start = start + offset == 0;
            let has_inner_capitals = token.text.chars().skip(1).any(char::is_uppercase)
                || token.text.chars().count() == 1;
            // "Hartes Wasser": the last word is the noun.
            let is_adjective = words.has_capitalized_nouns && noun_words > 1;
            // "Segregated Witness" is a name.
            let is_name = !lexicon.capitalizes_nouns
                && offset == 0
                && count > 1
                && is_capitalized(tokens[start + 1].text);
            let keeps_case = !is_sentence_start
                || is_name
                || has_inner_capitals
                || words.is_capitalized(
                    &token.normalized,
                    lexicon.capitalizes_nouns && !is_adjective,
                );
            if keeps_case {
                token.text.to_owned()
            } else {
                lower_first(token.text)
            }
        });
    NounPhrase {
        text: texts.collect::<Vec<_>>().join(" "),
        position: start,
        words: count,
        noun_words,
    }
}

fn lower_first(word: &str) -> String {
    let mut characters = word.chars();
    let first = characters.next().into_iter().flat_map(char::to_lowercase);
    first.chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrases(sentence: &str, others: &[&str]) -> Vec<String> {
        let all = || [sentence].into_iter().chain(others.iter().copied());
        let lexicon = Lexicon::of(all());
        let words = WordUse::of(all(), lexicon);
        let found = noun_phrases(sentence, &words, lexicon);
        found.into_iter().map(|phrase| phrase.text).collect()
    }

    #[test]
    fn a_phrase_has_no_function_words_at_its_ends() {
        assert_eq!(
            phrases(
                "And the standard error is, of course, a kind of wild distance.",
                &[]
            ),
            ["standard error", "wild distance"]
        );
    }

    #[test]
    fn a_verb_before_an_article_is_not_in_the_phrase() {
        assert_eq!(
            phrases("A hash join builds a hash table and probes it.", &[]),
            ["hash join", "hash table"]
        );
    }

    #[test]
    fn a_verb_before_a_preposition_is_not_in_the_phrase() {
        assert_eq!(
            phrases("The stones knock against the bank.", &[]),
            ["stones", "bank"]
        );
        let others = [
            "We saw the cliff dwellings there.",
            "They sit beside the dwelling.",
        ];
        assert_eq!(
            phrases("The cliff dwellings in the rock.", &others),
            ["cliff dwellings", "rock"]
        );
    }

    #[test]
    fn a_genitive_makes_a_longer_phrase() {
        assert_eq!(
            phrases("We saw the law of the lever.", &[]),
            ["law", "law of the lever", "lever"]
        );
    }

    #[test]
    fn the_first_word_is_written_as_in_the_middle_of_sentences() {
        let others = ["We saw an erosion there.", "I was with Carnot in Paris."];
        assert_eq!(phrases("Erosion is slow.", &others), ["erosion"]);
        assert_eq!(
            phrases("Carnot has the proof.", &others),
            ["Carnot", "proof"]
        );
        assert_eq!(phrases("B trees are in it.", &others), ["B trees"]);
    }

    #[test]
    fn german_phrases_end_with_nouns() {
        assert_eq!(
            phrases(
                "Die latente Wärme ist das Maß der inneren Energie und wird langsam frei.",
                &[]
            ),
            [
                "latente Wärme",
                "Maß",
                "Maß der inneren Energie",
                "inneren Energie"
            ]
        );
    }
}
