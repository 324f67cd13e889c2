//! Divides a transcript into sentences with times.
//!
//! Captions are cut by their length: most sentences begin and end within a caption. So the
//! words of all segments are joined first, and each gets a time: that of the recognizer
//! (`known_times`), or an estimated one (`timing`).
//! Sentences end at punctuation, apart from that of abbreviations, initials and ordinal
//! numbers (`word`). Text without punctuation is divided by pauses and by the words around
//! them (`unpunctuated`, `boundary_cues`, `parentheses`), and then the times are estimated
//! again. The running time is linear in the length of the transcript.

mod boundary_cues;
mod known_times;
mod parentheses;
mod silence_places;
mod timing;
mod unpunctuated;
mod word;

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::language::Lexicon;
use crate::segment_ref::TranscriptSegmentRef;
use crate::time_span::TimeSpan;
use boundary_cues::BoundaryCues;
use unpunctuated::Boundary;
pub(crate) use word::normalize;
use word::{Ending, Word, words};

/// Text of more words without the end of a sentence has no punctuation.
const MAX_SENTENCE_WORDS: usize = 60;
/// The same in seconds, for scripts without spaces between words.
const MAX_SENTENCE_SECONDS: f64 = 30.0;
/// At the end of a sentence of this certainty, a pause is expected.
const MIN_PROBABLE: f64 = 0.4;
/// A pause is known if its place is right with this probability.
const MIN_KNOWN: f64 = 0.5;

/// A sentence, or what is spoken between two pauses if there is no punctuation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sentence {
    /// With single spaces between words.
    pub(crate) text: String,
    /// From the start of its first word to the end of its last word; estimated if a transcript
    /// segment contains other sentences as well.
    pub(crate) span: TimeSpan,
    /// The time during which it is spoken, without known pauses, in seconds.
    pub(crate) speech_time: f64,
    /// The number of words; in scripts without spaces, of characters.
    pub(crate) words: usize,
    /// The probability that a sentence begins here, 0 to 1; 1 after punctuation.
    pub(crate) certainty: f64,
    /// Whether the pause before it is a known silence, or is between two segments, so
    /// that its place is not only estimated.
    pub(crate) is_start_known: bool,
}

/// Divides the segments, which are sorted by start, into sentences, also sorted by start.
/// `silences` are sorted and disjoint.
pub(crate) fn split(
    segments: &[TranscriptSegmentRef<'_>],
    silences: &[TimeSpan],
    lexicon: &Lexicon,
) -> Vec<Sentence> {
    let mut words = words(segments, lexicon);
    let normalized: Vec<String> = words.iter().map(Word::normalized).collect();
    let cues = BoundaryCues::of(&normalized, lexicon);
    let missing_silences = timing::missing_silences(segments, silences);
    timing::estimate(&mut words, segments, silences, &cues);
    let boundaries = boundaries(&words, &cues, lexicon, missing_silences);
    let probable = boundaries
        .iter()
        .filter(|boundary| boundary.certainty < 1.0);
    let mut is_any_probable = false;
    for boundary in probable.filter(|boundary| boundary.certainty >= MIN_PROBABLE) {
        words[boundary.word - 1].ending = Ending::Probable;
        is_any_probable = true;
    }
    if is_any_probable {
        // Now a pause is expected at the ends of these sentences.
        timing::estimate(&mut words, segments, silences, &cues);
    }
    let ends = boundaries.iter().skip(1).map(|boundary| boundary.word);
    let ranges = boundaries.iter().zip(ends.chain([words.len()]));
    let mut sentences: Vec<Sentence> = ranges
        .filter(|(boundary, end)| boundary.word < *end)
        .map(|(boundary, end)| sentence(&words, boundary.word..end, boundary.certainty))
        .collect();
    // Where several people speak at once, a segment may begin before the last sentence of
    // the segment before it.
    sentences.sort_by(|a, b| a.span.start.total_cmp(&b.span.start));
    sentences
}

/// The starts of the sentences, in order.
fn boundaries(
    words: &[Word<'_>],
    cues: &BoundaryCues,
    lexicon: &Lexicon,
    missing_silences: f64,
) -> Vec<Boundary> {
    let mut boundaries = vec![Boundary {
        word: 0,
        certainty: 1.0,
    }];
    for run in punctuated_runs(words) {
        if run.start > 0 {
            boundaries.push(Boundary {
                word: run.start,
                certainty: 1.0,
            });
        }
        let words_of_run = &words[run.clone()];
        let length = words_of_run[words_of_run.len() - 1].end - words_of_run[0].start;
        if run.len() > MAX_SENTENCE_WORDS || run.len() > 1 && length > MAX_SENTENCE_SECONDS {
            let inside =
                unpunctuated::split(words_of_run, cues, run.start, lexicon, missing_silences);
            boundaries.extend(inside.into_iter().map(|boundary| Boundary {
                word: run.start + boundary.word,
                ..boundary
            }));
        }
    }
    boundaries
}

/// The ranges of words up to the end of each sentence with punctuation.
fn punctuated_runs(words: &[Word<'_>]) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = 0;
    for (i, word) in words.iter().enumerate() {
        if word.ending == Ending::Sentence || i + 1 == words.len() {
            runs.push(start..i + 1);
            start = i + 1;
        }
    }
    runs
}

fn sentence(words: &[Word<'_>], range: Range<usize>, certainty: f64) -> Sentence {
    let pause_certainty = match range.start.checked_sub(1) {
        Some(before) => words[before].pause_certainty,
        None => 1.0,
    };
    let words = &words[range];
    let texts: Vec<&str> = words.iter().map(|word| word.text).collect();
    let starts = words.iter().map(|word| word.start);
    let ends = words.iter().map(|word| word.end);
    // Segments may overlap, where several people speak at once.
    let span = TimeSpan::new(
        starts.fold(f64::INFINITY, f64::min),
        ends.fold(f64::NEG_INFINITY, f64::max),
    );
    let speech = words.iter().map(|word| word.end - word.start).sum::<f64>();
    Sentence {
        text: texts.join(" "),
        span,
        speech_time: speech.min(span.length()),
        words: words
            .iter()
            .map(|word| word.text.unicode_words().count())
            .sum(),
        certainty,
        is_start_known: pause_certainty >= MIN_KNOWN,
    }
}
