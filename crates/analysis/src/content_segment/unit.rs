//! The pieces a transcript is not cut any finer than.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::lexicon::{Lexicon, TermId};
use crate::segment_ref::TranscriptSegmentRef;
use crate::span::Span;
use crate::term::terms;

/// A pause of this many seconds ends a unit within a sentence too.
const PAUSE: f64 = 1.5;
/// A unit of this many seconds ends even where no sentence does: recognizers
/// may write no punctuation.
const LONG: f64 = 7.0;
/// Fewer words are no unit on their own ("Yes. Right.").
const FEWEST_WORDS: usize = 5;

/// A sentence or so: whole segments of the transcript.
#[derive(Debug)]
pub(super) struct Unit {
    /// From its first segment's start to its last one's end.
    pub(super) span: Span,
    /// Seconds of silence before it.
    pub(super) pause: f64,
    /// Seconds in which somebody speaks.
    pub(super) speech: f64,
    /// What is said, with single spaces.
    pub(super) text: String,
    /// Its different terms.
    pub(super) terms: Vec<TermId>,
}

/// Gathers segments, which are in order, into units and counts their terms.
pub(super) fn gather(spoken: &[TranscriptSegmentRef<'_>], lexicon: &mut Lexicon) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut said_until = None;
    for range in ranges(spoken) {
        let segments = &spoken[range];
        let spans: Vec<Span> = segments.iter().map(|segment| segment.time.into()).collect();
        let start = spans[0].start;
        let united = Span::unite(spans);
        let end = united[united.len() - 1].end;
        let text = single_spaced(segments);
        units.push(Unit {
            span: Span::new(start, end),
            pause: said_until.map_or(0.0, |until: f64| (start - until).max(0.0)),
            speech: united.iter().map(|span| span.length()).sum(),
            terms: lexicon.read(&terms(&text)),
            text,
        });
        said_until = Some(said_until.map_or(end, |until| end.max(until)));
    }
    units
}

fn ranges(spoken: &[TranscriptSegmentRef<'_>]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let (mut from, mut words) = (0, 0);
    for (i, segment) in spoken.iter().enumerate() {
        words += segment.text.unicode_words().take(FEWEST_WORDS).count();
        let pauses = spoken
            .get(i + 1)
            .is_none_or(|next| next.time.start() - segment.time.end() >= PAUSE);
        let long = segment.time.end() - spoken[from].time.start() >= LONG;
        if pauses || words >= FEWEST_WORDS && (long || ends_sentence(segment.text)) {
            ranges.push(from..i + 1);
            (from, words) = (i + 1, 0);
        }
    }
    ranges
}

/// Whether the text ends as sentences do, in whatever script, quotes and
/// brackets aside.
fn ends_sentence(text: &str) -> bool {
    let bare = text.trim_end_matches(|c: char| c.is_whitespace() || "\"'”’»)]」』".contains(c));
    bare.ends_with([
        '.', '!', '?', '…', '。', '！', '？', '؟', '۔', '।', '።', '։',
    ])
}

fn single_spaced(segments: &[TranscriptSegmentRef<'_>]) -> String {
    let words = segments
        .iter()
        .flat_map(|segment| segment.text.split_whitespace());
    words.collect::<Vec<_>>().join(" ")
}
