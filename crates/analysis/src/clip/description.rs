//! Describes a clip by one of its sentences.

use std::collections::HashSet;

use super::passage::{Opening, Passage, opening};
use super::selection::first_max;
use crate::language::Lexicon;
use crate::segment_ref::ContentSegmentRef;
use crate::sentence::normalize;
use crate::term::tokenize;

/// A sentence with fewer words says little alone.
const MIN_WORDS: usize = 6;
/// A longer sentence says too much at once.
const MAX_WORDS: usize = 30;

/// The sentence that says most about the topic of the segment, as it can stand alone. `None`
/// without text.
pub(super) fn of(
    passages: &[Passage],
    segment: &ContentSegmentRef<'_>,
    lexicon: &Lexicon,
) -> Option<String> {
    let keys: HashSet<String> = segment
        .keywords
        .iter()
        .flat_map(|word| tokenize(word))
        .map(|term| term.key)
        .collect();
    let sentences: Vec<String> = passages
        .iter()
        .map(|passage| standalone(&passage.text, lexicon))
        .collect();
    let value = |&i: &usize| {
        let passage = &passages[i];
        let common = passage.keys.intersection(&keys).count() as f64;
        let length = (passage.keys.len().max(1) as f64).sqrt();
        let mut words: Vec<String> = sentences[i].split_whitespace().map(normalize).collect();
        // "It's" begins with "it".
        if let Some(first) = words.first_mut() {
            let length = first.find(['\'', '’']).unwrap_or(first.len());
            first.truncate(length);
        }
        // A sentence that refers to what was said before, or announces what will be said, says
        // little alone.
        let opening = match opening(&words, lexicon) {
            Opening::Connective => 0.1,
            Opening::LeadIn => 0.6,
            Opening::Neutral => 1.0,
        };
        let first = words.first().map_or("", String::as_str);
        // "You feed it": what, only the sentence before says.
        let personal = match first {
            _ if lexicon.subject_pronouns.contains(first) => 0.4,
            _ if lexicon.second_person.contains(first) => 0.4,
            _ => 1.0,
        };
        let refers = |word: &String| lexicon.object_pronouns.contains(word.as_str());
        let reference = if words.iter().take(4).skip(1).any(refers) {
            0.5
        } else {
            1.0
        };
        let size = match words.len() {
            MIN_WORDS..=MAX_WORDS => 1.0,
            ..MIN_WORDS => 0.4,
            _ => 0.5,
        };
        // "Alcohol, there is some in it" is half a sentence.
        let is_fragment = sentences[i]
            .split_whitespace()
            .take(2)
            .any(|word| word.ends_with(','));
        let fragment = if is_fragment { 0.4 } else { 1.0 };
        let question = if passage.is_question { 0.3 } else { 1.0 };
        // Claims come before their details and examples.
        let place = if i < passages.len() / 2 { 1.2 } else { 1.0 };
        let emphasis = 0.5 * passage.emphasis.min(2) as f64;
        place
            * opening
            * personal
            * reference
            * fragment
            * size
            * question
            * (common + emphasis + 0.1)
            / length
    };
    let best = first_max(0..sentences.len(), value)?;
    Some(sentences[best].clone()).filter(|text| !text.is_empty())
}

/// A sentence without fillers, without conjunctions and interjections at its start, and with a
/// capital letter and a full stop.
fn standalone(text: &str, lexicon: &Lexicon) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in text.split_whitespace() {
        if lexicon.fillers.contains(normalize(word).as_str()) {
            // "Is, um, a net" keeps no comma, "is dry, um" keeps its full stop.
            if let (Some(last), true) = (words.last_mut(), word.ends_with(',')) {
                *last = last.strip_suffix(',').unwrap_or(last);
            }
            continue;
        }
        // "It is a, it is a net": only the same word again is sure to be a slip.
        let is_repeated = words.last().is_some_and(|last| {
            last.ends_with(',') && normalize(last) == normalize(word) && !word.ends_with('.')
        });
        if is_repeated {
            words.pop();
        }
        words.push(word);
    }
    let starts = words.iter().enumerate().take_while(|(i, word)| {
        let normalized = normalize(word);
        let has_comma = word.ends_with(',');
        let next = words
            .get(i + 1)
            .map_or(String::new(), |next| normalize(next));
        let is_conjunction = lexicon.removable_starts.contains(normalized.as_str())
            && !["that", "far", "much", "many", "long", "dass"].contains(&next.as_str());
        is_conjunction || has_comma && lexicon.openers.contains(normalized.as_str())
    });
    let start = starts.count();
    let sentence = if start + 1 < words.len() {
        &words[start..]
    } else {
        &words[..]
    };
    let mut sentence = sentence.join(" ");
    if let Some(first) = sentence.chars().next().filter(|first| first.is_lowercase()) {
        let capital: String = first.to_uppercase().collect();
        sentence.replace_range(..first.len_utf8(), &capital);
    }
    if sentence.ends_with([',', ';', ':']) {
        sentence.pop();
    }
    if sentence.ends_with(char::is_alphanumeric) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_text(text: &str) -> String {
        standalone(text, Lexicon::of([text].into_iter()))
    }

    #[test]
    fn fillers_and_conjunctions_are_left_out() {
        assert_eq!(
            of_text("So, um, the net is, uh, a kind of sieve for the, the gas."),
            "The net is a kind of sieve for the gas."
        );
        assert_eq!(
            of_text("And the net can hold gas, which is the point."),
            "The net can hold gas, which is the point."
        );
        assert_eq!(
            of_text("Und, ähm, das Netz hält das Gas in dem Teig."),
            "Das Netz hält das Gas in dem Teig."
        );
        // The verb would come before its subject.
        let german = "Deshalb hält das Netz das Gas in dem Teig.";
        assert_eq!(of_text(german), german);
        assert_eq!(
            of_text("So far the net is empty."),
            "So far the net is empty."
        );
    }

    #[test]
    fn a_sentence_without_punctuation_gets_a_capital_and_a_full_stop() {
        assert_eq!(
            of_text("and the net is what holds the gas"),
            "The net is what holds the gas."
        );
        assert_eq!(of_text(""), "");
    }
}
