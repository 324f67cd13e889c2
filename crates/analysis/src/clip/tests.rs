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
fn sentences_are_not_cut_although_captions_cut_them() {
    let segments = [segment(0.0, 100.0, "Fugues", 0.9)];
    // Ten words in four seconds; sentences begin in the middle of captions.
    let captions = [
        (0.0, 4.0, "is how it was. Now let us talk about the"),
        (4.0, 8.0, "fugue, which is a strict form with a theme. The"),
        (
            8.0,
            12.0,
            "theme is first heard in one voice, and the second",
        ),
        (
            12.0,
            16.0,
            "voice has the theme a fifth above. The fugue is",
        ),
        (
            16.0,
            20.0,
            "complete when every voice has had the theme of the",
        ),
        (20.0, 24.0, "fugue. But there is more, and it goes on and"),
        (
            24.0,
            28.0,
            "on. However, we stop here with that. Then we go",
        ),
    ];
    let rules = ClipRules {
        min_clips: 1,
        max_clips: 1,
        min_length: 10.0,
        max_length: 24.0,
        ..ClipRules::default()
    };
    // The pauses after "was." and after the last "fugue."
    let silences = [(1.1, 1.7), (20.5, 21.1)];
    let clips = select_with(&segments, &captions, &silences, 28.0, &rules);
    let expected = [(1.4, 20.8)];
    for (found, expected) in bounds(&clips).iter().zip(expected) {
        assert!(
            (found.0 - expected.0).abs() < 1e-9 && (found.1 - expected.1).abs() < 1e-9,
            "{found:?}"
        );
    }
}

#[test]
fn a_clip_begins_with_a_lead_in_and_not_with_a_connective() {
    let segments = [segment(0.0, 120.0, "Fugues", 0.9)];
    let texts = [
        "However, a fugue has a theme.",
        "But the fugue also has voices.",
        "Now let us look at the voices of a fugue.",
        "The first voice of the fugue has the theme.",
        "The second voice of the fugue has the theme.",
        "The third voice of the fugue has the theme.",
        "This is how a fugue works.",
        "But why does a fugue work?",
        "It works since every voice has the theme.",
        "And so on with the fugue.",
        "And then the fugue ends.",
        "And that is a fugue.",
    ];
    let rules = ClipRules {
        min_clips: 1,
        max_clips: 1,
        ..ClipRules::default()
    };
    let clips = select_with(&segments, &lecture(&texts), &[], 120.0, &rules);
    let (start, end) = bounds(&clips)[0];
    assert!((start - 19.5).abs() < 1e-9, "{start}");
    assert!((end - 79.5).abs() > 1.0, "ends with a question");
}

const ANNOUNCEMENTS: [&str; 6] = [
    "Good morning, everybody, and welcome back.",
    "The homework is due on Friday, and you have to submit it.",
    "The exam is on the third of July in the large hall.",
    "My office hours are on Monday this week.",
    "Please sign up for the tutorial.",
    "Are there any questions?",
];

#[test]
fn announcements_are_in_no_clip_while_there_is_something_else() {
    let mut texts = ANNOUNCEMENTS.to_vec();
    texts.extend([
        "A fugue has a theme with several voices.",
        "The theme of the fugue is heard in the first voice.",
        "The second voice has the theme of the fugue.",
        "The voices of the fugue follow each other with the theme.",
        "The last voice ends the fugue with the theme.",
    ]);
    // The announcements are the most important segment.
    let segments = [
        segment(0.0, 60.0, "Announcements", 1.0),
        segment(60.0, 110.0, "Fugues", 0.2),
    ];
    let clips = select_clips(&segments, &lecture(&texts), &[], 110.0);
    assert!(!clips.is_empty());
    for selected in &clips {
        assert!(selected.clip.time.start() >= 59.0, "{selected:?}");
    }
    // In one segment with the fugue, too.
    let clips = select_clips(
        &[segment(0.0, 110.0, "All", 1.0)],
        &lecture(&texts),
        &[],
        110.0,
    );
    assert!(
        clips
            .iter()
            .all(|selected| selected.clip.time.start() >= 59.0)
    );
}

