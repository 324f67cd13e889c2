use std::fs;
use std::path::Path;
use std::process::Command;

use lectern_domain::{Region, Resolution, TimeRange};
use lectern_media::{Composition, CutSettings, Error, GrayPicture, MediaInfo};

use crate::fixture::{CODECS, Fixture, assert_seconds, brightness};

/// White until 2 s, then black. Has a frame every two seconds.
const SLOW: &str = "color=white:size=160x120:rate=20:duration=6.05,\
    drawbox=enable='gte(t,2)':color=black:thickness=fill,select='not(mod(n,40))'";

/// The picture at a time, read from a thumbnail in full size.
pub(crate) fn picture_at(fixture: &Fixture, recording: &MediaInfo, time: f64) -> GrayPicture {
    let thumbnail = fixture.path("thumbnail.jpg");
    fixture
        .media
        .thumbnail(recording, time, 10_000, &thumbnail)
        .unwrap();
    let jpeg = fs::read(&thumbnail).unwrap();
    assert!(jpeg.starts_with(&[0xff, 0xd8]) && jpeg.ends_with(&[0xff, 0xd9]));
    let video = recording.video.as_ref().unwrap();
    GrayPicture {
        width: video.width,
        height: video.height,
        data: gray(&thumbnail, video.width * video.height),
    }
}

/// The brightness of all pixels of a JPEG.
pub(crate) fn gray(picture: &Path, pixels: u32) -> Vec<u8> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "jpeg_pipe", "-i"])
        .arg(picture)
        .args(["-pix_fmt", "gray", "-f", "rawvideo", "-"])
        .output()
        .unwrap();
    assert_eq!(output.stdout.len(), pixels as usize, "{output:?}");
    output.stdout
}

#[test]
fn a_clip_is_upright_and_has_an_even_size() {
    let fixture = Fixture::new();
    let settings = CutSettings::default();
    let rotated = fixture.probe(&fixture.rotated(&fixture.lecture().path));
    let video = fixture.cut(&rotated, (0.0, 1.0), &settings).video.unwrap();
    assert_eq!((video.width, video.height, video.rotation), (120, 160, 0));
    let odd = fixture.render(
        &["testsrc2=size=161x121:rate=10:duration=1"],
        "-c:v ffv1",
        "odd.mkv",
    );
    let video = fixture
        .cut(&fixture.probe(&odd), (0.0, 1.0), &settings)
        .video
        .unwrap();
    assert_eq!((video.width % 2, video.height % 2), (0, 0));
}

#[test]
fn a_resolution_only_reduces_the_height() {
    let fixture = Fixture::new();
    let settings = CutSettings {
        resolution: Some(Resolution::P720),
        ..CutSettings::default()
    };
    let large = fixture.render(
        &["color=red:size=1920x1080:rate=12:duration=0.5"],
        CODECS,
        "large.mp4",
    );
    let video = fixture
        .cut(&fixture.probe(&large), (0.0, 0.5), &settings)
        .video
        .unwrap();
    assert_eq!((video.width, video.height), (1280, 720));
    let video = fixture
        .cut(&fixture.lecture(), (0.0, 0.5), &settings)
        .video
        .unwrap();
    assert_eq!((video.width, video.height), (160, 120));
}

#[test]
fn a_clip_starts_with_the_picture_shown_at_the_start_of_its_range() {
    let fixture = Fixture::new();
    let slow = fixture.render(
        &[SLOW],
        "-fps_mode vfr -c:v libx264 -preset ultrafast -g 2",
        "slow.mp4",
    );
    let slow = fixture.probe(&slow);
    for (start, white) in [(0.5, true), (1.9, true), (2.1, false), (3.9, false)] {
        let clip = fixture.cut(&slow, (start, start + 0.7), &CutSettings::default());
        assert_seconds(clip.duration, 0.7);
        for (recording, time) in [(&clip, 0.0), (&slow, start)] {
            let picture = picture_at(&fixture, recording, time);
            assert_eq!(brightness(&picture, 80, 60) > 128, white, "at {start} s");
        }
    }
}

