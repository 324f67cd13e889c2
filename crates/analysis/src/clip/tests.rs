//! Clips of recordings with various segments and silences.

use lectern_domain::{Keyword, Ratio, TimeRange, Topic, VideoDuration};
use proptest::prelude::*;

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
        &ClipRules::default(),
    )
    .unwrap()
}

fn bounds(clips: &[SelectedClip]) -> Vec<(f64, f64)> {
    let times = clips.iter().map(|selected| selected.clip.time);
    times.map(|time| (time.start(), time.end())).collect()
}

#[test]
fn each_segment_gives_a_clip_with_its_title_in_order_of_time() {
    let segments = [
        segment(130.0, 180.0, "Trees", 0.9),
        segment(2.0, 60.0, "Leaves", 0.5),
        segment(62.0, 128.0, "Banks", 0.7),
    ];
    let silences = [(0.0, 2.0), (60.0, 62.0), (128.0, 130.0), (180.0, 190.0)];
    let clips = select_clips(&segments, &[], &silences, 190.0);
    assert_eq!(bounds(&clips), [(1.0, 61.0), (61.0, 129.0), (129.0, 181.0)]);
    let segments: Vec<_> = clips
        .iter()
        .map(|selected| selected.segment_index)
        .collect();
    assert_eq!(segments, [Some(1), Some(2), Some(0)]);
    for (position, (selected, (title, importance))) in
        (0..).zip(
            clips
                .iter()
                .zip([("Leaves", 0.5), ("Banks", 0.7), ("Trees", 0.9)]),
        )
    {
        assert_eq!(selected.clip.clip_order.get(), position);
        assert_eq!(selected.clip.title.as_str(), title);
        assert_eq!(selected.clip.topic.as_deref(), Some(title));
        assert_eq!(
            selected.clip.importance_score.map(Ratio::get),
            Some(importance)
        );
    }
}

#[test]
fn the_least_important_segments_give_no_clip() {
    let segments: Vec<Segment> = (0..12)
        .map(|i| {
            let start = f64::from(i) * 60.0;
            segment(
                start,
                start + 50.0,
                &format!("Topic {i}"),
                f64::from((i * 5) % 12) / 12.0,
            )
        })
        .collect();
    let clips = select_clips(&segments, &[], &[], 720.0);
    assert_eq!(clips.len(), 8);
    let least = clips
        .iter()
        .filter_map(|selected| selected.clip.importance_score);
    assert!(least.map(Ratio::get).fold(1.0, f64::min) >= 4.0 / 12.0);
}

#[test]
fn a_long_segment_gives_the_window_with_most_of_its_keywords() {
    let segments = [
        segment(0.0, 400.0, "Fugues", 0.9),
        segment(400.0, 450.0, "Banks", 0.5),
        segment(450.0, 500.0, "Trees", 0.5),
    ];
    let sentences: Vec<(f64, f64, &str)> = (0..50)
        .map(|i| {
            let start = f64::from(i) * 10.0;
            let text = if (20..30).contains(&i) {
                "this fugue has voices"
            } else {
                "well then"
            };
            (start, start + 9.0, text)
        })
        .collect();
    let clips = select_clips(&segments, &sentences, &[], 500.0);
    let time = clips[0].clip.time;
    assert_eq!(clips[0].clip.title.as_str(), "Fugues");
    assert!(time.start() <= 200.0 && time.end() >= 299.0, "{time:?}");
    assert!((110.0..=120.0).contains(&time.duration()));
}

#[test]
fn a_short_segment_is_extended() {
    let segments = [
        segment(50.0, 58.0, "Short", 0.9),
        segment(100.0, 140.0, "Long", 0.5),
        segment(140.0, 170.0, "Longer", 0.4),
    ];
    assert_eq!(
        bounds(&select_clips(&segments, &[], &[], 200.0))[0],
        (44.0, 64.0)
    );
}

#[test]
fn a_short_segment_stays_in_its_clip_although_a_silence_is_near() {
    // The segment is at the end of its clip. Snapping to the silence before it
    // would remove it from the clip.
    let segments = [
        segment(0.0, 40.0, "Leaves", 0.9),
        segment(40.0, 72.0, "Trees", 0.5),
        segment(97.0, 100.0, "Short", 0.3),
    ];
    let silences = [(75.0, 76.0), (95.0, 96.0)];
    let clips = select_clips(&segments, &[], &silences, 100.0);
    assert_eq!(clips[2].clip.title.as_str(), "Short");
    assert_eq!(bounds(&clips)[2], (75.5, 100.0));
}

#[test]
fn one_long_segment_gives_several_numbered_clips() {
    let clips = select_clips(&[segment(0.0, 600.0, "Fugues", 0.9)], &[], &[], 600.0);
    let titles: Vec<&str> = clips
        .iter()
        .map(|selected| selected.clip.title.as_str())
        .collect();
    assert_eq!(titles, ["Fugues", "Fugues (2)", "Fugues (3)"]);
    assert!(
        clips
            .iter()
            .all(|selected| selected.segment_index == Some(0))
    );
}

#[test]
fn a_segment_too_short_for_three_long_clips_gives_three_short_ones() {
    let clips = select_clips(&[segment(0.0, 100.0, "Fugues", 0.9)], &[], &[], 100.0);
    assert_eq!(clips.len(), 3);
}

