//! What a lecturer shows how to do, such as "How to untie a bowline".

use super::explanation::refers_to_something;
use super::keyphrases::TermWeights;
use super::title_words::{MAX_WORDS, Titles};
use crate::disfluency::{ends_clause, fluent_words};
use crate::sentence::normalize;

/// "How to swim" is too little.
const MIN_WORDS: usize = 4;
/// The minimum weight of a term of the title, as a fraction of the highest weight.
const MIN_WEIGHT: f64 = 0.4;

/// The first title of this kind about the topic of the sentences: from "how to get rid of spam",
/// or from "how do we get rid of spam".
pub(super) fn how_to(
    titles: &Titles<'_>,
    sentences: &[&str],
    weights: &TermWeights,
) -> Option<String> {
    let min_weight = MIN_WEIGHT * weights.highest();
    sentences
        .iter()
        .filter_map(|sentence| in_sentence(&fluent_words(sentence, titles.lexicon), titles))
        .find(|title| {
            let ids = titles.ids(title);
            ids.iter().any(|&id| weights.get(id) >= min_weight)
        })
}

fn in_sentence(words: &[String], titles: &Titles<'_>) -> Option<String> {
    let normalized: Vec<String> = words.iter().map(|word| normalize(word)).collect();
    let word = |i: usize| normalized.get(i).map_or("", String::as_str);
    (0..words.len())
        .filter(|&i| word(i) == "how")
        .find_map(|how| {
            let start = if word(how + 1) == "to" {
                how + 2
            } else if AUXILIARIES.contains(&word(how + 1)) && PEOPLE.contains(&word(how + 2)) {
                how + 3
            } else {
                return None;
            };
            let length = words
                .get(start..)?
                .iter()
                .position(|word| ends_clause(word));
            let end = length.map_or(words.len(), |length| start + length + 1);
            let cut = (start + 2..end).find(|&i| CUT_BEFORE.contains(&word(i)));
            let end = cut.unwrap_or(end);
            let clause = normalized.get(start..end)?;
            let last = clause.last()?;
            let is_complete = !titles.lexicon.is_function_word(last)
                && !refers_to_something(clause)
                && !clause.iter().any(|word| UNCLEAR.contains(&word.as_str()));
            if !is_complete || !(MIN_WORDS..=MAX_WORDS).contains(&(clause.len() + 2)) {
                return None;
            }
            let text = words[start..end].join(" ");
            let text = text.trim_end_matches(|c: char| !c.is_alphanumeric());
            Some(format!("How to {text}"))
        })
}

const AUXILIARIES: &[&str] = &["do", "can", "could", "would", "should"];

const PEOPLE: &[&str] = &["we", "you", "i", "they", "people"];

const CUT_BEFORE: &[&str] = &[
    "and", "because", "when", "if", "while", "until", "so", "but", "or",
];

const UNCLEAR: &[&str] = &[
    "that", "there", "here", "thing", "things", "stuff", "do", "think", "know", "feel",
];
