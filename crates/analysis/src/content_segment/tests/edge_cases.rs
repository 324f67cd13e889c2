//! Unusual and random transcripts.

use crate::{TranscriptSegmentRef, content_segment};
use lectern_domain::{NewContentSegment, Ratio, TimeRange};
use proptest::prelude::*;

fn find(transcript: &[(f64, f64, &str)]) -> Vec<NewContentSegment> {
    let segment = |&(start, end, text)| TranscriptSegmentRef {
        time: TimeRange::new(start, end).unwrap(),
        text,
        words: &[],
    };
    content_segment::find(transcript.iter().map(segment)).unwrap()
}

#[test]
fn empty_input_gives_empty_output() {
    assert!(find(&[]).is_empty());
    assert!(find(&[(0.0, 2.0, ""), (2.0, 4.0, " \u{2003}\n")]).is_empty());
}

#[test]
fn transcript_segments_without_text_are_ignored() {
    let sentence = "The fugue begins with a single voice.";
    let found = find(&[(0.0, 2.0, " "), (3.0, 9.0, sentence)]);
    assert_eq!(found, find(&[(3.0, 9.0, sentence)]));
}

#[test]
fn one_transcript_segment_gives_one_content_segment() {
    let found = find(&[(3.0, 9.0, "The fugue begins with a single voice.")]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].time, TimeRange::new(3.0, 9.0).unwrap());
    assert_eq!(found[0].importance_score, Ratio::new(1.0).unwrap());
}

#[test]
fn descriptions_of_sounds_are_no_topic() {
    let sounds = [(0.0, 2.0, "♪ ♪"), (2.0, 4.0, "…"), (4.0, 6.0, "[Music]")];
    assert!(find(&sounds).is_empty());
    let found = find(&[
        sounds[2],
        (6.0, 9.0, "[Music] A fugue has voices. [Applause]"),
    ]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].time, TimeRange::new(6.0, 9.0).unwrap());
    assert_eq!(found[0].description.as_deref(), Some("A fugue has voices."));
}

#[test]
fn a_sentence_repeated_by_the_recognizer_is_in_no_segment() {
    let speech = [
        (0.0, 4.0, "A tree has a root and many leaves."),
        (4.0, 8.0, "Each leaf of the tree hangs on a node."),
    ];
    let repeated: Vec<_> = (2_u32..17)
        .map(|i| {
            let start = f64::from(i) * 4.0;
            (start, start + 3.5, "Thank you for watching this video.")
        })
        .collect();
    assert!(find(&repeated).is_empty());
    let all: Vec<_> = speech.into_iter().chain(repeated).collect();
    assert_eq!(find(&all), find(&speech));
}

#[test]
fn text_on_a_silence_is_in_no_segment() {
    let transcript = [
        (0.0, 4.0, "A tree has a root and many leaves."),
        (4.0, 8.0, "Each leaf of the tree hangs on a node."),
        (8.0, 12.0, "Subtitles by the community."),
    ];
    let segments = transcript.map(|(start, end, text)| TranscriptSegmentRef {
        time: TimeRange::new(start, end).unwrap(),
        text,
        words: &[],
    });
    let silence = TimeRange::new(8.0, 20.0).unwrap();
    let found = content_segment::find_with_silences(segments, &[silence]).unwrap();
    assert_eq!(found, find(&transcript[..2]));
}

#[test]
fn a_word_longer_than_a_title_is_truncated() {
    let word = "no".repeat(5_000);
    let found = find(&[(0.0, 9.0, &word)]);
    assert_eq!(found[0].topic.chars().count(), 200);
    assert!(found[0].topic.ends_with('…') && found[0].topic.starts_with("Nono"));
}

#[test]
fn the_order_of_transcript_segments_does_not_matter() {
    let transcript = [
        (0.0, 4.0, "A tree has a root and many leaves."),
        (4.0, 8.0, "Each leaf of the tree hangs on a node."),
        (8.0, 12.0, "The root of the tree is a node too."),
    ];
    let mut rotated = transcript;
    rotated.rotate_left(1);
    assert_eq!(find(&rotated), find(&transcript));
}

#[test]
fn a_speaker_who_interrupts_does_not_turn_a_segment_around() {
    let transcript = [
        (0.0, 0.0, "ວa;a"),
        (1294.5, 1319.1, "tree Trees. 光合作用 Trees."),
        (1299.5, 1299.5, "the"),
        (1888.1, 1888.1, "tree"),
    ];
    let found = find(&transcript);
    assert!(!found.is_empty());
    for pair in found.windows(2) {
        assert!(pair[0].time.end() <= pair[1].time.start());
    }
}

/// Either words of a small vocabulary, or arbitrary characters.
fn text() -> impl Strategy<Value = String> {
    let words = prop::collection::vec(
        prop::sample::select(vec!["tree", "Trees.", "the", "光合作用", "l'eau", "7", "—"]),
        1..12,
    );
    prop_oneof![words.prop_map(|words| words.join(" ")), "\\PC{1,40}",]
}

proptest! {
    #[test]
    fn segments_are_sorted_disjoint_within_the_transcript_and_deterministic(
        transcript in prop::collection::vec((0.0..2_000.0_f64, 0.0..30.0_f64, text()), 1..80),
    ) {
        let transcript: Vec<_> = transcript
            .iter()
            .map(|(start, length, text)| (*start, start + length, text.as_str()))
            .collect();
        let found = find(&transcript);
        prop_assert_eq!(&found, &find(&transcript));

        let start = transcript.iter().map(|segment| segment.0).fold(f64::INFINITY, f64::min);
        let end = transcript.iter().map(|segment| segment.1).fold(0.0, f64::max);
        prop_assert!(found.iter().all(|segment| start <= segment.time.start()));
        for pair in found.windows(2) {
            prop_assert!(pair[0].time.end() <= pair[1].time.start());
            prop_assert!(pair[0].segment_order < pair[1].segment_order);
        }
        for segment in &found {
            prop_assert!(segment.time.end() <= end);
            prop_assert!(segment.keywords.len() <= 8);
            for word in &segment.keywords {
                let in_transcript = transcript.iter().any(|segment| segment.2.contains(word.as_str()));
                prop_assert!(in_transcript, "{word:?}");
            }
        }
    }
}