#[test]
fn screen_and_camera_are_composed_side_by_side() {
    let fixture = Fixture::new();
    let source = "color=white:size=320x180:rate=12:duration=1,\
        drawbox=x=240:width=80:height=60:color=gray:thickness=fill";
    let recording = fixture.probe(&fixture.render(&[source], CODECS, "inset.mp4"));
    let compose = |camera| CutSettings {
        composition: Some(Composition::SideBySide {
            screen: Region::new(0, 0, 240, 180).unwrap(),
            camera,
        }),
        ..CutSettings::default()
    };
    let settings = compose(Region::new(240, 0, 80, 60).unwrap());
    let clip = fixture.cut(&recording, (0.0, 1.0), &settings);
    let picture = picture_at(&fixture, &clip, 0.5);
    assert_eq!((picture.width, picture.height), (320, 180));
    let at = |x, y| brightness(&picture, x, y);
    assert!(
        at(5, 5) > 220 && at(230, 170) > 220,
        "the screen fills the left three quarters"
    );
    assert!(
        (90..170).contains(&at(280, 90)),
        "the camera is in the middle of the right quarter"
    );
    assert!(
        at(280, 30) < 40 && at(280, 150) < 40,
        "the area around the camera is black"
    );

    let range = TimeRange::new(0.0, 1.0).unwrap();
    let outside = compose(Region::new(320, 0, 80, 60).unwrap());
    let out = fixture.path("none.mp4");
    let error = fixture
        .media
        .cut(&recording, range, &outside, &out, &mut |_| {})
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::RegionOutsidePicture {
                region: "camera",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn regions_are_cropped_and_stacked_and_the_camera_is_shown_once() {
    let fixture = Fixture::new();
    let source = "color=white:size=320x180:rate=12:duration=1,\
        drawbox=x=236:y=124:width=72:height=44:color=gray:thickness=fill";
    let recording = fixture.probe(&fixture.render(&[source], CODECS, "inset.mp4"));
    let screen = Region::new(0, 0, 320, 180).unwrap();
    let camera = Region::new(236, 124, 72, 44).unwrap();
    let compose = |composition| {
        let settings = CutSettings {
            composition: Some(composition),
            ..CutSettings::default()
        };
        let clip = fixture.cut(&recording, (0.0, 1.0), &settings);
        picture_at(&fixture, &clip, 0.5)
    };
    let is_gray = |picture: &GrayPicture, x, y| (90..170).contains(&brightness(picture, x, y));

    let stacked = compose(Composition::Stack { screen, camera });
    assert_eq!((stacked.width, stacked.height), (180, 320));
    for (x, y) in [(90, 30), (90, 290)] {
        assert!(brightness(&stacked, x, y) < 40, "black at {x}, {y}");
    }
    // The screen has 102 rows, the camera 110.
    for (x, y) in [(20, 60), (150, 140), (140, 130), (168, 148)] {
        assert!(brightness(&stacked, x, y) > 220, "the screen at {x}, {y}");
    }
    for (x, y) in [(10, 170), (170, 250)] {
        assert!(is_gray(&stacked, x, y), "the camera at {x}, {y}");
    }

    let cropped = compose(Composition::Crop(camera));
    assert_eq!((cropped.width, cropped.height), (294, 180));
    assert!(is_gray(&cropped, 5, 5) && is_gray(&cropped, 288, 174));

    let portrait = compose(Composition::Portrait(camera));
    assert_eq!((portrait.width, portrait.height), (180, 320));
    assert!(is_gray(&portrait, 90, 160) && brightness(&portrait, 90, 90) < 40);
}

#[test]
fn a_thumbnail_after_the_end_shows_the_last_frame() {
    let fixture = Fixture::new();
    let lecture = fixture.lecture();
    for (time, black) in [
        (0.5, false),
        (1.5, true),
        (2.5, false),
        (6.0, false),
        (99.0, false),
    ] {
        let picture = picture_at(&fixture, &lecture, time);
        assert_eq!((picture.width, picture.height), (160, 120));
        assert_eq!(
            picture.data.iter().all(|pixel| *pixel < 30),
            black,
            "at {time} s"
        );
    }
    let small = fixture.path("100% small.jpg");
    fixture.media.thumbnail(&lecture, 3.0, 61, &small).unwrap();
    gray(&small, 82 * 62);
}
