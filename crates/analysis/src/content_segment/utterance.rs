//! Groups sentences into utterances, the units of topic segmentation.
//!
//! An utterance is a sentence, or several short ones. An utterance is either content or
//! housekeeping, and within one chapter. The running time is linear in the length of the transcript.

use std::ops::Range;

use super::vocabulary::{TermId, Vocabulary};
use crate::housekeeping::Housekeeping;
use crate::sentence::Sentence;
use crate::term::tokenize;
use crate::time_span::TimeSpan;

/// The shortest pause that ends an utterance, in seconds.
const MIN_PAUSE: f64 = 1.5;
/// The minimum number of words of an utterance that does not end at a pause, so
/// that "Yes. Right." is grouped with the next sentence.
const MIN_WORDS: usize = 5;

/// Consecutive sentences that are analysed as one.
#[derive(Debug)]
pub(super) struct Utterance {
    /// From the start of its first sentence to the latest end of its sentences.
    pub(super) span: TimeSpan,
    /// Silence before it, in seconds.
    pub(super) pause_before: f64,
    /// The duration of speech, in seconds.
    pub(super) speech_time: f64,
    /// Indices of its sentences.
    pub(super) sentences: Range<usize>,
    /// The texts of its sentences, with single spaces between words.
    pub(super) text: String,
    /// The distinct terms of the text, in ascending order.
    pub(super) terms: Vec<TermId>,
    /// What kind of housekeeping it is; `None` for content.
    pub(super) housekeeping: Option<Housekeeping>,
    /// The index of its part, a chapter or a gap between chapters.
    pub(super) part: usize,
}

/// Groups `sentences`, each of the kind at the same index of `kinds` and in the part at the same
/// index of `parts`, and adds the terms of each utterance to the vocabulary.
pub(super) fn group_into_utterances(
    sentences: &[Sentence],
    kinds: &[Option<Housekeeping>],
    parts: &[usize],
    vocabulary: &mut Vocabulary,
) -> Vec<Utterance> {
    let mut utterances = Vec::new();
    let mut latest_end: Option<f64> = None;
    for range in utterance_ranges(sentences, kinds, parts) {
        let grouped = &sentences[range.clone()];
        let start = grouped[0].span.start;
        let ends = grouped.iter().map(|sentence| sentence.span.end);
        let end = ends.fold(start, f64::max);
        let texts: Vec<&str> = grouped
            .iter()
            .map(|sentence| sentence.text.as_str())
            .collect();
        let text = texts.join(" ");
        let speech_time: f64 = grouped.iter().map(|sentence| sentence.speech_time).sum();
        utterances.push(Utterance {
            span: TimeSpan::new(start, end),
            pause_before: latest_end.map_or(0.0, |latest| (start - latest).max(0.0)),
            speech_time: speech_time.min(end - start),
            terms: vocabulary.add_document(&tokenize(&text)),
            text,
            housekeeping: kinds[range.start],
            part: parts[range.start],
            sentences: range,
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

fn utterance_ranges(
    sentences: &[Sentence],
    kinds: &[Option<Housekeeping>],
    parts: &[usize],
) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let (mut start, mut words) = (0, 0);
    for (i, sentence) in sentences.iter().enumerate() {
        words += sentence.words;
        let must_end = sentences.get(i + 1).is_none_or(|next| {
            next.span.start - sentence.span.end >= MIN_PAUSE
                || kinds[i + 1] != kinds[i]
                || parts[i + 1] != parts[i]
        });
        if must_end || words >= MIN_WORDS {
            ranges.push(start..i + 1);
            (start, words) = (i + 1, 0);
        }
    }
    ranges
}
