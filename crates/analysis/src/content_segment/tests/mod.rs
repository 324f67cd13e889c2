//! Topics found in talks whose subjects are known.

mod lecture;
mod measure;
mod robust;
mod talk;
mod texts;

use crate::content_segment;
use measure::{labels, window_diff};
use talk::{Talk, Writing, orders};
use texts::{ENGLISH, GERMAN, JAPANESE};

/// Finds the topics of the texts in every order and gives how far each result
/// is from the truth, having checked that there are as many topics as texts.
fn distances(texts: &[&str], writing: Writing) -> Vec<f64> {
    orders(texts)
        .into_iter()
        .map(|order| {
            let talk = Talk::new(&order, writing);
            let found = content_segment::find(&talk.segments).unwrap();
            assert_eq!(found.len(), texts.len(), "{order:?}");
            window_diff(&talk.subjects, &labels(&talk.segments, &found))
        })
        .collect()
}

fn assert_near(texts: &[&str], writing: Writing, mean: f64, worst: f64) {
    let distances = distances(texts, writing);
    let measured = distances.iter().sum::<f64>() / distances.len() as f64;
    let greatest = distances.iter().copied().fold(0.0, f64::max);
    assert!(
        measured <= mean && greatest <= worst,
        "{measured} {greatest}"
    );
}

#[test]
fn four_subjects_are_told_apart_in_every_order() {
    assert_near(&ENGLISH, Writing::Sentences, 0.06, 0.15);
    assert_near(&GERMAN, Writing::Sentences, 0.08, 0.2);
}

#[test]
fn four_subjects_are_told_apart_without_case_and_punctuation() {
    assert_near(&ENGLISH, Writing::Words, 0.1, 0.15);
    assert_near(&GERMAN, Writing::Words, 0.12, 0.2);
}

#[test]
fn subjects_are_told_apart_where_no_spaces_are_written() {
    assert_near(&JAPANESE, Writing::Sentences, 0.1, 0.1);
}

#[test]
fn a_talk_of_three_minutes_with_three_subjects_has_three_topics() {
    for texts in [ENGLISH, GERMAN] {
        let shorter = texts.map(|text| text.split_inclusive('\n').take(9).collect::<String>());
        let shorter: Vec<&str> = shorter.iter().take(3).map(|text| text.trim_end()).collect();
        let talk = Talk::new(&shorter, Writing::Sentences);
        assert!((150.0..210.0).contains(&talk.segments[26].time.end()));
        assert_near(&shorter, Writing::Sentences, 0.1, 0.25);
    }
}

#[test]
fn one_subject_is_mostly_whole_and_at_most_halved() {
    let texts = ENGLISH.iter().chain(&GERMAN);
    let topics = texts.map(|text| {
        let talk = Talk::new(&[text], Writing::Sentences);
        content_segment::find(&talk.segments).unwrap().len()
    });
    let topics: Vec<usize> = topics.collect();
    // Photosynthesis by day and in the dark, latitude and longitude.
    assert!(topics.iter().all(|&n| n <= 2), "{topics:?}");
    assert!(
        topics.iter().filter(|&&n| n == 1).count() >= 6,
        "{topics:?}"
    );
}

#[test]
fn headlines_and_keywords_name_the_subject_as_it_is_written() {
    let talk = Talk::new(&ENGLISH, Writing::Sentences);
    let found = content_segment::find(&talk.segments).unwrap();
    let subjects = [
        ["chloroplasts", "sugar", "photosynthesis"],
        ["inflation", "prices", "bank"],
        ["tree", "search", "node"],
        ["clock", "longitude", "sextant"],
    ];
    for (topic, words) in found.iter().zip(subjects) {
        assert!((3..=8).contains(&topic.keywords.len()));
        for word in words {
            assert!(
                topic
                    .keywords
                    .iter()
                    .any(|keyword| keyword.as_str() == word),
                "{topic:?}"
            );
        }
        assert!(
            words
                .iter()
                .any(|word| topic.topic.to_lowercase().contains(word))
        );
    }
    assert!(
        found[1]
            .concepts
            .iter()
            .any(|phrase| phrase.as_str() == "interest rate")
    );
    let spoken = talk.segments[12..24].iter().any(|segment| {
        found[1]
            .description
            .as_deref()
            .unwrap()
            .starts_with(segment.text.as_str())
    });
    assert!(spoken, "{:?}", found[1].description);
}

#[test]
fn words_that_stand_everywhere_are_no_keywords() {
    for (texts, common) in [
        (ENGLISH, ["the", "a", "and", "of", "to", "it", "is", "in"]),
        (
            GERMAN,
            ["der", "die", "das", "und", "in", "es", "ist", "nicht"],
        ),
    ] {
        for topic in content_segment::find(&Talk::new(&texts, Writing::Sentences).segments).unwrap()
        {
            for word in &topic.keywords {
                assert!(!common.contains(&word.to_lowercase().as_str()), "{topic:?}");
            }
        }
    }
}

#[test]
fn a_pause_draws_the_boundary_to_it() {
    // Two sentences between two subjects that belong to neither.
    let texts = [
        ENGLISH[0],
        "Has anybody a question so far?\nGood, no hands are raised.",
        ENGLISH[1],
    ];
    for place in [12, 14] {
        let mut talk = Talk::new(&texts, Writing::Sentences);
        for segment in &mut talk.segments[place..] {
            let time = segment.time;
            segment.time =
                lectern_domain::TimeRange::new(time.start() + 20.0, time.end() + 20.0).unwrap();
        }
        let found = content_segment::find(&talk.segments).unwrap();
        assert!(
            found
                .iter()
                .any(|topic| (topic.time.start() - talk.segments[place].time.start()).abs() < 1e-9)
        );
    }
}

#[test]
fn importance_differs_and_talk_counts_more_than_silence() {
    let mut talk = Talk::new(&ENGLISH, Writing::Sentences);
    let importance = |talk: &Talk| -> Vec<f64> {
        let found = content_segment::find(&talk.segments).unwrap();
        found
            .iter()
            .map(|topic| topic.importance_score.get())
            .collect()
    };
    let before = importance(&talk);
    let mut distinct = before.clone();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    assert_eq!(distinct.len(), 4);

    // The last subject is told at half the speed: less per second.
    let slow = talk.segments[36].time.start();
    for segment in &mut talk.segments[36..] {
        let start = slow + (segment.time.start() - slow) * 2.0;
        segment.time =
            lectern_domain::TimeRange::new(start, start + segment.time.duration()).unwrap();
    }
    assert!(importance(&talk)[3] < before[3]);
}
