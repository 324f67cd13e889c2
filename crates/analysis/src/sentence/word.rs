//! The words of a transcript, without descriptions of sounds.

use crate::language::Lexicon;
use crate::segment_ref::TranscriptSegmentRef;

/// Characters that end a sentence in any script, apart from the full stop.
const TERMINATORS: [char; 11] = ['!', '?', '。', '！', '？', '؟', '۔', '।', '።', '։', '．'];
/// Terminators after which a sentence may follow without a space.
const TERMINATORS_WITHOUT_SPACE: [char; 3] = ['。', '！', '？'];
/// The time that a word takes in addition to its letters, in letters.
const WORD_LETTERS: f64 = 1.5;
const CLOSING: &str = "\"'”’»)]」』";
const OPENING: &str = "\"'“‘„«([「『¿¡";

/// What the punctuation after a word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    None,
    /// A comma, a dash or the like.
    Clause,
    /// No punctuation, but probably the end of a sentence by its words and pauses.
    Probable,
    Sentence,
}

/// A word with its punctuation, or a symbol between words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    /// Index of its transcript segment.
    pub(super) segment: usize,
    pub(super) ending: Ending,
    /// Start and end in the recording, in seconds; estimated.
    pub(super) start: f64,
    pub(super) end: f64,
    /// The probability that the place of the pause after the word is known, from a silence or
    /// from the times of two segments; 0 if it is only estimated.
    pub(super) pause_certainty: f64,
    /// Whether the times of this word and of the next one are both given, so that a pause
    /// between them would be known.
    pub(super) is_next_contiguous: bool,
}

impl Word<'_> {
    /// The word in lower case and without punctuation around it.
    pub(super) fn normalized(&self) -> String {
        normalize(self.text)
    }

    pub(super) fn is_capitalized(&self) -> bool {
        starts_with_upper_case(self.text)
    }

    /// How long it takes to say the word, as a number of letters.
    pub(super) fn length_in_letters(&self) -> f64 {
        WORD_LETTERS + self.text.chars().filter(|c| c.is_alphanumeric()).count() as f64
    }
}

/// A word in lower case and without punctuation around it.
pub(crate) fn normalize(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric())
        .replace('’', "'")
        .to_lowercase()
}

/// The words of the segments, without times. A segment in brackets, or within notes of
/// music, has none: it describes a sound.
pub(super) fn words<'a>(segments: &[TranscriptSegmentRef<'a>], lexicon: &Lexicon) -> Vec<Word<'a>> {
    let mut words: Vec<Word<'a>> = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        for text in spoken_tokens(segment.text) {
            words.push(Word {
                text,
                segment: index,
                ending: Ending::None,
                start: segment.time.start(),
                end: segment.time.end(),
                pause_certainty: 0.0,
                is_next_contiguous: false,
            });
        }
    }
    let is_cased = has_capitals_after_full_stops(&words, lexicon);
    for i in 0..words.len() {
        let next = words.get(i + 1).map(|next| next.text);
        words[i].ending = ending(words[i].text, next, is_cased, lexicon);
    }
    words
}

/// The tokens of a segment that are spoken.
fn spoken_tokens(text: &str) -> Vec<&str> {
    let trimmed = text.trim();
    let is_enclosed = |open: char, close: char| {
        trimmed.len() > 1
            && trimmed.starts_with(open)
            && trimmed.ends_with(close)
            && !trimmed[open.len_utf8()..]
                .trim_end_matches(close)
                .contains([open, close])
    };
    let is_sound =
        is_enclosed('(', ')') || is_enclosed('*', '*') || trimmed.starts_with(['♪', '♫']);
    if is_sound {
        return Vec::new();
    }
    let mut tokens = Vec::new();
    let mut rest = trimmed;
    while !rest.is_empty() {
        let (before, after) = match rest.split_once('[') {
            Some((before, bracket)) => match bracket.split_once(']') {
                Some((_, after)) => (before, after),
                None => (rest, ""),
            },
            None => (rest, ""),
        };
        let is_speech = |token: &&str| !token.chars().all(|c| "♪♫>-–—*".contains(c));
        tokens.extend(
            before
                .split_whitespace()
                .flat_map(split_after_terminators)
                .filter(is_speech),
        );
        rest = after;
    }
    // Only symbols, for example dots while nobody speaks.
    if !tokens
        .iter()
        .any(|token| token.chars().any(char::is_alphanumeric))
    {
        tokens.clear();
    }
    tokens
}

