//! Selects the parts of a recording to cut out as clips.
//!
//! The input is the content segments, the transcript and the silences of a
//! recording. A clip consists of whole sentences (`passage`). From each of the most important
//! segments the consecutive sentences that make the best clip are taken (`run`), up to a
//! number and a total length (`selection`). The clip is cut in the pauses before and after
//! them (`cut`). Where there is no transcript, the parts between silences take the place
//! of sentences. Clips never overlap. All times are in seconds. The running time is
//! linear in the length of the transcript, times the number of sentences in a clip.

mod cut;
mod description;
mod passage;
mod rules;
mod run;
mod selected_clip;
mod selection;
mod standalone_clauses;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::ops::Range;

use lectern_domain::{InField, Invalid, Keyword, TimeRange, VideoDuration};

use crate::content_segment::Speech;
use crate::hallucination;
use crate::segment_ref::{ContentSegmentRef, TranscriptSegmentRef};
use crate::sentence::normalize;
use crate::silence_region::is_silent;
use crate::term::tokenize;
use crate::time_span::TimeSpan;
use passage::{Passage, parts_between_silences};
pub use rules::ClipRules;
use run::Run;
pub use selected_clip::SelectedClip;
use selection::{Candidate, ClipSelector, Selection, first_max};

/// Shorter parts without text are pauses, in seconds.
const MIN_UNTRANSCRIBED: f64 = 0.1;

/// Selects clips from a recording of the given duration, in order of time.
///
/// A clip begins at the beginning of a sentence and ends at the end of one, with half of the
/// pause around it, but at most half a second. In text without punctuation, the words and
/// the pauses show where sentences end. A clip is as long as the part of its segment that
/// says most about its topic, begins with a lead-in rather than with "However", and does
/// not end with a question.
///
/// Each content segment gives one clip, and of two segments with the same keywords, one gives a
/// clip only after all others. To get `min_clips` clips, more than one clip is taken from a
/// segment, and clips are made shorter if necessary. A recording with little content may still
/// give fewer clips. Announcements, interruptions and the like give a clip only if there is
/// nothing else. Text that the recognizer invented (`hallucination`) and
/// silences are not in clips, apart from pauses.
///
/// Without content segments, clips are spread evenly over the recording and have the
/// titles "Part 1", "Part 2" and so on. A recording that is at most as long as `min_length` gives
/// one clip of the whole recording. A recording that is silent throughout gives no clips, also if
/// it has a transcript.
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
/// assert_eq!(selected[0].clip.time, TimeRange::new(30.0, 88.5)?);
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
    if is_silent(silences, duration.get()) {
        return Ok(Vec::new());
    }
    let recording = TimeSpan::new(0.0, duration.get());
    let silences = TimeSpan::union_of_ranges(silences);
    let mut transcript = transcript.to_vec();
    transcript.sort_by(|a, b| a.time.start().total_cmp(&b.time.start()));
    transcript.retain(|segment| segment.time.start() < recording.end);
    let (spoken, invented) = hallucination::partition(&transcript, &silences);

    if recording.length() <= rules.min_length {
        return whole_recording(segments, recording);
    }
    // Invented text is cut as if it were silent.
    let quiet = TimeSpan::union(
        invented
            .iter()
            .map(|segment| TimeSpan::from(segment.time))
            .chain(silences.iter().copied())
            .collect(),
    );
    let sentences: Vec<Passage> = passage::sentences(&spoken, &silences)
        .into_iter()
        .filter_map(|passage| within(passage, recording))
        .collect();

    let spans: Vec<TimeSpan> = segments
        .iter()
        .map(|segment| {
            // Empty if the segment is outside the recording.
            let (start, end) = (segment.time.start(), segment.time.end());
            TimeSpan::new(start.min(recording.end), end.min(recording.end))
        })
        .collect();
    // Sound without text, for example music, is only used if there is nothing else.
    let everywhere = vec![recording];
    let without_text = if sentences.is_empty() {
        everywhere.clone()
    } else {
        let has_text = |span: &TimeSpan| !passages_in(*span, &sentences).is_empty();
        spans
            .iter()
            .copied()
            .filter(|span| !has_text(span))
            .collect()
    };
    for filled in [without_text, everywhere.clone()] {
        let passages = with_untranscribed(&sentences, filled, &quiet, rules);
        let candidates: Vec<Candidate> = segments
            .iter()
            .zip(&spans)
            .map(|(segment, span)| candidate(segment, *span, &passages))
            .collect();
        let selections = select_from(&candidates, &passages, recording, rules);
        if !selections.is_empty() {
            let speech = Speech::of(&spoken, &silences);
            return with_titles(&selections, segments, &passages, &speech);
        }
    }
    let passages = with_untranscribed(&sentences, everywhere, &quiet, rules);
    let candidates: Vec<Candidate> = slots(recording, rules)
        .into_iter()
        .map(|span| Candidate {
            span,
            importance: 1.0,
            keys: HashSet::new(),
            passages: passages_in(span, &passages),
        })
        .collect();
    select_from(&candidates, &passages, recording, rules)
        .iter()
        .enumerate()
        .map(|(position, selection)| SelectedClip::without_segment(position, selection.run.span))
        .collect()
}

