//! Seeking to a time in containers of every kind.

use std::fs;
use std::path::PathBuf;

use lectern_domain::TimeRange;
use lectern_media::{CutSettings, Frames, MediaInfo};

use crate::fixture::{Fixture, assert_ranges, assert_seconds, brightness};
use crate::picture::picture_at;

/// A picture whose brightness increases with the time.
const CLOCK: &str = "nullsrc=size=80x60:rate=25:duration=24,\
    geq=lum='16+8*T':cb=128:cr=128";
/// A tone that is silent from 9 s to 12 s.
const TONE: &str = "aevalsrc='0.3*sin(440*2*PI*t)*(1-between(t,9,12))':duration=24";
/// H.264 with a key frame every ten seconds.
const SPARSE_KEY_FRAMES: &str =
    "-c:v libx264 -preset ultrafast -bf 2 -g 250 -sc_threshold 0 -pix_fmt yuv420p -c:a aac";

/// Asserts that a brightness is that of [`CLOCK`] at a time. The tolerance is for
/// the codec.
#[track_caller]
fn assert_clock(brightness: u8, time: f64) {
    let shown = f64::from(brightness) * 219.0 / 255.0 / 8.0;
    assert!((shown - time).abs() < 0.4, "{shown} s instead of {time} s");
}

/// Asserts that frames are those of [`CLOCK`], starting at `from`.
#[track_caller]
fn assert_frames(frames: &Frames, from: f64) {
    for frame in &frames.frames {
        assert_clock(brightness(&frame.picture, 40, 30), from + frame.time);
    }
}

/// Asserts that every operation gives the picture and the sound of the right time.
fn assert_exact(fixture: &Fixture, recording: &MediaInfo) {
    let sample = |of: &MediaInfo, count| {
        let frames = fixture.media.sample_frames(of, count, 60, &mut |_| {});
        let frames = frames.unwrap();
        assert_eq!(frames.frames.len(), count as usize);
        frames
    };
    let silences = |of: &MediaInfo| {
        let found = fixture.detect_silence(of);
        found.audio.unwrap()
    };
    let clip = fixture.cut(recording, (7.0, 15.0), &CutSettings::default());
    assert_seconds(clip.duration, 8.0);
    assert_frames(&sample(&clip, 16), 7.0);
    assert_ranges(&silences(&clip), &[(2.0, 5.0)]);

    let wav = fixture.path("sound.wav");
    let range = TimeRange::new(8.0, 14.0).unwrap();
    let done = fixture
        .media
        .extract_audio(recording, range, &wav, &mut |_| {});
    done.unwrap();
    assert_ranges(&silences(&fixture.probe(&wav)), &[(1.0, 4.0)]);

    for time in [0.0, 6.0, 12.0, 23.5] {
        let picture = picture_at(fixture, recording, time);
        assert_clock(brightness(&picture, 40, 30), time);
    }
    assert_frames(&sample(recording, 2), 0.0);
}

fn clock(fixture: &Fixture, options: &str, name: &str) -> MediaInfo {
    fixture.probe(&fixture.render(&[CLOCK, TONE], options, name))
}

#[test]
fn a_clip_is_exact_in_containers_with_key_frame_seek() {
    let fixture = Fixture::new();
    for name in ["index.mp4", "index.mkv"] {
        assert_exact(&fixture, &clock(&fixture, SPARSE_KEY_FRAMES, name));
    }
}

#[test]
fn a_clip_is_exact_in_a_transport_stream() {
    let fixture = Fixture::new();
    assert_exact(&fixture, &clock(&fixture, SPARSE_KEY_FRAMES, "sparse.ts"));
}

#[test]
fn a_clip_is_exact_in_a_transport_stream_with_one_key_frame() {
    let fixture = Fixture::new();
    let options = format!("{SPARSE_KEY_FRAMES} -g 10000 -output_ts_offset 100");
    assert_exact(&fixture, &clock(&fixture, &options, "single.ts"));
}

#[test]
fn a_clip_is_exact_in_a_program_stream() {
    let fixture = Fixture::new();
    let options = "-c:v mpeg2video -g 250 -sc_threshold 1000000000 -q:v 2 -c:a mp2";
    assert_exact(&fixture, &clock(&fixture, options, "sparse.mpg"));
}

/// A file with the first half of a recording's bytes.
fn half(fixture: &Fixture, whole: &MediaInfo, name: &str) -> PathBuf {
    let bytes = fs::read(&whole.path).unwrap();
    let path = fixture.path(name);
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    path
}

#[test]
fn a_recording_without_its_index_is_read_from_the_beginning() {
    let fixture = Fixture::new();
    let whole = clock(
        &fixture,
        &format!("{SPARSE_KEY_FRAMES} -g 10000 -t 8"),
        "whole.mkv",
    );
    let recording = fixture.probe(&half(&fixture, &whole, "half.mkv"));
    for start in [0.0, 0.01, 1.0] {
        let end = start + 1.0;
        let clip = fixture.cut(&recording, (start, end), &CutSettings::default());
        assert_seconds(clip.duration, 1.0);
        let frames = fixture.media.sample_frames(&clip, 4, 60, &mut |_| {});
        assert_frames(&frames.unwrap(), start);
        let silences = fixture.detect_silence(&clip);
        assert_ranges(&silences.audio.unwrap(), &[]);

        let wav = fixture.path("sound.wav");
        let range = TimeRange::new(start, end).unwrap();
        let done = fixture
            .media
            .extract_audio(&recording, range, &wav, &mut |_| {});
        done.unwrap();
        assert_seconds(fixture.probe(&wav).duration, 1.0);
        let picture = picture_at(&fixture, &recording, start);
        assert_clock(brightness(&picture, 40, 30), start);
    }
}

#[test]
fn a_truncated_recording_has_the_duration_of_its_remaining_part() {
    let fixture = Fixture::new();
    let whole = clock(&fixture, SPARSE_KEY_FRAMES, "whole.mkv");
    assert_seconds(whole.duration, 24.0);
    let recording = fixture.probe(&half(&fixture, &whole, "half.mkv"));
    let end = recording.duration;
    assert!(end > 5.0 && end < 20.0, "{end}");
    // If the duration were too long, the clip would end with a still picture.
    let clip = fixture.cut(&recording, (end - 3.0, end), &CutSettings::default());
    assert_seconds(clip.duration, 3.0);
    let frames = fixture.media.sample_frames(&clip, 6, 60, &mut |_| {});
    assert_frames(&frames.unwrap(), end - 3.0);
}
