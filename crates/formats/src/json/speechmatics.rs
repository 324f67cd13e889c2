//! Speechmatics.
//!
//! <https://docs.speechmatics.com/speech-to-text/batch/output>

use super::content::Content;
use super::document::{Object, Raw};
use super::item::{ItemReader, speaker};
use super::times::item_times;
use crate::entry::Entry;
use crate::word_grouping::WordSeparator;

/// Whether this is an item of the list `results`: a word or a punctuation mark.
pub(super) fn is_result(item: &Object<'_>) -> bool {
    item.has("alternatives") && item.first(&["start_time", "type"]).is_some()
}

pub(super) fn read<'a>(reader: &mut ItemReader<'a>, results: &[Raw<'a>]) -> Content {
    let mut words = Vec::with_capacity(results.len());
    for raw in results {
        let line = reader.line(raw);
        let Some(item) = Object::of(raw) else {
            reader.notes.add(crate::notes::Change::Unreadable, line);
            continue;
        };
        let Some(best) = item
            .list("alternatives")
            .first()
            .copied()
            .and_then(Object::of)
        else {
            continue;
        };
        let Some(word) = reader.word(&best, line) else {
            reader.notes.add(crate::notes::Change::NoText, line);
            continue;
        };
        let times = item_times(&item, false);
        // A mark has the time of the end of the word before it.
        let is_mark = item.text(&["type"]).as_deref() == Some("punctuation");
        let start_ms = times.start_ms.filter(|_| !is_mark);
        words.push(Entry {
            start_ms,
            end_ms: times.end_ms.filter(|_| start_ms.is_some()),
            speaker: speaker(&best)
                .or_else(|| speaker(&item))
                .or_else(|| item.text(&["channel"]))
                .filter(|_| !is_mark),
            confidence: word.confidence.filter(|_| !is_mark),
            ..word
        });
    }
    let has_spaces = WordSeparator::of(&words);
    Content {
        words_to_join: Some(has_spaces),
        ..Content::segments(words)
    }
}
