//! The JSON of speech recognizers and of programs for captions.
//!
//! Read are
//!
//! - segments (`segments`, `chunks`, `transcription`, `utterances`, `phrases`, `captions` …)
//!   with a text and times, from Whisper and the programs derived from it, transformers,
//!   `AssemblyAI`, Gladia, Podcasting 2.0 and others, also without the object around the list;
//! - words with times (`words`, `word_segments`, `result`), from `OpenAI`, `ElevenLabs`, Vosk
//!   and others; words are joined into cues;
//! - the own shapes of AWS Transcribe, Azure, Deepgram, Google, IBM Watson, Rev.ai,
//!   Speechmatics and `YouTube` (`json3`);
//! - JSON lines, of which each is a segment, a word or a whole result.
//!
//! Times are seconds unless the file says otherwise. If seconds do not fit the texts or the
//! recording, the unit is recognized; see `time_unit.rs`. A segment without an end ends
//! at the next start.
//!
//! Python writes `NaN`, `Infinity` and `-Infinity`, which are not JSON. These numbers are
//! read as `null`, so such a confidence is unknown.
//!
//! The confidence of a segment is the first of these values that the segment has:
//!
//! - its `confidence`;
//! - *e* to the power of its `avg_logprob`, which is the geometric mean of the
//!   probabilities of its tokens;
//! - the mean `p` of its tokens;
//! - the mean `probability` or `score` of its words.
//!
//! A segment that has no speech by Whisper's own rule (`no_speech_prob` and `avg_logprob`) is
//! left out and noted: its text is invented, and nothing that is stored would show that. One
//! that repeats itself (`compression_ratio`) is kept and noted, because the repetition can be
//! seen in the text, and some people repeat themselves.

mod aws;
mod azure;
mod content;
mod deepgram;
mod detect;
mod document;
mod google;
mod item;
mod python_json;
mod rev;
mod shapes;
mod speechmatics;
mod times;
mod youtube;

use lectern_domain::LanguageTag;
use serde_json::value::RawValue;

use crate::entry::Entry;
use crate::error::FormatError;
use crate::notes::{Change, Notes};
use crate::parsed_file::ParsedFile;
use content::Content;
use document::{Object, Raw};
use item::ItemReader;

pub use detect::detect;

/// The names of what is read, for errors.
const KNOWN: &str = "a list of segments or words with a text and a start: as Whisper (OpenAI, \
    whisper.cpp, WhisperX, transformers), AssemblyAI, AWS Transcribe, Azure, Deepgram, ElevenLabs, \
    Google, Podcasting 2.0, Rev.ai, Speechmatics, Vosk or YouTube (json3) write it";

/// Reads a file.
///
/// Fails on anything but JSON of one of the accepted shapes, and on a file of which no segment
/// or word has a time.
pub(crate) fn parse(text: &str) -> Result<ParsedFile, FormatError> {
    let text = python_json::valid(text);
    let (values, bad_lines) = values(&text)?;
    let mut reader = ItemReader::new(&text);
    for line in bad_lines {
        reader.notes.add(Change::Unreadable, line);
    }
    let language = match values[..] {
        [value] => language_of_file(value),
        _ => None,
    };
    let content = match values[..] {
        [value] => shapes::read(&mut reader, value),
        _ => shapes::read_items(&mut reader, &values),
    };
    let Some(content) = content else {
        return Err(FormatError::new(
            1,
            format!("expected segments with times: {KNOWN}"),
        ));
    };
    let file = finish(content, reader)?;
    Ok(ParsedFile { language, ..file })
}

/// The language of the whole file: a field of its object, or of the results in it.
fn language_of_file(file: Raw<'_>) -> Option<LanguageTag> {
    let file = Object::of(file)?;
    let results = ["result", "results"].iter();
    let results = results.filter_map(|name| Object::of(file.get(name)?));
    item::language(&file).or_else(|| {
        results
            .into_iter()
            .find_map(|object| item::language(&object))
    })
}

fn finish(content: Content, reader: ItemReader<'_>) -> Result<ParsedFile, FormatError> {
    let Content {
        mut entries,
        words_to_join,
        duration_ms,
    } = content;
    if words_to_join.is_none() {
        // Whisper begins most texts with a space.
        for entry in &mut entries {
            entry.text = entry.text.trim().to_owned();
        }
    }
    let without_times = |entry: &&Entry| entry.start_ms.is_none();
    let untimed = entries.iter().filter(without_times).count();
    if let Some(entry) = entries.first()
        && untimed == entries.len()
    {
        let what = if words_to_join.is_some() {
            "word"
        } else {
            "segment"
        };
        let message = format!("no {what} has a time under a known name; expected {KNOWN}");
        return Err(FormatError::new(entry.line, message));
    }
    if entries.is_empty()
        && let Some(line) = first_line_left_out(&reader.notes)
    {
        let message = format!("no segment can be read; expected {KNOWN}");
        return Err(FormatError::new(line, message));
    }
    Ok(ParsedFile {
        entries,
        notes: reader.notes,
        is_unit_undeclared: reader.is_unit_undeclared,
        duration_ms,
        words_to_join,
        ..ParsedFile::default()
    })
}

/// The values of a text: one, or those of JSON lines, with the lines that cannot be read.
fn values(text: &str) -> Result<(Vec<Raw<'_>>, Vec<usize>), FormatError> {
    let error = match serde_json::from_str::<&RawValue>(text) {
        Ok(value) => return Ok((vec![value], Vec::new())),
        Err(error) => error,
    };
    let stream = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let values: Result<Vec<_>, _> = stream.collect();
    if let Ok(values) = values
        && values.len() > 1
        && values.iter().all(|value| is_structure(value))
    {
        return Ok((values, Vec::new()));
    }
    let (mut values, mut bad_lines) = (Vec::new(), Vec::new());
    for (i, line) in text.lines().enumerate() {
        match serde_json::from_str::<&RawValue>(line) {
            Ok(value) if is_structure(value) => values.push(value),
            _ if line.trim().is_empty() => {}
            _ => bad_lines.push(i + 1),
        }
    }
    // A broken file of another shape has lines that are values, too.
    if values.len() > 1 && values.len() > bad_lines.len() && bad_lines.first() != Some(&1) {
        return Ok((values, bad_lines));
    }
    Err(FormatError::new(
        error.line().max(1),
        python_json::message(&error),
    ))
}

fn is_structure(value: Raw<'_>) -> bool {
    value.get().starts_with(['{', '['])
}

/// The first line with an item that was left out.
fn first_line_left_out(notes: &Notes) -> Option<usize> {
    [Change::Unreadable, Change::NoText]
        .into_iter()
        .filter_map(|change| notes.lines(change).first().copied())
        .min()
}
