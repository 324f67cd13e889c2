//! Speech of a few sentences, for the tests of titles.

use lectern_domain::TimeRange;

use super::Speech;
use super::keyphrases::TermWeights;
use super::title_words::Titles;
use crate::TranscriptSegmentRef;
use crate::content_segment;

/// A segment for each sentence, every five seconds.
fn segments<'a>(sentences: &'a [&str]) -> impl Iterator<Item = TranscriptSegmentRef<'a>> {
    (0_u32..)
        .zip(sentences)
        .map(|(i, text)| TranscriptSegmentRef {
            time: TimeRange::new(f64::from(i) * 5.0, f64::from(i) * 5.0 + 4.6).unwrap(),
            text,
            words: &[],
        })
}

/// The title of a segment with these sentences.
pub(super) fn title_of(sentences: &[&str]) -> String {
    let found = content_segment::find(segments(sentences)).unwrap();
    found[0].topic.as_str().to_owned()
}

/// What `made` makes of a recording with these sentences only.
pub(super) fn with_titles<T>(
    sentences: &[&str],
    made: impl FnOnce(&Titles<'_>, &TermWeights) -> T,
) -> T {
    let transcript: Vec<_> = segments(sentences).collect();
    let speech = Speech::of(&transcript, &[]);
    let weights = TermWeights::of(&speech.utterances, &speech.vocabulary);
    made(&speech.titles(), &weights)
}