fn select_from(
    candidates: &[Candidate],
    passages: &[Passage],
    recording: TimeSpan,
    rules: &ClipRules,
) -> Vec<Selection> {
    let selector = ClipSelector {
        candidates,
        passages,
        recording,
        rules,
    };
    selector.select()
}

fn candidate(segment: &ContentSegmentRef<'_>, span: TimeSpan, passages: &[Passage]) -> Candidate {
    let terms = segment.keywords.iter().flat_map(|word| tokenize(word));
    Candidate {
        span,
        importance: segment.importance_score.get(),
        keys: terms.map(|term| term.key).collect(),
        passages: passages_in(span, passages),
    }
}

/// The passage, if it begins before the end of the recording.
fn within(passage: Passage, recording: TimeSpan) -> Option<Passage> {
    let span = passage.span.intersection(recording)?;
    Some(Passage { span, ..passage })
}

/// Adds what is neither silent nor transcribed within the spans, divided at silences.
fn with_untranscribed(
    sentences: &[Passage],
    spans: Vec<TimeSpan>,
    quiet: &[TimeSpan],
    rules: &ClipRules,
) -> Vec<Passage> {
    let spoken = TimeSpan::union(sentences.iter().map(|passage| passage.span).collect());
    let mut passages = sentences.to_vec();
    for part in TimeSpan::union(spans)
        .into_iter()
        .flat_map(|span| span.difference(&spoken))
        .filter(|part| part.length() >= MIN_UNTRANSCRIBED)
    {
        passages.extend(parts_between_silences(part, quiet, rules.min_length));
    }
    passages.sort_by(|a, b| a.span.start.total_cmp(&b.span.start));
    passages
}

/// The indices of the passages whose middle is in the span; if there are none, of those
/// that overlap it. The passages are sorted.
fn passages_in(span: TimeSpan, passages: &[Passage]) -> Range<usize> {
    let first = passages.partition_point(|passage| passage.span.midpoint() < span.start);
    let end = passages.partition_point(|passage| passage.span.midpoint() < span.end);
    if first < end {
        return first..end;
    }
    let first = passages.partition_point(|passage| passage.span.end <= span.start);
    let end = passages.partition_point(|passage| passage.span.start < span.end);
    first..end.max(first)
}

/// Equal parts of a recording without content segments: as many as clips of the maximum
/// length fit into it, but at least the minimum and at most the maximum number of clips.
/// None is shorter than the minimum length of a clip.
fn slots(recording: TimeSpan, rules: &ClipRules) -> Vec<TimeSpan> {
    let count_that_fits = |length: f64| {
        (1..=rules.max_clips)
            .rev()
            .find(|&count| count as f64 * length <= recording.length())
            .unwrap_or(1)
    };
    let count = count_that_fits(rules.max_length)
        .max(rules.min_clips)
        .min(count_that_fits(rules.min_length));
    let length = recording.length() / count as f64;
    (0..count)
        .map(|i| {
            let start = recording.start + i as f64 * length;
            TimeSpan::new(start, (start + length).min(recording.end))
        })
        .collect()
}

