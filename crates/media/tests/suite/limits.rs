use std::fs;

use lectern_domain::VideoDuration;
use lectern_media::{Error, ProbeError, RecordingLimits};

use crate::fixture::{Fixture, PICTURE, SOUND, assert_seconds};

/// Why a recording is refused by these limits.
fn refusal(fixture: &Fixture, path: &std::path::Path, limits: &RecordingLimits) -> String {
    let media = fixture.media.clone().with_recording_limits(limits.clone());
    match media.probe(path) {
        Err(error @ ProbeError::BeyondLimits(_)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Two minutes of a picture that is 6,500 times as wide as high, in 5 KB.
fn stripe(fixture: &Fixture, name: &str) -> std::path::PathBuf {
    fixture.render(
        &["color=black:size=13000x2:rate=1:duration=125"],
        "-c:v libx264 -preset ultrafast -pix_fmt yuv420p",
        name,
    )
}

/// A Matroska file whose header claims this duration, in seconds.
fn with_claimed_duration(fixture: &Fixture, seconds: f64) -> std::path::PathBuf {
    let path = fixture.render(&[SOUND], "-c:a aac", "claim.mka");
    let mut file = fs::read(&path).unwrap();
    // The element `Duration`: its id, its size of 8 bytes, milliseconds.
    let id = [0x44, 0x89, 0x88];
    let start = file.windows(3).position(|bytes| bytes == id).unwrap() + 3;
    file[start..start + 8].copy_from_slice(&(seconds * 1e3).to_be_bytes());
    fs::write(&path, file).unwrap();
    path
}

#[test]
fn a_picture_that_is_too_wide_is_refused() {
    let fixture = Fixture::new();
    for name in ["stripe.mp4", "stripe.mkv", "stripe.ts"] {
        let path = stripe(&fixture, name);
        let refusal = refusal(&fixture, &path, &RecordingLimits::default());
        assert_eq!(
            refusal,
            "the recording is beyond a limit: \
             its picture of 13000 × 2 pixels has sides of more than 16 to 1"
        );
    }
}

#[test]
fn a_picture_with_too_many_pixels_is_not_decoded() {
    let fixture = Fixture::new();
    let limits = RecordingLimits {
        max_pixels: 100 * 100,
        ..RecordingLimits::default()
    };
    let lecture = fixture.lecture();
    let transport_stream = fixture.convert(&lecture.path, "-c copy", "lecture.ts");
    for path in [&lecture.path, &transport_stream] {
        let refusal = refusal(&fixture, path, &limits);
        assert!(refusal.contains("more than 10000"), "{refusal}");
    }
}

#[test]
fn a_recording_with_too_many_tracks_is_refused() {
    let fixture = Fixture::new();
    let options = format!("{}-c:a aac", "-map 0 ".repeat(65));
    let path = fixture.render(&["sine=duration=1"], &options, "many.mka");
    let refusal = refusal(&fixture, &path, &RecordingLimits::default());
    assert!(
        refusal.ends_with("it has 65 tracks, more than 64"),
        "{refusal}"
    );
}

#[test]
fn a_recording_that_is_too_long_is_refused() {
    let fixture = Fixture::new();
    let limits = RecordingLimits {
        max_duration: VideoDuration::new(5.0).unwrap(),
        ..RecordingLimits::default()
    };
    let refusal = refusal(&fixture, &fixture.lecture().path, &limits);
    assert!(
        refusal.ends_with("it lasts 6 s, more than 5 s"),
        "{refusal}"
    );
}

#[test]
fn a_duration_that_does_not_fit_the_size_is_measured() {
    let fixture = Fixture::new();
    for seconds in [9e12, 1e7, 86_000.0, 0.0, -1.0, f64::INFINITY, f64::NAN] {
        let path = with_claimed_duration(&fixture, seconds);
        assert_seconds(fixture.probe(&path).duration, 6.0);
    }
    // The last of its pictures lasts longer than the packets say.
    let sparse = fixture.render(
        &["color=black:size=160x120:rate=1/5:duration=60"],
        "-c:v libx264 -preset ultrafast",
        "sparse.mp4",
    );
    assert_seconds(fixture.probe(&sparse).duration, 60.0);
}

#[test]
fn the_number_of_sampled_frames_is_bounded_by_their_size() {
    let fixture = Fixture::new();
    let lecture = fixture.lecture();
    let sample = |height| {
        fixture
            .media
            .sample_frames(&lecture, 60, height, &mut |_| {})
    };
    let sampled = sample(2048).unwrap();
    let bytes: usize = sampled
        .frames
        .iter()
        .map(|frame| frame.picture.data.capacity())
        .sum();
    assert!((50 << 20..=64 << 20).contains(&bytes), "{bytes}");
    // They are still spread over the whole recording.
    assert!(sampled.frames.last().unwrap().time > 5.0);
    drop(sampled);
    let error = sample(20_000).unwrap_err();
    assert!(matches!(error, Error::FrameTooLarge { .. }), "{error}");
}

#[test]
fn a_decoder_that_is_not_allowed_is_not_used() {
    let fixture = Fixture::new();
    let options = "-c:v snow -strict experimental";
    let path = fixture.render(&[PICTURE], options, "snow.avi");
    let refusal = refusal(&fixture, &path, &RecordingLimits::default());
    assert!(refusal.contains("needs the decoder snow"), "{refusal}");
    let limits = RecordingLimits {
        more_decoders: vec!["snow".to_owned()],
        ..RecordingLimits::default()
    };
    let media = fixture.media.clone().with_recording_limits(limits);
    let recording = media.probe(&path).unwrap();
    let found = media.sample_frames(&recording, 1, 60, &mut |_| {}).unwrap();
    assert_eq!(found.frames.len(), 1);
}
