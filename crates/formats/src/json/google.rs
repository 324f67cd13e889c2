//! Google Speech-to-Text and IBM Watson, whose results have alternatives.
//!
//! <https://cloud.google.com/speech-to-text/docs/reference/rest/v1/speech/recognize>,
//! <https://cloud.ibm.com/apidocs/speech-to-text#recognize>

use std::collections::HashMap;

use super::content::Content;
use super::document::{Object, Raw, list, number, text};
use super::item::{ItemReader, confidence, language};
use super::times::item_times;
use crate::entry::Entry;

/// Reads the list `results` of a file; `None` if it is not of this shape.
pub(super) fn read<'a>(
    reader: &mut ItemReader<'a>,
    file: &Object<'a>,
    results: &[Raw<'a>],
) -> Option<Content> {
    let speakers = watson_speakers(file);
    let (mut words, mut segments) = (Vec::new(), Vec::new());
    let mut last_end_ms = 0;
    let mut has_alternatives = false;
    for raw in results {
        let line = reader.line(raw);
        let Some(result) = Object::of(raw) else {
            continue;
        };
        let Some(best) = result
            .list("alternatives")
            .first()
            .copied()
            .and_then(Object::of)
        else {
            continue;
        };
        has_alternatives = true;
        let end_ms = result
            .get("resultEndTime")
            .or(result.get("resultEndOffset"));
        let end_ms = end_ms.and_then(|_| end_of_result(&result));
        let own_text = best.text(&["transcript"]).unwrap_or_default();
        let mut own: Vec<Entry> = reader.words(&best.list("words"));
        for raw in best.list("timestamps") {
            own.extend(watson_word(raw, line, &speakers));
        }
        let mean_confidence = confidence(&best);
        let result_language = language(&result);
        for word in &mut own {
            word.confidence = word.confidence.or(mean_confidence);
            word.language = word.language.take().or_else(|| result_language.clone());
        }
        let has_tags = own.iter().any(|word| word.speaker.is_some());
        let was_tagged = words.iter().any(|word: &Entry| word.speaker.is_some());
        // With speakers, the last result repeats all words of the others.
        if has_tags && !was_tagged && !words.is_empty() {
            words.clear();
            segments.clear();
        }
        if own.is_empty() && !own_text.trim().is_empty() {
            segments.push(Entry {
                line,
                start_ms: Some(last_end_ms),
                end_ms,
                text: own_text,
                confidence: confidence(&best),
                language: result_language,
                ..Entry::default()
            });
        }
        if let Some(last) = own.last().and_then(|word| word.end_ms).or(end_ms) {
            last_end_ms = last;
        }
        words.extend(own);
    }
    if !has_alternatives {
        return None;
    }
    Some(if words.is_empty() {
        let has_ends = segments.iter().any(|entry: &Entry| entry.end_ms.is_some());
        if !has_ends {
            for segment in &mut segments {
                segment.start_ms = None;
            }
        }
        Content::segments(segments)
    } else {
        Content::words(words)
    })
}

fn end_of_result(result: &Object<'_>) -> Option<i64> {
    let json = ["resultEndTime", "resultEndOffset"]
        .iter()
        .find_map(|name| result.get(name))?;
    let wrapped = format!(r#"{{"start": {}}}"#, json.get());
    let item: Object<'_> = serde_json::from_str(&wrapped).ok()?;
    item_times(&item, false).start_ms
}

/// A word of Watson: `["word", 0.1, 0.5]`.
fn watson_word(raw: Raw<'_>, line: usize, speakers: &HashMap<String, String>) -> Option<Entry> {
    let parts = list(raw)?;
    let [word, start, end] = parts[..] else {
        return None;
    };
    let millis = |seconds: f64| i64::try_from(crate::time::millis(seconds)).ok();
    Some(Entry {
        line,
        start_ms: millis(number(start)?),
        end_ms: millis(number(end)?),
        text: text(word)?,
        speaker: speakers.get(start.get()).cloned(),
        ..Entry::default()
    })
}

/// Who speaks at a time, which is compared as it is written.
fn watson_speakers(file: &Object<'_>) -> HashMap<String, String> {
    let labels = file.list("speaker_labels").into_iter();
    let labels = labels.filter_map(|raw| {
        let label = Object::of(raw)?;
        let start = label.get("from")?.get().to_owned();
        Some((start, label.text(&["speaker"])?))
    });
    labels.collect()
}