#[test]
fn announcements_give_clips_if_there_is_nothing_else() {
    let segments = [segment(0.0, 60.0, "Announcements", 0.1)];
    let clips = select_clips(&segments, &lecture(&ANNOUNCEMENTS), &[], 60.0);
    assert!(!clips.is_empty());
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
fn what_nobody_has_spoken_is_in_no_clip() {
    let mut texts = vec![
        "A fugue has a theme with several voices.",
        "The theme of the fugue is heard in the first voice.",
        "The second voice has the theme of the fugue.",
        "The voices of the fugue follow each other with the theme.",
        "The last voice ends the fugue with the theme.",
    ];
    texts.extend(["Thank you for watching this fugue."; 15]);
    let segments = [segment(0.0, 200.0, "Fugues", 0.9)];
    let clips = select_clips(&segments, &lecture(&texts), &[(50.0, 200.0)], 200.0);
    assert!(!clips.is_empty());
    assert!(
        clips
            .iter()
            .all(|selected| selected.clip.time.end() <= 50.0),
        "{clips:?}"
    );
    // Not even if there are no segments.
    let clips = select_clips(&[], &lecture(&texts[5..]), &[], 150.0);
    assert_eq!(bounds(&clips), []);
    assert_eq!(bounds(&select_clips(&[], &[], &[(0.0, 100.0)], 100.0)), []);
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
fn a_title_promises_nothing_that_the_clip_does_not_say() {
    let texts = [
        "Let us talk about the fugue.",
        "The fugue has a theme, and the theme has an answer.",
        "The fugue needs a countersubject, which goes with the theme.",
        "In the stretto the theme of the fugue overlaps with the answer.",
        "The countersubject of the fugue is not the answer.",
    ];
    let sentences = lecture(&texts);
    let topic = crate::content_segment::find(transcript(&sentences)).unwrap();
    let topic = topic[0].topic.as_str();
    assert_eq!(topic, "Fugue and answer");
    let segments = [segment(0.0, 50.0, topic, 0.9)];
    let rules = ClipRules {
        min_clips: 1,
        max_clips: 1,
        min_length: 10.0,
        max_length: 25.0,
        max_share: 1.0,
    };
    for clip in select_with(&segments, &sentences, &[], 50.0, &rules) {
        let start = clip.clip.time.start();
        let said = sentences
            .iter()
            .filter(|sentence| sentence.0 >= start - 0.5);
        let said: Vec<&str> = said
            .filter(|sentence| sentence.1 <= clip.clip.time.end() + 0.5)
            .map(|sentence| sentence.2)
            .collect();
        let said = said.join(" ").to_lowercase();
        for word in clip.clip.title.as_str().to_lowercase().split(' ') {
            assert!(word == "and" || said.contains(word), "{word}: {said}");
        }
    }
    // A topic from elsewhere is the title, whatever is said.
    let named = [segment(0.0, 50.0, "Baroque music", 0.9)];
    let clips = select_with(&named, &sentences, &[], 50.0, &rules);
    assert_eq!(clips[0].clip.title.as_str(), "Baroque music");
}

#[test]
fn further_clips_of_a_topic_say_what_distinguishes_them() {
    let texts = [
        "The fugue begins with a theme, and the theme is sung alone.",
        "Then the theme of the fugue comes back in the second voice.",
        "Every voice of the fugue has the theme once.",
        "The stretto is the densest part of the fugue.",
        "In the stretto the entries of the fugue follow each other fast.",
        "A stretto makes the fugue sound breathless.",
        "At last the pedal holds one note under the fugue.",
        "The pedal is a sign that the fugue ends.",
        "Over the pedal the organ ends the fugue loudly.",
    ];
    let sentences = lecture(&texts);
    let rules = ClipRules {
        min_clips: 3,
        max_clips: 3,
        min_length: 20.0,
        max_length: 30.0,
        max_share: 1.0,
    };
    let titles = |topic: &str| {
        let clips = select_with(
            &[segment(0.0, 90.0, topic, 0.9)],
            &sentences,
            &[],
            90.0,
            &rules,
        );
        let titles: Vec<String> = clips
            .iter()
            .map(|clip| clip.clip.title.as_str().to_owned())
            .collect();
        titles
    };
    let found = crate::content_segment::find(transcript(&sentences)).unwrap();
    let own = titles(found[0].topic.as_str());
    assert_eq!(
        own,
        [
            "Theme and fugue",
            "Stretto: the densest part of the fugue",
            "Pedal: a sign that the fugue ends"
        ]
    );
    // A title from elsewhere stays, and gets what the other clips do not say.
    let named = titles("Baroque music");
    assert_eq!(named[0], "Baroque music");
    assert!(named[1].starts_with("Baroque music: "), "{named:?}");
    for titles in [own, named] {
        assert!(
            titles.iter().all(|title| !title.contains('(')),
            "{titles:?}"
        );
        let mut distinct = titles.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), titles.len());
    }
}

