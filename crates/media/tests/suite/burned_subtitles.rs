//! Subtitles that are drawn into the picture.

use std::fs;

use lectern_media::{CutSettings, MediaInfo};

use crate::fixture::{CODECS, Fixture};
use crate::picture::picture_at;

const BLACK: &str = "color=black:size=320x180:rate=10:duration=6";
const SUBTITLES: &str = "WEBVTT\n\n00:01.000 --> 00:02.000\nA tree has leaves.\n";

fn has_text(fixture: &Fixture, clip: &MediaInfo, time: f64) -> bool {
    let picture = picture_at(fixture, clip, time);
    picture.data.iter().any(|pixel| *pixel > 150)
}

#[test]
fn subtitles_are_shown_at_their_time_from_any_path() {
    let fixture = Fixture::new();
    let recording = fixture.probe(&fixture.render(&[BLACK], CODECS, "black.mp4"));
    let dir = fixture.path("it's a [dir], of: 1;2 \\ 50%");
    fs::create_dir(&dir).unwrap();
    let file = dir.join("clip.vtt");
    fs::write(&file, SUBTITLES).unwrap();
    let settings = CutSettings {
        subtitles: Some(file),
        ..CutSettings::default()
    };
    let clip = fixture.cut(&recording, (2.0, 5.0), &settings);
    let shown = [0.5, 1.5, 2.5].map(|time| has_text(&fixture, &clip, time));
    assert_eq!(shown, [false, true, false]);
}

#[test]
fn lines_of_hebrew_begin_on_the_right() {
    let fixture = Fixture::new();
    let recording = fixture.probe(&fixture.render(&[BLACK], CODECS, "black.mp4"));
    let file = fixture.path("clip.vtt");
    // Dots are much smaller than letters.
    fs::write(
        &file,
        "WEBVTT\n\n00:01.000 --> 00:02.000\nםםםםםםםםםם..........\n",
    )
    .unwrap();
    let settings = CutSettings {
        subtitles: Some(file),
        ..CutSettings::default()
    };
    let clip = fixture.cut(&recording, (0.0, 3.0), &settings);
    let picture = picture_at(&fixture, &clip, 1.5);
    let lit = |columns: std::ops::Range<usize>| {
        let rows = picture.data.chunks(320);
        let pixels = rows.flat_map(|row| &row[columns.clone()]);
        pixels.filter(|pixel| **pixel > 150).count()
    };
    let (left, right) = (lit(0..160), lit(160..320));
    assert!(
        right > 2 * left,
        "{left} pixels on the left, {right} on the right"
    );
}

#[test]
fn characters_without_a_font_are_found() {
    let fixture = Fixture::new();
    let file = fixture.path("it's [all], of: it.vtt");
    let missing = |text: &str| {
        let found = fixture.media.characters_without_font(text, &file);
        found.unwrap()
    };
    assert!(missing("Trees & <leaves>").is_empty() && !file.exists());
    assert!(missing("Wörter – „Bäume“, déjà vu…\n").is_empty());
    // For private use: no font has them.
    let text = "Bäume \u{10fff0}\u{10fff1} and \u{10fff0}\n\nleaves";
    assert_eq!(missing(text), ['\u{10fff0}', '\u{10fff1}']);
}
