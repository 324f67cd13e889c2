//! A phrase with the relative clause that it has in a sentence, such as "A clock that needs no
//! pendulum".

use super::explanation::refers_to_something;
use super::noun_phrase::noun_phrases;
use super::title_candidate::Candidate;
use super::title_words::{MAX_WORDS, Titles};
use super::word_use::capitalize;
use crate::disfluency::{ends_clause, fluent_words};
use crate::language::Lexicon;
use crate::sentence::normalize;

/// "Nets that hold" says too little.
const MIN_WORDS: usize = 4;
/// The minimum score of the phrase, as a fraction of the highest.
const MIN_SCORE: f64 = 0.5;

/// The best candidate with its relative clause; with `head`, only that one.
pub(super) fn relative_phrase(
    titles: &Titles<'_>,
    sentences: &[&str],
    candidates: &[Candidate],
    head: Option<&Candidate>,
) -> Option<String> {
    let lexicon = titles.lexicon;
    // In German, "die Gezeiten, die werden …" is no relative clause but a sentence.
    if lexicon.capitalizes_nouns {
        return None;
    }
    let highest = candidates.iter().map(|candidate| candidate.score);
    let min_score = MIN_SCORE * highest.fold(0.0, f64::max);
    let is_central = |candidate: &&Candidate| match head {
        Some(head) => candidate.text == head.text,
        None => candidate.sentences.len() > 1 && candidate.score >= min_score,
    };
    let mut best: Option<(f64, String)> = None;
    for sentence in sentences {
        let words = fluent_words(sentence, lexicon);
        for phrase in noun_phrases(&words.join(" "), titles.word_use, lexicon) {
            let ids = titles.ids(&phrase.text);
            let mut central = candidates.iter().filter(is_central);
            let Some(candidate) = central.find(|candidate| candidate.ids == ids) else {
                continue;
            };
            let Some(article) = article(&words, phrase.position, lexicon) else {
                continue;
            };
            let end = phrase.position + phrase.words;
            let start = phrase.position - usize::from(article);
            let Some(last) = clause_end(&words, end, MAX_WORDS - (end - start), lexicon) else {
                continue;
            };
            let is_better = best
                .as_ref()
                .is_none_or(|(score, _)| candidate.score > *score);
            if is_better && last - start >= MIN_WORDS {
                let text = words[start..last].join(" ");
                let text = text.trim_end_matches(|c: char| !c.is_alphanumeric());
                best = Some((candidate.score, capitalize(text)));
            }
        }
    }
    best.map(|(_, title)| title)
}

/// Whether the phrase has an article that fits in a title; `None` if it has another word there
/// which changes what is meant.
fn article(words: &[String], position: usize, lexicon: &Lexicon) -> Option<bool> {
    let Some(before) = position.checked_sub(1) else {
        return Some(false);
    };
    let before = normalize(&words[before]);
    let before = before.as_str();
    if TITLE_ARTICLES.contains(&before) {
        return Some(true);
    }
    let is_bare = !lexicon.articles.contains(before)
        && !lexicon.first_person.contains(before)
        && !lexicon.anaphora.contains(before)
        && lexicon.is_function_word(before)
        && before != "no"
        && before != "not";
    is_bare.then_some(false)
}

/// Where the relative clause that begins at `at` ends, if it can stand with its noun and has at most
/// `room` words.
fn clause_end(words: &[String], at: usize, room: usize, lexicon: &Lexicon) -> Option<usize> {
    let pronoun = normalize(words.get(at)?);
    let follows_comma = at > 0 && ends_clause(&words[at - 1]);
    let is_relative = !follows_comma && PRONOUNS.contains(&pronoun.as_str());
    if !is_relative {
        return None;
    }
    let length = words[at..].iter().position(|word| ends_clause(word));
    let end = length.map_or(words.len(), |length| at + length + 1);
    // After the object, a place or a time may be left out.
    let mut ends = (at + 3..=end)
        .rev()
        .filter(|&last| last == end || CUT_BEFORE.contains(&normalize(&words[last]).as_str()));
    ends.find(|&last| {
        let normalized: Vec<String> = words[at..last].iter().map(|word| normalize(word)).collect();
        let is_personal = |word: &String| {
            let word = word.as_str();
            lexicon.first_person.contains(word)
                || lexicon.second_person.contains(word)
                || lexicon.pointers.contains(word)
        };
        let ending = normalized.last().map_or("", String::as_str);
        let is_complete = has_verb(&normalized[1..], lexicon) && !lexicon.is_function_word(ending);
        last - at <= room
            && is_complete
            && !normalized.iter().any(is_personal)
            && !refers_to_something(&normalized)
    })
}

fn has_verb(clause: &[String], lexicon: &Lexicon) -> bool {
    clause.iter().take(3).any(|word| {
        let word = word.as_str();
        lexicon.finite_verbs.contains(word)
            || lexicon.general_verbs.contains(word)
            || lexicon.is_verb_form(word)
    })
}

const TITLE_ARTICLES: &[&str] = &["the", "a", "an"];

const PRONOUNS: &[&str] = &["that", "which", "who"];

const CUT_BEFORE: &[&str] = &[
    "after", "before", "when", "while", "because", "until", "and", "with", "without", "during",
];

#[cfg(test)]
mod tests {
    use super::super::sample_speech::with_titles;
    use super::super::title_candidate::candidates;
    use super::relative_phrase;

    /// The phrase that is found in sentences about clocks with this one in the middle.
    fn with_clocks(sentence: &str) -> Option<String> {
        let sentences = [
            "The clock is on the shelf.",
            sentence,
            "The clock of the ship is wet.",
        ];
        with_titles(&sentences, |titles, weights| {
            let candidates = candidates(titles, &sentences, weights);
            relative_phrase(titles, &sentences, &candidates, None)
        })
    }

    #[test]
    fn a_central_phrase_keeps_its_relative_clause() {
        assert_eq!(
            with_clocks("All they need is a clock that keeps time at sea.").as_deref(),
            Some("A clock that keeps time at sea")
        );
        assert_eq!(
            with_clocks("He has a clock that keeps Greenwich time after six long weeks.")
                .as_deref(),
            Some("A clock that keeps Greenwich time")
        );
    }

    #[test]
    fn a_clause_that_refers_to_something_else_is_left_out() {
        for sentence in [
            "All they need is a clock that he made.",
            "All they need is a clock that was there before.",
            "All they need is a clock that you keep.",
            "All they need is this clock that keeps time.",
            "I see that the clock keeps time.",
        ] {
            assert_eq!(with_clocks(sentence), None, "{sentence}");
        }
    }
}
