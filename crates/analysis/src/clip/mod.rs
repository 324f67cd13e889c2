//! Which parts of a recording are worth cutting out.

mod edge;
mod fallback;
mod pick;
mod rules;
mod speech;
#[cfg(test)]
mod tests;

use lectern_domain::{
    At, ClipMedia, ClipTopic, Invalid, JsonObject, NewClip, NonNegativeInt, TimeRange, Title,
    VideoDuration,
};

use crate::segment_ref::{ContentSegmentRef, TranscriptSegmentRef};
use crate::span::Span;
use crate::term::terms;
use edge::Edges;
use fallback::spread;
use pick::{Candidate, Choice, Picker};
pub use rules::ClipRules;
use speech::Speech;

/// A clip that was picked, and what it was picked from.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectedClip {
    /// Index of the part it shows; `None` when the recording has no parts.
    pub segment_index: Option<usize>,
    /// The clip. Its `content_segment_id` is empty: who knows the id of the
    /// part fills it in.
    pub clip: NewClip,
}

/// Picks clips from a recording of the given duration, in the order of time.
///
/// The most important parts give a clip each, up to the greatest number. A part
/// that is too long gives the stretch that says its keywords most often; one
/// that is too short is extended on both sides. When that makes too few clips,
/// the parts give more than one, and shorter ones if need be; a recording with
/// little in it may still have fewer. Clips never overlap, and what another
/// clip shows already is not shown again.
///
/// Both edges are moved by at most `snap_within` to a place where nobody
/// speaks: the middle of a silence (or a second from the clip's speech, if the
/// silence is long), else a border between segments of the transcript. A part
/// that was extended keeps at least half of itself in its clip.
///
/// Without parts, clips are spread evenly over what lies between silences and
/// are called "Part 1", "Part 2" and so on. A recording that is not longer than
/// the least length gives one clip: all of it.
///
/// `silences` are where nothing is heard ([`crate::silence_region::audio_silences`]).
/// The error is about `rules`.
///
/// ```
/// use lectern_analysis::clip::{ClipRules, select};
/// use lectern_analysis::ContentSegmentRef;
/// use lectern_domain::{Ratio, TimeRange, Topic, VideoDuration};
///
/// let topic = Topic::new("Balanced trees")?;
/// let part = ContentSegmentRef {
///     time: TimeRange::new(31.0, 88.0)?,
///     topic: &topic,
///     importance_score: Ratio::new(0.8)?,
///     keywords: &[],
/// };
/// let silences = [TimeRange::new(29.5, 30.5)?, TimeRange::new(88.0, 90.0)?];
/// let rules = ClipRules { min_clips: 1, ..ClipRules::default() };
/// let picked = select(&[part], &[], &silences, VideoDuration::new(120.0)?, &rules)?;
/// assert_eq!(picked[0].clip.time, TimeRange::new(30.0, 89.0)?);
/// assert_eq!(picked[0].clip.title.as_str(), "Balanced trees");
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
pub fn select(
    parts: &[ContentSegmentRef<'_>],
    transcript: &[TranscriptSegmentRef<'_>],
    silences: &[TimeRange],
    duration: VideoDuration,
    rules: &ClipRules,
) -> Result<Vec<SelectedClip>, Invalid> {
    rules.check().at("rules")?;
    let recording = Span::new(0.0, duration.get());
    let mut spoken = transcript.to_vec();
    spoken.sort_by(|a, b| a.time.start().total_cmp(&b.time.start()));
    let edges = Edges::new(silences, &spoken);
    let candidates: Vec<Candidate> = parts.iter().map(candidate).collect();
    let picker = Picker {
        candidates: &candidates,
        speech: &Speech::new(&spoken),
        edges: &edges,
        recording,
        rules,
    };

    let short = recording.length() <= rules.min_length;
    let chosen = if short {
        whole(&candidates, recording)
    } else {
        picker.pick()
    };
    if chosen.is_empty() {
        let silences = Span::unite(silences.iter().copied().map(Span::from).collect());
        let spans = if short {
            vec![recording]
        } else {
            spread(&silences, &edges, recording, rules)
        };
        return spans
            .into_iter()
            .enumerate()
            .map(|(i, span)| unnamed(i, span))
            .collect();
    }
    chosen
        .iter()
        .enumerate()
        .map(|(i, choice)| {
            let earlier = chosen[..i]
                .iter()
                .filter(|other| other.candidate == choice.candidate);
            named(i, choice, &parts[choice.candidate], earlier.count())
        })
        .collect()
}

fn candidate(part: &ContentSegmentRef<'_>) -> Candidate {
    let keys = part.keywords.iter().flat_map(|word| terms(word));
    Candidate {
        span: part.time.into(),
        importance: part.importance_score.get(),
        keys: keys.map(|term| term.key).collect(),
    }
}

/// All of the recording, named after the most important candidate.
fn whole(candidates: &[Candidate], recording: Span) -> Vec<Choice> {
    let importance = |&i: &usize| candidates[i].importance;
    let best = (0..candidates.len())
        .rev()
        .max_by(|a, b| importance(a).total_cmp(&importance(b)));
    let choice = best.map(|candidate| Choice {
        candidate,
        span: recording,
    });
    choice.into_iter().collect()
}

fn named(
    place: usize,
    choice: &Choice,
    part: &ContentSegmentRef<'_>,
    earlier: usize,
) -> Result<SelectedClip, Invalid> {
    let title = Title::new(part.topic.as_str())?;
    let title = match earlier {
        0 => title,
        n => numbered(&title, n + 1)?,
    };
    Ok(SelectedClip {
        segment_index: Some(choice.candidate),
        clip: NewClip {
            topic: Some(ClipTopic::new(part.topic.as_str())?),
            importance_score: Some(part.importance_score),
            ..untitled(place, choice.span, title)?
        },
    })
}

fn unnamed(place: usize, span: Span) -> Result<SelectedClip, Invalid> {
    let title = Title::new(format!("Part {}", place + 1))?;
    Ok(SelectedClip {
        segment_index: None,
        clip: untitled(place, span, title)?,
    })
}

fn untitled(place: usize, span: Span, title: Title) -> Result<NewClip, Invalid> {
    Ok(NewClip {
        content_segment_id: None,
        title,
        topic: None,
        importance_score: None,
        time: span.time()?,
        media: ClipMedia::default(),
        clip_order: NonNegativeInt::position(place)?,
        extra_metadata: JsonObject::default(),
    })
}

/// The title with a number behind it, shortened where it gets too long.
fn numbered(title: &Title, number: usize) -> Result<Title, Invalid> {
    let number = format!(" ({number})");
    let kept: String = title.chars().take(Title::MAX - number.len()).collect();
    Title::new(kept + &number)
}
