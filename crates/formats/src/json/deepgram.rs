//! Deepgram.
//!
//! <https://developers.deepgram.com/reference/speech-to-text/listen-pre-recorded>

use super::content::Content;
use super::document::Object;
use super::item::{ItemReader, attach_words};
use crate::entry::Entry;

/// Reads the object `results`; `None` if it is not of this shape.
pub(super) fn read<'a>(reader: &mut ItemReader<'a>, results: &Object<'a>) -> Option<Content> {
    let channels = results.list("channels");
    let utterances = results.list("utterances");
    if channels.is_empty() && utterances.is_empty() {
        return None;
    }
    if !utterances.is_empty() {
        let mut entries = Vec::with_capacity(utterances.len());
        for raw in &utterances {
            let mut read = reader.segments(&[raw]);
            if channels.len() > 1 {
                let channel = Object::of(raw).and_then(|utterance| utterance.text(&["channel"]));
                set_channel(&mut read, channel);
            }
            entries.extend(read);
        }
        if let [only] = channels[..]
            && let Some(best) = Object::of(only).and_then(|channel| best_alternative(&channel))
        {
            let words = reader.words(&best.list("words"));
            attach_words(&mut entries, &words);
        }
        return Some(Content::segments(entries));
    }
    let mut all = Content::default();
    for (number, raw) in channels.iter().enumerate() {
        let channel = Object::of(raw)?;
        let Some(best) = best_alternative(&channel) else {
            continue;
        };
        let mut content = sentences(reader, &best).unwrap_or_else(|| {
            let words = reader.words(&best.list("words"));
            Content::words(words)
        });
        if channels.len() > 1 {
            set_channel(&mut content.entries, Some(number.to_string()));
        }
        if all.entries.is_empty() {
            all.words_to_join = content.words_to_join;
        }
        all.entries.extend(content.entries);
    }
    Some(all)
}

fn best_alternative<'a>(channel: &Object<'a>) -> Option<Object<'a>> {
    Object::of(channel.list("alternatives").first()?)
}

/// The sentences of the paragraphs; `None` if there are none.
fn sentences<'a>(reader: &mut ItemReader<'a>, best: &Object<'a>) -> Option<Content> {
    let paragraphs = best.object("paragraphs")?.list("paragraphs");
    let mut entries = Vec::new();
    for paragraph in paragraphs.into_iter().filter_map(Object::of) {
        let speaker = super::item::speaker(&paragraph);
        let mut sentences = reader.segments(&paragraph.list("sentences"));
        for sentence in &mut sentences {
            sentence.speaker = sentence.speaker.take().or_else(|| speaker.clone());
        }
        entries.extend(sentences);
    }
    (!entries.is_empty()).then(|| Content::segments(entries))
}

/// Names the channel as the speaker of those who have no name.
fn set_channel(entries: &mut [Entry], channel: Option<String>) {
    let name = channel.map(|number| format!("channel {number}"));
    for entry in entries {
        entry.speaker = entry.speaker.take().or_else(|| name.clone());
    }
}
