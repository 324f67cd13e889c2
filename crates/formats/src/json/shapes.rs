//! Finds the segments or words in a file.

use std::collections::HashMap;

use super::content::Content;
use super::document::{Object, Raw, list, number};
use super::item::{ItemReader, attach_words};
use super::times::item_times;
use super::{aws, azure, deepgram, google, rev, speechmatics, youtube};
use crate::entry::Entry;
use crate::word_grouping::is_unspaced;

/// Fields with lists of segments, the best first.
const SEGMENT_LISTS: [&str; 19] = [
    "segments",
    "speakers",
    "chunks",
    "transcription",
    "utterances",
    "Transcript",
    "transcript",
    "captions",
    "subtitles",
    "cues",
    "snippets",
    "sentences",
    "phrases",
    "paragraphs",
    "lines",
    "entries",
    "items",
    "objects",
    "data",
];

/// Fields with lists of words.
const WORD_LISTS: [&str; 4] = ["words", "word_segments", "result", "tokens"];

/// Fields with the object that has the lists.
const WRAPPERS: [&str; 12] = [
    "result",
    "response",
    "results",
    "transcription",
    "transcript",
    "inlineResult",
    "inline_result",
    "insights",
    "output",
    "data",
    "json",
    "contentJSON",
];

/// How deep the lists may be inside of such objects.
const MAX_DEPTH: usize = 5;

/// An entry that lasts longer, in milliseconds, is not a word.
const MAX_WORD_MS: i64 = 3_000;

/// Reads a file; `None` if nothing in it is known.
pub(super) fn read<'a>(reader: &mut ItemReader<'a>, raw: Raw<'a>) -> Option<Content> {
    let Some(file) = Object::of(raw) else {
        return read_items(reader, &list(raw)?);
    };
    let content = read_object(reader, &file, 0);
    // A file of JSON lines may have a single segment.
    let is_item = item_times(&file, false).start_ms.is_some() && file.has("text");
    content.or_else(|| read_items(reader, &[raw]).filter(|_| is_item))
}

/// Reads a list of segments, words or whole results.
pub(super) fn read_items<'a>(reader: &mut ItemReader<'a>, items: &[Raw<'a>]) -> Option<Content> {
    let Some(first) = items.iter().find_map(|raw| Object::of(raw)) else {
        return items.is_empty().then(Content::default);
    };
    if azure::is_phrase(&first) {
        return Some(azure::read_phrases(reader, items));
    }
    let is_item = [
        "start",
        "start_time",
        "timestamp",
        "offsets",
        "text",
        "word",
    ];
    let is_whole = first.has("result")
        || SEGMENT_LISTS
            .iter()
            .any(|name| is_list_of_objects(&first, name))
        || (first.has("results") && first.first(&is_item).is_none());
    if is_whole {
        return read_results(reader, items);
    }
    let entries = reader.segments(items);
    let is_bare_word = first.has("word") && !first.has("text");
    let content = if is_bare_word || are_words(&entries, 8) {
        Content::words(entries)
    } else {
        Content::segments(entries)
    };
    Some(content)
}

/// Joins several results of one recording, such as those of a stream.
fn read_results<'a>(reader: &mut ItemReader<'a>, results: &[Raw<'a>]) -> Option<Content> {
    let mut all = Content::default();
    let mut is_known = false;
    for raw in results {
        // The last of Vosk's results may have an empty text only.
        let Some(content) = Object::of(raw).and_then(|file| read_object(reader, &file, 1)) else {
            continue;
        };
        is_known = true;
        if all.entries.is_empty() {
            all.words_to_join = content.words_to_join;
        }
        all.entries.extend(content.entries);
        all.duration_ms = all.duration_ms.max(content.duration_ms);
    }
    is_known.then_some(all)
}

pub(super) fn read_object<'a>(
    reader: &mut ItemReader<'a>,
    file: &Object<'a>,
    depth: usize,
) -> Option<Content> {
    reader.is_in_milliseconds |= is_assembly_ai(file);
    let own_shape = own_shape(reader, file);
    let mut content = own_shape.or_else(|| common_shape(reader, file));
    if content.is_none() && depth < MAX_DEPTH {
        content = WRAPPERS.iter().find_map(|name| {
            let inner = file.object(name)?;
            read_object(reader, &inner, depth + 1)
        });
    }
    // Google's batches have an object with the name of the file.
    if content.is_none() && depth < MAX_DEPTH {
        let by_name = file.object("results").map(|files| files.objects());
        content = by_name
            .into_iter()
            .flatten()
            .find_map(|inner| read_object(reader, &inner, depth + 1));
    }
    let mut content = content?;
    name_speakers(&mut content.entries, file);
    if content.duration_ms.is_none() {
        content.duration_ms = duration_ms(file);
    }
    Some(content)
}

/// The shapes of single vendors.
fn own_shape<'a>(reader: &mut ItemReader<'a>, file: &Object<'a>) -> Option<Content> {
    if azure::is_phrase(file) {
        return azure::read_phrase(reader, file);
    }
    if let Some(results) = file.object("results") {
        return aws::read(reader, &results).or_else(|| deepgram::read(reader, &results));
    }
    let results = file.list("results");
    if let Some(first) = results.iter().find_map(|raw| Object::of(raw)) {
        return if speechmatics::is_result(&first) {
            Some(speechmatics::read(reader, &results))
        } else {
            google::read(reader, file, &results)
        };
    }
    azure::read(reader, file)
        .or_else(|| youtube::read(reader, file))
        .or_else(|| rev::read(reader, file))
}

