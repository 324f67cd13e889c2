//! Recordings whose picture or sound changes its format at 6 s.

use std::fs;

use lectern_domain::TimeRange;
use lectern_media::{CutSettings, GrayPicture, MediaInfo};

use crate::fixture::{CODECS, Fixture, PICTURE, SOUND, assert_ranges, assert_seconds, brightness};
use crate::picture::picture_at;

/// A transport stream of two parts of six seconds, each with [`PICTURE`] and [`SOUND`].
fn two_parts(fixture: &Fixture, first: &str, second: &str) -> MediaInfo {
    let part = |options: &str, name| {
        let options = format!("{CODECS} {options} -f mpegts");
        fs::read(fixture.render(&[PICTURE, SOUND], &options, name)).unwrap()
    };
    let second = format!("{second} -output_ts_offset 6");
    let parts = [part(first, "1.ts"), part(&second, "2.ts")];
    let path = fixture.path("changes.ts");
    fs::write(&path, parts.concat()).unwrap();
    fixture.probe(&path)
}

/// Asserts that the picture and the sound of a clip from 3 s to 11 s are in place.
#[track_caller]
fn assert_in_place(fixture: &Fixture, recording: &MediaInfo) -> MediaInfo {
    let clip = fixture.cut(recording, (3.0, 11.0), &CutSettings::default());
    assert_seconds(clip.duration, 8.0);
    let found = fixture.detect_silence(&clip);
    assert_ranges(&found.blank.unwrap(), &[(4.0, 5.0)]);
    assert_ranges(&found.audio.unwrap(), &[(0.0, 1.0), (2.0, 3.0), (5.0, 7.0)]);

    let wav = fixture.path("sound.wav");
    let range = TimeRange::new(3.0, 11.0).unwrap();
    let extracted = fixture
        .media
        .extract_audio(recording, range, &wav, &mut |_| {});
    extracted.unwrap();
    let found = fixture.detect_silence(&fixture.probe(&wav));
    assert_ranges(&found.audio.unwrap(), &[(0.0, 1.0), (2.0, 3.0), (5.0, 7.0)]);

    let found = fixture.detect_silence(recording);
    assert_ranges(&found.blank.unwrap(), &[(1.0, 2.0), (7.0, 8.0)]);
    let silences = [(2.0, 4.0), (5.0, 6.0), (8.0, 10.0), (11.0, 12.0)];
    assert_ranges(&found.audio.unwrap(), &silences);
    clip
}

/// Brightness left, in the middle and on top of the picture.
fn edges(picture: &GrayPicture) -> [u8; 3] {
    let (x, y) = (picture.width / 2, picture.height / 2);
    [(4, y), (x, y), (x, 4)].map(|(x, y)| brightness(picture, x, y))
}

#[test]
fn formats_are_found_at_several_places() {
    let fixture = Fixture::new();
    let sizes = two_parts(&fixture, "-vf scale=160:120", "-vf scale=80:120,setsar=1");
    let found = fixture.media.formats(&sizes).unwrap();
    assert_eq!(found.sizes, [(80, 120), (160, 120)]);
    assert_eq!(found.channels, [1]);
    let mp4 = fixture.convert(&sizes.path, "-c copy -bsf:a aac_adtstoasc", "changes.mp4");
    let of_mp4 = fixture.media.formats(&fixture.probe(&mp4)).unwrap();
    assert_eq!(of_mp4.sizes, found.sizes);
    let channels = two_parts(&fixture, "-c:a ac3 -ac 2", "-c:a ac3 -ac 6");
    let found = fixture.media.formats(&channels).unwrap();
    assert_eq!(
        (found.sizes, found.channels),
        (vec![(160, 120)], vec![2, 6])
    );
    let lecture = fixture.media.formats(&fixture.lecture()).unwrap();
    assert_eq!((lecture.sizes.len(), lecture.channels), (1, vec![1]));
}

#[test]
fn a_change_of_the_size_keeps_picture_and_sound_in_place() {
    let fixture = Fixture::new();
    let transport_stream = two_parts(&fixture, "-vf scale=160:120", "-vf scale=80:120,setsar=1");
    assert_in_place(&fixture, &transport_stream);
    let options = "-c copy -bsf:a aac_adtstoasc";
    let mp4 = fixture.convert(&transport_stream.path, options, "changes.mp4");
    assert_in_place(&fixture, &fixture.probe(&mp4));
}

#[test]
fn a_picture_of_another_shape_is_not_distorted() {
    let fixture = Fixture::new();
    let white = "drawbox=color=white:thickness=fill";
    let recording = two_parts(
        &fixture,
        &format!("-vf scale=160:120,setsar=1,{white}"),
        &format!("-vf scale=120:160,setsar=1,{white}"),
    );
    let clip = fixture.cut(&recording, (3.0, 11.0), &CutSettings::default());
    let [left, middle, top] = edges(&picture_at(&fixture, &clip, 1.0));
    assert!(left > 200 && middle > 200 && top > 200);
    let [left, middle, top] = edges(&picture_at(&fixture, &clip, 6.0));
    assert!(
        left < 40 && middle > 200 && top > 200,
        "{left} {middle} {top}"
    );
    let frames = fixture
        .media
        .sample_frames(&recording, 12, 60, &mut |_| {})
        .unwrap();
    assert_eq!(frames.frames.len(), 12);
}

#[test]
fn a_change_of_the_channels_keeps_picture_and_sound_in_place() {
    let fixture = Fixture::new();
    for (first, second) in [(2, 6), (6, 1), (1, 2)] {
        let recording = two_parts(
            &fixture,
            &format!("-c:a ac3 -ac {first}"),
            &format!("-c:a ac3 -ac {second}"),
        );
        assert_in_place(&fixture, &recording);
    }
}

#[test]
fn a_change_of_the_sample_rate_keeps_picture_and_sound_in_place() {
    let fixture = Fixture::new();
    let recording = two_parts(&fixture, "-c:a ac3 -ar 48000", "-c:a ac3 -ar 32000");
    assert_in_place(&fixture, &recording);
    let rates = |recording: &MediaInfo| {
        let found = fixture.detect_silence(recording);
        found.sound.unwrap().sample_rates
    };
    assert_eq!(rates(&recording), [32_000, 48_000]);
    let recording = two_parts(&fixture, "-ar 48000", "-ar 44100");
    assert_eq!(rates(&recording), [44_100, 48_000]);
    let matroska = fixture.convert(&recording.path, "-c:v copy -c:a libopus", "rates.mkv");
    assert_eq!(rates(&fixture.probe(&matroska)), [48_000]);
    assert_eq!(rates(&fixture.lecture()), [44_100]);
}
