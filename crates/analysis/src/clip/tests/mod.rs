//! Clips of recordings with various segments and silences.

mod choice;
mod descriptions;
mod properties;
mod speech;
mod titles;

use lectern_domain::{Keyword, Ratio, TimeRange, Topic, VideoDuration};

use super::{ClipRules, SelectedClip, select};
use crate::{ContentSegmentRef, TranscriptSegmentRef};

/// The owned fields of a [`ContentSegmentRef`].
#[derive(Debug, Clone)]
struct Segment {
    time: TimeRange,
    topic: Topic,
    importance: Ratio,
    keywords: Vec<Keyword>,
}

fn segment(start: f64, end: f64, topic: &str, importance: f64) -> Segment {
    Segment {
        time: TimeRange::new(start, end).unwrap(),
        topic: Topic::new(topic).unwrap(),
        importance: Ratio::new(importance).unwrap(),
        keywords: vec![Keyword::new("fugue").unwrap()],
    }
}

fn transcript<'a>(sentences: &[(f64, f64, &'a str)]) -> Vec<TranscriptSegmentRef<'a>> {
    let segment = |&(start, end, text)| TranscriptSegmentRef {
        time: TimeRange::new(start, end).unwrap(),
        text,
        words: &[],
    };
    sentences.iter().map(segment).collect()
}

fn times(ranges: &[(f64, f64)]) -> Vec<TimeRange> {
    let time = |&(start, end): &(f64, f64)| TimeRange::new(start, end).unwrap();
    ranges.iter().map(time).collect()
}

fn select_clips(
    segments: &[Segment],
    sentences: &[(f64, f64, &str)],
    silences: &[(f64, f64)],
    duration: f64,
) -> Vec<SelectedClip> {
    select_with(
        segments,
        sentences,
        silences,
        duration,
        &ClipRules::default(),
    )
}

fn select_with(
    segments: &[Segment],
    sentences: &[(f64, f64, &str)],
    silences: &[(f64, f64)],
    duration: f64,
    rules: &ClipRules,
) -> Vec<SelectedClip> {
    let segments: Vec<ContentSegmentRef<'_>> = segments
        .iter()
        .map(|segment| ContentSegmentRef {
            time: segment.time,
            topic: &segment.topic,
            importance_score: segment.importance,
            keywords: &segment.keywords,
        })
        .collect();
    let duration = VideoDuration::new(duration).unwrap();
    select(
        &segments,
        &transcript(sentences),
        &times(silences),
        duration,
        rules,
    )
    .unwrap()
}

fn bounds(clips: &[SelectedClip]) -> Vec<(f64, f64)> {
    let times = clips.iter().map(|selected| selected.clip.time);
    times.map(|time| (time.start(), time.end())).collect()
}

/// Different sentences about fugues. Equal ones would be taken for invented.
fn fugues(count: usize) -> Vec<String> {
    (0..count)
        .map(|i| format!("A fugue {i} has a theme {} with voices.", i + 1))
        .collect()
}

fn refs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// Sentences of nine seconds, one every ten seconds, with these texts.
fn lecture<'a>(texts: &[&'a str]) -> Vec<(f64, f64, &'a str)> {
    (0_u32..)
        .zip(texts)
        .map(|(i, text)| (f64::from(i) * 10.0, f64::from(i) * 10.0 + 9.0, *text))
        .collect()
}
