use std::fs;
use std::time::Duration;

use lectern_domain::TimeRange;
use lectern_media::{CancellationToken, ChildError, CutSettings, Error, FrameRate, Limits, Media};

use crate::fixture::{CODECS, Fixture, PICTURE, SOUND, TOOLS, assert_ranges, assert_seconds};
use crate::picture::picture_at;

#[test]
fn a_clip_is_exact_and_its_tracks_are_synchronous() {
    let fixture = Fixture::new();
    let clip = fixture.cut(&fixture.lecture(), (0.5, 4.7), &CutSettings::default());
    assert_seconds(clip.duration, 4.2);
    let (video, audio) = (clip.video.clone().unwrap(), clip.audio.clone().unwrap());
    assert_eq!(
        (video.codec.as_str(), video.width, video.height),
        ("h264", 160, 120)
    );
    assert_eq!(
        video.frame_rate,
        FrameRate {
            frames: 10,
            seconds: 1
        }
    );
    assert_eq!(
        (audio.codec.as_str(), audio.sample_rate, audio.channels),
        ("aac", 48000, 1)
    );
    let found = fixture.detect_silence(&clip);
    assert_ranges(&found.blank.unwrap(), &[(0.5, 1.5)]);
    assert_ranges(&found.audio.unwrap(), &[(1.5, 3.5)]);
}

#[test]
fn a_clip_has_its_index_in_front() {
    let fixture = Fixture::new();
    let clip = fixture.cut(&fixture.lecture(), (1.0, 2.0), &CutSettings::default());
    let bytes = fs::read(clip.path).unwrap();
    let position = |atom: &[u8]| bytes.windows(4).position(|window| window == atom).unwrap();
    assert!(position(b"moov") < position(b"mdat"));
}

#[test]
fn a_clip_has_the_tracks_of_its_recording() {
    let fixture = Fixture::new();
    let settings = CutSettings::default();
    let film = fixture.probe(&fixture.render(&[PICTURE], CODECS, "film.mp4"));
    let clip = fixture.cut(&film, (1.0, 3.5), &settings);
    assert!(clip.audio.is_none() && clip.video.is_some());
    assert_seconds(clip.duration, 2.5);
    let sound = fixture.probe(&fixture.render(&[SOUND], "-c:a libmp3lame", "sound.mp3"));
    let clip = fixture.cut(&sound, (1.0, 3.5), &settings);
    assert!(clip.audio.is_some() && clip.video.is_none());
    assert_seconds(clip.duration, 2.5);
}

#[test]
fn a_variable_frame_rate_becomes_constant() {
    let fixture = Fixture::new();
    let variable = fixture.render(
        &[
            "testsrc2=size=160x120:rate=20:duration=4,select='lt(t,1)+not(mod(n,9))'",
            SOUND,
        ],
        &format!("-fps_mode vfr -shortest {CODECS}"),
        "variable.mp4",
    );
    let clip = fixture.cut(
        &fixture.probe(&variable),
        (0.8, 3.1),
        &CutSettings::default(),
    );
    assert_seconds(clip.duration, 2.3);
    let video = clip.video.unwrap();
    assert!(!video.variable_frame_rate, "{video:?}");
    assert_eq!(
        video.frame_rate,
        FrameRate {
            frames: 30,
            seconds: 1
        }
    );
}

#[test]
fn a_track_that_ends_early_is_extended() {
    let fixture = Fixture::new();
    let short = [
        "testsrc2=size=160x120:rate=10:duration=2",
        "sine=duration=6",
    ];
    let path = fixture.render(&short, CODECS, "short-picture.mp4");
    for name in ["short-picture.mp4", "short-picture.mkv", "short-picture.ts"] {
        if name != "short-picture.mp4" {
            fixture.convert(&path, "-c copy", name);
        }
        let recording = fixture.probe(&fixture.path(name));
        assert_seconds(recording.picture_end.unwrap(), 2.0);
        let last = picture_at(&fixture, &recording, 1.95);
        for range in [(1.0, 4.0), (3.0, 5.0)] {
            let clip = fixture.cut(&recording, range, &CutSettings::default());
            assert_seconds(clip.duration, range.1 - range.0);
            assert!(clip.video.is_some() && clip.audio.is_some());
            // The last picture is shown to the end. Encoding changes it a little.
            let end = picture_at(&fixture, &clip, clip.duration - 0.1);
            let pixels = end.data.iter().zip(&last.data);
            let different = pixels.filter(|(a, b)| a.abs_diff(**b) > 40).count();
            assert!(
                different < last.data.len() / 50,
                "{name}: {different} pixels"
            );
        }
    }
    let short = [
        "testsrc2=size=160x120:rate=10:duration=6",
        "sine=duration=2",
    ];
    let recording = fixture.probe(&fixture.render(&short, CODECS, "short-sound.mp4"));
    let clip = fixture.cut(&recording, (3.0, 5.0), &CutSettings::default());
    assert_seconds(clip.duration, 2.0);
    let found = fixture.detect_silence(&clip);
    assert_ranges(&found.audio.unwrap(), &[(0.0, 2.0)]);

    // There is no packet of sound after the key frame at 5 s.
    let recording = fixture.probe(&fixture.render(&short, CODECS, "short-sound.mkv"));
    let clip = fixture.cut(&recording, (5.2, 5.9), &CutSettings::default());
    assert_seconds(clip.duration, 0.7);
    let found = fixture.detect_silence(&clip);
    assert_ranges(&found.audio.unwrap(), &[(0.0, 0.7)]);
}