/// Lists of segments or words under one of the usual names.
fn common_shape<'a>(reader: &mut ItemReader<'a>, file: &Object<'a>) -> Option<Content> {
    let text = file.text(&["text"]);
    let mut is_known = false;
    let notes = reader.notes.clone();
    let mut without_times = None;
    for name in SEGMENT_LISTS {
        let Some(items) = file.get(name).and_then(list) else {
            continue;
        };
        is_known |= items.is_empty() || Object::of(items[0]).is_some();
        let Some(first) = items.iter().find_map(|raw| Object::of(raw)) else {
            continue;
        };
        if azure::is_phrase(&first) {
            return Some(azure::read_phrases(reader, &items));
        }
        // Channels, each with words of its own.
        if first.first(&["text", "transcript", "words"]).is_some()
            && first.has("words")
            && first.first(&["channel_index", "language_code"]).is_some()
        {
            return read_results(reader, &items);
        }
        if is_paragraph_of_ted(&first) {
            reader.is_in_milliseconds = true;
            return read_results(reader, &items);
        }
        reader.is_in_milliseconds |= is_caption_of_kaltura(&first);
        let entries = reader.segments(&items);
        let fewest = if name == "segments" && !first.has("body") {
            8
        } else {
            3
        };
        let mut content = if are_words(&entries, fewest) {
            Content::words(entries)
        } else {
            Content::segments(entries)
        };
        if content.words_to_join.is_none() {
            let words = reader.words(&file.list("words"));
            attach_words(&mut content.entries, &words);
        }
        if content.has_text() && content.has_times() {
            return Some(content);
        }
        if !content.entries.is_empty() || !reader.notes.is_empty() {
            without_times.get_or_insert((content, reader.notes.clone()));
        }
        reader.notes = notes.clone();
    }
    for name in WORD_LISTS {
        let Some(items) = file.get(name).and_then(list) else {
            continue;
        };
        let Some(first) = items.iter().find_map(|raw| Object::of(raw)) else {
            is_known |= items.is_empty();
            continue;
        };
        if first.has("result") {
            return read_results(reader, &items);
        }
        let entries = reader.words(&items);
        let content = Content::words(entries);
        if content.has_text() && (content.has_times() || without_times.is_none()) {
            return Some(content);
        }
        reader.notes = notes.clone();
        is_known = true;
    }
    if let Some((content, notes)) = without_times {
        reader.notes = notes;
        return Some(content);
    }
    if let Some(first) = file.list("alternatives").first() {
        // Vosk with several alternatives.
        let first = Object::of(first)?;
        return common_shape(reader, &first);
    }
    if let Some(first) = file.list("videos").first() {
        // Azure's Video Indexer.
        let video = Object::of(first)?;
        return azure::read_insights(reader, &video.object("insights")?);
    }
    // A recording without speech.
    let is_silent = is_known && text.is_none_or(|text| text.trim().is_empty());
    is_silent.then(Content::default)
}

fn is_list_of_objects(file: &Object<'_>, name: &str) -> bool {
    let items = file.list(name);
    items.iter().any(|raw| Object::of(raw).is_some())
}

/// TED writes paragraphs of cues, with times in milliseconds.
fn is_paragraph_of_ted(item: &Object<'_>) -> bool {
    let cues = item.list("cues");
    let cue = cues.first().and_then(|raw| Object::of(raw));
    cue.is_some_and(|cue| cue.has("time") && cue.has("text"))
}

/// Kaltura writes a list of parts as the text, and times in milliseconds.
fn is_caption_of_kaltura(item: &Object<'_>) -> bool {
    item.has("startTime") && !item.list("content").is_empty()
}

/// Replaces identifiers of speakers by the names in a list of speakers beside the segments.
fn name_speakers(entries: &mut [Entry], file: &Object<'_>) {
    let speakers = file.list("speakers").into_iter();
    let names: HashMap<String, String> = speakers
        .filter_map(|raw| {
            let speaker = Object::of(raw)?;
            let id = speaker.text(&["id", "spkid"])?;
            Some((id, speaker.text(&["name"])?))
        })
        .filter(|(_, name)| !name.trim().is_empty())
        .collect();
    for speaker in entries
        .iter_mut()
        .filter_map(|entry| entry.speaker.as_mut())
    {
        if let Some(name) = names.get(speaker) {
            speaker.clone_from(name);
        }
    }
}

/// `AssemblyAI` writes times in milliseconds, but the length of the recording in seconds.
fn is_assembly_ai(file: &Object<'_>) -> bool {
    let has_lists = file.has("words") || file.has("utterances");
    let own_fields = [
        "audio_duration",
        "audio_url",
        "acoustic_model",
        "speech_model",
    ];
    has_lists && file.first(&own_fields).is_some()
}

/// The length of the recording in seconds that a file names, in milliseconds.
fn duration_ms(file: &Object<'_>) -> Option<u64> {
    let duration = file.first(&["duration", "audio_duration"])?;
    let ms = crate::time::millis(number(duration)?);
    (ms > 0).then_some(ms)
}

/// Whether the entries of a list of at least `fewest` segments are single words.
fn are_words(entries: &[Entry], fewest: usize) -> bool {
    if entries.len() < fewest {
        return false;
    }
    let (mut words, mut chars, mut unspaced) = (0, 0, 0);
    for entry in entries {
        let text = entry.text.trim();
        let length = entry.end_ms.unwrap_or(0) - entry.start_ms.unwrap_or(0);
        let is_word = !text.contains(char::is_whitespace) && length <= MAX_WORD_MS;
        words += usize::from(is_word);
        chars += text.chars().count();
        unspaced += usize::from(text.contains(is_unspaced));
    }
    let is_unspaced = unspaced * 2 > entries.len();
    let longest_mean = if is_unspaced { 3 } else { 12 };
    words * 10 >= entries.len() * 9 && chars <= entries.len() * longest_mean
}
