//! Transcripts nobody would write.

use crate::{TranscriptSegmentRef, content_segment};
use lectern_domain::{NewContentSegment, Ratio, TimeRange};
use proptest::prelude::*;

fn find(said: &[(f64, f64, &str)]) -> Vec<NewContentSegment> {
    let say = |&(start, end, text)| TranscriptSegmentRef {
        time: TimeRange::new(start, end).unwrap(),
        text,
    };
    content_segment::find(said.iter().map(say)).unwrap()
}

#[test]
fn nothing_said_has_no_topics() {
    assert!(find(&[]).is_empty());
    assert!(find(&[(0.0, 2.0, ""), (2.0, 4.0, " \u{2003}\n")]).is_empty());
    let sentence = "The fugue begins with a single voice.";
    let found = find(&[(0.0, 2.0, " "), (3.0, 9.0, sentence)]);
    assert_eq!(found, find(&[(3.0, 9.0, sentence)]));
}

#[test]
fn a_single_segment_is_a_topic_of_its_own() {
    let found = find(&[(3.0, 9.0, "The fugue begins with a single voice.")]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].time, TimeRange::new(3.0, 9.0).unwrap());
    assert_eq!(found[0].importance_score, Ratio::new(1.0).unwrap());
}

#[test]
fn what_has_no_words_is_its_own_headline() {
    let found = find(&[(0.0, 2.0, "♪ ♪"), (2.0, 4.0, "…")]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].topic.as_str(), "♪ ♪ …");
    assert!(found[0].keywords.is_empty());
}

#[test]
fn the_same_words_all_the_time_are_one_topic_of_a_short_talk() {
    let said: Vec<_> = (0_u32..45)
        .map(|i| {
            (
                f64::from(i) * 4.0,
                f64::from(i) * 4.0 + 3.5,
                "The same words again and again.",
            )
        })
        .collect();
    assert_eq!(find(&said).len(), 1);
}

#[test]
fn a_word_longer_than_a_headline_is_shortened() {
    let word = "no".repeat(5_000);
    let found = find(&[(0.0, 9.0, &word)]);
    assert_eq!(found[0].topic.chars().count(), 200);
    assert!(found[0].topic.ends_with('…') && found[0].topic.starts_with("Nono"));
}

#[test]
fn a_transcript_out_of_order_is_put_in_order() {
    let said = [
        (0.0, 4.0, "A tree has a root and many leaves."),
        (4.0, 8.0, "Each leaf of the tree hangs on a node."),
        (8.0, 12.0, "The root of the tree is a node too."),
    ];
    let mut shuffled = said;
    shuffled.rotate_left(1);
    assert_eq!(find(&shuffled), find(&said));
}

/// Texts of few words, so that they repeat, and of any characters at all.
fn text() -> impl Strategy<Value = String> {
    let words = prop::collection::vec(
        prop::sample::select(vec!["tree", "Trees.", "the", "光合作用", "l'eau", "7", "—"]),
        1..12,
    );
    prop_oneof![words.prop_map(|words| words.join(" ")), "\\PC{1,40}",]
}

proptest! {
    #[test]
    fn topics_are_in_order_apart_within_the_talk_and_always_the_same(
        said in prop::collection::vec((0.0..2_000.0_f64, 0.0..30.0_f64, text()), 1..80),
    ) {
        let said: Vec<_> = said.iter().map(|(start, length, text)| (*start, start + length, text.as_str())).collect();
        let found = find(&said);
        prop_assert_eq!(&found, &find(&said));

        let heard = said.iter().filter(|said| !said.2.trim().is_empty());
        let begin = heard.map(|said| said.0).min_by(f64::total_cmp);
        let end = said.iter().map(|said| said.1).fold(0.0, f64::max);
        prop_assert_eq!(found.first().map(|topic| topic.time.start()), begin);
        for pair in found.windows(2) {
            prop_assert!(pair[0].time.end() <= pair[1].time.start());
            prop_assert!(pair[0].segment_order < pair[1].segment_order);
        }
        for topic in &found {
            prop_assert!(topic.time.end() <= end);
            prop_assert!(topic.keywords.len() <= 8);
            for word in &topic.keywords {
                let written = said.iter().any(|said| said.2.contains(word.as_str()));
                prop_assert!(written, "{word:?}");
            }
        }
    }
}
