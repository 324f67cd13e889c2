//! Descriptions of the clip of a short recording.

use super::super::{description, passage};
use super::{segment, transcript};
use crate::ContentSegmentRef;
use crate::language::Lexicon;

/// The description of a clip of these sentences with this title.
fn described(title: &str, texts: &[&str]) -> String {
    let times = (0_u32..).map(|i| (f64::from(i) * 5.0, f64::from(i) * 5.0 + 4.6));
    let sentences: Vec<(f64, f64, &str)> = times
        .zip(texts)
        .map(|((start, end), text)| (start, end, *text))
        .collect();
    let passages = passage::sentences(&transcript(&sentences), &[]);
    let segment = segment(0.0, 20.0, title, 0.9);
    let segment = ContentSegmentRef {
        time: segment.time,
        topic: &segment.topic,
        importance_score: segment.importance,
        keywords: &[],
    };
    let lexicon = Lexicon::of(texts.iter().copied());
    description::of(&passages, &segment, title, lexicon).unwrap()
}

#[test]
fn a_pronoun_is_replaced_by_the_subject_of_the_sentence_before() {
    let texts = [
        "So, the anchor, if you buy one thing for the boat, please buy the anchor.",
        "It holds the boat in the mud of the harbour at night.",
    ];
    assert_eq!(
        described("The anchor holds the boat", &texts),
        "The anchor holds the boat in the mud of the harbour at night."
    );
    let texts = [
        "Der Anker hängt vorne, ähm, nämlich.",
        "Er hält nachts große Schiffe fest in dem Schlamm.",
    ];
    assert_eq!(
        described("Anker und Schiffe", &texts),
        "Der Anker hält nachts große Schiffe fest in dem Schlamm."
    );
}

#[test]
fn a_statement_is_better_than_a_story_of_nobody_in_particular() {
    let texts = [
        "For a long time nobody had a chart of the tides on board.",
        "The chart of the tides is printed every year in the harbour.",
    ];
    assert_eq!(described("Chart and tides", &texts), texts[1]);
}

#[test]
fn a_clause_that_adds_that_there_is_something_is_left_out() {
    let texts = ["The wild coast is never empty, there are gulls on it."];
    assert_eq!(
        described("The wild coast is never empty at all", &texts),
        "The wild coast is never empty."
    );
}
