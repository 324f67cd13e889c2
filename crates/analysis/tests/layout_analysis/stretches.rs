//! Recordings whose layout changes.

use lectern_domain::LayoutType::{self, CameraOnly, PictureInPicture, ScreenOnly};
use lectern_domain::NewLayoutAnalysis;

use crate::assertions::{analyse_frames, assert_region, sample_frames};
use crate::scene::Content::{Face, Moving, Plain, RoundFace, Slides, Still};
use crate::scene::{Area, DURATION, Scene};

/// How far the start and the end of a stretch may be from the truth, in seconds: a second more
/// than two samples.
const TOLERANCE: f64 = 1.4;

/// Analyses 120 frames, as the stage does. The stretches are printed.
#[expect(
    clippy::print_stdout,
    reason = "shows how far a result is from the truth"
)]
fn analyse(name: &str, scene: &Scene) -> NewLayoutAnalysis {
    let found = analyse_frames(&sample_frames(scene, 120));
    println!(
        "{name}: {} {:.2}",
        found.layout_type.as_str(),
        found.confidence_score.get()
    );
    for stretch in found.stretches.as_slice() {
        println!(
            "    {:5.1} to {:5.1} {:18} {:.2} {:?}",
            stretch.time.start(),
            stretch.time.end(),
            stretch.layout_type.as_str(),
            stretch.confidence_score.get(),
            stretch.camera_region,
        );
    }
    found
}

/// Requires the stretches `(end in seconds, layout, camera)`, without gaps.
fn assert_stretches(
    name: &str,
    scene: &Scene,
    expected: &[(f64, LayoutType, Option<Area>)],
) -> NewLayoutAnalysis {
    let found = analyse(name, scene);
    let stretches = found.stretches.as_slice();
    assert_eq!(stretches.len(), expected.len(), "{name}: {stretches:?}");
    let mut start = 0.0;
    for (stretch, (end, layout_type, camera)) in stretches.iter().zip(expected) {
        assert_eq!(
            stretch.time.start().to_bits(),
            f64::to_bits(start),
            "{name}: a gap"
        );
        start = stretch.time.end();
        assert!(
            (start - end).abs() <= TOLERANCE,
            "{name}: {start} is not {end}"
        );
        assert_eq!(stretch.layout_type, *layout_type, "{name}");
        assert_region(name, stretch.camera_region, *camera, scene);
    }
    found
}

const END: f64 = DURATION as f64;

fn slides(seed: u32) -> Scene {
    Scene::new(640, 360).filled_with(Slides(seed))
}

#[test]
fn a_recording_with_one_layout_is_one_stretch() {
    let camera = [450, 240, 176, 108];
    let scene = slides(301).with(Face, camera);
    let found = assert_stretches("inset", &scene, &[(END, PictureInPicture, Some(camera))]);
    assert_eq!(
        found.camera_region,
        found.stretches.as_slice()[0].camera_region
    );
    assert_stretches("slides", &slides(302), &[(END, ScreenOnly, None)]);
    let scene = Scene::new(640, 360).filled_with(Face);
    let camera = Some(scene.full_area());
    assert_stretches("camera", &scene, &[(END, CameraOnly, camera)]);
}

#[test]
fn a_camera_that_moves_to_another_corner_is_followed() {
    let (first, second) = ([450, 240, 176, 108], [10, 10, 176, 108]);
    let scene = slides(303)
        .with_at_times(Face, first, "lt(t,13)")
        .with_at_times(Face, second, "gte(t,13)");
    let expected = [
        (13.0, PictureInPicture, Some(first)),
        (END, PictureInPicture, Some(second)),
    ];
    let found = assert_stretches("inset moves", &scene, &expected);
    assert_eq!(found.layout_type, PictureInPicture);
}

#[test]
fn a_camera_that_appears_late_or_leaves_is_found() {
    let camera = [450, 240, 176, 108];
    let late = slides(304).with_at_times(Face, camera, "gte(t,10)");
    let expected = [
        (10.0, ScreenOnly, None),
        (END, PictureInPicture, Some(camera)),
    ];
    assert_stretches("inset appears", &late, &expected);
    let round = [520, 240, 110, 110];
    let leaves = slides(305).with_at_times(RoundFace, round, "lt(t,14)");
    let expected = [
        (14.0, PictureInPicture, Some(round)),
        (END, ScreenOnly, None),
    ];
    assert_stretches("round inset leaves", &leaves, &expected);
}

#[test]
fn switches_between_the_slides_and_the_camera_are_followed() {
    let full = [0, 0, 640, 360];
    let scene = slides(306).with_at_times(Face, full, "between(t,8,16)");
    let expected = [
        (8.0, ScreenOnly, None),
        (16.0, CameraOnly, Some(full)),
        (END, ScreenOnly, None),
    ];
    assert_stretches("camera between slides", &scene, &expected);
    let inset = [450, 240, 176, 108];
    let scene = slides(307)
        .with(Face, inset)
        .with_at_times(Face, full, "lt(t,7)+gte(t,18)");
    let expected = [
        (7.0, CameraOnly, Some(full)),
        (18.0, PictureInPicture, Some(inset)),
        (END, CameraOnly, Some(full)),
    ];
    assert_stretches("inset between camera", &scene, &expected);
}

#[test]
fn a_video_that_begins_and_ends_with_its_slide_is_no_camera() {
    // A white slide over everything, and a video at its edge.
    let film = Moving("testsrc2=s=320x180");
    let shown = "between(t,9,15)";
    let scene = slides(308)
        .with_at_times(Plain("white"), [0, 0, 640, 360], shown)
        .with_at_times(Still("smptebars"), [40, 30, 200, 60], shown)
        .with_at_times(film, [300, 120, 320, 200], shown);
    let found = analyse("film on a slide", &scene);
    for stretch in found.stretches.as_slice() {
        assert_eq!(stretch.camera_region, None, "{stretch:?}");
    }
}
