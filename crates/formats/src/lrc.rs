//! LRC (`.lrc`): lines with their starts, such as `[00:12.50]text`. A line lasts until the next
//! one begins.

use lectern_domain::LanguageTag;

use crate::cue::Word;
use crate::entry::Entry;
use crate::error::FormatError;
use crate::lines::lines;
use crate::notes::{Change, Notes};
use crate::parsed_file::ParsedFile;
use crate::time::non_negative;
use crate::timing_line::parse_time;

/// The most characters of a time and the bracket after it.
const MAX_TIME_CHARS: usize = 20;

/// Reads a file. A line may have several starts, and words with starts of their own
/// (`<00:12.80>`). Tags such as `[ar:…]` are dropped; `[la:…]` is the
/// language, `[offset:…]` moves all times, and `[length:…]` ends the last line.
///
/// Fails on a file with text, but without a line that has a start.
pub(crate) fn parse(text: &str) -> Result<ParsedFile, FormatError> {
    let lines = lines(text);
    let (mut entries, mut notes) = (Vec::new(), Notes::default());
    let (mut offset_ms, mut duration_ms, mut language) = (0, None, None);
    for line in &lines {
        let text = line.text.trim_start_matches('\u{feff}').trim();
        let (starts, rest) = split_starts(text);
        if starts.is_empty() {
            match tag(text) {
                Some(("offset", value)) => offset_ms = value.parse().unwrap_or(0),
                Some(("la", value)) => language = LanguageTag::of_name(value),
                Some(("length", value)) => duration_ms = parse_time(value).map(non_negative),
                Some((name, _)) if name.starts_with(|c: char| c.is_ascii_digit()) => {
                    notes.add(Change::UnreadableTimes, line.number);
                }
                Some(_) => {}
                None if text.is_empty() => {}
                None => notes.add(Change::NoTimes, line.number),
            }
            continue;
        }
        let (text, mut words) = split_words(rest);
        // The words of a line that is repeated have times for one of its starts only.
        if starts.len() > 1 {
            words.clear();
        }
        for start in starts {
            entries.push(Entry {
                line: line.number,
                start_ms: Some(start),
                text: text.clone(),
                words: words.clone(),
                ..Entry::default()
            });
        }
    }
    if entries.is_empty()
        && let Some(line) = lines.iter().find(|line| !line.is_blank())
    {
        return Err(FormatError::new(
            line.number,
            "expected LRC: [00:12.50] and a text",
        ));
    }
    end_at_next_line(&mut entries);
    // A positive offset shows lines earlier.
    for entry in &mut entries {
        entry.start_ms = entry.start_ms.map(|ms| ms.saturating_sub(offset_ms));
        entry.end_ms = entry.end_ms.map(|ms| ms.saturating_sub(offset_ms));
        for word in &mut entry.words {
            word.start_ms = word
                .start_ms
                .saturating_add_signed(offset_ms.saturating_neg());
            word.end_ms = word
                .end_ms
                .saturating_add_signed(offset_ms.saturating_neg());
        }
    }
    entries.retain(|entry| !entry.text.is_empty());
    Ok(ParsedFile {
        entries,
        notes,
        duration_ms,
        language,
        ..ParsedFile::default()
    })
}

/// Whether the first line that is not blank has a start or a tag.
pub(crate) fn detect(text: &str) -> bool {
    let mut lines = text
        .lines()
        .map(|line| line.trim_start_matches('\u{feff}').trim());
    lines
        .find(|line| !line.is_empty())
        .is_some_and(|line| !split_starts(line).0.is_empty() || is_known_tag(line))
}

fn is_known_tag(line: &str) -> bool {
    const TAGS: [&str; 11] = [
        "ar", "al", "ti", "au", "by", "re", "ve", "la", "tool", "length", "offset",
    ];
    tag(line).is_some_and(|(name, _)| TAGS.contains(&name))
}

/// The starts at the beginning of a line, in milliseconds, and the text after them.
fn split_starts(line: &str) -> (Vec<i64>, &str) {
    let (mut starts, mut rest) = (Vec::new(), line);
    while let Some((start, after)) = split_time(rest, ['[', ']']) {
        starts.push(start);
        rest = after.trim_start();
    }
    (starts, rest)
}

/// The time in brackets at the beginning, and what follows it.
fn split_time(text: &str, brackets: [char; 2]) -> Option<(i64, &str)> {
    let inner = text.strip_prefix(brackets[0])?;
    // The limit keeps parsing linear.
    let mut start = inner.char_indices().take(MAX_TIME_CHARS);
    let (end, _) = start.find(|(_, c)| *c == brackets[1])?;
    let (time, after) = (&inner[..end], &inner[end + 1..]);
    if !time.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        return None;
    }
    Some((parse_time(time)?, after))
}

/// The name and the value of a tag, such as `[ar:Ida]`.
fn tag(line: &str) -> Option<(&str, &str)> {
    let inner = line.strip_prefix('[')?.strip_suffix(']')?;
    let (name, value) = inner.split_once(':')?;
    Some((name.trim(), value.trim()))
}

/// The text without the times of its words, and the words. A word ends where the next begins.
fn split_words(line: &str) -> (String, Vec<Word>) {
    let (mut text, mut words): (String, Vec<Word>) = (String::new(), Vec::new());
    let mut rest = line;
    while let Some(at) = rest.find('<') {
        push_text(&mut text, &mut words, &rest[..at]);
        rest = &rest[at..];
        if let Some((start, after)) = split_time(rest, ['<', '>']) {
            let start_ms = non_negative(start);
            if let Some(last) = words.last_mut() {
                last.end_ms = start_ms.max(last.start_ms);
            }
            words.push(Word {
                start_ms,
                end_ms: start_ms,
                text: String::new(),
                probability: None,
            });
            rest = after;
        } else {
            push_text(&mut text, &mut words, "<");
            rest = &rest[1..];
        }
    }
    push_text(&mut text, &mut words, rest);
    for word in &mut words {
        word.text = word.text.trim().to_owned();
    }
    words.retain(|word| !word.text.is_empty());
    let text: Vec<_> = text.split_whitespace().collect();
    (text.join(" "), words)
}

fn push_text(text: &mut String, words: &mut [Word], piece: &str) {
    text.push_str(piece);
    if let Some(word) = words.last_mut() {
        word.text.push_str(piece);
    }
}

/// Ends each line where the next one begins; a line without text only ends the one before.
fn end_at_next_line(entries: &mut [Entry]) {
    entries.sort_by_key(|entry| entry.start_ms);
    let starts: Vec<_> = entries.iter().skip(1).map(|entry| entry.start_ms).collect();
    for (entry, next) in entries.iter_mut().zip(starts) {
        entry.end_ms = next;
        if let Some((word, end)) = entry.words.last_mut().zip(next) {
            word.end_ms = non_negative(end).max(word.start_ms);
        }
    }
}
