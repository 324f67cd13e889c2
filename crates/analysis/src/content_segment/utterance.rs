//! Groups transcript segments into utterances, about one sentence each.
//!
//! Recognizers write segments of a few words or of several sentences. An utterance
//! is a group of consecutive segments up to the end of a sentence or to a pause. A
//! long group ends earlier, because some recognizers write no punctuation. The
//! running time is linear in the length of the transcript.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::vocabulary::{TermId, Vocabulary};
use crate::segment_ref::TranscriptSegmentRef;
use crate::term::tokenize;
use crate::time_span::TimeSpan;

/// The shortest pause that ends an utterance, in seconds.
const MIN_PAUSE: f64 = 1.5;
/// An utterance of at least this many seconds may end within a sentence.
const MIN_LENGTH_TO_SPLIT_SENTENCE: f64 = 7.0;
/// The minimum number of words of an utterance that does not end at a pause, so
/// that "Yes. Right." is grouped with the next sentence.
const MIN_WORDS: usize = 5;

/// Consecutive transcript segments that are analysed as one.
#[derive(Debug)]
pub(super) struct Utterance {
    /// From the start of its first segment to the latest end of its segments.
    pub(super) span: TimeSpan,
    /// Silence before it, in seconds.
    pub(super) pause_before: f64,
    /// The duration of speech, in seconds; overlaps count once.
    pub(super) speech_time: f64,
    /// The texts of its segments, with single spaces between words.
    pub(super) text: String,
    /// The distinct terms of the text, in ascending order.
    pub(super) terms: Vec<TermId>,
}

/// Groups `segments`, which are sorted by start, and adds the terms of
/// each utterance to the vocabulary.
pub(super) fn group_into_utterances(
    segments: &[TranscriptSegmentRef<'_>],
    vocabulary: &mut Vocabulary,
) -> Vec<Utterance> {
    let mut utterances = Vec::new();
    let mut latest_end: Option<f64> = None;
    for range in utterance_ranges(segments) {
        let segments = &segments[range];
        let spans: Vec<TimeSpan> = segments.iter().map(|segment| segment.time.into()).collect();
        let start = spans[0].start;
        let speech = TimeSpan::union(spans);
        let end = speech[speech.len() - 1].end;
        let text = join_texts(segments);
        utterances.push(Utterance {
            span: TimeSpan::new(start, end),
            pause_before: latest_end.map_or(0.0, |latest| (start - latest).max(0.0)),
            speech_time: speech.iter().map(|span| span.length()).sum(),
            terms: vocabulary.add_document(&tokenize(&text)),
            text,
        });
        latest_end = Some(latest_end.map_or(end, |latest| end.max(latest)));
    }
    utterances
}

/// From the first start to the last end; 0 to 0 without utterances.
pub(super) fn total_span(utterances: &[Utterance]) -> TimeSpan {
    let start = utterances
        .first()
        .map_or(0.0, |utterance| utterance.span.start);
    let end = utterances
        .iter()
        .map(|utterance| utterance.span.end)
        .fold(start, f64::max);
    TimeSpan::new(start, end)
}

fn utterance_ranges(segments: &[TranscriptSegmentRef<'_>]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let (mut start, mut words) = (0, 0);
    for (i, segment) in segments.iter().enumerate() {
        words += segment.text.unicode_words().take(MIN_WORDS).count();
        let pause_follows = segments
            .get(i + 1)
            .is_none_or(|next| next.time.start() - segment.time.end() >= MIN_PAUSE);
        let length = segment.time.end() - segments[start].time.start();
        let may_end = length >= MIN_LENGTH_TO_SPLIT_SENTENCE || ends_sentence(segment.text);
        if pause_follows || words >= MIN_WORDS && may_end {
            ranges.push(start..i + 1);
            (start, words) = (i + 1, 0);
        }
    }
    ranges
}

/// Whether the text ends with a sentence terminator, in any script. Closing quotes
/// and brackets after it are ignored.
fn ends_sentence(text: &str) -> bool {
    let trimmed = text.trim_end_matches(|c: char| c.is_whitespace() || "\"'”’»)]」』".contains(c));
    trimmed.ends_with([
        '.', '!', '?', '…', '。', '！', '？', '؟', '۔', '।', '።', '։',
    ])
}

fn join_texts(segments: &[TranscriptSegmentRef<'_>]) -> String {
    let words = segments
        .iter()
        .flat_map(|segment| segment.text.split_whitespace());
    words.collect::<Vec<_>>().join(" ")
}
