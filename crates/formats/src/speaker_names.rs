//! Speakers whose names are written in the text (`Name: …`) or as identifiers of cues.

use std::collections::{HashMap, HashSet};

use crate::cue::collapse_whitespace;
use crate::entry::Entry;

/// The most characters of a name in a text.
const MAX_CHARS: usize = 80;
/// The most words of a name.
const MAX_WORDS: usize = 6;

/// Words that begin a sentence with a colon more often than they are names.
const NOT_NAMES: [&str; 80] = [
    "answer",
    "answers",
    "assumption",
    "attention",
    "aufgabe",
    "background",
    "beispiel",
    "bonus",
    "careful",
    "caution",
    "chapter",
    "claim",
    "conclusion",
    "corollary",
    "correct",
    "danger",
    "definition",
    "disclaimer",
    "edit",
    "error",
    "example",
    "examples",
    "exception",
    "exercise",
    "fact",
    "finally",
    "first",
    "frage",
    "goal",
    "hint",
    "hinweis",
    "idea",
    "important",
    "input",
    "instead",
    "kapitel",
    "lemma",
    "lesson",
    "method",
    "music",
    "next",
    "no",
    "note",
    "notes",
    "observation",
    "ok",
    "okay",
    "output",
    "part",
    "plan",
    "point",
    "problem",
    "proof",
    "proposition",
    "question",
    "questions",
    "quote",
    "re",
    "reason",
    "recall",
    "remember",
    "reminder",
    "result",
    "rule",
    "second",
    "section",
    "so",
    "solution",
    "step",
    "summary",
    "theorem",
    "third",
    "time",
    "tip",
    "title",
    "today",
    "topic",
    "update",
    "warning",
    "yes",
];

/// Words before the number of an unnamed speaker.
const LABELS: [&str; 12] = [
    "speaker",
    "spk",
    "person",
    "participant",
    "guest",
    "voice",
    "sprecher",
    "locuteur",
    "hablante",
    "interviewer",
    "interviewee",
    "student",
];

/// Parts of a name that begin with a small letter.
const PARTICLES: [&str; 22] = [
    "a", "al", "and", "ben", "bin", "da", "das", "de", "del", "della", "den", "der", "di", "do",
    "dos", "du", "el", "la", "le", "of", "van", "von",
];

/// Moves names from the beginnings of lines to the speakers of the entries, unless the file
/// names speakers in another way. An entry in which several speak becomes one for each.
///
/// A name is taken if it is marked as one (`[SPEAKER_00]:`, `Speaker 1:`, `>> NAME:`), if it
/// recurs, or if most of the file's entries begin with names.
pub(crate) fn take_from_texts(entries: &mut Vec<Entry>) {
    if entries.iter().any(|entry| entry.speaker.is_some()) {
        return;
    }
    let names = accepted_names(entries);
    if names.is_empty() {
        return;
    }
    *entries = std::mem::take(entries)
        .into_iter()
        .flat_map(|entry| split_at_names(entry, &names))
        .collect();
}

/// The names that are taken, as [`Candidate::key`] has them.
fn accepted_names(entries: &[Entry]) -> HashSet<String> {
    #[derive(Default)]
    struct Seen {
        count: usize,
        is_marked: bool,
        is_distinct: bool,
    }
    let mut seen: HashMap<String, Seen> = HashMap::new();
    let mut with_name = 0;
    for entry in entries {
        for (i, line) in entry.text.trim_start().split('\n').enumerate() {
            let Some(candidate) = Candidate::of(line) else {
                continue;
            };
            with_name += usize::from(i == 0);
            let seen = seen.entry(candidate.key()).or_default();
            seen.count += 1;
            seen.is_marked |= candidate.is_marked;
            seen.is_distinct |= candidate.is_distinct();
        }
    }
    let with_text = entries
        .iter()
        .filter(|entry| !entry.text.trim().is_empty())
        .count();
    let is_usual = with_name >= 2 && with_name * 2 >= with_text;
    let is_almost_always = is_usual && with_name * 5 >= with_text * 4;
    let is_frequent = with_name * 20 >= with_text;
    seen.into_iter()
        .filter(|(_, seen)| {
            seen.is_marked
                || (seen.count >= 2 && is_frequent)
                || (is_usual && seen.is_distinct)
                || is_almost_always
        })
        .map(|(name, _)| name)
        .collect()
}

