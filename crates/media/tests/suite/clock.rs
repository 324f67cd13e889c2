//! Recordings whose clock starts anew.

use std::fs;

use lectern_media::{CutSettings, MediaInfo};

use crate::fixture::{CODECS, Fixture, PICTURE, SOUND, assert_ranges, assert_seconds};

/// Two recordings with [`PICTURE`] and [`SOUND`], one after the other in a file, and the file
/// with one clock.
fn appended(fixture: &Fixture, options: [&str; 2], extension: &str) -> (MediaInfo, MediaInfo) {
    let part = |options: &str| {
        let options = format!("{CODECS} {options}");
        let path = fixture.render(&[PICTURE, SOUND], &options, &format!("part.{extension}"));
        fs::read(path).unwrap()
    };
    let path = fixture.path(&format!("appended.{extension}"));
    fs::write(&path, options.map(part).concat()).unwrap();
    let recording = fixture.probe(&path);
    let out = fixture.path("joined");
    let joined = fixture.media.join_clocks(&recording, &out, &mut |_| {});
    (recording, joined.unwrap())
}

/// Asserts that the second part follows the first.
#[track_caller]
fn assert_joined(fixture: &Fixture, (recording, joined): (MediaInfo, MediaInfo)) {
    assert!(recording.has_clock_restarts && joined.has_clock_restarts);
    assert_seconds(recording.duration, 12.0);
    assert_seconds(joined.duration, 12.0);
    let found = fixture.detect_silence(&joined);
    assert_ranges(&found.blank.unwrap(), &[(1.0, 2.0), (7.0, 8.0)]);
    let clip = fixture.cut(&joined, (6.5, 11.0), &CutSettings::default());
    let found = fixture.detect_silence(&clip);
    assert_ranges(&found.blank.unwrap(), &[(0.5, 1.5)]);
    assert_ranges(&found.audio.unwrap(), &[(1.5, 3.5)]);
}

#[test]
fn appended_transport_streams_are_joined() {
    let fixture = Fixture::new();
    assert_joined(&fixture, appended(&fixture, ["", ""], "ts"));
    // A forward jump of the clock.
    let jump = ["", "-output_ts_offset 5000"];
    assert_joined(&fixture, appended(&fixture, jump, "ts"));
}

#[test]
fn appended_program_streams_are_joined() {
    let fixture = Fixture::new();
    let codecs = "-c:v mpeg2video -r 25 -q:v 2 -c:a mp2";
    assert_joined(&fixture, appended(&fixture, [codecs; 2], "mpg"));
}

#[test]
fn a_recording_with_one_clock_has_no_restarts() {
    let fixture = Fixture::new();
    let mpeg_2 = "-c:v mpeg2video -r 25 -q:v 2 -c:a mp2";
    for (options, name) in [
        (CODECS, "one.ts"),
        (
            "-output_ts_offset 95438 -c:v mpeg2video -c:a mp2",
            "wraps.ts",
        ),
        (mpeg_2, "one.mpg"),
        (CODECS, "one.mp4"),
    ] {
        let recording = fixture.probe(&fixture.render(&[PICTURE, SOUND], options, name));
        assert!(!recording.has_clock_restarts, "{name}");
        assert_seconds(recording.duration, 6.0);
    }
}
