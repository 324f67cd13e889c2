//! Clips picked from recordings of all kinds.

use lectern_domain::{Keyword, Ratio, TimeRange, Topic, VideoDuration};
use proptest::prelude::*;

use super::{ClipRules, SelectedClip, select};
use crate::{ContentSegmentRef, TranscriptSegmentRef};

/// A content segment to pick from.
#[derive(Debug, Clone)]
struct Told {
    time: TimeRange,
    topic: Topic,
    importance: Ratio,
    keywords: Vec<Keyword>,
}

fn told(start: f64, end: f64, topic: &str, importance: f64) -> Told {
    Told {
        time: TimeRange::new(start, end).unwrap(),
        topic: Topic::new(topic).unwrap(),
        importance: Ratio::new(importance).unwrap(),
        keywords: vec![Keyword::new("fugue").unwrap()],
    }
}

fn spoken<'a>(said: &[(f64, f64, &'a str)]) -> Vec<TranscriptSegmentRef<'a>> {
    let say = |&(start, end, text)| TranscriptSegmentRef {
        time: TimeRange::new(start, end).unwrap(),
        text,
    };
    said.iter().map(say).collect()
}

fn times(ranges: &[(f64, f64)]) -> Vec<TimeRange> {
    let time = |&(start, end): &(f64, f64)| TimeRange::new(start, end).unwrap();
    ranges.iter().map(time).collect()
}

fn picked(
    told: &[Told],
    said: &[(f64, f64, &str)],
    silences: &[(f64, f64)],
    duration: f64,
) -> Vec<SelectedClip> {
    let parts: Vec<ContentSegmentRef<'_>> = told
        .iter()
        .map(|told| ContentSegmentRef {
            time: told.time,
            topic: &told.topic,
            importance_score: told.importance,
            keywords: &told.keywords,
        })
        .collect();
    let duration = VideoDuration::new(duration).unwrap();
    select(
        &parts,
        &spoken(said),
        &times(silences),
        duration,
        &ClipRules::default(),
    )
    .unwrap()
}

fn edges(clips: &[SelectedClip]) -> Vec<(f64, f64)> {
    let times = clips.iter().map(|picked| picked.clip.time);
    times.map(|time| (time.start(), time.end())).collect()
}

#[test]
fn each_part_gives_a_clip_with_its_name_in_the_order_of_time() {
    let parts = [
        told(130.0, 180.0, "Trees", 0.9),
        told(2.0, 60.0, "Leaves", 0.5),
        told(62.0, 128.0, "Banks", 0.7),
    ];
    let silences = [(0.0, 2.0), (60.0, 62.0), (128.0, 130.0), (180.0, 190.0)];
    let clips = picked(&parts, &[], &silences, 190.0);
    assert_eq!(edges(&clips), [(1.0, 61.0), (61.0, 129.0), (129.0, 181.0)]);
    let parts: Vec<_> = clips.iter().map(|picked| picked.segment_index).collect();
    assert_eq!(parts, [Some(1), Some(2), Some(0)]);
    for (place, (picked, (title, importance))) in
        (0..).zip(
            clips
                .iter()
                .zip([("Leaves", 0.5), ("Banks", 0.7), ("Trees", 0.9)]),
        )
    {
        assert_eq!(picked.clip.clip_order.get(), place);
        assert_eq!(picked.clip.title.as_str(), title);
        assert_eq!(picked.clip.topic.as_deref(), Some(title));
        assert_eq!(
            picked.clip.importance_score.map(Ratio::get),
            Some(importance)
        );
    }
}

#[test]
fn the_least_important_parts_are_left_out() {
    let parts: Vec<Told> = (0..12)
        .map(|i| {
            let start = f64::from(i) * 60.0;
            told(
                start,
                start + 50.0,
                &format!("Topic {i}"),
                f64::from((i * 5) % 12) / 12.0,
            )
        })
        .collect();
    let clips = picked(&parts, &[], &[], 720.0);
    assert_eq!(clips.len(), 8);
    let least = clips
        .iter()
        .filter_map(|picked| picked.clip.importance_score);
    assert!(least.map(Ratio::get).fold(1.0, f64::min) >= 4.0 / 12.0);
}

