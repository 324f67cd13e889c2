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
