//! Removes what speakers say while they look for words: fillers, repetitions and asides.
//!
//! "So, um, the net is, you know, the, the net holds gas" becomes "So the net is, the net holds
//! gas". Only what is surely a slip goes: a sound that means nothing, the same words twice in a
//! row, and an aside such as "to be honest" between commas. The running time is linear in the
//! number of words.

use crate::language::Lexicon;
use crate::sentence::normalize;

/// The number of words of an aside, at most.
const MAX_ASIDE_WORDS: usize = 5;
/// The number of words that are repeated, at most.
const MAX_REPEATED_WORDS: usize = 4;

/// The words of a sentence without disfluencies, with their punctuation.
pub(crate) fn fluent_words(text: &str, lexicon: &Lexicon) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    without_repetitions(&without_fillers_and_asides(&words, lexicon), lexicon)
}

/// The words after a phrase that only presents what follows, such as "what happens is".
pub(crate) fn without_presentation(mut words: Vec<String>, lexicon: &Lexicon) -> Vec<String> {
    let normalized: Vec<String> = words.iter().map(|word| normalize(word)).collect();
    let conjunctions = normalized.iter().take_while(|word| {
        lexicon.removable_starts.contains(word.as_str()) || lexicon.openers.contains(word.as_str())
    });
    let start = conjunctions.count();
    let longest = MAX_ASIDE_WORDS.min(words.len() - start);
    let length = (2..=longest).rev().find(|&length| {
        let phrase = normalized[start..start + length].join(" ");
        lexicon.presentations.contains(phrase.as_str())
    });
    let Some(length) = length else {
        return words;
    };
    let that = normalized
        .get(start + length)
        .is_some_and(|word| word == "that");
    let rest = start + length + usize::from(that);
    let is_clause = words.len() > rest + length
        && !lexicon.subordinators.contains(normalized[rest].as_str())
        && !["how", "what", "to", "not"].contains(&normalized[rest].as_str());
    if is_clause {
        words.drain(..rest);
    }
    words
}

/// The words without those that are to be dropped. The punctuation after one of them stays.
pub(crate) fn without_words(words: &[String], is_dropped: impl Fn(&str) -> bool) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for word in words {
        let bare = word.trim_end_matches(',');
        if !is_dropped(bare) {
            kept.push(word.clone());
        } else if let Some(last) = kept.last_mut()
            && bare.len() < word.len()
            && !ends_clause(last)
        {
            last.push(',');
        }
    }
    kept
}

fn without_fillers_and_asides(words: &[&str], lexicon: &Lexicon) -> Vec<String> {
    let normalized: Vec<String> = words.iter().map(|word| normalize(word)).collect();
    let is_filler = |i: usize| {
        let word = normalized[i].as_str();
        lexicon.fillers.contains(word) || lexicon.hedges.contains(word)
    };
    let aside_length = |start: usize| {
        let longest = MAX_ASIDE_WORDS.min(words.len() - start);
        (1..=longest).rev().find(|&length| {
            ends_clause(words[start + length - 1])
                && lexicon
                    .asides
                    .contains(normalized[start..start + length].join(" ").as_str())
        })
    };
    let mut kept: Vec<String> = Vec::new();
    let mut is_after_removed = false;
    let mut i = 0;
    while i < words.len() {
        let is_break = is_after_removed
            || kept.last().is_none_or(|last| {
                ends_clause(last) || lexicon.removable_starts.contains(normalize(last).as_str())
            });
        let removed = if is_filler(i) {
            Some(1)
        } else {
            is_break.then(|| aside_length(i)).flatten()
        };
        is_after_removed = removed.is_some();
        if let Some(length) = removed {
            i += length;
            let next = normalized.get(i).map_or("", String::as_str);
            remove(&mut kept, words[i - 1], next, lexicon);
            i += begin_again(&mut kept, words.get(i).copied(), lexicon);
        } else {
            kept.push(words[i].to_owned());
            i += 1;
        }
    }
    kept
}

/// Leaves one of two equal function words that a removed word has separated, as in "held by, um, by
/// the net". Returns how many of the next words are left out.
fn begin_again(kept: &mut Vec<String>, next: Option<&str>, lexicon: &Lexicon) -> usize {
    let (Some(next), Some(last)) = (next, kept.last_mut()) else {
        return 0;
    };
    let word = normalize(next);
    if normalize(last) != word || !lexicon.is_function_word(&word) {
        return 0;
    }
    if RELATIVE_ARTICLES.contains(&word.as_str()) {
        if !ends_clause(last) {
            last.push(',');
        }
        return 0;
    }
    if kept.len() > 1 {
        kept.pop();
        return 0;
    }
    // The sentence keeps its first letter.
    kept[0] = kept[0].trim_end_matches(',').to_owned() + punctuation(next);
    1
}