/// Splits text without spaces after each terminator that needs none.
fn split_after_terminators(token: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = token;
    while let Some(position) = rest.find(TERMINATORS_WITHOUT_SPACE) {
        let after = &rest[position..];
        let end = after
            .char_indices()
            .find(|(_, c)| !TERMINATORS_WITHOUT_SPACE.contains(c) && !CLOSING.contains(*c))
            .map_or(rest.len(), |(offset, _)| position + offset);
        parts.push(&rest[..end]);
        rest = &rest[end..];
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

/// Whether most full stops precede a capital letter. Some recognizers write no capitals.
fn has_capitals_after_full_stops(words: &[Word<'_>], lexicon: &Lexicon) -> bool {
    let after = words
        .windows(2)
        .filter(|pair| pair[0].text.ends_with('.'))
        .filter(|pair| {
            !lexicon
                .abbreviations
                .contains(pair[0].normalized().as_str())
        })
        .map(|pair| pair[1]);
    let (mut upper, mut lower) = (0, 0);
    for word in after {
        if word.is_capitalized() {
            upper += 1;
        } else {
            lower += 1;
        }
    }
    upper >= lower
}

fn starts_with_upper_case(word: &str) -> bool {
    first_letter(word).is_some_and(char::is_uppercase)
}

fn starts_with_lower_case(word: &str) -> bool {
    first_letter(word).is_some_and(char::is_lowercase)
}

fn first_letter(word: &str) -> Option<char> {
    word.trim_start_matches(|c| OPENING.contains(c))
        .chars()
        .next()
}

/// What the punctuation of `word` says before the word `next`. `is_cased`: sentences
/// begin with a capital letter.
fn ending(word: &str, next: Option<&str>, is_cased: bool, lexicon: &Lexicon) -> Ending {
    let trimmed = word.trim_end_matches(|c| CLOSING.contains(c));
    let continues = is_cased && next.is_some_and(starts_with_lower_case);
    if trimmed.ends_with(TERMINATORS) {
        return if continues {
            Ending::Clause
        } else {
            Ending::Sentence
        };
    }
    if trimmed.ends_with('…') || trimmed.ends_with("..") {
        let begins = next.is_none_or(starts_with_upper_case);
        return if begins {
            Ending::Sentence
        } else {
            Ending::Clause
        };
    }
    if trimmed.ends_with([',', ';', ':', '、', '，', '–', '—']) {
        return Ending::Clause;
    }
    match trimmed.strip_suffix('.') {
        Some(_) if continues => Ending::None,
        Some(stem) if next.is_some_and(|next| is_abbreviated(stem, next, lexicon)) => Ending::None,
        Some(_) => Ending::Sentence,
        None => Ending::None,
    }
}

/// Whether the full stop after `stem` belongs to an abbreviation, an initial or an
/// ordinal number. Before a function word with a capital letter it ends the sentence as
/// well.
fn is_abbreviated(stem: &str, next: &str, lexicon: &Lexicon) -> bool {
    let stem = normalize(stem);
    let is_initial =
        stem.chars().count() == 1 && stem.chars().all(char::is_alphabetic) && stem != "i";
    let is_ordinal = lexicon.has_ordinal_dots
        && (1..=2).contains(&stem.len())
        && stem.bytes().all(|byte| byte.is_ascii_digit());
    let next = normalize(next);
    let is_known = lexicon.is_function_word(&next) || lexicon.general_words.contains(next.as_str());
    // An initial is no pronoun.
    let begins_sentence = is_known && next.len() > 1;
    let may_be_abbreviated =
        is_initial || is_ordinal || lexicon.abbreviations.contains(stem.as_str());
    may_be_abbreviated && !begins_sentence
}

#[cfg(test)]
mod tests {
    use lectern_domain::TimeRange;

    use super::*;

    fn sentences(text: &str) -> Vec<String> {
        let segment = TranscriptSegmentRef {
            time: TimeRange::new(0.0, 9.0).unwrap(),
            text,
            words: &[],
        };
        let lexicon = Lexicon::of([text].into_iter());
        let words = words(&[segment], lexicon);
        words
            .split_inclusive(|word| word.ending == Ending::Sentence)
            .map(|words| {
                words
                    .iter()
                    .map(|word| word.text)
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect()
    }

    #[test]
    fn a_full_stop_in_an_abbreviation_ends_no_sentence() {
        for text in [
            "We know this from Dr. Harrison and the clock of J. S. Bach.",
            "It is used for many things, e.g. the index of a table.",
            "The rate was 3.5 percent in the U.S. economy and that is a lot.",
            "Das ist z. B. in Mainz so, und es gilt auch für Prof. Müller.",
            "Die Klausur ist am 14. Februar, und sie findet im 2. Stock statt.",
        ] {
            assert_eq!(sentences(text), [text]);
        }
    }

    #[test]
    fn an_abbreviation_before_a_new_sentence_ends_one() {
        for (first, second) in [
            ("We had trees, leaves, etc.", "The roots are next."),
            ("The lecture is at nine a.m.", "It ends at ten."),
            ("Wir treffen uns in Raum 12.", "Wer kommt, ist da."),
            ("That was in 1990.", "Paris is the place."),
            ("He is as tall as I.", "You are not."),
            (
                "Das waren Bach, Händel usw.",
                "Die anderen kennt man nicht.",
            ),
        ] {
            assert_eq!(sentences(&format!("{first} {second}")), [first, second]);
        }
    }

    #[test]
    fn sentences_end_in_any_script_and_inside_quotes() {
        assert_eq!(
            sentences("これは海です。次は山です！"),
            ["これは海です。", "次は山です！"]
        );
        assert_eq!(sentences("هل هذا صحيح؟ نعم."), ["هل هذا صحيح؟", "نعم."]);
        assert_eq!(
            sentences("He said \"stop.\" Then he left."),
            ["He said \"stop.\"", "Then he left."]
        );
        assert_eq!(
            sentences("\"Why?\" she asked, and left."),
            ["\"Why?\" she asked, and left."]
        );
        assert_eq!(
            sentences("Well… it is hard. Really…"),
            ["Well… it is hard.", "Really…"]
        );
    }

    #[test]
    fn a_text_without_capitals_has_sentences() {
        assert_eq!(
            sentences("this is a tree. it has leaves. they are green."),
            ["this is a tree.", "it has leaves.", "they are green."]
        );
    }

    #[test]
    fn descriptions_of_sounds_are_not_words() {
        for text in [
            "[Music]",
            "(applause)",
            "♪ la la ♪",
            "*laughs*",
            "[ Musik ]",
            "…",
            ">> [inaudible]",
        ] {
            assert!(sentences(text).is_empty(), "{text}");
        }
        assert_eq!(sentences(">> So [coughs] a tree [laughter]"), ["So a tree"]);
        assert_eq!(sentences("f(x) [is] open [ here"), ["f(x) open [ here"]);
        assert_eq!(
            sentences("(a) and (b) are equal"),
            ["(a) and (b) are equal"]
        );
    }
}
