//! Interlaced pictures that say that they are progressive, and progressive ones that look like
//! them.

use lectern_media::{CutSettings, FieldOrder, GrayPicture, MediaInfo};

use crate::fixture::Fixture;
use crate::picture::picture_at;

const X264: &str = "-c:v libx264 -preset ultrafast -crf 20";
/// 25 pictures of two fields each, which are not flagged.
const FIELDS: &str = "interlace=scan=tff,setfield=prog,format=yuv420p";

/// The recording with the order of its fields.
fn examined(fixture: &Fixture, source: &str, options: &str, name: &str) -> MediaInfo {
    let options = format!("{options} {X264}");
    let mut recording = fixture.probe(&fixture.render(&[source], &options, name));
    fixture.media.find_combing(&mut recording).unwrap();
    recording
}

fn order(recording: &MediaInfo) -> Option<FieldOrder> {
    recording.video.as_ref().unwrap().combed
}

#[test]
fn combed_pictures_are_found_and_become_progressive() {
    let fixture = Fixture::new();
    let pal = "testsrc2=size=720x576:rate=50:duration=3";
    let slides = "color=white:size=1440x1080:rate=50:duration=3[slide];\
        testsrc2=size=320x240:rate=50:duration=3[camera];[slide][camera]overlay=1000:780";
    for (source, scan, expected) in [
        (pal, "tff", FieldOrder::TopFirst),
        (pal, "bff", FieldOrder::BottomFirst),
        (
            "mandelbrot=size=720x480:rate=60000/1001,trim=end=3",
            "bff",
            FieldOrder::BottomFirst,
        ),
        (slides, "tff", FieldOrder::TopFirst),
    ] {
        let options = format!("-vf {}", FIELDS.replace("tff", scan));
        let recording = examined(&fixture, source, &options, "fields.mp4");
        assert_eq!(order(&recording), Some(expected), "{source}");
        let mut clip = fixture.cut(&recording, (0.5, 2.5), &CutSettings::default());
        fixture.media.find_combing(&mut clip).unwrap();
        assert_eq!(order(&clip), None, "{source}");
    }
}

#[test]
fn progressive_pictures_are_not_combed() {
    let fixture = Fixture::new();
    // Lines of one pixel over which something moves, as on a screen.
    let lines = "color=white:size=720x576:rate=25:duration=3,\
        drawgrid=width=720:height=2:thickness=1:color=black[lines];\
        color=blue:size=100x100:rate=25:duration=3[window];[lines][window]overlay='100*t':200";
    let scrolled = "testsrc2=size=720x1152:rate=25:duration=3,\
        drawgrid=width=8:height=3:thickness=1:color=white,crop=720:576:0:'7*n'";
    for (source, filter) in [
        ("testsrc2=size=720x576:rate=25:duration=4", "null"),
        ("mandelbrot=size=720x576:rate=25,trim=end=3", "null"),
        (
            "color=gray:size=720x576:rate=25:duration=3",
            "noise=alls=60:allf=t",
        ),
        ("testsrc2=size=720x480:rate=15:duration=4", "fps=30"),
        // A film of 24 pictures per second as 30 pictures.
        (
            "testsrc2=size=720x480:rate=24000/1001:duration=4",
            "telecine=pattern=23,setfield=prog",
        ),
        (
            "mandelbrot=size=720x480:rate=24000/1001,trim=end=4",
            "telecine=pattern=23,setfield=prog",
        ),
        (lines, "null"),
        (scrolled, "null"),
    ] {
        let options = format!("-vf {filter},format=yuv420p");
        let recording = examined(&fixture, source, &options, "progressive.mp4");
        assert_eq!(order(&recording), None, "{source} {filter}");
    }
}

#[test]
fn only_sizes_and_rates_of_interlaced_pictures_are_examined() {
    let fixture = Fixture::new();
    for (source, options) in [
        (
            "testsrc2=size=1280x720:rate=50:duration=2",
            "-vf interlace=scan=tff,setfield=prog",
        ),
        (
            "testsrc2=size=720x576:rate=100:duration=2",
            "-vf interlace=scan=tff,setfield=prog",
        ),
        ("testsrc2=size=720x576:rate=25:duration=2", "-c:a aac"),
    ] {
        let recording = examined(&fixture, source, options, "other.mp4");
        assert_eq!(order(&recording), None, "{source}");
    }
    let mut sound = fixture.probe(&fixture.render(&["sine=d=1"], "-c:a aac", "sound.m4a"));
    fixture.media.find_combing(&mut sound).unwrap();
    assert!(sound.video.is_none());
}

/// The mean difference between the pixels of two pictures.
fn difference(a: &GrayPicture, b: &GrayPicture) -> f64 {
    assert_eq!((a.width, a.height), (b.width, b.height));
    let sum: f64 = a
        .data
        .iter()
        .zip(&b.data)
        .map(|(a, b)| f64::from(a.abs_diff(*b)))
        .sum();
    sum / a.data.len() as f64
}

#[test]
fn rotated_combed_pictures_are_upright_and_progressive() {
    let fixture = Fixture::new();
    let source = "testsrc2=size=720x576:rate=50:duration=3";
    let plain = fixture.render(&[source], &format!("-vf {FIELDS} {X264}"), "fields.mp4");
    for degrees in [90, 180, 270] {
        let path = fixture.rotated_counterclockwise(&plain, degrees);
        let as_flagged = fixture.probe(&path);
        let mut recording = as_flagged.clone();
        fixture.media.find_combing(&mut recording).unwrap();
        assert_eq!(order(&recording), Some(FieldOrder::TopFirst), "{degrees}");
        // ffmpeg turns the pictures that are not combed.
        let [turned, wrong] = [&as_flagged, &as_flagged].map(|of| picture_at(&fixture, of, 1.5));
        let upright = picture_at(&fixture, &recording, 1.5);
        assert!(difference(&turned, &upright) < 12.0, "{degrees}");
        let upside_down = GrayPicture {
            data: wrong.data.iter().rev().copied().collect(),
            ..wrong
        };
        assert!(difference(&upside_down, &upright) > 30.0, "{degrees}");
        let clip = fixture.cut(&recording, (0.5, 2.5), &CutSettings::default());
        let in_clip = picture_at(&fixture, &clip, 1.0);
        assert!(difference(&in_clip, &upright) < 6.0, "{degrees}");
    }
}
