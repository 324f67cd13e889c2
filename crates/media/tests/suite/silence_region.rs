use std::fs;

use lectern_media::{
    CancellationToken, ChildError, Error, Limits, Media, SilenceRegions, SilenceSettings,
};

use crate::fixture::{CODECS, Fixture, PICTURE, SOUND, TOOLS, assert_ranges, assert_seconds};

fn detect(fixture: &Fixture, path: &std::path::Path) -> SilenceRegions {
    let recording = fixture.probe(path);
    fixture.detect_silence(&recording)
}

#[test]
fn silence_and_black_are_detected_to_a_tenth_of_a_second() {
    let fixture = Fixture::new();
    let lecture = fixture.lecture();
    let mut done = Vec::new();
    let found = fixture
        .media
        .detect_silence(&lecture, SilenceSettings::default(), &mut |seconds| {
            done.push(seconds);
        })
        .unwrap();
    assert_ranges(&found.audio.unwrap(), &[(2.0, 4.0), (5.0, 6.0)]);
    assert_ranges(&found.blank.unwrap(), &[(1.0, 2.0)]);
    assert_eq!((found.read_to, found.warnings), (lecture.duration, vec![]));
    assert!(done.is_sorted());
    assert_seconds(*done.last().unwrap(), 6.0);
}

#[test]
fn regions_shorter_than_the_minimum_are_omitted() {
    let fixture = Fixture::new();
    let lecture = fixture.lecture();
    let settings = SilenceSettings {
        min_duration: 1.5,
        ..SilenceSettings::default()
    };
    let found = fixture
        .media
        .detect_silence(&lecture, settings, &mut |_| {})
        .unwrap();
    assert_ranges(&found.audio.unwrap(), &[(2.0, 4.0)]);
    assert_ranges(&found.blank.unwrap(), &[]);
}

#[test]
fn times_are_from_the_start_of_the_recording() {
    let fixture = Fixture::new();
    let late = fixture.convert(
        &fixture.lecture().path,
        "-c copy -output_ts_offset 100",
        "late.mkv",
    );
    let found = detect(&fixture, &late);
    assert_ranges(&found.audio.unwrap(), &[(2.0, 4.0), (5.0, 6.0)]);
    assert_ranges(&found.blank.unwrap(), &[(1.0, 2.0)]);
}

#[test]
fn the_regions_of_a_missing_track_are_none_and_not_an_empty_list() {
    let fixture = Fixture::new();
    let without_audio = detect(
        &fixture,
        &fixture.render(&[PICTURE], CODECS, "without-audio.mp4"),
    );
    assert_eq!(without_audio.audio, None);
    assert_ranges(&without_audio.blank.unwrap(), &[(1.0, 2.0)]);
    let without_video = detect(
        &fixture,
        &fixture.render(&[SOUND], "-c:a libmp3lame", "without-video.mp3"),
    );
    assert_eq!(without_video.blank, None);
    assert_ranges(&without_video.audio.unwrap(), &[(2.0, 4.0), (5.0, 6.0)]);
}

#[test]
fn an_empty_recording_is_one_silent_and_one_black_region() {
    let fixture = Fixture::new();
    let sources = [
        "color=black:size=160x120:rate=10:duration=3",
        "anullsrc=duration=3",
    ];
    let found = detect(&fixture, &fixture.render(&sources, CODECS, "nothing.mp4"));
    assert_ranges(&found.audio.unwrap(), &[(0.0, 3.0)]);
    assert_ranges(&found.blank.unwrap(), &[(0.0, 3.0)]);
}

#[test]
fn a_damaged_recording_is_analysed_as_far_as_it_can_be_read() {
    let fixture = Fixture::new();
    let whole = fixture.convert(
        &fixture.lecture().path,
        "-c copy -movflags +faststart",
        "whole.mp4",
    );
    let bytes = fs::read(&whole).unwrap();
    let half = fixture.path("half.mp4");
    fs::write(&half, &bytes[..bytes.len() * 6 / 10]).unwrap();
    let found = detect(&fixture, &half);
    assert!(found.read_to > 1.0 && found.read_to < 5.0, "{found:?}");
    assert!(!found.warnings.is_empty());
    assert_ranges(&found.blank.unwrap(), &[(1.0, 2.0)]);
    for silence in found.audio.unwrap() {
        assert!(silence.end() <= found.read_to);
    }
}

#[test]
fn a_cancelled_detection_has_no_partial_result() {
    let fixture = Fixture::new();
    let lecture = fixture.lecture();
    let token = CancellationToken::new();
    let limits = Limits::within(std::time::Duration::from_mins(1)).cancelled_by(&token);
    let media = Media::new(TOOLS.as_ref().unwrap(), limits);
    let settings = SilenceSettings::default();
    let error = media
        .detect_silence(&lecture, settings, &mut |_| token.cancel())
        .unwrap_err();
    assert!(
        matches!(error.child(), Some(ChildError::Cancelled)),
        "{error}"
    );
    assert!(matches!(
        error,
        Error::Child {
            doing: "detect silence",
            ..
        }
    ));
}
