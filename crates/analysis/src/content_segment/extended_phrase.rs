//! A phrase with what is said where or of what it is, such as "the yeast in the dough".

use super::claim_clauses::needs_relative;
use super::noun_phrase::noun_phrases;
use super::title_candidate::Candidate;
use super::title_words::Titles;
use super::word_use::capitalize;
use crate::disfluency::{ends_clause, fluent_words};
use crate::sentence::normalize;

const MIN_WORDS: usize = 3;
const MAX_WORDS: usize = 6;
/// The minimum score of a phrase that is extended, as a fraction of the highest.
const MIN_SCORE: f64 = 0.5;

/// The best candidate with the preposition and the phrase that follow it in a sentence; with
/// `head`, only that one.
pub(super) fn extended_phrase(
    titles: &Titles<'_>,
    sentences: &[&str],
    candidates: &[Candidate],
    head: Option<&Candidate>,
) -> Option<String> {
    let lexicon = titles.lexicon;
    if titles.word_use.lacks_capitals {
        return None;
    }
    let highest = candidates.iter().map(|candidate| candidate.score);
    let highest = highest.fold(0.0, f64::max);
    let may_be_head = |candidate: &&Candidate| match head {
        Some(head) => candidate.text == head.text,
        None => candidate.may_stand_alone && candidate.score >= MIN_SCORE * highest,
    };
    let mut best: Option<(f64, String)> = None;
    for sentence in sentences {
        let words = fluent_words(sentence, lexicon);
        let text = words.join(" ");
        let phrases = noun_phrases(&text, titles.word_use, lexicon);
        for first in &phrases {
            let end = first.position + first.words;
            let Some(second) = followed_by(&words, end, &phrases) else {
                continue;
            };
            let ids = titles.ids(&first.text);
            let Some(candidate) = candidates
                .iter()
                .filter(may_be_head)
                .find(|candidate| candidate.ids == ids)
            else {
                continue;
            };
            let second_ids = titles.ids(&second.text);
            let is_other = second_ids.iter().all(|id| !ids.contains(id));
            let second_score = candidates
                .iter()
                .filter(|candidate| candidate.ids == second_ids)
                .map(|candidate| candidate.score)
                .fold(0.0, f64::max);
            let last = second.position + second.words;
            // The phrase may go on with a word that is not known.
            let is_whole = ends_clause(&words[last - 1])
                || words
                    .get(last)
                    .is_none_or(|next| lexicon.is_function_word(&normalize(next)));
            let is_participle = !lexicon.capitalizes_nouns && second.text.ends_with("ed");
            let next = words
                .get(last)
                .map_or(String::new(), |next| normalize(next));
            let needs_relative = needs_relative(&words[..last], &next);
            if !is_whole || is_participle || needs_relative {
                continue;
            }
            let rest = words[end..last].join(" ");
            let rest = rest.trim_end_matches(|c: char| !c.is_alphanumeric());
            let article = match candidate.article.as_deref() {
                Some("the") => "the ",
                _ => "",
            };
            let title = format!("{article}{} {rest}", candidate.text);
            let length = title.split(' ').count();
            let score = candidate.score + second_score;
            let is_better = best.as_ref().is_none_or(|(highest, _)| score > *highest);
            if is_other && (MIN_WORDS..=MAX_WORDS).contains(&length) && is_better {
                best = Some((score, capitalize(&title)));
            }
        }
    }
    best.map(|(_, title)| title)
}

/// The phrase after a preposition, and perhaps an article, at `at`.
fn followed_by<'p>(
    words: &[String],
    at: usize,
    phrases: &'p [super::noun_phrase::NounPhrase],
) -> Option<&'p super::noun_phrase::NounPhrase> {
    if at == 0 || ends_clause(&words[at - 1]) {
        return None;
    }
    let preposition = normalize(words.get(at)?);
    if !PREPOSITIONS.contains(&preposition.as_str()) {
        return None;
    }
    let next = normalize(words.get(at + 1)?);
    let has_article = ARTICLES.contains(&next.as_str());
    let start = at + 1 + usize::from(has_article);
    phrases
        .iter()
        .filter(|phrase| phrase.position == start)
        .max_by_key(|phrase| phrase.words)
}

