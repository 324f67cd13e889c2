//! What is between two phrases, such as "The distance between the mast and the pole".

use super::phrase_pair::Pair;
use super::title_words::{MAX_WORDS, Titles};
use super::word_use::{capitalize, is_capitalized};
use crate::disfluency::{ends_clause, fluent_words};
use crate::language::Lexicon;
use crate::sentence::normalize;

/// The phrase that a sentence begins with and that joins both phrases of the pair.
pub(super) fn between(titles: &Titles<'_>, sentences: &[&str], pair: &Pair<'_>) -> Option<String> {
    let lexicon = titles.lexicon;
    let phrases = [&pair.first.text, &pair.second.text].map(|text| text.to_lowercase());
    sentences.iter().find_map(|sentence| {
        let words = fluent_words(sentence, lexicon);
        let phrase = joined(&words, lexicon)?;
        let text = phrase.to_lowercase();
        phrases
            .iter()
            .all(|phrase| text.contains(phrase))
            .then(|| capitalize(&phrase))
    })
}

/// The first words of a sentence: an article, a noun, "between", and two nouns that "and" joins.
fn joined(words: &[String], lexicon: &Lexicon) -> Option<String> {
    let normalized: Vec<String> = words.iter().map(|word| normalize(word)).collect();
    let start = normalized
        .iter()
        .take_while(|word| lexicon.removable_starts.contains(word.as_str()))
        .count();
    let is_between = |word: &String| ["between", "zwischen"].contains(&word.as_str());
    let between = start + normalized[start..].iter().position(is_between)?;
    let is_article = |i: usize| {
        normalized
            .get(i)
            .is_some_and(|word| lexicon.articles.contains(word.as_str()))
    };
    let and = between
        + normalized[between..]
            .iter()
            .position(|word| word == lexicon.conjunction)?;
    let noun = and + 1 + usize::from(is_article(and + 1));
    let end = noun + 1;
    // The noun may go on: "the pole of the tent".
    let is_whole = ends_clause(words.get(noun)?)
        || normalized.get(end).is_none_or(|next| {
            lexicon.finite_verbs.contains(next.as_str())
                || lexicon.general_verbs.contains(next.as_str())
        });
    let is_noun = !lexicon.capitalizes_nouns || is_capitalized(&words[noun]);
    let is_short = between - start <= 3 && end - start <= MAX_WORDS;
    let is_one_clause = !words[start..noun].iter().any(|word| ends_clause(word));
    let has_subject = is_article(start) && between > start + 1;
    (is_short && is_whole && is_noun && is_one_clause && has_subject).then(|| {
        let text = words[start..end].join(" ");
        text.trim_end_matches(|c: char| !c.is_alphanumeric())
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrase(sentence: &str) -> Option<String> {
        let words: Vec<String> = sentence.split(' ').map(str::to_owned).collect();
        joined(&words, Lexicon::of([sentence].into_iter()))
    }

    #[test]
    fn what_is_between_two_things_is_one_phrase() {
        assert_eq!(
            phrase("And the distance between the mast and the pole is what you measure.")
                .as_deref(),
            Some("the distance between the mast and the pole")
        );
        assert_eq!(
            phrase("Der Abstand zwischen dem Mast und der Stange ist genau ein Meter.").as_deref(),
            Some("Der Abstand zwischen dem Mast und der Stange")
        );
    }

    #[test]
    fn a_phrase_that_goes_on_or_has_no_subject_is_none() {
        for sentence in [
            "The distance between the mast and the pole of the tent is short.",
            "Between the mast and the pole there is a rope.",
            "The distance, between the mast and the pole, is short.",
            "Zwischen dem Mast und der Stange ist ein Seil.",
        ] {
            assert_eq!(phrase(sentence), None, "{sentence}");
        }
    }
}