fn split_at_names(mut entry: Entry, names: &HashSet<String>) -> Vec<Entry> {
    let candidate = |line| Candidate::of(line).filter(|found| names.contains(&found.key()));
    if !entry.text.split('\n').any(|line| candidate(line).is_some()) {
        return vec![entry];
    }
    // The text before the first name has no speaker.
    let mut parts: Vec<(Option<String>, Vec<&str>)> = vec![(None, Vec::new())];
    let mut prefix_chars = 0;
    for (i, line) in entry.text.trim_start().split('\n').enumerate() {
        match candidate(line) {
            Some(found) => {
                if i == 0 {
                    prefix_chars = count_chars(line) - count_chars(found.rest);
                }
                parts.push((Some(found.name), vec![found.rest]));
            }
            None => {
                if let Some((_, lines)) = parts.last_mut() {
                    lines.push(line);
                }
            }
        }
    }
    let mut parts: Vec<(Option<String>, String)> = parts
        .into_iter()
        .map(|(speaker, lines)| (speaker, lines.join("\n").trim().to_owned()))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    if parts.is_empty() {
        return vec![entry];
    }
    if parts.len() == 1 {
        if let Some((speaker, text)) = parts.pop() {
            (entry.speaker, entry.text) = (speaker, text);
            remove_first_chars(&mut entry, prefix_chars);
        }
        return vec![entry];
    }
    let part = |(speaker, text)| Entry {
        speaker,
        text,
        words: Vec::new(),
        language: entry.language.clone(),
        ..entry
    };
    parts.into_iter().map(part).collect()
}

/// Removes the words of a name of this many characters from the beginning.
fn remove_first_chars(entry: &mut Entry, mut chars: usize) {
    let is_of_name = |word: &crate::cue::Word| {
        let length = count_chars(&word.text);
        let is_inside = length <= chars;
        chars = chars.saturating_sub(length);
        is_inside
    };
    let first = entry.words.iter().position({
        let mut is_of_name = is_of_name;
        move |word| !is_of_name(word)
    });
    entry.words.drain(..first.unwrap_or(entry.words.len()));
}

/// The number of characters without white space.
fn count_chars(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

/// A line that begins with what may be a name.
struct Candidate<'a> {
    name: String,
    /// The line after the colon.
    rest: &'a str,
    /// Whether it is certainly a name.
    is_marked: bool,
}

impl<'a> Candidate<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let line = line.trim();
        let unmarked = line.trim_start_matches(['>', '»']).trim_start();
        let arrows = line.len() - unmarked.len();
        let unmarked = match unmarked.strip_prefix(['-', '–', '—']) {
            Some(rest) => rest.trim_start(),
            None => unmarked,
        };
        if let Some(found) = Self::in_brackets(unmarked) {
            return Some(found);
        }
        let end = unmarked.find([':', '：'])?;
        if unmarked[..end].chars().count() > MAX_CHARS {
            return None;
        }
        let (name, rest) = unmarked.split_at(end);
        let is_wide = rest.starts_with('：');
        let rest = &rest[if is_wide { '：'.len_utf8() } else { 1 }..];
        // A colon inside of a word, as in "http://" or "10:30", ends no name.
        if !is_wide && !rest.is_empty() && !rest.starts_with([' ', '\t', '\u{a0}']) {
            return None;
        }
        let name = collapse_whitespace(name);
        let is_label = is_label(&name);
        if !is_label && !looks_like_name(&name) {
            return None;
        }
        Some(Self {
            is_marked: is_label || (arrows > 0 && name.chars().any(char::is_uppercase)),
            name,
            rest: rest.trim_start(),
        })
    }

    /// `[SPEAKER_00]: …`, `[SPEAKER_00] …` or `(Ada): …`.
    fn in_brackets(line: &'a str) -> Option<Self> {
        let close = match line.chars().next()? {
            '[' => ']',
            '(' => ')',
            '<' => '>',
            _ => return None,
        };
        let inner = &line[1..];
        let end = inner.find(close)?;
        let after = inner[end + 1..].trim_start();
        let name = collapse_whitespace(&inner[..end]);
        let (has_colon, rest) = match after.strip_prefix([':', '：']) {
            Some(rest) => (true, rest.trim_start()),
            None => (false, after),
        };
        let is_name = is_label(&name) || (has_colon && looks_like_name(&name));
        is_name.then_some(Self {
            name,
            rest,
            is_marked: true,
        })
    }

    fn key(&self) -> String {
        self.name.to_lowercase()
    }

    /// Whether the form alone makes a name likely: several words or only capitals.
    fn is_distinct(&self) -> bool {
        self.is_marked
            || self.name.contains(' ')
            || (self.name.chars().count() > 1 && !self.name.chars().any(char::is_lowercase))
    }
}

