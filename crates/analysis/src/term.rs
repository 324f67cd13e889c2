//! What texts are compared by.

use unicode_segmentation::UnicodeSegmentation;

/// How many characters of a word count.
const COMPARED: usize = 5;

/// A word, or two neighbouring ones where words are not separated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term<'a> {
    /// What makes it the same as another: the first characters, in lower case.
    pub(crate) key: String,
    /// Where it begins in the text, in bytes.
    pub(crate) at: usize,
    /// As it appears in the text.
    pub(crate) surface: &'a str,
}

/// The terms of a text in the order they appear.
///
/// Words are those of Unicode (UAX #29), taken apart at apostrophes ("l'eau"
/// is about water), in lower case. Only their first five characters count: in
/// place of a stemmer for each language, of which this is said to do most of
/// the work (Can et al., "Information retrieval on Turkish texts", 2008).
///
/// Where UAX #29 finds words that touch, the script does not separate words
/// (Chinese, Japanese, Thai) and what it found are characters: there each pair
/// of neighbours is a term. Only runs of katakana it finds whole, and they
/// stay so.
pub(crate) fn terms(text: &str) -> Vec<Term<'_>> {
    let words: Vec<(usize, &str)> = text
        .unicode_word_indices()
        .flat_map(|(at, word)| {
            let parts = word.split(['\'', '’']);
            parts.map(move |part| (at + part.as_ptr().addr() - word.as_ptr().addr(), part))
        })
        // An accent on a space is no word, though it makes one of the space.
        .filter(|(_, word)| word.starts_with(char::is_alphanumeric))
        .collect();
    let touching = |(at, word): &(usize, &str), (next, _): &(usize, &str)| at + word.len() == *next;
    let mut terms = Vec::with_capacity(words.len());
    for run in words.chunk_by(touching) {
        let whole = |(_, word): &(usize, &str)| word.graphemes(true).nth(1).is_some();
        for row in run.chunk_by(|a, b| !whole(a) && !whole(b)) {
            for pair in row.windows(row.len().min(2)) {
                let (at, _) = pair[0];
                let (last, word) = pair[pair.len() - 1];
                let surface = &text[at..last + word.len()];
                let key = surface.to_lowercase().chars().take(COMPARED).collect();
                terms.push(Term { key, at, surface });
            }
        }
    }
    terms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        terms(text).into_iter().map(|term| term.key).collect()
    }

    #[test]
    fn words_are_compared_by_their_beginning_in_lower_case() {
        assert_eq!(keys("Photosynthesis, PHOTONS!"), ["photo", "photo"]);
        assert_eq!(keys("Übungen, übungs"), ["übung", "übung"]);
    }

    #[test]
    fn apostrophes_part_words() {
        assert_eq!(keys("l'eau qu’il boit"), ["l", "eau", "qu", "il", "boit"]);
    }

    #[test]
    fn scripts_without_separators_are_read_in_pairs() {
        assert_eq!(keys("光合作用。水"), ["光合", "合作", "作用", "水"]);
        assert_eq!(keys("海のプレートは"), ["海の", "プレート", "は"]);
    }

    #[test]
    fn a_term_knows_where_it_stands() {
        let text = "C'est l'été à Paris, 東京都";
        for term in terms(text) {
            assert!(text[term.at..].starts_with(term.surface));
        }
        assert!(terms("… — !? \u{301}").is_empty());
    }
}
