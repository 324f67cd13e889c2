//! The captions of `YouTube` as `json3`.

use super::content::Content;
use super::document::Object;
use super::item::ItemReader;
use super::times::item_times;
use crate::cue::Word;
use crate::entry::Entry;
use crate::time::non_negative;

/// Reads `events`, each with a start, a duration and parts of a text. Events without parts
/// define windows.
pub(super) fn read<'a>(reader: &mut ItemReader<'a>, file: &Object<'a>) -> Option<Content> {
    let events = file.list("events");
    let is_event = |event: &Object<'_>| event.has("tStartMs");
    events
        .iter()
        .find_map(|raw| Object::of(raw).filter(is_event))?;
    let mut entries: Vec<Entry> = Vec::with_capacity(events.len());
    for raw in events {
        let line = reader.line(raw);
        let Some(event) = Object::of(raw) else {
            reader.notes.add(crate::notes::Change::Unreadable, line);
            continue;
        };
        let times = item_times(&event, false);
        let (mut text, mut starts) = (String::new(), Vec::new());
        for part in event.list("segs").into_iter().filter_map(Object::of) {
            let part_text = part.text(&["utf8"]).unwrap_or_default();
            let offset = part.number(&["tOffsetMs"]).unwrap_or(0.0) / 1_000.0;
            let offset = i64::try_from(crate::time::millis(offset)).unwrap_or(0);
            starts.push((offset, part_text.trim().to_owned()));
            text.push_str(&part_text);
        }
        if text.trim().is_empty() {
            continue;
        }
        let start = times.start_ms.unwrap_or(0);
        let end = times.end_ms.unwrap_or(start);
        // A cue of one part has no times of words.
        let is_timed = starts.len() > 1;
        let ends = starts
            .iter()
            .skip(1)
            .map(|(offset, _)| start.saturating_add(*offset));
        let words = starts
            .iter()
            .zip(ends.chain([end]))
            .filter(|((_, text), _)| is_timed && !text.is_empty())
            .map(|((offset, text), end)| {
                let start = non_negative(start.saturating_add(*offset));
                Word {
                    start_ms: start,
                    end_ms: non_negative(end).max(start),
                    text: text.clone(),
                    probability: None,
                }
            });
        entries.push(Entry {
            line,
            start_ms: times.start_ms,
            end_ms: times.end_ms,
            text: text.trim().to_owned(),
            words: words.collect(),
            ..Entry::default()
        });
    }
    // A line of automatic captions stays while the next one is spoken below it.
    let starts: Vec<Option<i64>> = entries.iter().skip(1).map(|entry| entry.start_ms).collect();
    for (entry, next) in entries.iter_mut().zip(starts) {
        if !entry.words.is_empty()
            && let Some((end, next)) = entry.end_ms.zip(next)
            && entry.start_ms.is_some_and(|start| start < next)
        {
            entry.end_ms = Some(end.min(next));
            for word in &mut entry.words {
                word.end_ms = word.end_ms.min(non_negative(next)).max(word.start_ms);
            }
        }
    }
    Some(Content::segments(entries))
}