/// One clip of the whole recording, with the title of its most important segment.
fn whole_recording(
    segments: &[ContentSegmentRef<'_>],
    recording: TimeSpan,
) -> Result<Vec<SelectedClip>, Invalid> {
    let most_important = first_max(0..segments.len(), |&i| segments[i].importance_score.get());
    let clip = match most_important {
        None => SelectedClip::without_segment(0, recording)?,
        Some(candidate) => {
            let run = Run {
                passages: 0..0,
                span: recording,
                score: 0.0,
            };
            let selection = Selection { candidate, run };
            SelectedClip::from_segment(0, &selection, &segments[candidate], 1, None)?
        }
    };
    Ok(vec![clip])
}

fn with_titles(
    selections: &[Selection],
    segments: &[ContentSegmentRef<'_>],
    passages: &[Passage],
    speech: &Speech,
) -> Result<Vec<SelectedClip>, Invalid> {
    let mut clips: Vec<SelectedClip> = Vec::with_capacity(selections.len());
    for (position, selection) in selections.iter().enumerate() {
        let same_segment = |other: &&Selection| other.candidate == selection.candidate;
        let number = 1 + selections[..position].iter().filter(same_segment).count();
        let segment = &segments[selection.candidate];
        let said = &passages[selection.run.passages.clone()];
        let used: Vec<&str> = clips.iter().map(|clip| clip.clip.title.as_str()).collect();
        let own_title = clip_title(segment, said, number, &used, speech);
        let title = own_title.as_deref().unwrap_or(segment.topic.as_str());
        let description = description::of(said, segment, title, speech.lexicon());
        let clip = SelectedClip::from_segment(position, selection, segment, number, description)?;
        clips.push(match own_title {
            Some(title) => clip.with_title(&title)?,
            None => clip,
        });
    }
    Ok(clips)
}

/// A title of the clip itself, which no earlier clip has. `None` if that of the segment is better:
/// for its first clip, when it promises nothing that is not said there or comes from elsewhere
/// than [`content_segment`](crate::content_segment).
fn clip_title(
    segment: &ContentSegmentRef<'_>,
    said: &[Passage],
    number: usize,
    used: &[&str],
    speech: &Speech,
) -> Option<String> {
    let time = TimeSpan::from(segment.time);
    let topic = segment.topic.as_str();
    let is_own = speech.title(time).is_some_and(|title| title == topic);
    let part = TimeSpan::new(said.first()?.span.start, said.last()?.span.end);
    if number == 1 {
        let is_said = |word: &str| said.iter().any(|passage| has_word(&passage.text, word));
        let is_question = topic.ends_with('?');
        let is_kept = |word: &str| is_said(word) || is_question && !speech.may_name_topic(word);
        let mut words = topic.split_whitespace();
        // A question begins with a capital letter that says nothing.
        let is_unasked = is_question && !is_asked(topic, said);
        let promises_too_much =
            is_own && (is_unasked || !words.by_ref().skip(usize::from(is_question)).all(is_kept));
        let title = promises_too_much
            .then(|| speech.title_of_part(part, time, topic))
            .flatten();
        let is_used = used.contains(&title.as_deref().unwrap_or(topic));
        if !is_used {
            return title.filter(|title| title != topic);
        }
    }
    speech
        .distinguishing_title(part, topic, is_own, used)
        .or_else(|| {
            let keyword = distinguishing_keyword(segment, said, used)?;
            Some(format!("{topic}: {keyword}"))
        })
        .filter(|title| !used.contains(&title.as_str()))
}

/// Whether one of the passages asks the question, perhaps with other words between, after which it
/// is probably answered. Where something is defined, the question is the title's own.
fn is_asked(question: &str, said: &[Passage]) -> bool {
    let asked: Vec<String> = question.split_whitespace().map(normalize).collect();
    let start = asked[..asked.len().min(2)].join(" ");
    if ["what is", "what are", "was ist", "was sind"].contains(&start.as_str()) {
        return true;
    }
    said.iter().any(|passage| {
        let mut words = passage.text.split_whitespace().map(normalize);
        asked.iter().all(|word| words.any(|other| other == *word))
    })
}

/// The best keyword of the segment that is said in the clip and in no title of another one.
fn distinguishing_keyword<'a>(
    segment: &ContentSegmentRef<'a>,
    said: &[Passage],
    used: &[&str],
) -> Option<&'a str> {
    let keywords = segment.keywords.iter().map(Keyword::as_str);
    keywords
        .filter(|keyword| !used.iter().any(|title| has_word(title, keyword)))
        .find(|keyword| said.iter().any(|passage| has_word(&passage.text, keyword)))
}

/// Whether a text has a word; punctuation and case are ignored. The words that join the parts
/// of a title are in every text.
fn has_word(text: &str, word: &str) -> bool {
    let word = normalize(word);
    word == "and"
        || word == "und"
        || text
            .split_whitespace()
            .any(|other| normalize(other) == word)
}
