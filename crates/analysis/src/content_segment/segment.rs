//! The segments of a recording, and the chapters that they are in.

use super::topic_segmentation::{self, Stretch};
use super::utterance::{Utterance, total_span};
use super::vocabulary::Vocabulary;
use crate::chapter::{Chapter, Part};
use crate::housekeeping::Housekeeping;
use crate::time_span::TimeSpan;

/// A chapter is housekeeping if a greater fraction of its speech is.
const MAX_HOUSEKEEPING: f64 = 0.5;

/// Utterances about one topic.
#[derive(Debug)]
pub(super) struct Segment<'a> {
    /// At least one.
    pub(super) utterances: &'a [Utterance],
    /// In seconds. Segments do not overlap.
    pub(super) span: TimeSpan,
    /// What kind of housekeeping it is; `None` for content.
    pub(super) housekeeping: Option<Housekeeping>,
    pub(super) chapter_title: ChapterTitle<'a>,
}

/// What the chapter of a segment says about its topic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum ChapterTitle<'a> {
    /// There is no chapter, or it has no title.
    None,
    /// The segment is the chapter with this title.
    Whole(&'a str),
    /// The segment is a part of the chapter with this title.
    Part(&'a str),
}

/// Divides the utterances into segments. Each is in one of the parts, at the index that its
/// utterances have.
pub(super) fn divide<'a>(
    utterances: &'a [Utterance],
    parts: &[Part<'a>],
    vocabulary: &Vocabulary,
) -> Vec<Segment<'a>> {
    let stretches = stretches(utterances, parts);
    let ranges = topic_segmentation::segment(utterances, vocabulary, &stretches);
    let part_at = |start: usize| utterances[start].part;
    ranges
        .iter()
        .enumerate()
        .map(|(i, range)| {
            let part = part_at(range.start);
            let is_in_part = |other: usize| {
                let other = ranges.get(other);
                other.is_some_and(|other| part_at(other.start) == part)
            };
            let has_before = i > 0 && is_in_part(i - 1);
            let next = ranges.get(i + 1).filter(|_| is_in_part(i + 1));
            let next_start = next.map(|next| utterances[next.start].span.start);
            let within = parts[part].span;
            let chapter = parts[part].chapter;
            let utterances = &utterances[range.clone()];
            let spoken = total_span(utterances);
            // A chapter begins and ends where the file says, or else where a sentence does.
            let is_chapter = chapter.is_some();
            Segment {
                span: TimeSpan::new(
                    if is_chapter && !has_before {
                        within.start
                    } else {
                        spoken.start.clamp(within.start, within.end)
                    },
                    match next_start {
                        Some(next) => spoken.end.min(next).clamp(within.start, within.end),
                        None if is_chapter => within.end,
                        None => spoken.end.min(within.end),
                    },
                ),
                housekeeping: prevalent_kind(utterances),
                chapter_title: match chapter.and_then(|chapter| chapter.title.as_deref()) {
                    None => ChapterTitle::None,
                    Some(title) if has_before || next.is_some() => ChapterTitle::Part(title),
                    Some(title) => ChapterTitle::Whole(title),
                },
                utterances,
            }
        })
        .collect()
}

/// The stretches of utterances in the same part: one for a chapter that is one topic, and
/// otherwise one for each stretch of content or of housekeeping.
fn stretches(utterances: &[Utterance], parts: &[Part<'_>]) -> Vec<Stretch> {
    let is_topic = |utterance: &Utterance| {
        let chapter = parts[utterance.part].chapter;
        chapter.is_some_and(Chapter::is_undivided)
    };
    let is_same = |a: &Utterance, b: &Utterance| {
        a.part == b.part && (is_topic(a) || a.housekeeping == b.housekeeping)
    };
    let mut start = 0;
    utterances
        .chunk_by(is_same)
        .map(|chunk| {
            let end = start + chunk.len();
            let stretch = Stretch {
                utterances: start..end,
                is_segment: is_topic(&chunk[0]) || chunk[0].housekeeping.is_some(),
            };
            start = end;
            stretch
        })
        .collect()
}

/// The kind of housekeeping that most of the speech is, if it is.
fn prevalent_kind(utterances: &[Utterance]) -> Option<Housekeeping> {
    let time = |utterance: &Utterance| utterance.span.length();
    let total: f64 = utterances.iter().map(time).sum();
    let housekeeping: Vec<&Utterance> = utterances
        .iter()
        .filter(|utterance| utterance.housekeeping.is_some())
        .collect();
    let longest = housekeeping
        .iter()
        .max_by(|a, b| time(a).total_cmp(&time(b)))?;
    let time: f64 = housekeeping.iter().map(|utterance| time(utterance)).sum();
    // Also where utterances have no length.
    let is_all = housekeeping.len() == utterances.len();
    longest
        .housekeeping
        .filter(|_| is_all || time > MAX_HOUSEKEEPING * total)
}
