//! Recordings with chapters.

use lectern_domain::{NewContentSegment, TimeRange};
use proptest::prelude::*;

use super::concatenated_talk::{Talk, Transcription};
use super::corpus::ENGLISH;
use crate::chapter::{ChapterRef, ChapterUse, Chapters};
use crate::{TranscriptSegmentRef, content_segment};

/// The chapters of a recording of 2,000 seconds.
fn chapters(chapters: &[(f64, f64, &str)]) -> Chapters {
    let chapter = |&(start, end, title)| ChapterRef {
        start,
        end,
        title: Some(title),
    };
    Chapters::of(chapters.iter().map(chapter), 2_000.0)
}

fn find(transcript: &[(f64, f64, &str)], chapters: &Chapters) -> Vec<NewContentSegment> {
    let segment = |&(start, end, text)| TranscriptSegmentRef {
        time: TimeRange::new(start, end).unwrap(),
        text,
        words: &[],
    };
    content_segment::find_in_chapters(transcript.iter().map(segment), &[], chapters).unwrap()
}

/// Start, end and title of each segment.
fn outline(segments: &[NewContentSegment]) -> Vec<(f64, f64, &str)> {
    segments
        .iter()
        .map(|segment| {
            (
                segment.time.start(),
                segment.time.end(),
                segment.topic.as_str(),
            )
        })
        .collect()
}

/// A talk of four texts, and the ends of the texts, in seconds.
fn talk() -> (Talk, Vec<f64>) {
    let talk = Talk::new(&ENGLISH, Transcription::Sentences);
    let ends = (0..ENGLISH.len())
        .map(|topic| {
            let last = talk.topics.iter().rposition(|&other| other == topic);
            talk.transcript[last.unwrap()].time.end()
        })
        .collect();
    (talk, ends)
}

#[test]
fn segments_are_the_chapters_even_where_the_words_change_elsewhere() {
    let (talk, ends) = talk();
    // The second chapter ends in the middle of the third text.
    let middle = ends[1].midpoint(ends[2]);
    let given = [
        (0.0, ends[0] + 1.3, "Where food comes from"),
        (ends[0] + 1.3, middle, "iOS & the sea: 1"),
        (middle, 2_000.0, "The rest"),
    ];
    let chapters = chapters(&given);
    let found = content_segment::find_in_chapters(&talk.transcript, &[], &chapters).unwrap();
    assert_eq!(outline(&found)[..2], given[..2]);
    assert!(found.len() > 3, "{:?}", outline(&found));
    let usage = chapters.used_by(&found);
    let expected = ChapterUse {
        chapters: 3,
        with_segments: 3,
        divided: 1,
    };
    assert_eq!(usage, expected);
    // The last chapter is longer than ten minutes, so it is divided where the words change.
    let parts = &found[2..];
    assert!((parts[0].time.start() - middle).abs() < 1e-9);
    assert!((parts[parts.len() - 1].time.end() - 2_000.0).abs() < 1e-9);
    let boundaries: Vec<f64> = parts[1..].iter().map(|part| part.time.start()).collect();
    assert!(
        boundaries
            .iter()
            .any(|start| (start - ends[2]).abs() < 10.0),
        "{boundaries:?} {ends:?}"
    );
    for part in parts {
        let title = part.topic.strip_prefix("The rest: ");
        assert!(
            title.is_some_and(|title| title.len() > 2),
            "{:?}",
            part.topic
        );
        assert!(part.description.is_some() && !part.keywords.is_empty());
    }
    let scores: Vec<f64> = found
        .iter()
        .map(|segment| segment.importance_score.get())
        .collect();
    assert!(
        scores.contains(&1.0) && scores.iter().all(|score| *score >= 0.3),
        "{scores:?}"
    );
}

#[test]
fn chapters_with_generic_names_give_boundaries_but_no_titles() {
    let (talk, ends) = talk();
    let end = ends[3];
    let chapters = |names: [&str; 2]| {
        let chapter = |start, end, title| ChapterRef {
            start,
            end,
            title: Some(title),
        };
        Chapters::of(
            [
                chapter(0.0, ends[1], names[0]),
                chapter(ends[1], end, names[1]),
            ],
            end,
        )
    };
    let find = |names| {
        let chapters = chapters(names);
        content_segment::find_in_chapters(&talk.transcript, &[], &chapters).unwrap()
    };
    let found = find(["Chapter 1", "Chapter 2"]);
    let times = |found: &[NewContentSegment]| -> Vec<TimeRange> {
        found.iter().map(|segment| segment.time).collect()
    };
    assert_eq!(times(&found), times(&find(["Plants", "Ships"])));
    assert_eq!(found.len(), 2);
    let spoken = &talk.transcript[..talk.transcript.len() / 2];
    let topic = found[0].topic.to_lowercase();
    let word = topic.split_whitespace().next().unwrap();
    assert!(
        spoken
            .iter()
            .any(|segment| segment.text.to_lowercase().contains(word)),
        "{topic}"
    );
}

