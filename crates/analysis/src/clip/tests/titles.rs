//! Titles and descriptions of clips.

use super::super::passage::sentences;
use super::super::{ClipRules, is_asked};
use super::{lecture, segment, select_clips, select_with, transcript};

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
        "A theme begins the fugue, and the theme has an answer.",
        "The fugue needs a countersubject, which goes with the theme.",
        "In the stretto the theme of the fugue overlaps with the answer.",
        "The countersubject of the fugue is not the answer.",
    ];
    let sentences = lecture(&texts);
    let topic = crate::content_segment::find(transcript(&sentences)).unwrap();
    let topic = topic[0].topic.as_str();
    assert_eq!(topic, "A theme begins the fugue");
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
fn a_question_is_asked_in_the_clip_that_it_is_the_title_of() {
    let passages = |texts: &[&str]| sentences(&transcript(&lecture(texts)), &[]);
    let asked = passages(&["Well, why does the theme come back?", "The ear wants it."]);
    assert!(is_asked("Why does the theme come back?", &asked));
    let particle = passages(&["Warum kommt denn das Thema zurück?", "Das Ohr will es."]);
    assert!(is_asked("Warum kommt das Thema zurück?", &particle));
    let later = passages(&["The theme of the fugue does come back at the end."]);
    assert!(!is_asked("Why does the theme come back?", &later));
    // Nobody asks for what is defined.
    assert!(is_asked("What is a fugue?", &later));
}
