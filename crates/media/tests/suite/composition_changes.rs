//! Clips whose picture is arranged anew where the layout of the recording changes.

use std::fs;
use std::process::Command;

use lectern_domain::{Loudness, OptionValue as _, Region, Resolution, TimeRange};
use lectern_media::{Composition, CompositionChange, CutSettings, GrayPicture, MediaInfo};

use crate::fixture::{CODECS, Fixture, brightness};
use crate::picture::{gray, picture_at};

/// A white screen with a gray camera at the right until 5 s, then at the left until 9 s, and
/// then the camera alone. The picture is black for 0.2 s every two seconds,
const CHANGING: &str = "color=white:size=320x180:rate=25:duration=12,\
    drawbox=x=236:y=124:width=72:height=44:color=gray:thickness=fill:enable='lt(t,5)',\
    drawbox=x=12:y=124:width=72:height=44:color=gray:thickness=fill:enable='gte(t,5)',\
    drawbox=color=gray:thickness=fill:enable='gte(t,9)',\
    drawbox=color=black:thickness=fill:enable='lt(mod(t,2),0.19)'";
/// and there is a tone at the same times.
const TONES: &str = "aevalsrc='0.3*sin(880*2*PI*t)*lt(mod(t,2),0.2)':s=48000:duration=12";
const RANGE: (f64, f64) = (1.3, 11.3);

fn region([x, y, width, height]: [i32; 4]) -> Region {
    Region::new(x, y, width, height).unwrap()
}

const PICTURE: [i32; 4] = [0, 0, 320, 180];
const RIGHT: [i32; 4] = [236, 124, 72, 44];
const LEFT: [i32; 4] = [12, 124, 72, 44];

fn stack(camera: [i32; 4]) -> Composition {
    let (screen, camera) = (region(PICTURE), region(camera));
    Composition::Stack { screen, camera }
}

fn settings(compositions: [Option<Composition>; 3]) -> CutSettings {
    let [composition, second, third] = compositions;
    let change = |time: f64, composition| CompositionChange {
        time: time - RANGE.0,
        composition,
    };
    CutSettings {
        composition,
        composition_changes: vec![change(5.0, second), change(9.0, third)],
        ..CutSettings::default()
    }
}

fn stacked() -> CutSettings {
    settings([
        Some(stack(RIGHT)),
        Some(stack(LEFT)),
        Some(Composition::Portrait(region(PICTURE))),
    ])
}

/// The output of ffmpeg that decodes a clip.
fn decoded(clip: &MediaInfo, options: &str) -> Vec<u8> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(&clip.path)
        .args(options.split_whitespace())
        .arg("-")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

/// Asserts that the clip has a black picture and a tone at 0.7 s, 2.7 s and so on.
#[track_caller]
fn assert_synchronous(clip: &MediaInfo, frame_count: usize) {
    let options = "-vf scale=8:8:flags=area,format=gray -fps_mode passthrough -f rawvideo";
    let frames = decoded(clip, options);
    let frames: Vec<bool> = frames
        .chunks_exact(64)
        .map(|levels| levels.iter().all(|level| *level < 40))
        .collect();
    assert_eq!(frames.len(), frame_count);
    let rate = frame_count as f64 / (RANGE.1 - RANGE.0);
    let starts = (1..frames.len()).filter(|i| frames[*i] && !frames[*i - 1]);
    let pictures: Vec<f64> = starts.map(|frame| frame as f64 / rate).collect();
    let sound = decoded(clip, "-ac 1 -ar 8000 -f s16le");
    let levels: Vec<u16> = sound
        .chunks_exact(2)
        .map(|bytes| i16::from_le_bytes([bytes[0], bytes[1]]).unsigned_abs())
        .collect();
    let mut tones = Vec::new();
    let mut quiet_from = 0;
    for (i, level) in levels.iter().enumerate() {
        if *level > 2000 {
            if i - quiet_from > 4000 {
                tones.push(i as f64 / 8000.0);
            }
            quiet_from = i;
        }
    }
    for found in [&pictures, &tones] {
        assert_eq!(found.len(), 5, "{pictures:?} {tones:?}");
        for (time, expected) in found.iter().zip([0.7, 2.7, 4.7, 6.7, 8.7]) {
            let difference = (time - expected).abs();
            // A frame, and what encoders of sound add at the start of a track.
            assert!(difference <= 0.065, "{pictures:?} {tones:?}");
        }
    }
}

