//! AWS Transcribe.
//!
//! <https://docs.aws.amazon.com/transcribe/latest/dg/how-input.html#how-output>

use std::collections::HashMap;

use super::content::Content;
use super::document::{Object, Raw};
use super::item::{ItemReader, confidence, language, mean, timed_word};
use crate::entry::Entry;
use crate::notes::Change;
use crate::word_grouping::WordSeparator;

/// Reads the object `results`; `None` if it is not of this shape.
pub(super) fn read<'a>(reader: &mut ItemReader<'a>, results: &Object<'a>) -> Option<Content> {
    results.first(&["items", "audio_segments", "channel_labels"])?;
    let speakers = Speakers::of(results);
    let items = results.list("items");
    let words: Vec<Option<Entry>> = items
        .iter()
        .map(|raw| word(reader, raw, &speakers))
        .collect();
    let segments = results.list("audio_segments");
    if segments.is_empty() {
        let words = words.into_iter().flatten().collect();
        return Some(Content {
            words_to_join: Some(WordSeparator::Space),
            ..Content::segments(words)
        });
    }
    let mut entries = reader.segments(&segments);
    // A segment lists the numbers of its items.
    for (entry, raw) in entries.iter_mut().zip(&segments) {
        let numbers = Object::of(raw).map(|segment| segment.list("items"));
        let items = numbers.unwrap_or_default().into_iter().filter_map(|raw| {
            let number: usize = raw.get().parse().ok()?;
            words.get(number)?.as_ref()
        });
        let items: Vec<&Entry> = items.collect();
        entry.confidence = mean(items.iter().filter_map(|word| word.confidence));
        entry.words = items.iter().filter_map(|word| timed_word(word)).collect();
        entry.speaker = entry
            .speaker
            .take()
            .or_else(|| items.iter().find_map(|word| word.speaker.clone()));
    }
    Some(Content::segments(entries))
}

fn word<'a>(reader: &mut ItemReader<'a>, raw: Raw<'a>, speakers: &Speakers) -> Option<Entry> {
    let line = reader.line(raw);
    let Some(item) = Object::of(raw) else {
        reader.notes.add(Change::Unreadable, line);
        return None;
    };
    let best = item
        .list("alternatives")
        .first()
        .copied()
        .and_then(Object::of)?;
    let alternative = reader.word(&best, line)?;
    let own = super::times::item_times(&item, false);
    let start = item.text(&["start_time"]);
    let speaker = super::item::speaker(&item).or_else(|| speakers.at(start.as_deref()?).cloned());
    Some(Entry {
        start_ms: own.start_ms,
        end_ms: own.end_ms,
        speaker,
        confidence: confidence(&best).filter(|_| own.start_ms.is_some()),
        language: language(&item),
        ..alternative
    })
}

/// Who speaks the item that starts at a time, which is compared as it is written.
struct Speakers(HashMap<String, String>);

impl Speakers {
    fn of(results: &Object<'_>) -> Self {
        let mut speakers = HashMap::new();
        let labels = results.object("speaker_labels");
        for raw in labels
            .map(|labels| labels.list("segments"))
            .unwrap_or_default()
        {
            let Some(segment) = Object::of(raw) else {
                continue;
            };
            let items = segment.list("items");
            for item in items.into_iter().filter_map(Object::of).chain([segment]) {
                let start = item.text(&["start_time"]);
                if let Some((start, speaker)) = start.zip(item.text(&["speaker_label"])) {
                    speakers.entry(start).or_insert(speaker);
                }
            }
        }
        let channels = results.object("channel_labels");
        for raw in channels
            .map(|labels| labels.list("channels"))
            .unwrap_or_default()
        {
            let Some(channel) = Object::of(raw) else {
                continue;
            };
            let Some(label) = channel.text(&["channel_label"]) else {
                continue;
            };
            for item in channel.list("items").into_iter().filter_map(Object::of) {
                if let Some(start) = item.text(&["start_time"]) {
                    speakers.entry(start).or_insert_with(|| label.clone());
                }
            }
        }
        Self(speakers)
    }

    fn at(&self, start: &str) -> Option<&String> {
        self.0.get(start)
    }
}