#[test]
fn a_long_part_gives_the_stretch_with_most_of_its_keywords() {
    let parts = [
        told(0.0, 400.0, "Fugues", 0.9),
        told(400.0, 450.0, "Banks", 0.5),
        told(450.0, 500.0, "Trees", 0.5),
    ];
    let said: Vec<(f64, f64, &str)> = (0..50)
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
    let clips = picked(&parts, &said, &[], 500.0);
    let time = clips[0].clip.time;
    assert_eq!(clips[0].clip.title.as_str(), "Fugues");
    assert!(time.start() <= 200.0 && time.end() >= 299.0, "{time:?}");
    assert!((110.0..=120.0).contains(&time.duration()));
}

#[test]
fn a_short_part_is_extended() {
    let parts = [
        told(50.0, 58.0, "Short", 0.9),
        told(100.0, 140.0, "Long", 0.5),
        told(140.0, 170.0, "Longer", 0.4),
    ];
    assert_eq!(edges(&picked(&parts, &[], &[], 200.0))[0], (44.0, 64.0));
}

#[test]
fn a_short_part_stays_in_its_clip_wherever_a_silence_is() {
    // It lies at the end of its clip; a silence before it would end that too early.
    let parts = [
        told(0.0, 40.0, "Leaves", 0.9),
        told(40.0, 72.0, "Trees", 0.5),
        told(97.0, 100.0, "Short", 0.3),
    ];
    let silences = [(75.0, 76.0), (95.0, 96.0)];
    let clips = picked(&parts, &[], &silences, 100.0);
    assert_eq!(clips[2].clip.title.as_str(), "Short");
    assert_eq!(edges(&clips)[2], (75.5, 100.0));
}

#[test]
fn one_long_part_gives_several_clips_with_numbers() {
    let clips = picked(&[told(0.0, 600.0, "Fugues", 0.9)], &[], &[], 600.0);
    let titles: Vec<&str> = clips
        .iter()
        .map(|picked| picked.clip.title.as_str())
        .collect();
    assert_eq!(titles, ["Fugues", "Fugues (2)", "Fugues (3)"]);
    assert!(clips.iter().all(|picked| picked.segment_index == Some(0)));
}

#[test]
fn a_minute_and_a_half_about_one_thing_gives_three_shorter_clips() {
    let clips = picked(&[told(0.0, 100.0, "Fugues", 0.9)], &[], &[], 100.0);
    assert_eq!(clips.len(), 3);
}

#[test]
fn a_recording_shorter_than_a_clip_is_one_clip() {
    let parts = [told(0.0, 5.0, "Leaves", 0.2), told(5.0, 12.0, "Trees", 0.9)];
    let clips = picked(&parts, &[], &[(0.0, 1.0)], 12.5);
    assert_eq!(edges(&clips), [(0.0, 12.5)]);
    assert_eq!(
        (clips[0].segment_index, clips[0].clip.title.as_str()),
        (Some(1), "Trees")
    );

    let clips = picked(&[], &[], &[], 0.2);
    assert_eq!(edges(&clips), [(0.0, 0.2)]);
    assert_eq!(
        (clips[0].segment_index, clips[0].clip.title.as_str()),
        (None, "Part 1")
    );
}

#[test]
fn without_topics_clips_are_spread_over_what_lies_between_silences() {
    let silences = [
        (98.0, 102.0),
        (150.0, 152.0),
        (298.0, 302.0),
        (330.0, 332.0),
    ];
    let clips = picked(&[], &[], &silences, 360.0);
    assert_eq!(edges(&clips), [(0.0, 99.0), (151.0, 240.0), (240.0, 299.0)]);
    let titles: Vec<&str> = clips
        .iter()
        .map(|picked| picked.clip.title.as_str())
        .collect();
    assert_eq!(titles, ["Part 1", "Part 2", "Part 3"]);
    assert!(
        clips
            .iter()
            .all(|picked| picked.segment_index.is_none() && picked.clip.topic.is_none())
    );
}