#[test]
fn what_is_outside_the_chapters_is_divided_as_usual() {
    let (talk, ends) = talk();
    let whole = content_segment::find(&talk.transcript).unwrap();
    let chapter = [(ends[0] + 0.15, ends[1], "Fixed")];
    let found =
        content_segment::find_in_chapters(&talk.transcript, &[], &chapters(&chapter)).unwrap();
    assert_eq!(outline(&found)[1], chapter[0]);
    assert_eq!(found.len(), whole.len());
    assert_eq!(found[0].time, whole[0].time);
}

#[test]
fn a_chapter_without_speech_is_a_segment_only_if_nothing_is_said_at_all() {
    let chapters = chapters(&[
        (0.0, 60.0, "Overture"),
        (60.0, 120.0, "Chapter 2"),
        (120.0, 600.0, "Trees"),
    ]);
    let silent = find(&[], &chapters);
    let expected = [(0.0, 60.0, "Overture"), (120.0, 600.0, "Trees")];
    assert_eq!(outline(&silent), expected);
    let orders: Vec<i32> = silent
        .iter()
        .map(|segment| segment.segment_order.get())
        .collect();
    assert_eq!(orders, [0, 1]);
    let found = find(
        &[(130.0, 140.0, "A tree has a root and many leaves.")],
        &chapters,
    );
    assert_eq!(outline(&found), [(120.0, 600.0, "Trees")]);
    let usage = chapters.used_by(&found);
    assert_eq!(
        (usage.chapters, usage.with_segments, usage.divided),
        (3, 1, 0)
    );
}

#[test]
fn a_sentence_across_a_boundary_belongs_to_the_chapter_with_its_middle() {
    let chapters = chapters(&[(0.0, 10.0, "Roots"), (10.0, 30.0, "Leaves")]);
    let found = find(
        &[
            (0.0, 12.0, "A tree has a root that holds it in the ground."),
            (12.0, 20.0, "Each leaf of the tree hangs on a twig."),
        ],
        &chapters,
    );
    assert_eq!(
        outline(&found),
        [(0.0, 10.0, "Roots"), (10.0, 30.0, "Leaves")]
    );
    assert_eq!(
        found[0].description.as_deref(),
        Some("A tree has a root that holds it in the ground.")
    );
}

#[test]
fn announcements_in_a_chapter_are_no_segment_but_a_chapter_of_them_is_unimportant() {
    let announcements = [
        "Please hand in your homework by Friday at noon in my office.",
        "The exam is on Monday at nine, and you need to register online by Thursday.",
        "Next week there is no lecture, so please check your email for the new room.",
    ];
    let mut transcript = Vec::new();
    let mut say = |text| {
        let start = transcript.len() as f64 * 6.0;
        transcript.push((start, start + 5.5, text));
    };
    let mut content = ENGLISH[0].lines();
    content.by_ref().take(6).for_each(&mut say);
    say(announcements[0]);
    content.by_ref().take(6).for_each(&mut say);
    announcements[1..].iter().copied().for_each(&mut say);
    let chapters = chapters(&[(0.0, 78.0, "Plants"), (78.0, 90.0, "Dates")]);
    let found = find(&transcript, &chapters);
    assert_eq!(
        outline(&found),
        [(0.0, 78.0, "Plants"), (78.0, 90.0, "Dates")]
    );
    assert!(found[0].importance_score.get() > 0.9, "{found:?}");
    assert!(found[1].importance_score.get() <= 0.1, "{found:?}");
}

proptest! {
    #[test]
    fn any_chapters_give_disjoint_segments_in_order(
        given in prop::collection::vec((-50.0..2_100.0_f64, -5.0..900.0_f64, "[a-z]{0,3} ?[0-9]?"), 0..12),
        spoken in prop::collection::vec((0.0..2_000.0_f64, 0.0..30.0_f64), 0..40),
    ) {
        let given: Vec<_> = given
            .iter()
            .map(|(start, length, title)| (*start, start + length, title.as_str()))
            .collect();
        let transcript: Vec<_> = spoken
            .iter()
            .map(|(start, length)| (*start, start + length, "A tree has a root and many leaves."))
            .collect();
        let found = find(&transcript, &chapters(&given));
        for pair in found.windows(2) {
            prop_assert!(pair[0].time.end() <= pair[1].time.start(), "{:?}", outline(&found));
            prop_assert!(pair[0].segment_order < pair[1].segment_order);
        }
        for segment in &found {
            prop_assert!(segment.time.duration() >= 0.0 && !segment.topic.is_empty());
        }
    }
}
