//! The XML of `YouTube`: `transcript` with `text` elements, and `timedtext` with paragraphs.

use super::xml::{Element, Part, Parts};
use crate::cue::Word;
use crate::entry::Entry;
use crate::error::FormatError;
use crate::html_references::unescape_references;
use crate::notes::{Change, Notes};
use crate::time::non_negative;

/// Reads what follows the root element.
pub(super) fn read(parts: &mut Parts<'_>) -> Result<(Vec<Entry>, Notes), FormatError> {
    let (mut entries, mut notes) = (Vec::new(), Notes::default());
    let mut cue: Option<Entry> = None;
    while let Some(part) = parts.next()? {
        match part {
            Part::Start(element) if matches!(element.name.as_str(), "text" | "p") => {
                let started = begin(&element);
                if started.start_ms.is_none() {
                    notes.add(Change::UnreadableTimes, element.line);
                }
                cue = (!element.is_empty && started.start_ms.is_some()).then_some(started);
            }
            Part::Start(element) => {
                if let Some(cue) = &mut cue {
                    add_word(cue, &element);
                }
            }
            Part::Text(text) => {
                if let Some(cue) = &mut cue {
                    cue.text.push_str(&text);
                    if let Some(word) = cue.words.last_mut() {
                        word.text.push_str(&text);
                    }
                }
            }
            Part::End(name) => {
                if matches!(name.as_str(), "text" | "p")
                    && let Some(entry) = cue.take()
                {
                    entries.push(finished(entry));
                }
            }
        }
    }
    Ok((entries, notes))
}

/// Seconds are in `start` and `dur`, milliseconds in `t` and `d`.
fn begin(element: &Element) -> Entry {
    let number = |name: &str| element.attribute(name)?.trim().parse::<f64>().ok();
    let seconds = |name: &str| number(name).map(|seconds| seconds * 1_000.0);
    let start = seconds("start").or_else(|| number("t"));
    let duration = seconds("dur").or_else(|| number("d"));
    let start_ms = start.map(millis);
    let end_ms = start
        .zip(duration)
        .map(|(start, duration)| millis(start + duration));
    Entry {
        line: element.line,
        start_ms,
        end_ms,
        ..Entry::default()
    }
}

/// An `s` is a word; its `t` is relative to the start of the paragraph.
fn add_word(cue: &mut Entry, element: &Element) {
    let offset = element
        .attribute("t")
        .and_then(|time| time.parse::<f64>().ok());
    if element.name == "s"
        && let Some(start) = cue.start_ms
    {
        let start_ms = non_negative(start.saturating_add(millis(offset.unwrap_or(0.0))));
        if let Some(last) = cue.words.last_mut() {
            last.end_ms = start_ms.max(last.start_ms);
        }
        cue.words.push(Word {
            start_ms,
            end_ms: cue.end_ms.map_or(start_ms, non_negative).max(start_ms),
            text: String::new(),
            probability: None,
        });
    }
}

/// The texts are escaped twice.
fn finished(mut entry: Entry) -> Entry {
    unescape_references(&entry.text)
        .trim()
        .clone_into(&mut entry.text);
    for word in &mut entry.words {
        unescape_references(&word.text)
            .trim()
            .clone_into(&mut word.text);
    }
    entry.words.retain(|word| !word.text.is_empty());
    entry
}

fn millis(ms: f64) -> i64 {
    i64::try_from(crate::time::millis(ms / 1_000.0)).unwrap_or(i64::MAX)
}
