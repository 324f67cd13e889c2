//! How German phrases are written in titles.

use super::word_use::{WordUse, capitalize, is_capitalized};
use crate::sentence::normalize;

/// Endings of nouns that are hardly ever those of other words; the first seven are feminine.
const NOUN_ENDINGS: [&str; 13] = [
    "ung", "heit", "keit", "schaft", "tion", "tät", "anz", "nis", "ismus", "ment", "mus", "ling",
    "ium",
];
const FEMININE_ENDINGS: usize = 7;
/// A shorter word with such an ending may be another one, such as "jung".
const MIN_LETTERS: usize = 6;

/// "Leitung von Wärme" as "die Leitung von Wärme", where the gender is sure, and "Brief von
/// Gutenberg" as "Gutenbergs Brief". Other phrases are unchanged.
pub(super) fn with_article_or_genitive(phrase: &str, words: &WordUse) -> String {
    let [head, "von", last] = phrase.split(' ').collect::<Vec<_>>()[..] else {
        return phrase.to_owned();
    };
    if is_feminine(&normalize(head)) {
        return format!("die {phrase}");
    }
    if is_capitalized(last) && !words.is_after_article(&normalize(last)) {
        let ending = if last.ends_with(['s', 'x', 'z', 'ß']) {
            "’"
        } else {
            "s"
        };
        return format!("{last}{ending} {head}");
    }
    phrase.to_owned()
}

fn is_feminine(word: &str) -> bool {
    has_ending(word, &NOUN_ENDINGS[..FEMININE_ENDINGS])
}

/// Whether a word in lower case ends as nouns do, and hardly ever other words.
pub(super) fn has_noun_ending(word: &str) -> bool {
    has_ending(word, &NOUN_ENDINGS)
}

fn has_ending(word: &str, endings: &[&str]) -> bool {
    word.chars().count() >= MIN_LETTERS && endings.iter().any(|ending| word.ends_with(ending))
}

/// A title from text in lower case, with capital letters for the words that are surely nouns: by
/// their endings, or because the recording uses them as nouns.
pub(super) fn with_capital_nouns(title: &str, words: &WordUse) -> String {
    let spelled = title.split(' ').map(|word| {
        let normalized = normalize(word);
        if has_noun_ending(&normalized) || words.is_last_noun(&normalized) {
            capitalize(word)
        } else {
            word.to_owned()
        }
    });
    spelled.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Lexicon;

    fn word_use(text: &str) -> WordUse {
        WordUse::of([text].into_iter(), Lexicon::of([text].into_iter()))
    }

    #[test]
    fn a_name_is_a_genitive_and_another_head_has_its_article() {
        let words = word_use("Wir sehen die Wärme und den Brief von Gutenberg in der Stadt.");
        let spelled = |phrase| with_article_or_genitive(phrase, &words);
        assert_eq!(spelled("Brief von Gutenberg"), "Gutenbergs Brief");
        assert_eq!(spelled("Verse von Hans"), "Hans’ Verse");
        assert_eq!(spelled("Leitung von Wärme"), "die Leitung von Wärme");
        assert_eq!(spelled("Transport von Wärme"), "Transport von Wärme");
        assert_eq!(spelled("latente Wärme"), "latente Wärme");
    }

    #[test]
    fn words_that_are_surely_nouns_get_a_capital_letter() {
        let words = word_use("wir sehen die wärme und das ist in der stadt");
        let spelled = |title| with_capital_nouns(title, &words);
        assert_eq!(spelled("wärme und erfindung"), "Wärme und Erfindung");
        assert_eq!(spelled("holz wird schnell jung"), "holz wird schnell jung");
    }
}
