use std::path::{Path, PathBuf};

use lectern_domain::TimeRange;
use lectern_media::{CutSettings, Error, MediaInfo};

use crate::fixture::{
    CODECS, Fixture, PICTURE, SOUND, assert_decodes, assert_ranges, assert_seconds,
};

fn cut(fixture: &Fixture, recording: &MediaInfo, range: (f64, f64), name: &str) -> PathBuf {
    let out = fixture.path(name);
    let range = TimeRange::new(range.0, range.1).unwrap();
    let settings = CutSettings::default();
    fixture
        .media
        .cut(recording, range, &settings, &out, &mut |_| {})
        .unwrap();
    out
}

fn concat(fixture: &Fixture, clips: &[PathBuf], settings: &CutSettings) -> MediaInfo {
    let out = fixture.path("reel.mp4");
    let clips: Vec<&Path> = clips.iter().map(PathBuf::as_path).collect();
    fixture
        .media
        .concat(&clips, settings, &out, &mut |_| {})
        .unwrap();
    assert_decodes(&out);
    fixture.probe(&out)
}

#[test]
fn compatible_clips_are_joined_without_encoding() {
    let fixture = Fixture::new();
    let lecture = fixture.lecture();
    let clips = [
        cut(&fixture, &lecture, (0.5, 2.5), "one.mp4"),
        cut(&fixture, &lecture, (4.0, 4.8), "it's\ntwo.mp4"),
        cut(&fixture, &lecture, (3.0, 4.5), "-three.mp4"),
    ];
    // Encoding with these settings would reduce the size to a fraction.
    let settings = CutSettings {
        crf: 51,
        ..CutSettings::default()
    };
    let reel = concat(&fixture, &clips, &settings);
    assert_seconds(reel.duration, 4.3);
    let sizes: u64 = clips.iter().map(|clip| fixture.probe(clip).size).sum();
    assert!(reel.size * 10 > sizes * 8, "{} of {sizes}", reel.size);
    let found = fixture.detect_silence(&reel);
    assert_ranges(&found.blank.unwrap(), &[(0.5, 1.5)]);
    assert_ranges(&found.audio.unwrap(), &[(1.5, 2.0), (2.8, 3.8)]);
}

#[test]
fn different_clips_are_encoded_to_the_first_picture() {
    let fixture = Fixture::new();
    let film = "testsrc2=size=320x100:rate=25:duration=2";
    let clips = [
        cut(&fixture, &fixture.lecture(), (0.5, 2.5), "both.mp4"),
        fixture.render(&[film], CODECS, "film.mp4"),
        fixture.render(&[SOUND], "-c:a aac -ac 2", "sound.m4a"),
    ];
    let reel = concat(&fixture, &clips, &CutSettings::default());
    assert_seconds(reel.duration, 10.0);
    let video = reel.video.clone().unwrap();
    assert_eq!(
        (video.width, video.height, video.frame_rate.get()),
        (160, 120, 10.0)
    );
    assert_eq!(reel.audio.clone().unwrap().channels, 2);
    let found = fixture.detect_silence(&reel);
    assert_ranges(&found.blank.unwrap(), &[(0.5, 1.5), (4.0, 10.0)]);
    assert_ranges(
        &found.audio.unwrap(),
        &[(1.5, 4.0), (6.0, 8.0), (9.0, 10.0)],
    );
}

#[test]
fn no_clips_or_a_missing_clip_give_no_reel() {
    let fixture = Fixture::new();
    let out = fixture.path("reel.mp4");
    let error = fixture
        .media
        .concat(&[], &CutSettings::default(), &out, &mut |_| {})
        .unwrap_err();
    assert!(matches!(error, Error::NoClips), "{error}");
    let missing = fixture.path("missing.mp4");
    let film = fixture.render(&[PICTURE], CODECS, "film.mp4");
    let clips = [film.as_path(), missing.as_path()];
    let error = fixture
        .media
        .concat(&clips, &CutSettings::default(), &out, &mut |_| {})
        .unwrap_err();
    assert!(matches!(error, Error::Probe(_)), "{error}");
    assert!(!out.exists());
}
