//! Titles of one phrase with its article, or of two.

use super::german_phrase;
use super::phrase_pair::Pair;
use super::title_candidate::Candidate;
use super::title_words::{MIN_WORDS, Titles};
use super::word_use::capitalize;

/// The minimum score of a pair, as a fraction of that of its first phrase, if that would be a
/// title with its article.
const MIN_PAIR_SCORE: f64 = 0.7;

impl Titles<'_> {
    /// A title of the first phrase and perhaps a second one.
    pub(super) fn of_phrases(
        &self,
        fixed: Option<&Candidate>,
        best: &Candidate,
        pair: Option<Pair<'_>>,
    ) -> String {
        let head = match (fixed, &pair) {
            (Some(head), _) => head,
            (None, Some(pair)) => pair.first,
            (None, None) => best,
        };
        let name = self.spelled(&head.text);
        let alone = head
            .article
            .as_ref()
            .filter(|_| head.words + 1 == MIN_WORDS);
        let alone = alone.map(|article| format!("{article} {name}"));
        let title = match (alone, pair) {
            (Some(alone), Some(pair)) if pair.score < MIN_PAIR_SCORE * head.score => alone,
            (_, Some(pair)) => {
                let (first, second) = (&pair.first.text, &pair.second.text);
                let and = self.lexicon.conjunction;
                format!("{} {and} {}", self.spelled(first), self.spelled(second))
            }
            (Some(alone), None) => alone,
            (None, None) if self.lexicon.capitalizes_nouns => {
                german_phrase::with_article_or_genitive(&name, self.word_use)
            }
            (None, None) => name,
        };
        capitalize(&title)
    }
}
