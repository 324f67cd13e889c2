//! Tokenization: the terms by which texts are compared.
//!
//! A term is a word, reduced to its first five characters in lower case. The
//! prefix takes the place of a stemmer for each language; for retrieval, prefixes
//! work about as well as stems (Can et al., "Information retrieval on Turkish texts",
//! 2008). Scripts without spaces between words are cut into character bigrams
//! instead. The running time is linear in the length of the text.

use lectern_domain::fold_case;
use unicode_segmentation::UnicodeSegmentation;

/// The number of characters in a key.
const PREFIX_LENGTH: usize = 5;

/// An occurrence of a term in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term<'a> {
    /// The prefix in lower case; equal keys mean equal terms.
    pub(crate) key: String,
    /// Byte offset in the text.
    pub(crate) start: usize,
    /// The word as it is written in the text.
    pub(crate) surface: &'a str,
}

impl Term<'_> {
    /// Byte offset of the end in the text.
    pub(crate) fn end(&self) -> usize {
        self.start + self.surface.len()
    }
}

/// The terms of a text, in order.
///
/// Words are segmented by Unicode (UAX #29) and split at apostrophes, so
/// "l'eau" contains the term "eau". In Chinese, Japanese and Thai, UAX #29
/// returns adjacent single characters, and each pair of neighbours is a term.
/// Katakana words are returned whole, and are terms like other words.
pub(crate) fn tokenize(text: &str) -> Vec<Term<'_>> {
    let words = words(text);
    let is_adjacent = |a: &Word<'_>, b: &Word<'_>| a.start + a.text.len() == b.start;
    let mut terms = Vec::with_capacity(words.len());
    for run in words.chunk_by(is_adjacent) {
        for group in run.chunk_by(|a, b| a.is_single_character() && b.is_single_character()) {
            // A word of several characters is a group of its own, and a single term.
            for bigram in group.windows(group.len().min(2)) {
                let (first, last) = (bigram[0], bigram[bigram.len() - 1]);
                let surface = &text[first.start..last.start + last.text.len()];
                terms.push(Term {
                    key: surface.chars().map(fold_case).take(PREFIX_LENGTH).collect(),
                    start: first.start,
                    surface,
                });
            }
        }
    }
    terms
}

#[derive(Debug, Clone, Copy)]
struct Word<'a> {
    /// Byte offset in the text.
    start: usize,
    text: &'a str,
}

impl Word<'_> {
    fn is_single_character(&self) -> bool {
        self.text.graphemes(true).nth(1).is_none()
    }
}

fn words(text: &str) -> Vec<Word<'_>> {
    text.unicode_word_indices()
        .flat_map(|(start, word)| {
            word.split(['\'', '’']).map(move |part| Word {
                start: start + part.as_ptr().addr() - word.as_ptr().addr(),
                text: part,
            })
        })
        // UAX #29 counts a space with a combining accent as a word.
        .filter(|word| word.text.starts_with(char::is_alphanumeric))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        tokenize(text).into_iter().map(|term| term.key).collect()
    }

    #[test]
    fn words_are_reduced_to_a_prefix_in_lower_case() {
        assert_eq!(keys("Photosynthesis, PHOTONS!"), ["photo", "photo"]);
        assert_eq!(keys("Übungen, übungs"), ["übung", "übung"]);
        assert_eq!(keys("ΛΌΓΟΣ λόγος λόγοσ"), ["λόγοσ"; 3]);
    }

    #[test]
    fn apostrophes_separate_words() {
        assert_eq!(keys("l'eau qu’il boit"), ["l", "eau", "qu", "il", "boit"]);
    }

    #[test]
    fn scripts_without_spaces_are_cut_into_bigrams() {
        assert_eq!(keys("光合作用。水"), ["光合", "合作", "作用", "水"]);
        assert_eq!(keys("海のプレートは"), ["海の", "プレート", "は"]);
    }

    #[test]
    fn a_term_has_its_offset_in_the_text() {
        let text = "C'est l'été à Paris, 東京都";
        for term in tokenize(text) {
            assert!(text[term.start..].starts_with(term.surface));
            assert!(text[..term.end()].ends_with(term.surface));
        }
    }

    #[test]
    fn punctuation_has_no_terms() {
        assert!(tokenize("… — !? \u{301}").is_empty());
    }
}