#[test]
fn a_range_is_cut_at_the_end_of_the_recording() {
    let fixture = Fixture::new();
    let lecture = fixture.lecture();
    let out = fixture.path("end.mp4");
    let cut = |start, end| {
        let range = TimeRange::new(start, end).unwrap();
        fixture
            .media
            .cut(&lecture, range, &CutSettings::default(), &out, &mut |_| {})
    };
    let range = cut(5.0, 60.0).unwrap();
    assert_eq!((range.start(), range.end()), (5.0, lecture.duration));
    assert_seconds(fixture.probe(&out).duration, range.duration());
    for (start, end) in [(7.0, 8.0), (2.0, 2.0)] {
        let error = cut(start, end).unwrap_err();
        assert!(matches!(error, Error::EmptyRange { .. }), "{error}");
    }
}

#[test]
fn a_cancelled_or_timed_out_cut_leaves_no_file() {
    let fixture = Fixture::new();
    let lecture = fixture.lecture();
    let tools = TOOLS.as_ref().unwrap();
    let range = TimeRange::new(0.0, 6.0).unwrap();
    let out = fixture.path("half.mp4");

    let token = CancellationToken::new();
    let limits = Limits::within(Duration::from_mins(1)).cancelled_by(&token);
    let error = Media::new(tools, limits)
        .cut(&lecture, range, &CutSettings::default(), &out, &mut |_| {
            token.cancel();
        })
        .unwrap_err();
    assert!(
        matches!(error.child(), Some(ChildError::Cancelled)),
        "{error}"
    );
    assert!(!out.exists());

    let limits = Limits::within(Duration::ZERO);
    let error = Media::new(tools, limits)
        .cut(&lecture, range, &CutSettings::default(), &out, &mut |_| {})
        .unwrap_err();
    assert!(
        matches!(error.child(), Some(ChildError::TimedOut { .. })),
        "{error}"
    );
    assert!(!out.exists());
}

#[test]
fn a_failed_cut_reports_the_stderr_of_ffmpeg() {
    let fixture = Fixture::new();
    let settings = CutSettings {
        preset: "no such preset".into(),
        ..CutSettings::default()
    };
    let range = TimeRange::new(0.0, 1.0).unwrap();
    let out = fixture.path("none.mp4");
    let error = fixture
        .media
        .cut(&fixture.lecture(), range, &settings, &out, &mut |_| {})
        .unwrap_err();
    let stderr = error.child().and_then(ChildError::stderr_tail).unwrap();
    assert!(stderr.contains("no such preset"), "{stderr}");
    assert!(!out.exists());
}

#[test]
fn times_start_at_the_first_track_even_if_another_starts_later() {
    let fixture = Fixture::new();
    let options = format!("{CODECS} -af asetpts=PTS+1/TB -output_ts_offset 100");
    let late = fixture.render(&[PICTURE, SOUND], &options, "late.mkv");
    let clip = fixture.cut(&fixture.probe(&late), (0.4, 3.6), &CutSettings::default());
    assert_seconds(clip.duration, 3.2);
    let found = fixture.detect_silence(&clip);
    assert_ranges(&found.blank.unwrap(), &[(0.6, 1.6)]);
    assert_ranges(&found.audio.unwrap(), &[(0.0, 0.6), (2.6, 3.2)]);
}

#[test]
fn a_recording_without_an_index_can_be_cut() {
    let fixture = Fixture::new();
    let live = fixture.render(
        &[PICTURE, SOUND],
        "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus -live 1",
        "live.webm",
    );
    let clip = fixture.cut(&fixture.probe(&live), (0.5, 4.7), &CutSettings::default());
    assert_seconds(clip.duration, 4.2);
    let found = fixture.detect_silence(&clip);
    assert_ranges(&found.blank.unwrap(), &[(0.5, 1.5)]);
    assert_ranges(&found.audio.unwrap(), &[(1.5, 3.5)]);
}
