//! Long lectures of generated words, some of which occur everywhere and some in
//! one topic only.

use crate::{TranscriptSegmentRef, content_segment};
use lectern_domain::TimeRange;

use super::window_diff::window_diff;

/// A linear congruential generator with a fixed seed (the constants of Knuth's
/// MMIX).
struct Random(u64);

impl Random {
    /// Uniform below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    /// The frequency rank of a word, below `bound`: low ranks are more probable.
    fn rank_below(&mut self, bound: usize) -> usize {
        let bound = self.below(bound) + 1;
        self.below(bound)
    }
}

/// The sentences of a lecture, and the topic of each. Topics last the given
/// numbers of minutes, at 15 sentences of ten words a minute; every fourth word
/// belongs to the topic.
fn sentences(minutes_per_topic: &[usize]) -> (Vec<String>, Vec<usize>) {
    let mut random = Random(42);
    let mut sentences = Vec::new();
    let mut topics = Vec::new();
    for (topic, minutes) in minutes_per_topic.iter().enumerate() {
        for _ in 0..minutes * 15 {
            let words = (0..10).map(|_| match random.below(4) {
                0 => format!("s{topic}x{}", random.rank_below(60)),
                _ => format!("w{}", random.rank_below(400)),
            });
            sentences.push(words.collect::<Vec<_>>().join(" ") + ".");
            topics.push(topic);
        }
    }
    (sentences, topics)
}

/// One segment per sentence, each starting `seconds` after the one before.
fn transcript(sentences: &[String], seconds: f64) -> Vec<TranscriptSegmentRef<'_>> {
    let starts = (0..).map(|i| f64::from(i) * seconds);
    let segments = starts
        .zip(sentences)
        .map(|(start, text)| TranscriptSegmentRef {
            time: TimeRange::new(start, start + 0.9 * seconds).unwrap(),
            text,
            words: &[],
        });
    segments.collect()
}

#[test]
fn a_lecture_of_two_hours_is_divided_into_its_topics() {
    let minutes = [
        5, 3, 6, 4, 7, 2, 5, 4, 6, 3, 5, 7, 4, 3, 6, 5, 4, 7, 3, 6, 5, 4, 6, 4, 6,
    ];
    let (sentences, topics) = sentences(&minutes);
    let transcript = transcript(&sentences, 4.0);
    assert_eq!(transcript.len(), 1800);
    let found = content_segment::find(transcript.iter().copied()).unwrap();

    let found_topic = |start: f64| {
        found
            .iter()
            .filter(|segment| segment.time.start() <= start)
            .count()
    };
    let found_topics: Vec<usize> = transcript
        .iter()
        .map(|sentence| found_topic(sentence.time.start()))
        .collect();
    let distance = window_diff(&topics, &found_topics);
    assert!(distance <= 0.05, "{distance}");
    for segment in &found {
        assert!(
            (60.0..=480.0).contains(&segment.time.duration()),
            "{:?}",
            segment.time
        );
    }
}

#[test]
fn a_lecture_with_one_topic_gives_few_and_long_segments() {
    for (minutes, min_length, max_segments) in [
        (3, 40.0, 4),
        (12, 40.0, 12),
        (20, 60.0, 12),
        (90, 120.0, 30),
    ] {
        let (sentences, _) = sentences(&[minutes]);
        let found = content_segment::find(transcript(&sentences, 4.0)).unwrap();
        assert!(
            found.len() <= max_segments,
            "{} in {minutes} minutes",
            found.len()
        );
        for segment in &found {
            assert!(
                (min_length..=480.0).contains(&segment.time.duration()),
                "{:?}",
                segment.time
            );
        }
    }
}

#[test]
fn ten_thousand_segments_are_divided_even_without_times() {
    let (sentences, _) = sentences(&[7; 96]);
    let sentences = &sentences[..10_000];
    for seconds in [4.0, 0.0] {
        let found = content_segment::find(transcript(sentences, seconds)).unwrap();
        assert!(found.len() >= 25, "{}", found.len());
    }
}
