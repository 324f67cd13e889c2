//! Divides a lecture into content segments by topic.
//!
//! The input is a transcript, the output a list of segments, each with a title,
//! keywords, key phrases, a summary and an importance. The steps are:
//!
//! 1. `utterance`: group the transcript into utterances of about one sentence;
//! 2. `vocabulary`: count their terms;
//! 3. `topic_segmentation`: divide the utterances where the vocabulary changes
//!    (Bayesian topic segmentation);
//! 4. `keyphrases`, `summary`: describe each segment by its own words;
//! 5. `importance`: score each segment.
//!
//! Only term statistics of the lecture itself are used: no dictionary, no stop
//! word list and no trained model. So any language works, and the same transcript
//! always gives the same segments. Step 3 takes most of the running time, which is
//! linear in the length of the transcript.

mod importance;
mod keyphrases;
mod summary;
#[cfg(test)]
mod tests;
mod topic_segmentation;
mod utterance;
mod vocabulary;

use lectern_domain::{Invalid, NewContentSegment, NonNegativeInt};

use crate::segment_ref::TranscriptSegmentRef;
use crate::time_span::TimeSpan;
use importance::importance_scores;
use summary::Summary;
use utterance::{Utterance, group_into_utterances, total_span};
use vocabulary::Vocabulary;

/// Finds the content segments of a transcript. The transcript segments may be in any
/// order.
///
/// The content segments are in order and do not overlap; there may be pauses
/// between them. Most segments last between half a minute (in a talk of three
/// minutes) and eight minutes (in a long lecture). A boundary never splits a transcript
/// segment, and rarely a sentence. Transcript segments without text are
/// ignored. An empty transcript gives no content segments.
///
/// `importance_score` is the sum of half the centrality (how similar the
/// vocabulary of the segment is to that of the lecture), three tenths of the
/// density (information per second, relative to the densest segment) and two
/// tenths of the fraction of the segment's time that is speech.
///
/// ```
/// use lectern_analysis::{TranscriptSegmentRef, content_segment};
/// use lectern_domain::TimeRange;
///
/// let sentence = TranscriptSegmentRef {
///     time: TimeRange::new(0.0, 4.0)?,
///     text: "A tree of depth ten finds one leaf among a thousand leaves.",
/// };
/// let segments = content_segment::find([sentence])?;
/// assert_eq!(segments[0].time, sentence.time);
/// assert_eq!(segments[0].description.as_deref(), Some(sentence.text));
/// assert!(segments[0].keywords.iter().any(|word| word.as_str() == "thousand"));
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
pub fn find<'a>(
    transcript: impl IntoIterator<Item: Into<TranscriptSegmentRef<'a>>>,
) -> Result<Vec<NewContentSegment>, Invalid> {
    let mut transcript: Vec<TranscriptSegmentRef<'a>> =
        transcript.into_iter().map(Into::into).collect();
    transcript.retain(|segment| !segment.text.trim().is_empty());
    transcript.sort_by(|a, b| a.time.start().total_cmp(&b.time.start()));
    let mut vocabulary = Vocabulary::default();
    let utterances = group_into_utterances(&transcript, &mut vocabulary);
    let segments: Vec<&[Utterance]> = topic_segmentation::segment(&utterances, &vocabulary)
        .into_iter()
        .map(|range| &utterances[range])
        .collect();
    let scores = importance_scores(&segments, &vocabulary)?;
    segments
        .iter()
        .zip(scores)
        .enumerate()
        .map(|(i, (utterances, importance_score))| {
            let summary = Summary::of(utterances, &vocabulary)?;
            let next_start = segments.get(i + 1).map(|next| next[0].span.start);
            Ok(NewContentSegment {
                time: segment_span(utterances, next_start).to_range()?,
                topic: summary.topic,
                description: Some(summary.description),
                importance_score,
                keywords: summary.keywords,
                concepts: summary.concepts,
                segment_order: NonNegativeInt::position(i)?,
            })
        })
        .collect()
}

/// The span of the utterances, but at most to the start of the next segment:
/// utterances overlap where several people speak at once.
fn segment_span(utterances: &[Utterance], next_start: Option<f64>) -> TimeSpan {
    let TimeSpan { start, end } = total_span(utterances);
    TimeSpan::new(start, next_start.map_or(end, |next| end.min(next)))
}
