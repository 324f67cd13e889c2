use std::fs;

use lectern_media::{CutSettings, FrameRate, ProbeError, SubtitleFormat};

use crate::fixture::{Fixture, PICTURE, SOUND, assert_ranges, assert_seconds};

/// The error of probing a file that is not a recording.
fn probe_error(fixture: &Fixture, name: &str, bytes: &[u8]) -> String {
    let path = fixture.path(name);
    fs::write(&path, bytes).unwrap();
    match fixture.media.probe(&path) {
        Err(error @ (ProbeError::NotMedia(_) | ProbeError::UnsupportedFormat(_))) => {
            error.to_string()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_container_that_is_not_accepted_is_named() {
    let fixture = Fixture::new();
    for (options, name, format) in [
        ("-c:v rv10 -f rm", "talk.rm", "rm"),
        ("-c:v gif", "talk.gif", "gif"),
    ] {
        let picture = "testsrc2=size=160x128:rate=10:duration=1";
        let path = fixture.render(&[picture], options, name);
        let error = fixture.media.probe(&path).unwrap_err().to_string();
        let expected = format!("the format {format} is not supported: convert the recording");
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn the_properties_of_a_recording_are_read() {
    let fixture = Fixture::new();
    let lecture = fixture.lecture();
    assert_seconds(lecture.duration, 6.0);
    assert_eq!(lecture.size, fs::metadata(&lecture.path).unwrap().len());
    assert!(lecture.format_name.contains("mp4") && lecture.subtitles.is_empty());
    let video = lecture.video.unwrap();
    assert_eq!(
        (video.codec.as_str(), video.width, video.height),
        ("h264", 160, 120)
    );
    assert_eq!((video.rotation, video.variable_frame_rate), (0, false));
    assert_eq!(
        video.frame_rate,
        FrameRate {
            frames: 10,
            seconds: 1
        }
    );
    let audio = lecture.audio.unwrap();
    assert_eq!(
        (audio.codec.as_str(), audio.sample_rate, audio.channels),
        ("aac", 44100, 1)
    );
}

#[test]
fn a_rotated_picture_has_its_displayed_size() {
    let fixture = Fixture::new();
    let rotated = fixture.rotated(&fixture.lecture().path);
    let video = fixture.probe(&rotated).video.unwrap();
    assert_eq!((video.width, video.height, video.rotation), (120, 160, 270));
}

#[test]
fn a_variable_frame_rate_is_detected() {
    let fixture = Fixture::new();
    let variable = fixture.render(
        &["testsrc2=size=160x120:rate=20:duration=4,select='lt(t,1)+not(mod(n,9))'"],
        "-fps_mode vfr -c:v libx264 -preset ultrafast",
        "variable.mp4",
    );
    let video = fixture.probe(&variable).video.unwrap();
    assert!(video.variable_frame_rate, "{video:?}");
}

#[test]
fn cover_art_is_not_a_video_track() {
    let fixture = Fixture::new();
    let song = fixture.render(
        &[SOUND, "color=red:size=32x32:rate=25:duration=0.04"],
        "-map 0 -map 1 -c:a aac -c:v mjpeg -pix_fmt yuvj420p -disposition:v:0 attached_pic",
        "song.m4a",
    );
    let song = fixture.probe(&song);
    assert_eq!(song.video, None);
    assert!(song.audio.is_some());
}

#[test]
fn subtitles_have_a_language_and_can_be_extracted() {
    let fixture = Fixture::new();
    let srt = fixture.path("words.srt");
    fs::write(&srt, "1\n00:00:01,000 --> 00:00:02,000\nWelcome.\n").unwrap();
    let options = format!(
        "-i {} -c copy -c:s mov_text -metadata:s:s:0 language=eng",
        srt.display()
    );
    let path = fixture.convert(&fixture.lecture().path, &options, "subtitled.mp4");
    let found = fixture.probe(&path).subtitles;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].index, found[0].codec.as_str()), (2, "mov_text"));
    assert_eq!(found[0].language.as_deref(), Some("eng"));
    let out = fixture.path("words.vtt");
    let recording = fixture.probe(&path);
    fixture
        .media
        .extract_subtitles(&recording, &found[0], SubtitleFormat::WebVtt, &out)
        .unwrap();
    let words = fs::read_to_string(&out).unwrap();
    assert!(
        words.starts_with("WEBVTT") && words.contains("Welcome."),
        "{words}"
    );
}

/// Words of two layers, a drawing and a comment.
const SUBSTATION_ALPHA: &str = "[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,20

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:05.00,Default,,0,0,0,,not shown
Dialogue: 3,0:00:01.00,0:00:02.00,Default,Ann,10,0,0,,{\\k50\\pos(10,20)}Welcome,\\N{\\i1}all{\\i0}.
Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\p1}m 0 0 l 9 0 9 9{\\p0}
Dialogue: 0,0:00:03.00,0:00:04.50,Default,Bo,0,0,0,,Leaves
";

#[test]
fn substation_alpha_is_extracted_as_it_is() {
    let fixture = Fixture::new();
    let ass = fixture.path("words.ass");
    fs::write(&ass, SUBSTATION_ALPHA).unwrap();
    // With the sound, all tracks would begin 21 ms later, so that AAC's priming is not before 0.
    let options = format!("-i {} -map 0:v -map 1 -c copy", ass.display());
    let path = fixture.convert(&fixture.lecture().path, &options, "subtitled.mkv");
    let recording = fixture.probe(&path);
    let out = fixture.path("extracted");
    let track = &recording.subtitles[0];
    assert_eq!(track.codec, "ass");
    fixture
        .media
        .extract_subtitles(&recording, track, SubtitleFormat::SubStationAlpha, &out)
        .unwrap();
    // Matroska keeps everything; only comments come to the end, and lines end as in DOS.
    let lines = |text: &str| -> Vec<String> {
        let lines = text.lines().map(str::trim_end);
        let (mut comments, mut lines): (Vec<_>, Vec<_>) = lines
            .map(str::to_owned)
            .partition(|line| line.starts_with("Comment:"));
        lines.append(&mut comments);
        lines
    };
    let words = fs::read_to_string(&out).unwrap();
    assert_eq!(lines(&words), lines(SUBSTATION_ALPHA));
}

#[test]
fn a_duration_missing_in_the_headers_is_measured() {
    let fixture = Fixture::new();
    let live = fixture.render(
        &[PICTURE, SOUND],
        "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus -live 1",
        "live.webm",
    );
    assert_seconds(fixture.probe(&live).duration, 6.0);
}

#[test]
fn the_duration_does_not_depend_on_the_timestamp_of_the_start() {
    let fixture = Fixture::new();
    let lecture = fixture.lecture();
    for name in ["late.mkv", "late.mp4", "late.wmv", "late.ts", "late.flv"] {
        let late = fixture.convert(&lecture.path, "-c copy -output_ts_offset 100", name);
        let late = fixture.probe(&late);
        assert_seconds(late.duration, 6.0);
        assert!(late.start > 99.0, "{name}: {}", late.start);
        let clip = fixture.cut(&late, (0.5, 6.0), &CutSettings::default());
        assert_seconds(clip.duration, 5.5);
        let found = fixture.detect_silence(&clip);
        assert_ranges(&found.blank.unwrap(), &[(0.5, 1.5)]);
        assert_ranges(&found.audio.unwrap(), &[(1.5, 3.5), (4.5, 5.5)]);
    }
    // Without an edit list, the B-frames delay the start.
    let options = "-c:v libx264 -preset ultrafast -bf 2 -use_editlist 0";
    let unedited = fixture.probe(&fixture.render(&[PICTURE], options, "unedited.mp4"));
    assert_seconds(unedited.duration, 6.0);
    assert!(unedited.start > 0.15, "{}", unedited.start);
}

#[test]
fn default_subtitles_come_first_and_forced_ones_last() {
    let fixture = Fixture::new();
    let srt = fixture.path("words.srt");
    fs::write(&srt, "1\n00:00:01,000 --> 00:00:02,000\nWelcome.\n").unwrap();
    let srt = format!("-i {} ", srt.display()).repeat(5);
    let options = format!(
        "{srt}-map 0 -map 1 -map 2 -map 3 -map 4 -map 5 -c copy \
         -disposition:s:0 forced -disposition:s:1 0 -disposition:s:2 default \
         -disposition:s:3 0 -disposition:s:4 default+forced"
    );
    let path = fixture.convert(&fixture.lecture().path, &options, "subtitled.mkv");
    let found = fixture.probe(&path).subtitles;
    let order: Vec<u32> = found.iter().map(|track| track.index).collect();
    assert_eq!(order, [4, 3, 5, 6, 2]);
}

#[test]
fn a_file_that_is_not_a_recording_is_an_error_with_the_reason() {
    let fixture = Fixture::new();
    assert_eq!(
        probe_error(&fixture, "empty.mp4", b""),
        "not a media file: the file is empty"
    );
    let text = probe_error(
        &fixture,
        "text.mp4",
        "Dear students,\n".repeat(500).as_bytes(),
    );
    assert!(
        text.ends_with("Invalid data found when processing input"),
        "{text}"
    );
    assert!(!text.contains("0x") && !text.contains("file:/"), "{text}");
    let error = fixture.media.probe(fixture.path("").as_path()).unwrap_err();
    assert_eq!(error.to_string(), "not a media file: it is not a file");
    let error = fixture
        .media
        .probe(&fixture.path("nowhere.mp4"))
        .unwrap_err();
    assert!(matches!(error, ProbeError::Io { .. }), "{error:?}");
}

#[test]
fn an_mp4_without_its_end_is_an_error_with_the_reason() {
    let fixture = Fixture::new();
    let whole = fs::read(fixture.lecture().path).unwrap();
    let error = probe_error(&fixture, "half.mp4", &whole[..whole.len() / 2]);
    assert_eq!(
        error,
        "not a media file: moov atom not found; Invalid data found when processing input"
    );
}

#[test]
fn a_playlist_is_not_followed() {
    let fixture = Fixture::new();
    let secret = fixture.render(
        &[PICTURE],
        "-c:v libx264 -preset ultrafast -f mpegts",
        "secret.ts",
    );
    let secret = secret.display();
    let playlist =
        format!("#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{secret}\n#EXT-X-ENDLIST\n");
    probe_error(&fixture, "playlist.mp4", playlist.as_bytes());
    probe_error(
        &fixture,
        "script.mp4",
        b"ffconcat version 1.0\nfile secret.ts\n",
    );
}

#[test]
fn any_file_name_is_safe() {
    let fixture = Fixture::new();
    let lecture = fixture.lecture();
    for name in [
        "-i.mp4",
        "http:x.mp4",
        "%d%%s.mp4",
        "a\n'b\".mp4",
        "ü ö;,[1].mp4",
    ] {
        let path = fixture.path(name);
        fs::copy(&lecture.path, &path).unwrap();
        assert_eq!(fixture.probe(&path).video, lecture.video, "{name:?}");
    }
}