#[test]
fn rules_that_cannot_be_kept_are_named() {
    let rules = ClipRules {
        max_length: 10.0,
        ..ClipRules::default()
    };
    let error = select(&[], &[], &[], VideoDuration::new(60.0).unwrap(), &rules).unwrap_err();
    assert_eq!(error.errors()[0].field, "rules.max_length");
}

/// A recording: its duration, topics one after the other, and silences.
fn recordings() -> impl Strategy<Value = (f64, Vec<Told>, Vec<(f64, f64)>)> {
    let part = (0.0..20.0_f64, 0.0..400.0_f64, 0..=4_u8);
    let silence = (0.0..3_000.0_f64, 0.0..12.0_f64);
    let parts = prop::collection::vec(part, 0..16);
    (
        0.5..3_000.0_f64,
        parts,
        prop::collection::vec(silence, 0..120),
    )
        .prop_map(|(duration, parts, silences)| {
            let mut at = 0.0;
            let parts = parts.iter().map(|&(pause, length, importance)| {
                let start = at + pause;
                at = start + length;
                told(start, at, "Fugues", f64::from(importance) / 4.0)
            });
            let silences = silences
                .iter()
                .map(|&(start, length)| (start, start + length));
            (duration, parts.collect(), silences.collect())
        })
}

proptest! {
    #[test]
    fn clips_are_apart_within_bounds_and_always_the_same(
        (duration, parts, silences) in recordings(),
    ) {
        let said: Vec<(f64, f64, &str)> = (0..500)
            .map(|i| (f64::from(i) * 6.0, f64::from(i) * 6.0 + 5.0, if i % 7 < 3 { "a fugue" } else { "so" }))
            .collect();
        let clips = picked(&parts, &said, &silences, duration);
        prop_assert_eq!(&clips, &picked(&parts, &said, &silences, duration));
        prop_assert!((1..=8).contains(&clips.len()));
        for (place, picked) in (0..).zip(&clips) {
            let time = picked.clip.time;
            prop_assert!(time.end() <= duration);
            prop_assert!(time.duration() >= 20.0_f64.min(duration) - 1e-9, "{time:?}");
            prop_assert!(time.duration() <= 120.0 + 1e-9, "{time:?}");
            prop_assert_eq!(picked.clip.clip_order.get(), place);
            if let Some(part) = picked.segment_index.filter(|_| duration > 20.0) {
                // A clip shows something of its part.
                let part = parts[part].time;
                prop_assert!(time.start() <= part.end() && part.start() <= time.end());
            }
        }
        for pair in clips.windows(2) {
            prop_assert!(pair[0].clip.time.end() <= pair[1].clip.time.start());
        }
    }

    #[test]
    fn silences_move_no_edge_further_than_they_may(length in 20.0..110.0_f64, silences in prop::collection::vec((0.0..600.0_f64, 0.0..12.0_f64), 0..60)) {
        // Three parts far enough apart that each is its own clip as it is.
        let starts = [20.0, 220.0, 420.0];
        let parts = starts.map(|start| told(start, start + length, "Fugues", 0.5));
        let silences: Vec<_> = silences.iter().map(|&(start, length)| (start, start + length)).collect();
        let clips = picked(&parts, &[], &silences, 600.0);
        prop_assert_eq!(clips.len(), 3);
        for (picked, start) in clips.iter().zip(starts) {
            prop_assert!((picked.clip.time.start() - start).abs() <= 5.0 + 1e-9);
            prop_assert!((picked.clip.time.end() - start - length).abs() <= 5.0 + 1e-9);
        }
    }
}
