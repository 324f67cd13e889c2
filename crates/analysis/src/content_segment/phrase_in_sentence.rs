//! How a sentence uses a phrase: in which case, with which article, and whether it defines it.

use super::noun_phrase::NounPhrase;
use super::title_words::Titles;
use super::word_use::is_capitalized;
use crate::disfluency::ends_clause;

/// Whether a phrase has a word twice, as where a sentence ends without punctuation.
pub(super) fn repeats_a_word(words: &[String], phrase: &NounPhrase) -> bool {
    let words = &words[phrase.position..phrase.position + phrase.words];
    (1..words.len()).any(|i| words[..i].contains(&words[i]))
}

/// The article before the phrase, if it can begin a title: in German not that of another case.
pub(super) fn title_article(
    phrase: &NounPhrase,
    words: &[String],
    titles: &Titles<'_>,
) -> Option<String> {
    let article = words.get(phrase.position.checked_sub(1)?)?.as_str();
    if !titles.lexicon.capitalizes_nouns {
        return (article == "the").then(|| "the".to_owned());
    }
    let first = phrase.text.split(' ').next()?;
    let is_weak = phrase.words > 1 && first.ends_with('e');
    let is_plural = phrase.words > 1 && first.ends_with("en");
    match article {
        "der" | "das" if is_weak => Some(article.to_owned()),
        "die" if is_weak || is_plural => Some(article.to_owned()),
        _ => None,
    }
}

pub(super) fn is_nominative(titles: &Titles<'_>, phrase: &NounPhrase, words: &[String]) -> bool {
    let word_use = titles.word_use;
    if !titles.lexicon.capitalizes_nouns {
        let word = phrase.text.to_lowercase();
        let may_be_verb = word.ends_with("ed") || word.ends_with("ing") || word.ends_with("ly");
        return phrase.words > 1 || !may_be_verb || word_use.is_last_noun(&word);
    }
    if !word_use.has_capitalized_nouns {
        return phrase.words == 1 && word_use.is_last_noun(&phrase.text);
    }
    // "Latente Wärme" can be a nominative, "deutscher Sprache" and "beweglichen Lettern"
    // hardly.
    let first = phrase.text.split(' ').next().unwrap_or_default();
    // "Von Mönchen" is a dative.
    let before = phrase.position.checked_sub(1).map(|i| words[i].as_str());
    let is_dative = is_plural_dative(&phrase.text)
        && (before.is_some_and(is_dative_preposition)
            || is_feminine_dative(words, phrase.position));
    (is_capitalized(first) || first.ends_with('e')) && !is_dative
}

pub(super) fn is_plural_dative(text: &str) -> bool {
    text.ends_with('n')
}

/// "Mit der Waagerechten", "zwischen dem Brett und der Waagerechten": a noun that is made of an
/// adjective, whose nominative has another ending.
fn is_feminine_dative(words: &[String], position: usize) -> bool {
    let word = |back: usize| position.checked_sub(back).map_or("", |i| words[i].as_str());
    let is_joined = word(2) == "und"
        && words[position.saturating_sub(6)..position]
            .iter()
            .any(|word| word == "zwischen");
    let prepositions = [
        "von", "aus", "mit", "bei", "nach", "zu", "seit", "unter", "in", "an", "auf", "zwischen",
        "vor", "über", "hinter", "neben",
    ];
    word(1) == "der" && (is_joined || prepositions.contains(&word(2)))
}

fn is_dative_preposition(word: &str) -> bool {
    [
        "von", "vom", "aus", "mit", "bei", "nach", "zu", "seit", "unter", "in", "an", "auf", "den",
    ]
    .contains(&word)
}

/// Whether the sentence defines the phrase: "erosion means …", "… is called a point bar".
pub(super) fn is_defined(titles: &Titles<'_>, phrase: &NounPhrase, words: &[String]) -> bool {
    let lexicon = titles.lexicon;
    let after = words.get(phrase.position + phrase.words);
    let is_subject = phrase.position <= 2
        && after.is_some_and(|after| lexicon.defining_verbs.contains(after.as_str()));
    let before = &words[phrase.position.saturating_sub(2)..phrase.position];
    let names = ["called", "as", "heißt", "nennt", "nennen", "heißen"];
    is_subject || before.iter().any(|word| names.contains(&word.as_str()))
}

/// Whether the words just before a phrase deny it: "that isn't laziness", "kein Zufall".
pub(super) fn is_denied(spelled: &[&str], words: &[String], position: usize) -> bool {
    let before = (position.saturating_sub(MAX_DENYING_DISTANCE)..position).rev();
    before
        .take_while(|&i| !ends_clause(spelled[i]))
        .any(|i| words[i].ends_with("n't") || DENYING.contains(&words[i].as_str()))
}

/// The most words from one that denies to a phrase, with the article of the phrase.
const MAX_DENYING_DISTANCE: usize = 2;

const DENYING: &[&str] = &[
    "not", "no", "never", "nicht", "kein", "keine", "keinen", "keiner",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_noun_that_is_made_of_an_adjective_is_a_dative_after_its_preposition() {
        let is_dative = |text: &str| {
            let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            is_feminine_dative(&words, words.len() - 1)
        };
        assert!(is_dative("das brett ist neben der waagerechten"));
        assert!(is_dative("zwischen dem brett und der waagerechten"));
        assert!(!is_dative("das ist das gewicht der schrauben"));
        assert!(!is_dative("wir sehen das brett und die schrauben"));
    }
}
