//! What a lecture is about, topic by topic, told by its words alone.
//!
//! The transcript is gathered into sentences, divided where the words change
//! (`cohesion.rs` says how, and after whom), and each segment gets a headline,
//! keywords, phrases, its central sentences and an importance. No dictionary, no list of
//! stop words, no model: a word weighs as much as its distribution over the
//! lecture tells, in any language. The same transcript always gives the same
//! segments.

mod cohesion;
mod essence;
mod importance;
mod lexicon;
#[cfg(test)]
mod tests;
mod unit;

use lectern_domain::{Invalid, NewContentSegment, NonNegativeInt};

use crate::segment_ref::TranscriptSegmentRef;
use crate::span::Span;
use cohesion::divide;
use essence::Essence;
use importance::importance;
use lexicon::Lexicon;
use unit::{Unit, gather};

/// Finds the topics of a transcript, in any order, stored or not.
///
/// The segments are in order and do not overlap; between two there may be a
/// pause. Most last from half a minute in a talk of three minutes to eight
/// minutes in a long lecture. A boundary never parts a transcript segment, and
/// rarely a sentence. What has no text does not count; an empty transcript has
/// no topics.
///
/// `importance_score` is half centrality (how much of the lecture's vocabulary
/// is in the segment), three tenths density (how much it tells per second,
/// beside the densest) and two tenths the share of its time in which somebody
/// speaks.
///
/// ```
/// use lectern_analysis::{TranscriptSegmentRef, content_segment};
/// use lectern_domain::TimeRange;
///
/// let sentence = TranscriptSegmentRef {
///     time: TimeRange::new(0.0, 4.0)?,
///     text: "A tree of depth ten finds one leaf among a thousand leaves.",
/// };
/// let found = content_segment::find([sentence])?;
/// assert_eq!(found[0].time, sentence.time);
/// assert_eq!(found[0].description.as_deref(), Some(sentence.text));
/// assert!(found[0].keywords.iter().any(|word| word.as_str() == "thousand"));
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
pub fn find<'a>(
    transcript: impl IntoIterator<Item: Into<TranscriptSegmentRef<'a>>>,
) -> Result<Vec<NewContentSegment>, Invalid> {
    let mut spoken: Vec<TranscriptSegmentRef<'a>> =
        transcript.into_iter().map(Into::into).collect();
    spoken.retain(|said| !said.text.trim().is_empty());
    spoken.sort_by(|a, b| a.time.start().total_cmp(&b.time.start()));
    let mut lexicon = Lexicon::default();
    let units = gather(&spoken, &mut lexicon);
    let segments: Vec<&[Unit]> = divide(&units, &lexicon)
        .into_iter()
        .map(|range| &units[range])
        .collect();
    let scores = importance(&segments, &lexicon)?;
    segments
        .iter()
        .zip(scores)
        .enumerate()
        .map(|(i, (units, importance_score))| {
            let essence = Essence::of(units, &lexicon)?;
            let next = segments.get(i + 1).map(|units| units[0].span.start);
            Ok(NewContentSegment {
                time: span(units, next).time()?,
                topic: essence.topic,
                description: Some(essence.description),
                importance_score,
                keywords: essence.keywords,
                concepts: essence.concepts,
                segment_order: NonNegativeInt::position(i)?,
            })
        })
        .collect()
}

/// From the first word to the last, or to the next segment where people talk
/// over each other.
fn span(units: &[Unit], next: Option<f64>) -> Span {
    let start = units[0].span.start;
    let end = units.iter().map(|unit| unit.span.end).fold(start, f64::max);
    Span::new(start, next.map_or(end, |next| end.min(next)))
}
