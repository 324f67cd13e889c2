//! Finds text that a speech recognizer has invented.
//!
//! Recognizers such as Whisper invent text where there is no speech: they repeat one sentence
//! again and again, or write a sentence on a silence ("Careless Whisper", Koenecke et al.,
//! 2024). Such text stays in the transcript, but the analysis of topics and the selection
//! of clips ignore it. Three signs are used, which need no output of the recognizer other
//! than its text and times:
//!
//! - **Loops.** The same words follow each other at least three times. This is what
//!   Whisper's `compression_ratio` measures, but also across segments.
//! - **Refrains.** The same text of several words is a whole segment at least
//!   `MIN_REFRAIN` times.
//! - **Silence.** At least nine tenths of a segment's time are silent.
//!
//! The running time is linear in the length of the transcript, times
//! `MAX_PERIOD_WORDS`.

use std::collections::HashMap;

use lectern_domain::TimeRange;

use crate::segment_ref::TranscriptSegmentRef;
use crate::sentence::normalize;
use crate::time_span::TimeSpan;

/// The longest text whose repetitions are found, in words.
const MAX_PERIOD_WORDS: usize = 40;
/// The minimum length of all repetitions together, in words. Shorter ones are how people
/// speak: "no, no, no, no".
const MIN_LOOP_WORDS: usize = 8;
/// The minimum number of repetitions of a text of at least [`LONG_PERIOD_WORDS`] words, and
/// of a shorter one.
const MIN_LONG_LOOPS: usize = 3;
const MIN_SHORT_LOOPS: usize = 4;
const LONG_PERIOD_WORDS: usize = 5;
/// The minimum number of segments with the same text of at least
/// [`MIN_REFRAIN_WORDS`] words, anywhere in the recording.
const MIN_REFRAIN: usize = 5;
const MIN_REFRAIN_WORDS: usize = 2;
/// The fraction of a segment's time that is silent if there is no speech.
const MIN_SILENT_FRACTION: f64 = 0.9;
/// If more of the transcript's time is silent, the silences are wrong: the recording is
/// too quiet for the threshold, or the transcript belongs to another cut of it.
const MAX_SILENT_TRANSCRIPT: f64 = 0.5;

/// Why a text is taken for invented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HallucinationSign {
    /// The same text is repeated.
    Repetition,
    /// The text is on a silence.
    Silence,
}

/// Consecutive transcript segments whose text is invented.
#[derive(Debug, Clone, PartialEq)]
pub struct Hallucination {
    /// From the start of the first to the end of the last segment.
    pub time: TimeRange,
    /// The text of the first segment.
    pub text: String,
    /// The number of segments.
    pub segments: usize,
    /// Why it is taken for invented.
    pub sign: HallucinationSign,
}

/// The invented text of a transcript, in order of time. `transcript` may be in any order.
/// `silences` are the ranges without sound, as from
/// [`audio_silences`](crate::silence_region::audio_silences), in any order.
///
/// ```
/// use lectern_analysis::TranscriptSegmentRef;
/// use lectern_analysis::hallucination::{self, HallucinationSign};
/// use lectern_domain::TimeRange;
///
/// let segment = |i: u8, text| {
///     let start = f64::from(i) * 4.0;
///     Ok(TranscriptSegmentRef { time: TimeRange::new(start, start + 4.0)?, text, words: &[] })
/// };
/// let transcript: Vec<TranscriptSegmentRef<'_>> = (0..15)
///     .map(|i| segment(i, if i < 5 { "A fugue begins" } else { "Thanks for watching!" }))
///     .collect::<Result<_, lectern_domain::Invalid>>()?;
/// let found = hallucination::find(transcript[4..].to_vec(), &[]);
/// assert_eq!(found[0].text, "Thanks for watching!");
/// assert_eq!((found[0].segments, found[0].sign), (10, HallucinationSign::Repetition));
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
pub fn find<'a>(
    transcript: impl IntoIterator<Item: Into<TranscriptSegmentRef<'a>>>,
    silences: &[TimeRange],
) -> Vec<Hallucination> {
    let mut transcript: Vec<TranscriptSegmentRef<'a>> =
        transcript.into_iter().map(Into::into).collect();
    transcript.sort_by(|a, b| a.time.start().total_cmp(&b.time.start()));
    let signs = signs(&transcript, &TimeSpan::union_of_ranges(silences));
    let mut found = Vec::new();
    let mut first = 0;
    for run in signs.chunk_by(|a, b| a == b) {
        let segments = &transcript[first..first + run.len()];
        first += run.len();
        let end = segments.iter().map(|segment| segment.time.end());
        let time = TimeRange::new(segments[0].time.start(), end.fold(0.0, f64::max));
        if let (Some(sign), Ok(time)) = (run[0], time) {
            found.push(Hallucination {
                time,
                text: segments[0].text.trim().to_owned(),
                segments: run.len(),
                sign,
            });
        }
    }
    found
}

