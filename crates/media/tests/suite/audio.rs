use lectern_domain::TimeRange;
use lectern_media::{Error, SilenceSettings};

use crate::fixture::{CODECS, PICTURE, Studio, near, ranges_near};

#[test]
fn the_sound_of_a_range_is_extracted_for_speech_recognition() {
    let studio = Studio::new();
    let out = studio.path("sound.wav");
    let range = TimeRange::new(1.0, 4.5).unwrap();
    studio
        .media
        .extract_audio(&studio.lecture(), range, &out, &mut |_| {})
        .unwrap();
    let sound = studio.probe(&out);
    near(sound.duration, 3.5);
    let audio = sound.audio.clone().unwrap();
    assert_eq!(
        (audio.codec.as_str(), audio.sample_rate, audio.channels),
        ("pcm_s16le", 16000, 1)
    );
    let settings = SilenceSettings::default();
    let found = studio
        .media
        .detect_silence(&sound, settings, &mut |_| {})
        .unwrap();
    ranges_near(&found.audio.unwrap(), &[(1.0, 3.0)]);
}

#[test]
fn there_is_no_sound_to_extract_of_a_silent_film() {
    let studio = Studio::new();
    let film = studio.probe(&studio.render(&[PICTURE], CODECS, "film.mp4"));
    let out = studio.path("sound.wav");
    let range = TimeRange::new(0.0, 1.0).unwrap();
    let error = studio
        .media
        .extract_audio(&film, range, &out, &mut |_| {})
        .unwrap_err();
    assert!(matches!(error, Error::NoAudio), "{error}");
    assert!(!out.exists());
}