#[test]
fn a_recording_shorter_than_a_clip_gives_one_clip() {
    let segments = [
        segment(0.0, 5.0, "Leaves", 0.2),
        segment(5.0, 12.0, "Trees", 0.9),
    ];
    let clips = select_clips(&segments, &[], &[(0.0, 1.0)], 12.5);
    assert_eq!(bounds(&clips), [(0.0, 12.5)]);
    assert_eq!(
        (clips[0].segment_index, clips[0].clip.title.as_str()),
        (Some(1), "Trees")
    );

    let clips = select_clips(&[], &[], &[], 0.2);
    assert_eq!(bounds(&clips), [(0.0, 0.2)]);
    assert_eq!(
        (clips[0].segment_index, clips[0].clip.title.as_str()),
        (None, "Part 1")
    );
}

#[test]
fn without_segments_clips_are_spread_over_the_parts_between_silences() {
    let silences = [
        (98.0, 102.0),
        (150.0, 152.0),
        (298.0, 302.0),
        (330.0, 332.0),
    ];
    let clips = select_clips(&[], &[], &silences, 360.0);
    assert_eq!(
        bounds(&clips),
        [(0.0, 99.0), (151.0, 240.0), (240.0, 299.0)]
    );
    let titles: Vec<&str> = clips
        .iter()
        .map(|selected| selected.clip.title.as_str())
        .collect();
    assert_eq!(titles, ["Part 1", "Part 2", "Part 3"]);
    assert!(
        clips
            .iter()
            .all(|selected| selected.segment_index.is_none() && selected.clip.topic.is_none())
    );
}

#[test]
fn the_error_names_the_inconsistent_rule() {
    let rules = ClipRules {
        max_length: 10.0,
        ..ClipRules::default()
    };
    let error = select(&[], &[], &[], VideoDuration::new(60.0).unwrap(), &rules).unwrap_err();
    assert_eq!(error.errors()[0].field, "rules.max_length");
}

/// Recordings: the duration, content segments in order, and silences.
fn recordings() -> impl Strategy<Value = (f64, Vec<Segment>, Vec<(f64, f64)>)> {
    // Pause before the segment, its length, and its importance in quarters.
    let shape = (0.0..20.0_f64, 0.0..400.0_f64, 0..=4_u8);
    let silence = (0.0..3_000.0_f64, 0.0..12.0_f64);
    let segments = prop::collection::vec(shape, 0..16);
    (
        0.5..3_000.0_f64,
        segments,
        prop::collection::vec(silence, 0..120),
    )
        .prop_map(|(duration, segments, silences)| {
            let mut end = 0.0;
            let segments = segments.iter().map(|&(pause, length, importance)| {
                let start = end + pause;
                end = start + length;
                segment(start, end, "Fugues", f64::from(importance) / 4.0)
            });
            let silences = silences
                .iter()
                .map(|&(start, length)| (start, start + length));
            (duration, segments.collect(), silences.collect())
        })
}

proptest! {
    #[test]
    fn clips_are_disjoint_within_bounds_and_deterministic(
        (duration, segments, silences) in recordings(),
    ) {
        let sentences: Vec<(f64, f64, &str)> = (0..500)
            .map(|i| {
                let start = f64::from(i) * 6.0;
                (start, start + 5.0, if i % 7 < 3 { "a fugue" } else { "so" })
            })
            .collect();
        let clips = select_clips(&segments, &sentences, &silences, duration);
        prop_assert_eq!(&clips, &select_clips(&segments, &sentences, &silences, duration));
        prop_assert!((1..=8).contains(&clips.len()));
        for (position, selected) in (0..).zip(&clips) {
            let time = selected.clip.time;
            prop_assert!(time.end() <= duration);
            prop_assert!(time.duration() >= 20.0_f64.min(duration) - 1e-9, "{time:?}");
            prop_assert!(time.duration() <= 120.0 + 1e-9, "{time:?}");
            prop_assert_eq!(selected.clip.clip_order.get(), position);
            if let Some(index) = selected.segment_index.filter(|_| duration > 20.0) {
                // A clip overlaps its segment.
                let segment = segments[index].time;
                prop_assert!(time.start() <= segment.end() && segment.start() <= time.end());
            }
        }
        for pair in clips.windows(2) {
            prop_assert!(pair[0].clip.time.end() <= pair[1].clip.time.start());
        }
    }

    #[test]
    fn silences_move_boundaries_by_at_most_the_maximum_distance(
        length in 20.0..110.0_f64,
        silences in prop::collection::vec((0.0..600.0_f64, 0.0..12.0_f64), 0..60),
    ) {
        // Far enough apart that each segment gives exactly one clip.
        let starts = [20.0, 220.0, 420.0];
        let segments = starts.map(|start| segment(start, start + length, "Fugues", 0.5));
        let silences: Vec<_> = silences
            .iter()
            .map(|&(start, length)| (start, start + length))
            .collect();
        let clips = select_clips(&segments, &[], &silences, 600.0);
        prop_assert_eq!(clips.len(), 3);
        for (selected, start) in clips.iter().zip(starts) {
            prop_assert!((selected.clip.time.start() - start).abs() <= 5.0 + 1e-9);
            prop_assert!((selected.clip.time.end() - start - length).abs() <= 5.0 + 1e-9);
        }
    }
}