#[test]
fn the_description_is_a_sentence_that_stands_alone() {
    let texts = [
        "So, um, it comes back, and they like it.",
        "And the, the theme of the fugue is, uh, sung by one voice alone.",
        "However, this is not the theme of the fugue.",
        "You can hear the theme of the fugue, can you not?",
    ];
    let rules = ClipRules {
        max_share: 1.0,
        ..ClipRules::default()
    };
    let segments = [segment(0.0, 40.0, "Fugues", 0.9)];
    let clips = select_with(&segments, &lecture(&texts), &[], 45.0, &rules);
    assert_eq!(
        clips[0].description.as_deref(),
        Some("The theme of the fugue is sung by one voice alone.")
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
        let texts = fugues(500);
        let sentences: Vec<(f64, f64, &str)> = (0_u32..)
            .zip(&texts)
            .map(|(i, text)| {
                let start = f64::from(i) * 6.0;
                (start, start + 5.0, if i % 7 < 3 { text.as_str() } else { "so" })
            })
            .collect();
        let clips = select_clips(&segments, &sentences, &silences, duration);
        prop_assert_eq!(&clips, &select_clips(&segments, &sentences, &silences, duration));
        prop_assert!(clips.len() <= 8);
        prop_assert!(!clips.is_empty() || !silences.is_empty());
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
    fn clips_begin_and_end_at_sentences(
        lengths in prop::collection::vec(1.0..12.0_f64, 30..90),
        pauses in prop::collection::vec(0.1..3.0_f64, 90),
    ) {
        let mut start = 0.0;
        let texts = fugues(lengths.len());
        let sentences: Vec<(f64, f64, &str)> = lengths
            .iter()
            .zip(&pauses)
            .zip(&texts)
            .map(|((length, pause), text)| {
                let sentence = (start, start + length, text.as_str());
                start += length + pause;
                sentence
            })
            .collect();
        let segments = [segment(0.0, start, "Fugues", 0.5)];
        let clips = select_clips(&segments, &sentences, &[], start + 1.0);
        prop_assert!(!clips.is_empty());
        for (from, to) in bounds(&clips) {
            let first = sentences.iter().find(|sentence| sentence.0 >= from - 1e-9);
            let last = sentences.iter().rev().find(|sentence| sentence.1 <= to + 1e-9);
            let (first, last) = (first.unwrap(), last.unwrap());
            prop_assert!(first.0 - from <= 0.5 + 1e-9 && to - last.1 <= 0.5 + 1e-9);
            let cut = |time: f64| sentences.iter().any(|sentence| sentence.0 + 1e-9 < time && time < sentence.1 - 1e-9);
            prop_assert!(!cut(from) && !cut(to));
        }
    }
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
