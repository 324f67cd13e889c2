//! What is decoded from a time on, in containers of every kind.

use std::fs;
use std::path::PathBuf;

use lectern_domain::TimeRange;
use lectern_media::{CutSettings, Frames, Probe, SilenceSettings};

use crate::fixture::{Studio, brightness, near, ranges_near};
use crate::picture::picture_at;

/// A picture that says what time it is by its brightness, from black on.
const CLOCK: &str = "nullsrc=size=80x60:rate=25:duration=24,\
    geq=lum='16+8*T':cb=128:cr=128";
/// A tone that is silent from 9 s to 12 s.
const TONE: &str = "aevalsrc='0.3*sin(440*2*PI*t)*(1-between(t,9,12))':duration=24";
/// H.264 with a key frame every ten seconds.
const FAR_KEYS: &str =
    "-c:v libx264 -preset ultrafast -bf 2 -g 250 -sc_threshold 0 -pix_fmt yuv420p -c:a aac";

/// Asserts that a picture of [`CLOCK`] is that of a time, to what a codec may
/// leave as it was.
#[track_caller]
fn shows(middle: u8, time: f64) {
    let shown = f64::from(middle) * 219.0 / 255.0 / 8.0;
    assert!((shown - time).abs() < 0.4, "{shown} s instead of {time} s");
}

#[track_caller]
fn show(frames: &Frames, from: f64) {
    for frame in &frames.frames {
        shows(brightness(&frame.picture, 40, 30), from + frame.time);
    }
}

/// Asserts that picture and sound are those of their times wherever one begins.
fn is_exact(studio: &Studio, recording: &Probe) {
    let sample = |of: &Probe, count| {
        let frames = studio.media.sample_frames(of, count, 60, &mut |_| {});
        let frames = frames.unwrap();
        assert_eq!(frames.frames.len(), count as usize);
        frames
    };
    let silences = |of: &Probe| {
        let settings = SilenceSettings::default();
        let found = studio.media.detect_silence(of, settings, &mut |_| {});
        found.unwrap().audio.unwrap()
    };
    let clip = studio.cut(recording, (7.0, 15.0), &CutSettings::default());
    near(clip.duration, 8.0);
    show(&sample(&clip, 16), 7.0);
    ranges_near(&silences(&clip), &[(2.0, 5.0)]);

    let wav = studio.path("sound.wav");
    let range = TimeRange::new(8.0, 14.0).unwrap();
    let done = studio
        .media
        .extract_audio(recording, range, &wav, &mut |_| {});
    done.unwrap();
    ranges_near(&silences(&studio.probe(&wav)), &[(1.0, 4.0)]);

    for time in [0.0, 6.0, 12.0, 23.5] {
        let picture = picture_at(studio, recording, time);
        shows(brightness(&picture, 40, 30), time);
    }
    show(&sample(recording, 2), 0.0);
}

fn clock(studio: &Studio, options: &str, name: &str) -> Probe {
    studio.probe(&studio.render(&[CLOCK, TONE], options, name))
}

#[test]
fn a_clip_is_exact_in_containers_that_know_their_key_frames() {
    let studio = Studio::new();
    for name in ["index.mp4", "index.mkv"] {
        is_exact(&studio, &clock(&studio, FAR_KEYS, name));
    }
}

#[test]
fn a_clip_is_exact_in_a_transport_stream() {
    let studio = Studio::new();
    is_exact(&studio, &clock(&studio, FAR_KEYS, "sparse.ts"));
}

#[test]
fn a_clip_is_exact_in_a_transport_stream_of_a_single_key_frame() {
    let studio = Studio::new();
    let options = format!("{FAR_KEYS} -g 10000 -output_ts_offset 100");
    is_exact(&studio, &clock(&studio, &options, "single.ts"));
}

#[test]
fn a_clip_is_exact_in_a_program_stream() {
    let studio = Studio::new();
    let options = "-c:v mpeg2video -g 250 -sc_threshold 1000000000 -q:v 2 -c:a mp2";
    is_exact(&studio, &clock(&studio, options, "sparse.mpg"));
}

/// The first half of a recording's bytes.
fn half(studio: &Studio, whole: &Probe, name: &str) -> PathBuf {
    let bytes = fs::read(&whole.path).unwrap();
    let path = studio.path(name);
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    path
}

#[test]
fn a_recording_that_lost_its_index_is_cut_from_its_beginning() {
    let studio = Studio::new();
    let whole = clock(&studio, &format!("{FAR_KEYS} -g 10000 -t 8"), "whole.mkv");
    let recording = studio.probe(&half(&studio, &whole, "half.mkv"));
    for start in [0.0, 0.01, 1.0] {
        let end = start + 1.0;
        let clip = studio.cut(&recording, (start, end), &CutSettings::default());
        near(clip.duration, 1.0);
        let frames = studio.media.sample_frames(&clip, 4, 60, &mut |_| {});
        show(&frames.unwrap(), start);
        let settings = SilenceSettings::default();
        let silences = studio.media.detect_silence(&clip, settings, &mut |_| {});
        ranges_near(&silences.unwrap().audio.unwrap(), &[]);

        let wav = studio.path("sound.wav");
        let range = TimeRange::new(start, end).unwrap();
        let done = studio
            .media
            .extract_audio(&recording, range, &wav, &mut |_| {});
        done.unwrap();
        near(studio.probe(&wav).duration, 1.0);
        let picture = picture_at(&studio, &recording, start);
        shows(brightness(&picture, 40, 30), start);
    }
}

#[test]
fn a_recording_that_ends_early_is_as_long_as_what_is_there() {
    let studio = Studio::new();
    let whole = clock(&studio, FAR_KEYS, "whole.mkv");
    near(whole.duration, 24.0);
    let recording = studio.probe(&half(&studio, &whole, "half.mkv"));
    let end = recording.duration;
    assert!(end > 5.0 && end < 20.0, "{end}");
    // Were it longer, the last of it would be a picture that stands still.
    let clip = studio.cut(&recording, (end - 3.0, end), &CutSettings::default());
    near(clip.duration, 3.0);
    let frames = studio.media.sample_frames(&clip, 6, 60, &mut |_| {});
    show(&frames.unwrap(), end - 3.0);
}
