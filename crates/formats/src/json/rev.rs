//! Rev.ai, and Vosk's command, which writes the same.
//!
//! <https://docs.rev.ai/api/asynchronous/get-started/#get-transcript>

use super::content::Content;
use super::document::Object;
use super::item::ItemReader;
use crate::entry::Entry;
use crate::word_grouping::WordSeparator;

/// Reads `monologues`, each with elements that are words, punctuation marks and spaces.
pub(super) fn read<'a>(reader: &mut ItemReader<'a>, file: &Object<'a>) -> Option<Content> {
    file.get("monologues")?;
    let mut words = Vec::new();
    for raw in file.list("monologues") {
        let monologue = Object::of(raw)?;
        let speaker = super::item::speaker(&monologue);
        for element in monologue.list("elements") {
            let line = reader.line(element);
            let word = Object::of(element).and_then(|element| reader.word(&element, line));
            if let Some(word) = word {
                words.push(Entry {
                    speaker: speaker.clone().filter(|_| word.start_ms.is_some()),
                    ..word
                });
            }
        }
    }
    let separator = WordSeparator::of(&words);
    Some(Content {
        words_to_join: Some(separator),
        ..Content::segments(words)
    })
}
