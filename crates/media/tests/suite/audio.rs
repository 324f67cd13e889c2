use lectern_domain::TimeRange;
use lectern_media::Error;

use crate::fixture::{CODECS, Fixture, PICTURE, assert_ranges, assert_seconds};

#[test]
fn extracted_sound_has_the_length_and_format_for_speech_recognition() {
    let fixture = Fixture::new();
    let out = fixture.path("sound.wav");
    let range = TimeRange::new(1.0, 4.5).unwrap();
    fixture
        .media
        .extract_audio(&fixture.lecture(), range, &out, &mut |_| {})
        .unwrap();
    let sound = fixture.probe(&out);
    assert_seconds(sound.duration, 3.5);
    let audio = sound.audio.clone().unwrap();
    assert_eq!(
        (audio.codec.as_str(), audio.sample_rate, audio.channels),
        ("pcm_s16le", 16000, 1)
    );
    let found = fixture.detect_silence(&sound);
    assert_ranges(&found.audio.unwrap(), &[(1.0, 3.0)]);
}

#[test]
fn a_recording_without_sound_has_none_to_extract() {
    let fixture = Fixture::new();
    let film = fixture.probe(&fixture.render(&[PICTURE], CODECS, "film.mp4"));
    let out = fixture.path("sound.wav");
    let range = TimeRange::new(0.0, 1.0).unwrap();
    let error = fixture
        .media
        .extract_audio(&film, range, &out, &mut |_| {})
        .unwrap_err();
    assert!(matches!(error, Error::NoAudio), "{error}");
    assert!(!out.exists());
}
