use std::fs;
use std::time::Duration;

use lectern_domain::TimeRange;
use lectern_media::{
    CancellationToken, ChildError, CutSettings, Error, FrameRate, Limits, Media, SilenceSettings,
};

use crate::fixture::{CODECS, PICTURE, SOUND, Studio, TOOLS, near, ranges_near};

#[test]
fn a_clip_is_cut_to_the_frame_and_sound_and_picture_stay_together() {
    let studio = Studio::new();
    let clip = studio.cut(&studio.lecture(), (0.5, 4.7), &CutSettings::default());
    near(clip.duration, 4.2);
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
    let settings = SilenceSettings::default();
    let found = studio
        .media
        .detect_silence(&clip, settings, &mut |_| {})
        .unwrap();
    ranges_near(&found.blank.unwrap(), &[(0.5, 1.5)]);
    ranges_near(&found.audio.unwrap(), &[(1.5, 3.5)]);
}

#[test]
fn a_clip_plays_before_it_is_loaded() {
    let studio = Studio::new();
    let clip = studio.cut(&studio.lecture(), (1.0, 2.0), &CutSettings::default());
    let bytes = fs::read(clip.path).unwrap();
    let place = |atom: &[u8]| bytes.windows(4).position(|window| window == atom).unwrap();
    assert!(place(b"moov") < place(b"mdat"));
}

#[test]
fn a_clip_has_the_tracks_its_recording_has() {
    let studio = Studio::new();
    let settings = CutSettings::default();
    let film = studio.probe(&studio.render(&[PICTURE], CODECS, "film.mp4"));
    let clip = studio.cut(&film, (1.0, 3.5), &settings);
    assert!(clip.audio.is_none() && clip.video.is_some());
    near(clip.duration, 2.5);
    let sound = studio.probe(&studio.render(&[SOUND], "-c:a libmp3lame", "sound.mp3"));
    let clip = studio.cut(&sound, (1.0, 3.5), &settings);
    assert!(clip.audio.is_some() && clip.video.is_none());
    near(clip.duration, 2.5);
}

#[test]
fn a_varying_rate_becomes_constant() {
    let studio = Studio::new();
    let uneven = studio.render(
        &[
            "testsrc2=size=160x120:rate=20:duration=4,select='lt(t,1)+not(mod(n,9))'",
            SOUND,
        ],
        &format!("-fps_mode vfr -shortest {CODECS}"),
        "uneven.mp4",
    );
    let clip = studio.cut(&studio.probe(&uneven), (0.8, 3.1), &CutSettings::default());
    near(clip.duration, 2.3);
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
fn a_track_that_ends_early_is_filled_up() {
    let studio = Studio::new();
    let short = [
        "testsrc2=size=160x120:rate=10:duration=2",
        "sine=duration=6",
    ];
    let recording = studio.probe(&studio.render(&short, CODECS, "short-picture.mp4"));
    for range in [(1.0, 4.0), (3.0, 5.0)] {
        let clip = studio.cut(&recording, range, &CutSettings::default());
        near(clip.duration, range.1 - range.0);
        assert!(clip.video.is_some() && clip.audio.is_some());
    }
    let short = [
        "testsrc2=size=160x120:rate=10:duration=6",
        "sine=duration=2",
    ];
    let recording = studio.probe(&studio.render(&short, CODECS, "short-sound.mp4"));
    let clip = studio.cut(&recording, (3.0, 5.0), &CutSettings::default());
    near(clip.duration, 2.0);
    let settings = SilenceSettings::default();
    let found = studio
        .media
        .detect_silence(&clip, settings, &mut |_| {})
        .unwrap();
    ranges_near(&found.audio.unwrap(), &[(0.0, 2.0)]);

    // Not a packet of sound comes after the key frame at 5 s.
    let recording = studio.probe(&studio.render(&short, CODECS, "short-sound.mkv"));
    let clip = studio.cut(&recording, (5.2, 5.9), &CutSettings::default());
    near(clip.duration, 0.7);
    let found = studio.media.detect_silence(&clip, settings, &mut |_| {});
    ranges_near(&found.unwrap().audio.unwrap(), &[(0.0, 0.7)]);
}

#[test]
fn a_range_ends_where_the_recording_does() {
    let studio = Studio::new();
    let lecture = studio.lecture();
    let out = studio.path("end.mp4");
    let cut = |start, end| {
        let range = TimeRange::new(start, end).unwrap();
        studio
            .media
            .cut(&lecture, range, &CutSettings::default(), &out, &mut |_| {})
    };
    let range = cut(5.0, 60.0).unwrap();
    assert_eq!((range.start(), range.end()), (5.0, lecture.duration));
    near(studio.probe(&out).duration, range.duration());
    for (start, end) in [(7.0, 8.0), (2.0, 2.0)] {
        let error = cut(start, end).unwrap_err();
        assert!(matches!(error, Error::EmptyRange { .. }), "{error}");
    }
}

#[test]
fn whoever_cancels_or_is_too_slow_gets_no_file() {
    let studio = Studio::new();
    let lecture = studio.lecture();
    let tools = TOOLS.as_ref().unwrap();
    let range = TimeRange::new(0.0, 6.0).unwrap();
    let out = studio.path("half.mp4");

    let cancel = CancellationToken::new();
    let limits = Limits::within(Duration::from_mins(1)).cancelled_by(&cancel);
    let error = Media::new(tools, limits)
        .cut(&lecture, range, &CutSettings::default(), &out, &mut |_| {
            cancel.cancel();
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
fn a_failed_cut_says_what_ffmpeg_said() {
    let studio = Studio::new();
    let settings = CutSettings {
        preset: "no such preset".into(),
        ..CutSettings::default()
    };
    let range = TimeRange::new(0.0, 1.0).unwrap();
    let out = studio.path("none.mp4");
    let error = studio
        .media
        .cut(&studio.lecture(), range, &settings, &out, &mut |_| {})
        .unwrap_err();
    let said = error.child().and_then(ChildError::stderr_tail).unwrap();
    assert!(said.contains("no such preset"), "{said}");
    assert!(!out.exists());
}

#[test]
fn times_are_told_from_the_start_of_the_recording_and_tracks_may_begin_later() {
    let studio = Studio::new();
    let options = format!("{CODECS} -af asetpts=PTS+1/TB -output_ts_offset 100");
    let late = studio.render(&[PICTURE, SOUND], &options, "late.mkv");
    let clip = studio.cut(&studio.probe(&late), (0.4, 3.6), &CutSettings::default());
    near(clip.duration, 3.2);
    let settings = SilenceSettings::default();
    let found = studio
        .media
        .detect_silence(&clip, settings, &mut |_| {})
        .unwrap();
    ranges_near(&found.blank.unwrap(), &[(0.6, 1.6)]);
    ranges_near(&found.audio.unwrap(), &[(0.0, 0.6), (2.6, 3.2)]);
}

#[test]
fn a_recording_without_an_index_can_be_cut() {
    let studio = Studio::new();
    let live = studio.render(
        &[PICTURE, SOUND],
        "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus -live 1",
        "live.webm",
    );
    let clip = studio.cut(&studio.probe(&live), (0.5, 4.7), &CutSettings::default());
    near(clip.duration, 4.2);
    let settings = SilenceSettings::default();
    let found = studio
        .media
        .detect_silence(&clip, settings, &mut |_| {})
        .unwrap();
    ranges_near(&found.blank.unwrap(), &[(0.5, 1.5)]);
    ranges_near(&found.audio.unwrap(), &[(1.5, 3.5)]);
}
