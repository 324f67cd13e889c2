//! Segmentation of talks whose topics are known.

mod chapters;
mod concatenated_talk;
mod corpus;
mod edge_cases;
mod synthetic_lecture;
mod window_diff;

use crate::content_segment;
use concatenated_talk::{Talk, Transcription, permutations};
use corpus::{ENGLISH, GERMAN, JAPANESE};
use lectern_domain::Keyword;
use window_diff::{labels, window_diff};

/// For each order of the texts, how far the found boundaries are from the true ones
/// (`WindowDiff`, 0 if they are the same). Each order must give one segment per text.
fn distances(texts: &[&str], transcription: Transcription) -> Vec<f64> {
    permutations(texts)
        .into_iter()
        .map(|texts| {
            let talk = Talk::new(&texts, transcription);
            let found = content_segment::find(&talk.transcript).unwrap();
            assert_eq!(found.len(), texts.len(), "{texts:?}");
            window_diff(&talk.topics, &labels(&talk.transcript, &found))
        })
        .collect()
}

fn assert_distances(texts: &[&str], transcription: Transcription, max_mean: f64, max: f64) {
    let distances = distances(texts, transcription);
    let mean = distances.iter().sum::<f64>() / distances.len() as f64;
    let highest = distances.iter().copied().fold(0.0, f64::max);
    assert!(mean <= max_mean && highest <= max, "{mean} {highest}");
}

#[test]
fn four_topics_in_any_order_give_four_segments() {
    assert_distances(&ENGLISH, Transcription::Sentences, 0.06, 0.15);
    assert_distances(&GERMAN, Transcription::Sentences, 0.08, 0.2);
}

#[test]
fn text_without_capitals_and_punctuation_is_segmented() {
    assert_distances(&ENGLISH, Transcription::PlainEightWordSegments, 0.1, 0.15);
    assert_distances(&GERMAN, Transcription::PlainEightWordSegments, 0.12, 0.2);
}

#[test]
fn scripts_without_spaces_are_segmented() {
    assert_distances(&JAPANESE, Transcription::Sentences, 0.1, 0.1);
}

#[test]
fn three_topics_in_three_minutes_give_three_segments() {
    for texts in [ENGLISH, GERMAN] {
        let short = texts.map(|text| text.split_inclusive('\n').take(9).collect::<String>());
        let short: Vec<&str> = short.iter().take(3).map(|text| text.trim_end()).collect();
        let talk = Talk::new(&short, Transcription::Sentences);
        assert!((150.0..210.0).contains(&talk.transcript[26].time.end()));
        assert_distances(&short, Transcription::Sentences, 0.1, 0.25);
    }
}

#[test]
fn one_topic_gives_at_most_two_segments() {
    let counts: Vec<usize> = ENGLISH
        .iter()
        .chain(&GERMAN)
        .map(|text| {
            let talk = Talk::new(&[text], Transcription::Sentences);
            content_segment::find(&talk.transcript).unwrap().len()
        })
        .collect();
    // Two texts have two parts each: photosynthesis by day and then by night; latitude
    // and then longitude.
    assert!(counts.iter().all(|&count| count <= 2), "{counts:?}");
    assert!(
        counts.iter().filter(|&&count| count == 1).count() >= 6,
        "{counts:?}"
    );
}

#[test]
fn titles_and_keywords_name_the_topic() {
    let talk = Talk::new(&ENGLISH, Transcription::Sentences);
    let found = content_segment::find(&talk.transcript).unwrap();
    let expected_keywords = [
        ["chloroplasts", "sugar", "photosynthesis"],
        ["inflation", "prices", "bank"],
        ["tree", "search", "node"],
        ["clock", "longitude", "sextant"],
    ];
    for (segment, expected) in found.iter().zip(expected_keywords) {
        let keywords: Vec<&str> = segment.keywords.iter().map(Keyword::as_str).collect();
        assert!((3..=8).contains(&keywords.len()));
        for word in expected {
            assert!(keywords.contains(&word), "{segment:?}");
        }
        let title = segment.topic.to_lowercase();
        assert!(expected.iter().any(|word| title.contains(word)), "{title}");
    }
}

#[test]
fn concepts_are_repeated_phrases() {
    let talk = Talk::new(&ENGLISH, Transcription::Sentences);
    let found = content_segment::find(&talk.transcript).unwrap();
    let mut concepts = found[1].concepts.iter();
    assert!(concepts.any(|phrase| phrase.as_str() == "interest rate"));
}

#[test]
fn the_description_starts_with_a_sentence_of_the_segment() {
    let talk = Talk::new(&ENGLISH, Transcription::Sentences);
    let found = content_segment::find(&talk.transcript).unwrap();
    let description = found[1].description.as_deref().unwrap();
    let mut sentences = talk.transcript[12..24].iter();
    assert!(
        sentences.any(|sentence| description.starts_with(sentence.text.as_str())),
        "{description}"
    );
}

#[test]
fn function_words_are_not_keywords() {
    for (texts, function_words) in [
        (ENGLISH, ["the", "a", "and", "of", "to", "it", "is", "in"]),
        (
            GERMAN,
            ["der", "die", "das", "und", "in", "es", "ist", "nicht"],
        ),
    ] {
        let talk = Talk::new(&texts, Transcription::Sentences);
        for segment in content_segment::find(&talk.transcript).unwrap() {
            for word in &segment.keywords {
                let word = word.to_lowercase();
                assert!(!function_words.contains(&word.as_str()), "{segment:?}");
            }
        }
    }
}

#[test]
fn a_long_pause_attracts_the_boundary() {
    // Two sentences that belong to neither topic are between them.
    let texts = [
        ENGLISH[0],
        "Has anybody a question so far?\nGood, no hands are raised.",
        ENGLISH[1],
    ];
    for sentence in [12, 14] {
        let mut talk = Talk::new(&texts, Transcription::Sentences);
        talk.insert_pause_before(sentence, 20.0);
        let start = talk.transcript[sentence].time.start();
        let found = content_segment::find(&talk.transcript).unwrap();
        assert!(
            found
                .iter()
                .any(|segment| (segment.time.start() - start).abs() < 1e-9)
        );
    }
}

fn importance_scores(talk: &Talk) -> Vec<f64> {
    content_segment::find(&talk.transcript)
        .unwrap()
        .iter()
        .map(|segment| segment.importance_score.get())
        .collect()
}

#[test]
fn segments_differ_in_importance() {
    let mut scores = importance_scores(&Talk::new(&ENGLISH, Transcription::Sentences));
    scores.sort_by(f64::total_cmp);
    scores.dedup();
    assert_eq!(scores.len(), 4);
}

#[test]
fn a_segment_with_less_speech_per_second_is_less_important() {
    let mut talk = Talk::new(&ENGLISH, Transcription::Sentences);
    let before = importance_scores(&talk)[3];
    talk.slow_down_from(36);
    assert!(importance_scores(&talk)[3] < before);
}
