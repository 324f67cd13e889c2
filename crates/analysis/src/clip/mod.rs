//! Selects the parts of a recording to cut out as clips.
//!
//! The input is the content segments, the transcript and the silences of a
//! recording. One clip is taken from each of the most important segments, up to
//! a maximum number. From a segment that is too long, the clip is the part in which
//! the segment's keywords occur most often; a segment that is too short is extended
//! on both sides. Then the boundaries of each clip are moved to places without speech.
//! Clips never overlap. All times are in seconds. The running time is
//! `O(segments × (clips + silences + transcript segments))`.

mod even_spread;
mod keyword_index;
mod rules;
mod selected_clip;
mod selection;
mod snapping;
#[cfg(test)]
mod tests;

use lectern_domain::{InField, Invalid, TimeRange, VideoDuration};

use crate::segment_ref::{ContentSegmentRef, TranscriptSegmentRef};
use crate::term::tokenize;
use crate::time_span::TimeSpan;
use even_spread::spread_evenly;
use keyword_index::KeywordIndex;
pub use rules::ClipRules;
pub use selected_clip::SelectedClip;
use selection::{Candidate, ClipSelector, Selection, first_max};
use snapping::SnapPoints;

/// Selects clips from a recording of the given duration, in order of time.
///
/// To get `min_clips` clips, more than one clip is taken from a segment, and clips
/// are made shorter if necessary. A recording with little content may still give
/// fewer clips.
///
/// Each boundary moves by at most `max_snap_distance` to a place without speech: the
/// middle of a silence (but at most a second of it remains in the clip), or else a
/// gap between transcript segments. At least half of a segment that was extended
/// remains in its clip.
///
/// Without content segments, clips are spread evenly over the parts between
/// silences and have the titles "Part 1", "Part 2" and so on. A recording that is at
/// most as long as `min_length` gives one clip of the whole recording.
///
/// `silences` are the ranges without sound, as from
/// [`audio_silences`](crate::silence_region::audio_silences), in any order.
///
/// # Errors
///
/// If `rules` are inconsistent; the error names the field, as in
/// `rules.max_length`.
///
/// ```
/// use lectern_analysis::ContentSegmentRef;
/// use lectern_analysis::clip::{ClipRules, select};
/// use lectern_domain::{Ratio, TimeRange, Topic, VideoDuration};
///
/// let topic = Topic::new("Balanced trees")?;
/// let segment = ContentSegmentRef {
///     time: TimeRange::new(31.0, 88.0)?,
///     topic: &topic,
///     importance_score: Ratio::new(0.8)?,
///     keywords: &[],
/// };
/// let silences = [TimeRange::new(29.5, 30.5)?, TimeRange::new(88.0, 90.0)?];
/// let rules = ClipRules { min_clips: 1, ..ClipRules::default() };
/// let selected = select(&[segment], &[], &silences, VideoDuration::new(120.0)?, &rules)?;
/// assert_eq!(selected[0].clip.time, TimeRange::new(30.0, 89.0)?);
/// assert_eq!(selected[0].clip.title.as_str(), "Balanced trees");
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
pub fn select(
    segments: &[ContentSegmentRef<'_>],
    transcript: &[TranscriptSegmentRef<'_>],
    silences: &[TimeRange],
    duration: VideoDuration,
    rules: &ClipRules,
) -> Result<Vec<SelectedClip>, Invalid> {
    rules.validate().in_field("rules")?;
    let recording = TimeSpan::new(0.0, duration.get());
    let is_short = recording.length() <= rules.min_length;
    let mut transcript = transcript.to_vec();
    transcript.sort_by(|a, b| a.time.start().total_cmp(&b.time.start()));
    let snap_points = SnapPoints::new(silences, &transcript);
    let candidates: Vec<Candidate> = segments.iter().map(candidate).collect();

    let selections = if is_short {
        whole_recording(&candidates, recording)
            .into_iter()
            .collect()
    } else {
        let selector = ClipSelector {
            candidates: &candidates,
            keyword_index: &KeywordIndex::new(&transcript),
            snap_points: &snap_points,
            recording,
            rules,
        };
        selector.select()
    };
    if !selections.is_empty() {
        return with_segment_titles(&selections, segments);
    }
    let spans = if is_short {
        vec![recording]
    } else {
        let silences = TimeSpan::union_of_ranges(silences);
        spread_evenly(&silences, &snap_points, recording, rules)
    };
    spans
        .into_iter()
        .enumerate()
        .map(|(position, span)| SelectedClip::without_segment(position, span))
        .collect()
}

fn candidate(segment: &ContentSegmentRef<'_>) -> Candidate {
    let terms = segment.keywords.iter().flat_map(|word| tokenize(word));
    Candidate {
        span: segment.time.into(),
        importance: segment.importance_score.get(),
        keys: terms.map(|term| term.key).collect(),
    }
}

/// One clip of the whole recording, for the most important candidate.
fn whole_recording(candidates: &[Candidate], recording: TimeSpan) -> Option<Selection> {
    let candidate = first_max(0..candidates.len(), |&i| candidates[i].importance)?;
    Some(Selection {
        candidate,
        span: recording,
    })
}

fn with_segment_titles(
    selections: &[Selection],
    segments: &[ContentSegmentRef<'_>],
) -> Result<Vec<SelectedClip>, Invalid> {
    selections
        .iter()
        .enumerate()
        .map(|(position, selection)| {
            let same_segment = |other: &&Selection| other.candidate == selection.candidate;
            let number = 1 + selections[..position].iter().filter(same_segment).count();
            let segment = &segments[selection.candidate];
            SelectedClip::from_segment(position, selection, segment, number)
        })
        .collect()
}
