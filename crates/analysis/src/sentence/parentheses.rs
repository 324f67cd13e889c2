//! Fillers and asides, which interrupt a sentence: "because, um, my rope", "it has, you know, no
//! holes".
//!
//! What they stand in goes on after them. So a sentence ends after an aside only if it may end
//! before it, and hardly ever after a filler. The running time is linear in the number of words.

use crate::language::Lexicon;

/// The number of words of an aside, at most.
const MAX_WORDS: usize = 4;
/// For an end after a filler.
const AFTER_FILLER: f64 = -4.0;
/// For a start with an aside of several words.
const ASIDE_FIRST: f64 = -1.0;

/// The log-odds that a sentence begins with the word `i`, by the fillers and asides next to it.
/// `words` are in lower case, without punctuation.
pub(super) fn start_log_odds(words: &[String], i: usize, lexicon: &Lexicon) -> f64 {
    let Some(before) = i.checked_sub(1) else {
        return 0.0;
    };
    let after = if lexicon.fillers.contains(words[before].as_str()) {
        AFTER_FILLER
    } else {
        match end_before_parentheses(words, i, lexicon) {
            end if end < i => end_log_odds(&words[end - 1], lexicon).min(0.0),
            _ => 0.0,
        }
    };
    let mut lengths = 2..=MAX_WORDS.min(words.len() - i);
    let begins_with_aside = lengths.any(|length| is_aside(&words[i..i + length], lexicon));
    after + if begins_with_aside { ASIDE_FIRST } else { 0.0 }
}

fn end_log_odds(word: &str, lexicon: &Lexicon) -> f64 {
    lexicon.sentence_ends.get(word).copied().unwrap_or(0.0)
}

/// The end of what is before the fillers and asides that end before the word `i`: `i` if there
/// are none, or if nothing is before them.
fn end_before_parentheses(words: &[String], i: usize, lexicon: &Lexicon) -> usize {
    let mut end = i;
    loop {
        let mut lengths = (1..=MAX_WORDS.min(end)).rev();
        let is_parenthesis = |length: &usize| is_aside(&words[end - length..end], lexicon);
        match lengths.find(is_parenthesis) {
            Some(length) if length < end => end -= length,
            Some(_) | None => return end,
        }
    }
}

/// Whether the words are a filler, an aside of several words, or a particle such as "well".
fn is_aside(words: &[String], lexicon: &Lexicon) -> bool {
    match words {
        [word] => {
            let word = word.as_str();
            let is_particle = lexicon.asides.contains(word) && lexicon.is_function_word(word);
            is_particle || lexicon.fillers.contains(word)
        }
        _ => lexicon.asides.contains(words.join(" ").as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The log-odds of a start at `|`.
    fn start(text: &str) -> f64 {
        let (before, _) = text.split_once('|').unwrap();
        let words = text.split_whitespace().filter(|word| *word != "|");
        let words: Vec<String> = words.map(str::to_owned).collect();
        let lexicon = Lexicon::of([text].into_iter());
        start_log_odds(&words, before.split_whitespace().count(), lexicon)
    }

    #[track_caller]
    fn assert_start(text: &str, expected: f64) {
        let found = start(text);
        assert!((found - expected).abs() < 1e-9, "{text}: {found}");
    }

    #[test]
    fn a_sentence_goes_on_after_a_filler() {
        assert_start(
            "it is what a rope is made of um | my aunt had hemp",
            AFTER_FILLER,
        );
        assert_start(
            "und dann kommt der ähm | der blitz aus der wolke",
            AFTER_FILLER,
        );
    }

    #[test]
    fn a_sentence_ends_after_an_aside_only_where_it_may_end_before_it() {
        for inside in [
            "late means far because well | the signal is not the same as it was",
            "it is in the you know | kitchen that we had that",
            "er trinkt das und dann na ja | dann braucht man den kaffee",
        ] {
            assert!(start(inside) < -1.0, "{inside}");
        }
        for end in [
            "we had that in the kitchen you know | the signal is not the same",
            "er trinkt das im zimmer na ja | dann braucht man den kaffee",
            "it is the end | of it",
        ] {
            assert_start(end, 0.0);
        }
    }

    #[test]
    fn few_sentences_begin_with_an_aside() {
        assert_start("the rope is wet | you know it is the rain", ASIDE_FIRST);
        assert_start(
            "das ist der aufwind | sag ich mal und der ist warm",
            ASIDE_FIRST,
        );
        // Text that is only an aside.
        assert_start("| you know", 0.0);
        assert_start("well | the rope is wet and it is the rain", 0.0);
    }
}
