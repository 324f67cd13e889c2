//! Azure AI Speech and Video Indexer.
//!
//! <https://learn.microsoft.com/azure/ai-services/speech-service/batch-transcription-get>

use super::content::Content;
use super::document::{Object, Raw};
use super::item::{ItemReader, confidence, language, speaker, timed_word};
use super::times::item_times;
use crate::entry::Entry;

/// Reads a batch (`recognizedPhrases`) or a fast transcription (`phrases`).
pub(super) fn read<'a>(reader: &mut ItemReader<'a>, file: &Object<'a>) -> Option<Content> {
    let phrases = file.first(&["recognizedPhrases", "phrases"])?;
    let phrases = super::document::list(phrases)?;
    Some(read_phrases(reader, &phrases))
}

/// Whether this is a phrase, as batches and the SDK write it.
pub(super) fn is_phrase(item: &Object<'_>) -> bool {
    item.first(&[
        "nBest",
        "NBest",
        "RecognitionStatus",
        "offsetInTicks",
        "offsetMilliseconds",
    ])
    .is_some()
}

pub(super) fn read_phrases<'a>(reader: &mut ItemReader<'a>, phrases: &[Raw<'a>]) -> Content {
    let mut entries = Vec::with_capacity(phrases.len());
    let channels: std::collections::BTreeSet<String> = phrases
        .iter()
        .filter_map(|raw| Object::of(raw)?.text(&["channel"]))
        .collect();
    for raw in phrases {
        let line = reader.line(raw);
        let Some(phrase) = Object::of(raw) else {
            reader.notes.add(crate::notes::Change::Unreadable, line);
            continue;
        };
        let Some(mut entry) = phrase_entry(reader, &phrase, line) else {
            continue;
        };
        if channels.len() > 1 && entry.speaker.is_none() {
            let channel = phrase.text(&["channel"]);
            entry.speaker = channel.map(|number| format!("channel {number}"));
        }
        entries.push(entry);
    }
    Content::segments(entries)
}

/// A file that is a single phrase.
pub(super) fn read_phrase<'a>(reader: &mut ItemReader<'a>, phrase: &Object<'a>) -> Option<Content> {
    let entry = phrase_entry(reader, phrase, 1)?;
    Some(Content::segments(vec![entry]))
}

/// `None` if nothing was recognized.
fn phrase_entry<'a>(
    reader: &mut ItemReader<'a>,
    phrase: &Object<'a>,
    line: usize,
) -> Option<Entry> {
    let best = ["nBest", "NBest"]
        .iter()
        .find_map(|name| phrase.list(name).first().copied());
    let best = best.and_then(Object::of);
    let texts = [
        "display",
        "Display",
        "DisplayText",
        "text",
        "lexical",
        "Lexical",
    ];
    let text = best
        .as_ref()
        .and_then(|best| best.text(&texts))
        .or_else(|| phrase.text(&texts))?;
    let times = item_times(phrase, false);
    let lists = ["displayWords", "words", "Words", "DisplayWords"];
    let words = lists.iter().find_map(|name| {
        let owner = best.as_ref().unwrap_or(phrase);
        Some(owner.list(name)).filter(|words| !words.is_empty())
    });
    let words: Vec<Entry> = words
        .unwrap_or_default()
        .into_iter()
        .filter_map(|raw| reader.word(&Object::of(raw)?, line))
        .collect();
    Some(Entry {
        line,
        start_ms: times.start_ms,
        end_ms: times.end_ms,
        text,
        speaker: speaker(phrase),
        confidence: best
            .as_ref()
            .and_then(confidence)
            .or_else(|| confidence(phrase)),
        words: words.iter().filter_map(timed_word).collect(),
        language: language(phrase),
    })
}

/// The transcript of Video Indexer, whose lines have a list of `instances` with times.
pub(super) fn read_insights<'a>(
    reader: &mut ItemReader<'a>,
    insights: &Object<'a>,
) -> Option<Content> {
    let mut entries = Vec::new();
    for raw in insights.list("transcript") {
        let line = reader.line(raw);
        let item = Object::of(raw)?;
        let instance = item
            .list("instances")
            .first()
            .copied()
            .and_then(Object::of)?;
        let times = item_times(&instance, false);
        if let Some(entry) = reader.entry(&item, line) {
            entries.push(Entry {
                start_ms: times.start_ms,
                end_ms: times.end_ms,
                ..entry
            });
        }
    }
    Some(Content::segments(entries))
}
