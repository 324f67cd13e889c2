//! Long lectures of made-up words, as words are distributed: some everywhere,
//! some only where they belong.

use crate::{TranscriptSegmentRef, content_segment};
use lectern_domain::TimeRange;

use super::measure::window_diff;

/// A generator of numbers that look random and are always the same (the
/// multiplier of Knuth's MMIX).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    /// Small numbers more often, as a word's rank is.
    fn ranked(&mut self, bound: usize) -> usize {
        let bound = self.below(bound) + 1;
        self.below(bound)
    }
}

/// The sentences of a lecture whose subjects last so many minutes each: 15
/// sentences of ten words a minute, one in four words of the subject.
fn sentences(minutes: &[usize]) -> (Vec<String>, Vec<usize>) {
    let mut numbers = Numbers(42);
    let mut sentences = Vec::new();
    let mut subjects = Vec::new();
    for (subject, minutes) in minutes.iter().enumerate() {
        for _ in 0..minutes * 15 {
            let words = (0..10).map(|_| match numbers.below(4) {
                0 => format!("s{subject}x{}", numbers.ranked(60)),
                _ => format!("w{}", numbers.ranked(400)),
            });
            sentences.push(words.collect::<Vec<_>>().join(" ") + ".");
            subjects.push(subject);
        }
    }
    (sentences, subjects)
}

fn spoken(sentences: &[String], seconds: f64) -> Vec<TranscriptSegmentRef<'_>> {
    let starts = (0..).map(|i| f64::from(i) * seconds);
    let timed = starts
        .zip(sentences)
        .map(|(start, text)| TranscriptSegmentRef {
            time: TimeRange::new(start, start + 0.9 * seconds).unwrap(),
            text,
        });
    timed.collect()
}

#[test]
fn a_lecture_of_two_hours_is_divided_into_its_subjects() {
    let minutes = [
        5, 3, 6, 4, 7, 2, 5, 4, 6, 3, 5, 7, 4, 3, 6, 5, 4, 7, 3, 6, 5, 4, 6, 4, 6,
    ];
    let (sentences, subjects) = sentences(&minutes);
    let spoken = spoken(&sentences, 4.0);
    assert_eq!(spoken.len(), 1800);
    let found = content_segment::find(spoken.iter().copied()).unwrap();

    let topic_at = |start: f64| {
        found
            .iter()
            .filter(|topic| topic.time.start() <= start)
            .count()
    };
    let labels: Vec<usize> = spoken
        .iter()
        .map(|said| topic_at(said.time.start()))
        .collect();
    let distance = window_diff(&subjects, &labels);
    assert!(distance <= 0.05, "{distance}");
    for topic in &found {
        assert!(
            (60.0..=480.0).contains(&topic.time.duration()),
            "{:?}",
            topic.time
        );
    }
}

#[test]
fn a_lecture_without_a_change_of_words_is_not_shredded() {
    for (minutes, shortest, most) in [
        (3, 40.0, 4),
        (12, 40.0, 12),
        (20, 60.0, 12),
        (90, 120.0, 30),
    ] {
        let (sentences, _) = sentences(&[minutes]);
        let found = content_segment::find(spoken(&sentences, 4.0)).unwrap();
        assert!(found.len() <= most, "{} in {minutes} minutes", found.len());
        for topic in &found {
            assert!(
                (shortest..=480.0).contains(&topic.time.duration()),
                "{:?}",
                topic.time
            );
        }
    }
}

#[test]
fn ten_thousand_segments_are_no_burden_whatever_their_times() {
    let (sentences, _) = sentences(&[7; 96]);
    let sentences = &sentences[..10_000];
    for seconds in [4.0, 0.0] {
        let found = content_segment::find(spoken(sentences, seconds)).unwrap();
        assert!(found.len() >= 25, "{}", found.len());
    }
}