/// The segments that are spoken, and those that are invented. `segments` are sorted by
/// start, `silences` sorted and disjoint.
pub(crate) fn partition<'a>(
    segments: &[TranscriptSegmentRef<'a>],
    silences: &[TimeSpan],
) -> (Vec<TranscriptSegmentRef<'a>>, Vec<TranscriptSegmentRef<'a>>) {
    let (mut spoken, mut invented) = (Vec::new(), Vec::new());
    for (segment, sign) in segments.iter().zip(signs(segments, silences)) {
        let part = if sign.is_none() {
            &mut spoken
        } else {
            &mut invented
        };
        part.push(*segment);
    }
    (spoken, invented)
}

/// For each segment, why it is taken for invented.
fn signs(
    segments: &[TranscriptSegmentRef<'_>],
    silences: &[TimeSpan],
) -> Vec<Option<HallucinationSign>> {
    let repeated = repeated_segments(segments);
    let silent = silent_segments(segments, silences);
    repeated
        .into_iter()
        .zip(silent)
        .map(|signs| match signs {
            (true, _) => Some(HallucinationSign::Repetition),
            (false, true) => Some(HallucinationSign::Silence),
            (false, false) => None,
        })
        .collect()
}

fn repeated_segments(segments: &[TranscriptSegmentRef<'_>]) -> Vec<bool> {
    // Words as numbers, so that comparing them is quick.
    let mut ids: HashMap<String, usize> = HashMap::new();
    let mut words = Vec::new();
    let mut texts: HashMap<Vec<usize>, usize> = HashMap::new();
    let mut word_ranges = Vec::new();
    for segment in segments {
        let start = words.len();
        for word in segment.text.split_whitespace().map(normalize) {
            if !word.is_empty() {
                let next = ids.len();
                words.push(*ids.entry(word).or_insert(next));
            }
        }
        if words.len() - start >= MIN_REFRAIN_WORDS {
            *texts.entry(words[start..].to_vec()).or_default() += 1;
        }
        word_ranges.push(start..words.len());
    }
    let is_in_loop = loops(&words);
    word_ranges
        .into_iter()
        .map(|range| {
            let in_loop = is_in_loop[range.clone()].iter().filter(|&&is| is).count();
            let is_refrain = texts
                .get(&words[range.clone()])
                .is_some_and(|&count| count >= MIN_REFRAIN);
            is_refrain || !range.is_empty() && 2 * in_loop > range.len()
        })
        .collect()
}

/// For each word, whether it is part of a text that follows itself.
fn loops(words: &[usize]) -> Vec<bool> {
    let mut is_in_loop = vec![false; words.len()];
    for period in 1..=MAX_PERIOD_WORDS.min(words.len()) {
        let min_loops = if period >= LONG_PERIOD_WORDS {
            MIN_LONG_LOOPS
        } else {
            MIN_SHORT_LOOPS
        };
        let min_length = (min_loops * period).max(MIN_LOOP_WORDS);
        // The start of the current run of words that equal those one period before.
        let mut start = 0;
        for i in period..=words.len() {
            let is_equal = i < words.len() && words[i] == words[i - period];
            if !is_equal {
                if i - start >= min_length && i - start >= 2 * period {
                    is_in_loop[start..i].fill(true);
                }
                start = i + 1 - period;
            }
        }
    }
    is_in_loop
}

fn silent_segments(segments: &[TranscriptSegmentRef<'_>], silences: &[TimeSpan]) -> Vec<bool> {
    let silent_time = |segment: &TranscriptSegmentRef<'_>| {
        let span = TimeSpan::from(segment.time);
        let spoken = span.difference(silences);
        span.length() - spoken.iter().map(|part| part.length()).sum::<f64>()
    };
    let silent: Vec<f64> = segments.iter().map(silent_time).collect();
    let total: f64 = segments.iter().map(|segment| segment.time.duration()).sum();
    let are_silences_wrong = silent.iter().sum::<f64>() > MAX_SILENT_TRANSCRIPT * total;
    let is_silent = |(segment, silent): (&TranscriptSegmentRef<'_>, f64)| {
        let length = segment.time.duration();
        !are_silences_wrong && length > 0.0 && silent >= MIN_SILENT_FRACTION * length
    };
    segments.iter().zip(silent).map(is_silent).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LECTURE: [&str; 8] = [
        "A tree has a root and many leaves.",
        "Each leaf of the tree hangs on a node.",
        "The root of the tree is a node too.",
        "A node without children is called a leaf.",
        "Searching starts at the root.",
        "It compares one key at each node.",
        "No, no, no, that is wrong.",
        "Very, very, very deep trees are slow.",
    ];

    /// Segments of four seconds each.
    fn transcript<'a>(texts: &[&'a str]) -> Vec<TranscriptSegmentRef<'a>> {
        let segment = |(i, &text): (u32, &&'a str)| TranscriptSegmentRef {
            time: TimeRange::new(f64::from(i) * 4.0, f64::from(i) * 4.0 + 4.0).unwrap(),
            text,
            words: &[],
        };
        (0..).zip(texts).map(segment).collect()
    }

    fn found(texts: &[&str], silences: &[(f64, f64)]) -> Vec<(usize, f64, HallucinationSign)> {
        let silences: Vec<_> = silences
            .iter()
            .map(|&(start, end)| TimeRange::new(start, end).unwrap())
            .collect();
        find(transcript(texts), &silences)
            .iter()
            .map(|found| (found.segments, found.time.start(), found.sign))
            .collect()
    }

    #[test]
    fn speech_is_not_invented() {
        assert_eq!(found(&LECTURE, &[]), []);
        assert_eq!(found(&[], &[]), []);
        assert_eq!(found(&["♪", "♪", "♪", "♪", "♪", "♪"], &[]), []);
        assert_eq!(
            found(&["Okay.", "Okay.", "Okay.", "Okay.", "Okay."], &[]),
            []
        );
    }

    #[test]
    fn a_sentence_that_follows_itself_is_a_loop_however_it_is_cut() {
        let sentence = "Subtitles were made by the community. ";
        let whole: Vec<&str> = LECTURE.into_iter().chain([sentence; 15]).collect();
        assert_eq!(
            found(&whole, &[]),
            [(15, 32.0, HallucinationSign::Repetition)]
        );

        let repeated = sentence.repeat(15);
        let in_one: Vec<&str> = LECTURE.into_iter().chain([repeated.as_str()]).collect();
        assert_eq!(
            found(&in_one, &[]),
            [(1, 32.0, HallucinationSign::Repetition)]
        );

        let words: Vec<&str> = repeated.split(' ').collect();
        let cues: Vec<String> = words.chunks(7).map(|words| words.join(" ")).collect();
        let cut: Vec<&str> = LECTURE
            .into_iter()
            .chain(cues.iter().map(String::as_str))
            .collect();
        assert_eq!(
            found(&cut, &[]),
            [(13, 32.0, HallucinationSign::Repetition)]
        );
    }

    #[test]
    fn capitals_and_punctuation_do_not_hide_a_repetition() {
        let variants = [
            "Thank you so much!",
            "thank you so much",
            "Thank you, so much.",
            "THANK YOU SO MUCH",
        ];
        assert_eq!(
            found(&variants, &[]),
            [(4, 0.0, HallucinationSign::Repetition)]
        );
    }

    #[test]
    fn a_segment_that_returns_again_and_again_is_a_refrain() {
        let mut texts = Vec::new();
        for sentence in &LECTURE[..5] {
            texts.extend([*sentence, "Thanks for watching!"]);
        }
        assert_eq!(found(&texts, &[]).len(), 5);
        assert_eq!(found(&texts[2..], &[]), [], "four times");
    }

    #[test]
    fn text_on_a_silence_is_invented() {
        let sign = HallucinationSign::Silence;
        assert_eq!(found(&LECTURE, &[(4.1, 8.2)]), [(1, 4.0, sign)]);
        assert_eq!(found(&LECTURE, &[(4.1, 7.0)]), []);
        assert_eq!(
            found(&LECTURE, &[(0.0, 30.0)]),
            [],
            "most of the lecture cannot be silent"
        );
    }
}