const PREPOSITIONS: &[&str] = &[
    "of", "in", "for", "on", "between", "against", "without", "at", "from", "by", "von", "vom",
    "im", "in", "für", "gegen", "zwischen", "ohne", "aus", "auf", "am", "unter",
];

const ARTICLES: &[&str] = &[
    "the", "a", "an", "der", "die", "das", "den", "dem", "einem", "einer", "einen", "eine", "ein",
];

#[cfg(test)]
mod tests {
    use super::super::sample_speech::with_titles;
    use super::super::title_candidate::candidates;
    use super::extended_phrase;

    /// The extended phrase of the sentences; with `head`, only one that begins with that.
    fn extended(sentences: &[&str], head: Option<&str>) -> Option<String> {
        with_titles(sentences, |titles, weights| {
            let candidates = candidates(titles, sentences, weights);
            let named = |text: &str| candidates.iter().find(|phrase| phrase.text == text);
            let head = head.map(|text| named(text).unwrap());
            extended_phrase(titles, sentences, &candidates, head)
        })
    }

    /// What is extended in sentences about yeast with this one in the middle.
    fn with_yeast(sentence: &str) -> Option<String> {
        let sentences = ["Yeast eats sugar.", sentence, "Bread needs yeast."];
        extended(&sentences, None)
    }

    #[test]
    fn a_phrase_is_extended_by_the_phrase_after_a_preposition() {
        for sentence in [
            "Gas comes from yeast in the dough.",
            "Gas comes from yeast in the dough, and it is warm.",
            "It is yeast in the dough that makes gas.",
        ] {
            let title = with_yeast(sentence);
            assert_eq!(title.as_deref(), Some("Yeast in the dough"), "{sentence}");
        }
    }

    #[test]
    fn a_german_phrase_is_extended_by_the_phrase_after_a_preposition() {
        let sentences = [
            "Hefe frisst Zucker.",
            "Das Gas kommt von der Hefe im Teig.",
            "Ohne Hefe gibt es kein Brot.",
        ];
        assert_eq!(extended(&sentences, None).as_deref(), Some("Hefe im Teig"));
        let needed = [
            "Hefe frisst Zucker.",
            "Das Gas kommt von der Hefe in einem Teig, der warm ist.",
            "Ohne Hefe gibt es kein Brot.",
        ];
        assert_eq!(extended(&needed, None), None);
        // Without capital letters, nouns are not known.
        let lower = sentences.map(str::to_lowercase);
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        assert_eq!(extended(&lower, None), None);
    }

    #[test]
    fn a_phrase_is_not_extended_by_what_may_go_on_or_is_apart() {
        for sentence in [
            // A pause before the preposition.
            "Gas comes from yeast, in the dough.",
            // A word that is not known may belong to the phrase.
            "Gas comes from yeast in the dough quickly.",
            // No preposition.
            "Gas comes from yeast and dough.",
            // A participle.
            "Gas comes from yeast in the baked.",
            // The same word.
            "Gas comes from yeast in a yeast.",
        ] {
            assert_eq!(with_yeast(sentence), None, "{sentence}");
        }
        let sentences = [
            "Die Hefe frisst Zucker.",
            "Das Gas kommt von der Hefe, im Teig.",
            "Ohne Hefe gibt es kein Brot.",
        ];
        assert_eq!(extended(&sentences, None), None);
    }

    #[test]
    fn a_long_phrase_is_not_extended_by_a_long_one() {
        let gauge = |place: &str| {
            let read = format!("They read a tide gauge in the {place}.");
            extended(
                &["A tide gauge has a float.", &read, "A tide gauge has rust."],
                None,
            )
        };
        let title = gauge("stone harbour");
        assert_eq!(title.as_deref(), Some("Tide gauge in the stone harbour"));
        assert_eq!(gauge("harbour of the island"), None);
    }

    #[test]
    fn only_the_head_is_extended() {
        let sentences = [
            "The yeast eats sugar.",
            "Gas comes from the yeast in the dough.",
            "The yeast needs the warmth of an oven.",
        ];
        let title = extended(&sentences, Some("yeast"));
        assert_eq!(title.as_deref(), Some("The yeast in the dough"));
        let title = extended(&sentences, Some("warmth"));
        assert_eq!(title.as_deref(), Some("The warmth of an oven"));
        assert_eq!(extended(&sentences, Some("sugar")), None);
    }
}
