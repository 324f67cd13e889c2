use std::fs;

use lectern_media::{
    CancellationToken, ChildError, Error, Limits, Media, SilenceRegions, SilenceSettings,
};

use crate::fixture::{CODECS, PICTURE, SOUND, Studio, TOOLS, near, ranges_near};

fn find(studio: &Studio, path: &std::path::Path) -> SilenceRegions {
    let recording = studio.probe(path);
    let settings = SilenceSettings::default();
    studio
        .media
        .detect_silence(&recording, settings, &mut |_| {})
        .unwrap()
}

#[test]
fn silence_and_black_are_found_to_a_tenth_of_a_second() {
    let studio = Studio::new();
    let lecture = studio.lecture();
    let mut done = Vec::new();
    let found = studio
        .media
        .detect_silence(&lecture, SilenceSettings::default(), &mut |seconds| {
            done.push(seconds);
        })
        .unwrap();
    ranges_near(&found.audio.unwrap(), &[(2.0, 4.0), (5.0, 6.0)]);
    ranges_near(&found.blank.unwrap(), &[(1.0, 2.0)]);
    assert_eq!((found.read_to, found.warnings), (lecture.duration, vec![]));
    assert!(done.is_sorted());
    near(*done.last().unwrap(), 6.0);
}

#[test]
fn what_is_shorter_than_asked_is_left_out() {
    let studio = Studio::new();
    let lecture = studio.lecture();
    let settings = SilenceSettings {
        min_duration: 1.5,
        ..SilenceSettings::default()
    };
    let found = studio
        .media
        .detect_silence(&lecture, settings, &mut |_| {})
        .unwrap();
    ranges_near(&found.audio.unwrap(), &[(2.0, 4.0)]);
    ranges_near(&found.blank.unwrap(), &[]);
}

#[test]
fn times_are_told_from_the_start_of_the_recording() {
    let studio = Studio::new();
    let late = studio.remake(
        &studio.lecture().path,
        "-c copy -output_ts_offset 100",
        "late.mkv",
    );
    let found = find(&studio, &late);
    ranges_near(&found.audio.unwrap(), &[(2.0, 4.0), (5.0, 6.0)]);
    ranges_near(&found.blank.unwrap(), &[(1.0, 2.0)]);
}

#[test]
fn without_a_track_there_is_no_silence_but_none_told() {
    let studio = Studio::new();
    let deaf = find(&studio, &studio.render(&[PICTURE], CODECS, "deaf.mp4"));
    assert_eq!(deaf.audio, None);
    ranges_near(&deaf.blank.unwrap(), &[(1.0, 2.0)]);
    let blind = find(
        &studio,
        &studio.render(&[SOUND], "-c:a libmp3lame", "blind.mp3"),
    );
    assert_eq!(blind.blank, None);
    ranges_near(&blind.audio.unwrap(), &[(2.0, 4.0), (5.0, 6.0)]);
}

#[test]
fn a_recording_of_nothing_is_silent_and_black_throughout() {
    let studio = Studio::new();
    let sources = [
        "color=black:size=160x120:rate=10:duration=3",
        "anullsrc=duration=3",
    ];
    let found = find(&studio, &studio.render(&sources, CODECS, "nothing.mp4"));
    ranges_near(&found.audio.unwrap(), &[(0.0, 3.0)]);
    ranges_near(&found.blank.unwrap(), &[(0.0, 3.0)]);
}

#[test]
fn of_a_damaged_recording_what_can_be_read_is_kept() {
    let studio = Studio::new();
    let whole = studio.remake(
        &studio.lecture().path,
        "-c copy -movflags +faststart",
        "whole.mp4",
    );
    let bytes = fs::read(&whole).unwrap();
    let half = studio.path("half.mp4");
    fs::write(&half, &bytes[..bytes.len() * 6 / 10]).unwrap();
    let found = find(&studio, &half);
    assert!(found.read_to > 1.0 && found.read_to < 5.0, "{found:?}");
    assert!(!found.warnings.is_empty());
    ranges_near(&found.blank.unwrap(), &[(1.0, 2.0)]);
    for silence in found.audio.unwrap() {
        assert!(silence.end() <= found.read_to);
    }
}

#[test]
fn whoever_cancels_gets_no_half_answer() {
    let studio = Studio::new();
    let lecture = studio.lecture();
    let cancel = CancellationToken::new();
    let limits = Limits::within(std::time::Duration::from_mins(1)).cancelled_by(&cancel);
    let media = Media::new(TOOLS.as_ref().unwrap(), limits);
    let settings = SilenceSettings::default();
    let error = media
        .detect_silence(&lecture, settings, &mut |_| cancel.cancel())
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
