//! Cues from a list of words without segments.

use serde::Deserialize;

use super::python_json;
use crate::cue::{Cue, spoken_text};
use crate::time::millis;

/// The longest pause within a cue.
const MAX_PAUSE_MS: u64 = 1_000;
/// The longest duration of a cue of more than one word.
const MAX_DURATION_MS: u64 = 10_000;
/// The longest text of a cue of more than one word, in characters: two lines of a
/// subtitle.
const MAX_CHARS: usize = 80;

#[derive(Deserialize)]
struct File {
    text: Option<String>,
    words: Option<Vec<Word>>,
}

#[derive(Deserialize)]
#[serde(expecting = "a word")]
struct Word {
    #[serde(rename = "word")]
    text: String,
    /// In seconds, as is `end`; `None` if the word could not be aligned.
    start: Option<f64>,
    end: Option<f64>,
}

/// Reads the words of a file; `None` if the file has no list of words.
pub(super) fn read(text: &str) -> python_json::Result<Option<Vec<Cue>>> {
    let file: File = python_json::parse(text)?;
    let Some(words) = file.words else {
        return Ok(None);
    };
    // In a language with spaces, the words in Whisper's files begin with a space. In files
    // from OpenAI, words never begin with a space, but the full text has spaces between the
    // words.
    let words_begin_with_space = words.iter().any(|word| word.text.starts_with(' '));
    let language_has_spaces = file.text.is_none_or(|text| text.trim().contains(' '));
    let separator = if language_has_spaces && !words_begin_with_space {
        " "
    } else {
        ""
    };
    let mut phrases: Vec<Phrase> = Vec::new();
    for word in words {
        let last = phrases.last_mut();
        let last_end_ms = last.as_ref().map_or(0, |phrase| phrase.end_ms);
        let start_ms = word.start.map_or(last_end_ms, millis);
        let next = Phrase {
            start_ms,
            end_ms: word.end.map_or(start_ms, millis).max(start_ms),
            text: word.text,
        };
        match last {
            Some(phrase) if phrase.can_be_joined_with(&next) => {
                phrase.end_ms = phrase.end_ms.max(next.end_ms);
                phrase.text.extend([separator, &*next.text]);
            }
            _ => phrases.push(next),
        }
    }
    let cues = phrases.into_iter().filter_map(|phrase| {
        let text = spoken_text(phrase.text.trim())?;
        Some(Cue::new(phrase.start_ms, phrase.end_ms, text))
    });
    Ok(Some(cues.collect()))
}

/// Words that become one cue.
struct Phrase {
    start_ms: u64,
    end_ms: u64,
    text: String,
}

impl Phrase {
    fn can_be_joined_with(&self, next: &Self) -> bool {
        let chars = self.text.chars().count() + next.text.chars().count();
        next.start_ms >= self.start_ms
            && next.start_ms.saturating_sub(self.end_ms) <= MAX_PAUSE_MS
            && next.end_ms.saturating_sub(self.start_ms) <= MAX_DURATION_MS
            && chars < MAX_CHARS
    }
}
