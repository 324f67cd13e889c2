//! With which sentences clips begin and end, and which are in none.

use super::super::ClipRules;
use super::{bounds, lecture, segment, select_clips, select_with};

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
