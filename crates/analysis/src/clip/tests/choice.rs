//! Which parts of a recording give clips, and how many.

use lectern_domain::{Keyword, Ratio, VideoDuration};

use super::super::{ClipRules, select};
use super::{Segment, bounds, fugues, lecture, refs, segment, select_clips, select_with};

#[test]
fn each_segment_gives_a_clip_with_its_title_in_order_of_time() {
    let segments = [
        segment(130.0, 180.0, "Trees", 0.9),
        segment(2.0, 60.0, "Leaves", 0.5),
        segment(62.0, 128.0, "Banks", 0.7),
    ];
    let silences = [(0.0, 2.0), (60.0, 62.0), (128.0, 130.0), (180.0, 190.0)];
    let clips = select_clips(&segments, &[], &silences, 190.0);
    assert_eq!(bounds(&clips), [(1.5, 60.5), (61.5, 128.5), (129.5, 180.5)]);
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
    let rules = ClipRules {
        max_share: 1.0,
        ..ClipRules::default()
    };
    let clips = select_with(&segments, &[], &[], 720.0, &rules);
    assert_eq!(clips.len(), 8);
    let least = clips
        .iter()
        .filter_map(|selected| selected.clip.importance_score);
    assert!(least.map(Ratio::get).fold(1.0, f64::min) >= 4.0 / 12.0);
}

#[test]
fn a_long_segment_gives_the_part_that_says_most_about_its_topic() {
    let segments = [
        segment(0.0, 400.0, "Fugues", 0.9),
        segment(400.0, 450.0, "Banks", 0.5),
        segment(450.0, 500.0, "Trees", 0.5),
    ];
    let other: Vec<String> = (0..50)
        .map(|i| format!("There was something else {i}."))
        .collect();
    let fugues = fugues(5);
    let mut texts = refs(&other);
    texts[20..25].copy_from_slice(&refs(&fugues));
    let clips = select_clips(&segments, &lecture(&texts), &[], 500.0);
    assert_eq!(clips[0].clip.title.as_str(), "Fugues");
    assert_eq!(bounds(&clips)[0], (199.5, 249.5));
    let description = clips[0].description.as_ref().unwrap();
    assert!(fugues.contains(description), "{description}");
}

#[test]
fn the_clips_of_a_long_recording_are_a_part_of_it() {
    let segments: Vec<Segment> = (0_u32..10)
        .map(|i| {
            segment(
                f64::from(i) * 60.0,
                f64::from(i) * 60.0 + 60.0,
                "Topic",
                0.5,
            )
        })
        .collect();
    let total = |duration, max_share| -> f64 {
        let rules = ClipRules {
            max_share,
            ..ClipRules::default()
        };
        let clips = select_with(
            &segments,
            &lecture(&refs(&fugues(60))),
            &[],
            duration,
            &rules,
        );
        clips
            .iter()
            .map(|selected| selected.clip.time.duration())
            .sum()
    };
    assert!((100.0..=180.0).contains(&total(600.0, 0.3)));
    assert!((40.0..=60.0).contains(&total(600.0, 0.1)));
    assert!(total(600.0, 1.0) > 300.0);
    assert!(
        total(300.0, 0.1) > 100.0,
        "a recording of five minutes has no limit"
    );
}

#[test]
fn a_short_segment_is_extended() {
    let segments = [
        segment(50.0, 58.0, "Short", 0.9),
        segment(100.0, 140.0, "Long", 0.5),
        segment(140.0, 170.0, "Longer", 0.4),
    ];
    let silences = [(20.0, 21.0), (62.0, 63.0)];
    let (start, end) = bounds(&select_clips(&segments, &[], &silences, 200.0))[0];
    assert!(
        start <= 50.0 && end >= 58.0 && end - start >= 20.0,
        "{start} {end}"
    );
}

#[test]
fn a_short_segment_at_the_end_stays_in_its_clip() {
    let segments = [
        segment(0.0, 40.0, "Leaves", 0.9),
        segment(40.0, 72.0, "Trees", 0.5),
        segment(97.0, 100.0, "Short", 0.3),
    ];
    let silences = [(75.0, 76.0), (95.0, 96.0)];
    let clips = select_clips(&segments, &[], &silences, 100.0);
    assert_eq!(clips[2].clip.title.as_str(), "Short");
    let (start, end) = bounds(&clips)[2];
    assert!(
        (72.0..=80.0).contains(&start) && end >= 99.9,
        "{start} {end}"
    );
}

#[test]
fn a_recording_with_a_single_sentence_gives_a_clip_with_it() {
    let segments = [segment(1.0, 4.5, "What was said", 0.9)];
    let sentences = [(1.0, 4.5, "It has been said before.")];
    let clips = select_clips(&segments, &sentences, &[(10.0, 13.0)], 30.0);
    assert_eq!(clips.len(), 1);
    assert_eq!(clips[0].clip.title.as_str(), "What was said");
    let time = clips[0].clip.time;
    assert!(time.start() <= 1.0 && time.duration() >= 20.0, "{time:?}");
}

#[test]
fn segments_with_the_same_keywords_give_a_clip_after_others() {
    let mut segments: Vec<Segment> = (0_u32..6)
        .map(|i| {
            segment(
                f64::from(i) * 60.0,
                f64::from(i) * 60.0 + 60.0,
                "Fugues",
                0.9,
            )
        })
        .collect();
    for (i, other) in [(3, "bank"), (5, "tree")] {
        segments[i].importance = Ratio::new(0.3).unwrap();
        segments[i].keywords = vec![Keyword::new(other).unwrap()];
    }
    let rules = ClipRules {
        max_clips: 3,
        max_share: 1.0,
        ..ClipRules::default()
    };
    let clips = select_with(&segments, &lecture(&refs(&fugues(36))), &[], 360.0, &rules);
    let indices: Vec<_> = clips
        .iter()
        .map(|selected| selected.segment_index)
        .collect();
    assert_eq!(indices, [Some(0), Some(3), Some(5)]);
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
        [(0.0, 39.2), (118.0, 150.5), (331.5, 360.0)]
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

#[test]
fn a_recording_that_is_silent_throughout_has_no_clips() {
    let segments = [segment(0.0, 90.0, "Trees", 0.9)];
    let sentences = [
        (1.0, 30.0, "A tree has roots."),
        (31.0, 60.0, "A tree has leaves."),
        (61.0, 89.0, "A tree has a trunk."),
    ];
    let count = |silences: &[(f64, f64)], duration| {
        select_clips(&segments, &sentences, silences, duration).len()
    };
    assert_eq!(count(&[(50.0, 90.0), (0.2, 50.0)], 90.0), 0);
    assert_eq!(count(&[(0.0, 10.0)], 10.0), 0);
    assert!(count(&[], 90.0) > 0);
    assert!(count(&[(0.0, 40.0)], 90.0) > 0);
}