fn is_gray(picture: &GrayPicture, x: u32, y: u32) -> bool {
    (90..170).contains(&brightness(picture, x, y))
}

/// Asserts that the screen is above the camera, which is shown once, until the camera is alone
/// in the middle.
#[track_caller]
fn assert_stacked(fixture: &Fixture, clip: &MediaInfo) {
    for time in [0.3, 3.6, 3.8, 6.0, 7.6] {
        let picture = picture_at(fixture, clip, time);
        assert_eq!((picture.width, picture.height), (180, 320));
        for (x, y) in [(20, 60), (150, 130), (30, 130)] {
            let level = brightness(&picture, x, y);
            assert!(level > 220, "the screen at {time} s, {x}, {y}: {level}");
        }
        for (x, y) in [(10, 175), (170, 250)] {
            assert!(is_gray(&picture, x, y), "the camera at {time} s, {x}, {y}");
        }
        assert!(brightness(&picture, 90, 30) < 40, "black at {time} s");
    }
    for time in [7.8, 9.9] {
        let picture = picture_at(fixture, clip, time);
        assert_eq!((picture.width, picture.height), (180, 320));
        assert!(is_gray(&picture, 90, 160) && is_gray(&picture, 5, 125));
        assert!(brightness(&picture, 90, 90) < 40 && brightness(&picture, 90, 250) < 40);
    }
}

#[test]
fn each_part_of_a_clip_has_its_own_arrangement_and_the_sound_of_its_time() {
    let fixture = Fixture::new();
    let recording = fixture.probe(&fixture.render(&[CHANGING, TONES], CODECS, "changing.mp4"));
    let clip = fixture.cut(&recording, RANGE, &stacked());
    assert_synchronous(&clip, 250);
    assert_stacked(&fixture, &clip);
}

#[test]
fn a_variable_frame_rate_keeps_the_parts_in_place() {
    let fixture = Fixture::new();
    let uneven = format!("{CHANGING},select='not(mod(n,3))+between(t,4,7)+lt(mod(t,2),0.2)'");
    let options = format!("-fps_mode vfr {CODECS}");
    let recording = fixture.probe(&fixture.render(&[&uneven, TONES], &options, "uneven.mp4"));
    assert!(recording.video.as_ref().unwrap().variable_frame_rate);
    let clip = fixture.cut(&recording, RANGE, &stacked());
    assert_synchronous(&clip, 300);
    assert_stacked(&fixture, &clip);
}

#[test]
fn a_recording_whose_size_changes_keeps_the_parts_in_place() {
    let fixture = Fixture::new();
    let part = |scale: &str, time: &str, name| {
        let options = format!("-vf {scale} {time} {CODECS} -f mpegts");
        let whole = fixture.render(&[CHANGING, TONES], "-c:v ffv1 -c:a pcm_s16le", "whole.mkv");
        fs::read(fixture.convert(&whole, &options, name)).unwrap()
    };
    let first = part("scale=320:180", "-to 6", "1.ts");
    let second = part("scale=480:270", "-ss 6 -output_ts_offset 6", "2.ts");
    let path = fixture.path("sizes.ts");
    fs::write(&path, [first, second].concat()).unwrap();
    let clip = fixture.cut(&fixture.probe(&path), RANGE, &stacked());
    assert_synchronous(&clip, 250);
    assert_stacked(&fixture, &clip);
}

#[test]
fn a_rotated_recording_is_arranged_upright() {
    let fixture = Fixture::new();
    let lying = format!("{CHANGING},transpose=clock");
    let lying = fixture.render(&[&lying, TONES], CODECS, "lying.mp4");
    let recording = fixture.probe(&fixture.rotated(&lying));
    let video = recording.video.as_ref().unwrap();
    assert_eq!((video.width, video.height), (320, 180));
    let clip = fixture.cut(&recording, RANGE, &stacked());
    assert_synchronous(&clip, 250);
    assert_stacked(&fixture, &clip);
}