/// Whether this is the label of an unnamed speaker, such as `SPEAKER_00` or `Speaker A`.
pub(crate) fn is_label(name: &str) -> bool {
    let lower = name.trim_start_matches('@').to_lowercase();
    if matches!(
        lower.as_str(),
        "unknown" | "unknown speaker" | "unidentified speaker"
    ) {
        return true;
    }
    LABELS.iter().any(|label| {
        let Some(rest) = lower.strip_prefix(label) else {
            return false;
        };
        let number = rest.trim_start_matches([' ', '_', '-', '#']);
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let is_letter = number.len() == 1 && number != rest;
        is_number || is_letter
    })
}

/// Whether every word could be part of a name.
pub(crate) fn looks_like_name(name: &str) -> bool {
    let words: Vec<_> = name.split(' ').collect();
    if words.is_empty() || words.len() > MAX_WORDS {
        return false;
    }
    let is_known_word = |word: &str| {
        NOT_NAMES
            .binary_search(&word.to_lowercase().as_str())
            .is_ok()
    };
    // "Step 3" and "Question two" are no names either.
    if is_known_word(words[0]) {
        return false;
    }
    let is_name_char = |c: char| {
        c.is_alphanumeric()
            || matches!(
                c,
                '.' | '-' | '\'' | '’' | '_' | '(' | ')' | ',' | '@' | '·' | '・' | '&' | '/'
            )
            || is_combining(c)
    };
    let begins_as_name = |word: &str| {
        let Some(first) = word.trim_start_matches(['(', '@', '\'']).chars().next() else {
            return false;
        };
        // A script without capitals has names of few characters.
        let has_no_case = first.is_alphabetic() && !first.is_uppercase() && !first.is_lowercase();
        first.is_uppercase()
            || (has_no_case && name.chars().count() <= 12)
            || PARTICLES.contains(&word)
            || matches!(word, "&" | "-")
    };
    let first_is_particle = PARTICLES.contains(&words[0]) && words.len() == 1;
    !first_is_particle
        && name.chars().all(|c| c == ' ' || is_name_char(c))
        && name.chars().any(char::is_alphabetic)
        && words.iter().enumerate().all(|(i, word)| {
            begins_as_name(word) || (i > 0 && word.chars().all(|c| c.is_ascii_digit()))
        })
}

/// Marks that are part of a letter in many scripts.
fn is_combining(c: char) -> bool {
    matches!(u32::from(c), 0x0300..=0x036f | 0x0900..=0x0903 | 0x093a..=0x094f | 0x0e31..=0x0e4e)
}

/// The speaker in the identifier of a cue: `"Ada Lovelace" (1234)` with a number before it, as
/// Webex writes it, or the identifier itself.
pub(crate) fn quoted_name(identifier: &str) -> Option<&str> {
    let (number, rest) = identifier.split_once('"')?;
    let (name, _) = rest.split_once('"')?;
    let is_number = number.trim().bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !name.trim().is_empty()).then_some(name)
}

