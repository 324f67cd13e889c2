//! The clauses of a sentence that may be a claim.

use std::ops::Range;

use crate::disfluency::ends_clause;
use crate::language::Lexicon;
use crate::sentence::normalize;

/// The fewest words of a claim: "Hemp rots" says too little.
pub(super) const MIN_WORDS: usize = 4;

/// The parts of a sentence that may be a claim: between punctuation, without a conjunction at the
/// start, also up to another clause in it, or with the clause that completes it.
pub(super) fn clauses(words: &[String], lexicon: &Lexicon) -> Vec<Range<usize>> {
    let mut clauses = Vec::new();
    let mut start = 0;
    for end in 1..=words.len() {
        if end < words.len() && !ends_clause(&words[end - 1]) {
            continue;
        }
        let is_belief = start > 0 && REPORTING.contains(&normalize(&words[start - 1]).as_str());
        let first = (start..end).find(|&i| !is_opener(&words[i], lexicon));
        let first = first.filter(|_| !is_belief);
        let next = words.get(end).map(|word| normalize(word));
        let next = next.as_deref().unwrap_or_default();
        let is_completed = COMPLETIONS.contains(&next);
        let is_noun_completed = needs_relative(&words[start..end], next);
        if let Some(first) = first {
            if is_noun_completed {
                // "It sits on a place that …" does not end here.
            } else if is_completed {
                let length = words[end..].iter().position(|word| ends_clause(word));
                clauses.push(first..length.map_or(words.len(), |length| end + length + 1));
            } else {
                clauses.push(first..end);
            }
            // "The brain has learned that bed is a place for worrying."
            let that = (first + 1..end).find(|&i| {
                let before = normalize(&words[i - 1]);
                let is_verb = lexicon.is_verb_form(&before)
                    || lexicon.general_verbs.contains(before.as_str());
                normalize(&words[i]) == "that" && is_verb && !REPORTING.contains(&before.as_str())
            });
            let embedded = that
                .filter(|_| !is_noun_completed)
                .map(|that| that + 1..end);
            clauses.extend(embedded.filter(|range| !range.is_empty()));
            let cuts = (first + MIN_WORDS..end).filter(|&i| {
                let word = normalize(&words[i]);
                let next = words
                    .get(i + 1)
                    .map_or(String::new(), |next| normalize(next));
                let begins_clause = lexicon.articles.contains(next.as_str())
                    || lexicon.adverbial_starts.contains(next.as_str())
                    || lexicon.subject_pronouns.contains(next.as_str());
                let is_joint = COORDINATORS.contains(&word.as_str()) && begins_clause;
                (is_joint || CUT_BEFORE.contains(&word.as_str()))
                    && !lexicon.is_function_word(&normalize(&words[i - 1]))
            });
            clauses.extend(cuts.map(|cut| first..cut));
        }
        start = end;
    }
    clauses
}

/// Whether the relative clause that begins with the next word says which one the last noun is: "auf
/// einem Platz, der …".
pub(super) fn needs_relative(clause: &[String], next: &str) -> bool {
    let nouns = clause.iter().rev().take(3).skip(1);
    let article = nouns.map(|word| normalize(word)).find(|word| {
        ["ein", "eine", "einen", "einem", "einer", "a", "an"].contains(&word.as_str())
    });
    let pronouns: &[&str] = match article.as_deref() {
        Some("einen") => &["der", "den", "dem", "wo"],
        Some("eine" | "einer") => &["die", "der", "wo"],
        Some("ein" | "einem") => &["das", "der", "den", "dem", "wo"],
        Some(_) => &["which", "who", "where"],
        None => &[],
    };
    pronouns.contains(&next)
}

fn is_opener(word: &str, lexicon: &Lexicon) -> bool {
    let normalized = normalize(word);
    lexicon.removable_starts.contains(normalized.as_str())
        || lexicon.openers.contains(normalized.as_str()) && word.ends_with(',')
        || ["because", "that"].contains(&normalized.as_str())
}

/// Verbs before what somebody only believes: "alle denken, der Blitz kommt von oben".
const REPORTING: &[&str] = &[
    "thought", "believed", "said", "assume", "assumed", "imagine", "hear", "heard", "tell", "told",
    "think", "thinks", "believe", "believes", "say", "says", "denken", "glauben", "meinen",
    "sagen",
];

/// Words with which a clause begins that completes the one before it.
const COMPLETIONS: &[&str] = &[
    "dass", "ob", "wie", "was", "warum", "wo", "wann", "how", "why", "what", "whether", "als",
];

/// Words before which a claim may end. A relative clause without a comma says which thing is meant, as
/// in "shores of a lake that is not there".
const CUT_BEFORE: &[&str] = &["because", "when", "if", "while", "until", "although"];

/// Conjunctions before which a claim may end if another clause begins after them.
const COORDINATORS: &[&str] = &["and", "but", "und", "aber"];

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sentence: &str) -> Vec<String> {
        let words: Vec<String> = sentence.split(' ').map(str::to_owned).collect();
        let ranges = clauses(&words, Lexicon::of([sentence].into_iter()));
        ranges
            .into_iter()
            .map(|range| words[range].join(" "))
            .collect()
    }

    #[test]
    fn a_claim_ends_before_a_reason_but_not_before_a_relative_clause() {
        assert!(
            texts("The tide is late because the moon is.").contains(&"The tide is late".to_owned())
        );
        let shores = "A map shows the shores of a lake that is gone.";
        assert_eq!(texts(shores), [shores]);
    }
}