/// Moves the punctuation of a removed word to the word before it. Of two commas one is left before
/// a clause, and none elsewhere: "is, um, a net" is "is a net".
fn remove(kept: &mut [String], word: &str, next: &str, lexicon: &Lexicon) {
    let Some(last) = kept.last_mut() else {
        return;
    };
    if word.ends_with(['.', '?', '!', ';', ':']) {
        let bare = last.trim_end_matches([',', ';', ':']).len();
        last.truncate(bare);
        last.extend(word.chars().last());
        return;
    }
    let begins_clause = lexicon.clause_starts.contains(next)
        || lexicon.subject_pronouns.contains(next)
        || lexicon.capitalizes_nouns;
    let is_inside = lexicon.is_function_word(&normalize(last)) || !begins_clause;
    if word.ends_with(',') && is_inside {
        let bare = last.trim_end_matches(',').len();
        last.truncate(bare);
    }
}

/// Removes the first of two equal sequences of words: "it is a, it is a net". A single word is
/// only a slip if a comma separates it from the next.
fn without_repetitions(words: &[String], lexicon: &Lexicon) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    let mut i = 0;
    while i < words.len() {
        let longest = MAX_REPEATED_WORDS.min(kept.len()).min(words.len() - i);
        let repeated = (1..=longest).rev().find(|&length| {
            let before = &kept[kept.len() - length..];
            let is_equal = before
                .iter()
                .zip(&words[i..])
                .all(|(a, b)| normalize(a) == normalize(b));
            let is_separate = before[length - 1].ends_with(',');
            // "It is cold, very, very cold." is meant, "the, the net" is not.
            let is_emphasis = length == 1 && words[i].ends_with(['.', '!', '?']);
            // "Die Bremse ist die, die bremst."
            let is_relative =
                length == 1 && RELATIVE_ARTICLES.contains(&normalize(&words[i]).as_str());
            // "You look at the trace, trace is a list": another clause.
            let next = words
                .get(i + 1)
                .map_or(String::new(), |next| normalize(next));
            let begins_clause = length == 1
                && !lexicon.is_function_word(&normalize(&words[i]))
                && lexicon.finite_verbs.contains(next.as_str());
            is_equal
                && (is_separate || length > 1)
                && !is_emphasis
                && !is_relative
                && !begins_clause
        });
        if let Some(length) = repeated {
            let first = kept[kept.len() - length].clone();
            kept.truncate(kept.len() - length);
            // The sentence keeps its first letter.
            if kept.is_empty() {
                kept.push(first.trim_end_matches(',').to_owned() + punctuation(&words[i]));
                i += 1;
                continue;
            }
        }
        kept.push(words[i].clone());
        i += 1;
    }
    kept
}

/// German articles that are also relative pronouns.
const RELATIVE_ARTICLES: [&str; 5] = ["der", "die", "das", "den", "dem"];

/// The punctuation at the end of a word.
fn punctuation(word: &str) -> &str {
    &word[word.trim_end_matches(|c: char| !c.is_alphanumeric()).len()..]
}

pub(crate) fn ends_clause(word: &str) -> bool {
    word.ends_with([',', '.', ';', ':', '!', '?', '–', '…'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fluent(text: &str) -> String {
        fluent_words(text, Lexicon::of([text].into_iter())).join(" ")
    }

    #[test]
    fn fillers_and_asides_are_left_out_with_their_commas() {
        assert_eq!(
            fluent("The net is, um, a kind of sieve, you know, and it holds the gas, uh."),
            "The net is a kind of sieve, and it holds the gas."
        );
        assert_eq!(
            fluent("Das Netz ist, ähm, also, ein Sieb, sag ich mal, und es hält das Gas."),
            "Das Netz ist ein Sieb, und es hält das Gas."
        );
        assert_eq!(
            fluent("So you know the net that is in the dough."),
            "So you know the net that is in the dough."
        );
    }

    #[test]
    fn of_repeated_words_the_last_ones_are_left() {
        assert_eq!(
            fluent("And the reason is, the reason is the net in the, the dough."),
            "And the reason is the net in the dough."
        );
        assert_eq!(
            fluent("Well, you can, well, you can hold the ship with it."),
            "you can hold the ship with it."
        );
        assert_eq!(
            fluent("You look at the trace, trace is a list."),
            "You look at the trace, trace is a list."
        );
        assert_eq!(
            fluent("It, it is a net and the wind is, is cold."),
            "It is a net and the wind is cold."
        );
        assert_eq!(
            fluent("Der Weg wird länger, vor allem bei, ähm, bei Felgenbremsen."),
            "Der Weg wird länger, vor allem bei Felgenbremsen."
        );
        assert_eq!(
            fluent("In, uh, in the dough the gas is held by, um, by the net."),
            "In the dough the gas is held by the net."
        );
        assert_eq!(
            fluent("Die Bremse ist die, äh, die bremst."),
            "Die Bremse ist die, die bremst."
        );
    }
}
