//! Cues from words that nobody has made segments of.

use serde::Deserialize;

use super::python_json;
use crate::cue::{Cue, spoken};
use crate::time::millis;

/// A pause longer than this many milliseconds ends a cue.
const PAUSE_MS: u64 = 1_000;
/// The most milliseconds of a cue with several words.
const LONGEST_MS: u64 = 10_000;
/// The most characters of one: two lines of a subtitle.
const MOST_CHARS: usize = 80;

#[derive(Deserialize)]
struct File {
    text: Option<String>,
    words: Option<Vec<Word>>,
}

/// In seconds. What could not be aligned has no times.
#[derive(Deserialize)]
#[serde(expecting = "a word")]
struct Word {
    #[serde(rename = "word")]
    text: String,
    start: Option<f64>,
    end: Option<f64>,
}

/// The cues of the words in a file; `None` when it has no list of them.
pub(super) fn read(text: &str) -> serde_json::Result<Option<Vec<Cue>>> {
    let file: File = python_json::parse(text)?;
    let Some(words) = file.words else {
        return Ok(None);
    };
    // Whisper's words bring the space before them. OpenAI's do not; there the
    // whole text says whether the language has any.
    let bring_space = words.iter().any(|word| word.text.starts_with(' '));
    let has_spaces = file.text.is_none_or(|text| text.trim().contains(' '));
    let space = if has_spaces && !bring_space { " " } else { "" };
    let mut phrases: Vec<Phrase> = Vec::new();
    for word in words {
        let last = phrases.last_mut();
        let here = last.as_ref().map_or(0, |phrase| phrase.end_ms);
        let start_ms = word.start.map_or(here, millis);
        let next = Phrase {
            start_ms,
            end_ms: word.end.map_or(start_ms, millis).max(start_ms),
            text: word.text,
        };
        match last {
            Some(phrase) if phrase.goes_on_with(&next) => {
                phrase.end_ms = phrase.end_ms.max(next.end_ms);
                phrase.text.extend([space, &*next.text]);
            }
            _ => phrases.push(next),
        }
    }
    let cues = phrases.into_iter().filter_map(|phrase| {
        let text = spoken(phrase.text.trim())?;
        Some(Cue::new(phrase.start_ms, phrase.end_ms, text))
    });
    Ok(Some(cues.collect()))
}

/// Words that become a cue, times in milliseconds.
struct Phrase {
    start_ms: u64,
    end_ms: u64,
    text: String,
}

impl Phrase {
    fn goes_on_with(&self, next: &Self) -> bool {
        let chars = self.text.chars().count() + next.text.chars().count();
        next.start_ms >= self.start_ms
            && next.start_ms.saturating_sub(self.end_ms) <= PAUSE_MS
            && next.end_ms.saturating_sub(self.start_ms) <= LONGEST_MS
            && chars < MOST_CHARS
    }
}