/// Which identifiers of a file's cues are speakers: they are few names that recur, or labels.
pub(crate) fn names_among_identifiers<'a>(identifiers: &[&'a str]) -> HashSet<&'a str> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for identifier in identifiers {
        *counts.entry(identifier).or_default() += 1;
    }
    let recur = identifiers.len() >= 3 && counts.len() * 2 <= identifiers.len() + 1;
    counts
        .into_keys()
        .filter(|identifier| is_label(identifier) || (recur && looks_like_name(identifier)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speakers(texts: &[&str]) -> Vec<(String, String)> {
        let entry = |text: &&str| Entry {
            text: (*text).to_owned(),
            ..Entry::default()
        };
        let mut entries = texts.iter().map(entry).collect();
        take_from_texts(&mut entries);
        let parts = |entry: Entry| (entry.speaker.unwrap_or_default(), entry.text);
        entries.into_iter().map(parts).collect()
    }

    fn pair(speaker: &str, text: &str) -> (String, String) {
        (speaker.to_owned(), text.to_owned())
    }

    #[test]
    fn the_words_that_are_no_names_are_sorted() {
        assert!(NOT_NAMES.is_sorted());
    }

    #[test]
    fn names_are_taken_where_they_are_marked_or_usual() {
        assert_eq!(
            speakers(&["[SPEAKER_00]: Hi.", "TOM: Yes.", ">> ADA: So?"]),
            [
                pair("SPEAKER_00", "Hi."),
                pair("TOM", "Yes."),
                pair("ADA", "So?")
            ]
        );
        assert_eq!(
            speakers(&[
                "Ngozi Okafor: Trees.",
                "Tom B.: Which?",
                "One thing: never mind."
            ]),
            [
                pair("Ngozi Okafor", "Trees."),
                pair("Tom B.", "Which?"),
                pair("", "One thing: never mind.")
            ]
        );
        assert_eq!(
            speakers(&["王老师：你好", "小明：老师好", "王老师：开始"])[1],
            pair("小明", "老师好")
        );
        assert_eq!(speakers(&["Speaker 2: Hi."]), [pair("Speaker 2", "Hi.")]);
        assert_eq!(
            speakers(&["- Ada: Hi.\n- Tom: Yes.", "Ada: So,\nlet us."]),
            [
                pair("Ada", "Hi."),
                pair("Tom", "Yes."),
                pair("Ada", "So,\nlet us.")
            ]
        );
    }

    #[test]
    fn a_colon_in_speech_is_kept() {
        for texts in [
            &["Remember: trees have roots.", "They grow."][..],
            &["Note: a.", "Note: b.", "Note: c."],
            &["See https://example.org", "It is 10:30: late"],
            &["Python: a language", "b", "c", "d"],
            &["Step 3: fold", "Step 4: press"],
            &["He said: yes", "She said: no"],
        ] {
            let expected: Vec<_> = texts.iter().map(|text| pair("", text)).collect();
            assert_eq!(speakers(texts), expected);
        }
    }

    #[test]
    fn identifiers_are_speakers_if_they_recur() {
        let names = |identifiers: &[&'static str]| {
            let mut names: Vec<_> = names_among_identifiers(identifiers).into_iter().collect();
            names.sort_unstable();
            names
        };
        assert_eq!(
            names(&["Speaker 1", "Speaker 2"]),
            ["Speaker 1", "Speaker 2"]
        );
        assert_eq!(names(&["Ada", "Tom", "Ada", "Tom"]), ["Ada", "Tom"]);
        assert_eq!(names(&["intro", "Roots", "Leaves"]), [""; 0]);
        assert_eq!(names(&["1", "2", "1", "2"]), [""; 0]);
        assert_eq!(quoted_name("12 \"Ada L.\" (991)"), Some("Ada L."));
        assert_eq!(quoted_name("say \"x\""), None);
    }
}