#[test]
fn subtitles_and_loudness_span_all_parts() {
    let fixture = Fixture::new();
    let recording = fixture.probe(&fixture.render(&[CHANGING, TONES], CODECS, "changing.mp4"));
    let subtitles = fixture.path("said.vtt");
    fs::write(
        &subtitles,
        "WEBVTT\n\n00:03.000 --> 00:05.000\nWWWWWWWWWW\n\n00:08.000 --> 00:09.900\nWWWWWWWWWW\n",
    )
    .unwrap();
    let settings = CutSettings {
        subtitles: Some(subtitles),
        loudness: Some(Loudness::from_text("-20").unwrap()),
        ..stacked()
    };
    let clip = fixture.cut(&recording, RANGE, &settings);
    assert_synchronous(&clip, 250);
    for (time, expected) in [
        (2.5, false),
        (3.3, true),
        (4.5, true),
        (6.0, false),
        (8.5, true),
    ] {
        let picture = picture_at(&fixture, &clip, time);
        // Below the camera there is nothing but subtitles.
        let rows = picture.data.chunks_exact(180).skip(290);
        let is_drawn = rows.flatten().any(|level| *level > 120);
        assert_eq!(is_drawn, expected, "at {time} s");
    }
}

#[test]
fn the_clip_has_the_size_of_the_arrangement_that_takes_most_of_it() {
    let fixture = Fixture::new();
    let recording = fixture.probe(&fixture.render(&[CHANGING, TONES], CODECS, "changing.mp4"));
    let crop = |area| Some(Composition::Crop(region(area)));
    // The first and the second camera have the same shape, and together eight of ten seconds.
    let clip = fixture.cut(
        &recording,
        RANGE,
        &settings([crop(RIGHT), crop(LEFT), None]),
    );
    assert_synchronous(&clip, 250);
    for time in [1.0, 3.6, 3.8, 7.5] {
        let picture = picture_at(&fixture, &clip, time);
        assert_eq!((picture.width, picture.height), (294, 180));
        for (x, y) in [(5, 5), (288, 174), (147, 90)] {
            assert!(is_gray(&picture, x, y), "the camera at {time} s, {x}, {y}");
        }
    }
    let picture = picture_at(&fixture, &clip, 8.0);
    assert!(is_gray(&picture, 5, 90) && brightness(&picture, 147, 2) < 40);

    let beside = Composition::SideBySide {
        screen: region([0, 0, 240, 120]),
        camera: region(RIGHT),
    };
    let settings = CutSettings {
        resolution: Some(Resolution::P720),
        ..settings([Some(beside), None, None])
    };
    let clip = fixture.cut(&recording, RANGE, &settings);
    let picture = picture_at(&fixture, &clip, 3.4);
    assert_eq!((picture.width, picture.height), (320, 180));
    assert!(is_gray(&picture, 280, 90) && brightness(&picture, 280, 10) < 40);
    let picture = picture_at(&fixture, &clip, 3.9);
    assert!(is_gray(&picture, 48, 150) && brightness(&picture, 280, 90) > 220);
}

#[test]
fn a_thumbnail_shows_the_arrangement_in_the_middle_of_the_clip() {
    let fixture = Fixture::new();
    let recording = fixture.probe(&fixture.render(&[CHANGING, TONES], CODECS, "changing.mp4"));
    let beside = Composition::SideBySide {
        screen: region([0, 0, 240, 120]),
        camera: region(RIGHT),
    };
    let out = fixture.path("clip.jpg");
    for (range, compositions, size) in [
        (
            RANGE,
            [Some(stack(RIGHT)), Some(stack(LEFT)), None],
            (90, 160),
        ),
        (RANGE, [None, Some(beside), None], (284, 160)),
        (RANGE, [None; 3], (284, 160)),
        (
            (5.5, 8.5),
            [Some(Composition::Crop(region(LEFT))), None, None],
            (262, 160),
        ),
    ] {
        let settings = settings(compositions);
        let clip = fixture.cut(&recording, range, &settings);
        let range = TimeRange::new(range.0, range.1).unwrap();
        let media = &fixture.media;
        media
            .clip_thumbnail(&recording, range, &settings, 160, &out)
            .unwrap();
        let levels = gray(&out, size.0 * size.1);
        let thumbnail = GrayPicture {
            width: size.0,
            height: size.1,
            data: levels,
        };
        let picture = picture_at(&fixture, &clip, range.duration() / 2.0);
        // At the same places of pictures of different sizes. Some are at edges.
        let places = (1..20).flat_map(|x| (1..20).map(move |y| (x, y)));
        let level = |picture: &GrayPicture, (x, y): (u32, u32)| {
            brightness(picture, picture.width * x / 20, picture.height * y / 20)
        };
        let differ =
            |place: &(u32, u32)| level(&thumbnail, *place).abs_diff(level(&picture, *place)) > 30;
        let different: Vec<_> = places.filter(differ).collect();
        assert!(different.len() < 30, "{compositions:?}: {different:?}");
    }
}
