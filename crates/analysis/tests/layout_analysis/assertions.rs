//! Renders scenes, analyses them and checks the layout.

use std::time::Duration;

use lectern_analysis::layout_analysis::{GrayFrame, analyse};
use lectern_domain::LayoutType::{self, PictureInPicture, ScreenOnly, SideBySide, Unknown};
use lectern_domain::{NewLayoutAnalysis, Region};
use lectern_media::{Frames, Limits, Media, Tools};

use crate::scene::{Area, Content, DURATION, Scene};

pub(crate) fn sample_frames(scene: &Scene, count: u32) -> Frames {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recording.mp4");
    scene.render(&path);
    let media = Media::new(
        &Tools::find().unwrap(),
        Limits::within(Duration::from_mins(2)),
    );
    let probe = media.probe(&path).unwrap();
    media
        .sample_frames(&probe, count, 144, &mut |_| {})
        .unwrap()
}

pub(crate) fn analyse_frames(frames: &Frames) -> NewLayoutAnalysis {
    let views: Vec<GrayFrame<'_>> = frames
        .frames
        .iter()
        .map(|frame| GrayFrame {
            width: frame.picture.width as usize,
            height: frame.picture.height as usize,
            data: &frame.picture.data,
            time: frame.time,
        })
        .collect();
    analyse(&views, frames.source_width, frames.source_height).unwrap()
}

/// Renders and analyses the scene. The result is printed to show how far it is
/// from the thresholds; `--nocapture` shows it.
#[expect(clippy::print_stdout, reason = "a table of all results")]
pub(crate) fn analyse_scene(name: &str, scene: &Scene) -> NewLayoutAnalysis {
    let found = analyse_frames(&sample_frames(scene, 40));
    println!(
        "{name:32} {:18} {:.2} camera {:?} screen {:?} split {:?}",
        found.layout_type.as_str(),
        found.confidence_score.get(),
        found.camera_region.map(area),
        found.screen_region.map(area),
        found.split_ratio.map(lectern_domain::Ratio::get),
    );
    found
}

fn area(region: Region) -> [i32; 4] {
    [region.x, region.y, region.width, region.height].map(lectern_domain::NonNegativeInt::get)
}

/// Requires a precision of 5 % of the picture's width and height.
pub(crate) fn assert_region(
    name: &str,
    region: Option<Region>,
    expected: Option<Area>,
    scene: &Scene,
) {
    let (Some(found), Some(expected)) = (region, expected) else {
        assert_eq!(
            region.map(area),
            expected.map(|area| area.map(u32::cast_signed)),
            "{name}"
        );
        return;
    };
    let [_, _, width, height] = scene.full_area().map(f64::from);
    for ((found_value, expected_value), size) in area(found)
        .into_iter()
        .zip(expected)
        .zip([width, height, width, height])
    {
        let error = (f64::from(found_value) - f64::from(expected_value)).abs();
        assert!(
            error <= 0.05 * size,
            "{name}: {:?} is not {expected:?}",
            area(found)
        );
    }
}

/// Checks type, regions, confidence and time.
pub(crate) fn assert_layout(
    name: &str,
    scene: &Scene,
    layout_type: LayoutType,
    screen: Option<Area>,
    camera: Option<Area>,
) -> NewLayoutAnalysis {
    let found = analyse_scene(name, scene);
    assert_eq!(found.layout_type, layout_type, "{name}: {found:?}");
    assert_region(name, found.screen_region, screen, scene);
    assert_region(name, found.camera_region, camera, scene);
    assert!(
        (0.5..=1.0).contains(&found.confidence_score.get()),
        "{name}"
    );
    let time = found.sample_frame_time.map(lectern_domain::Seconds::get);
    assert!(
        time.is_some_and(|time| (0.0..f64::from(DURATION)).contains(&time)),
        "{name}: {time:?}"
    );
    found
}

/// Puts the camera on top of the scene, and requires picture in picture.
pub(crate) fn assert_inset(name: &str, scene: Scene, camera: Content, area: Area) {
    let screen = scene.full_area();
    let scene = scene.with(camera, area);
    let found = assert_layout(name, &scene, PictureInPicture, Some(screen), Some(area));
    assert_eq!(found.split_ratio, None, "{name}");
}

pub(crate) fn assert_side_by_side(
    name: &str,
    scene: &Scene,
    screen: Area,
    camera: Area,
    split: f64,
) {
    let found = assert_layout(name, scene, SideBySide, Some(screen), Some(camera));
    let ratio = found.split_ratio.unwrap().get();
    assert!(
        (ratio - split).abs() <= 0.05,
        "{name}: {ratio} is not {split}"
    );
}

pub(crate) fn assert_unknown(name: &str, scene: &Scene) {
    let found = analyse_scene(name, scene);
    assert_eq!(found.layout_type, Unknown, "{name}: {found:?}");
    assert!(found.confidence_score.get() < 0.5, "{name}");
    let regions_split_and_time = (
        found.screen_region,
        found.camera_region,
        found.split_ratio,
        found.sample_frame_time,
    );
    assert_eq!(regions_split_and_time, (None, None, None, None), "{name}");
}

pub(crate) fn assert_no_camera(name: &str, scene: &Scene) {
    let found = analyse_scene(name, scene);
    assert!(
        matches!(found.layout_type, ScreenOnly | Unknown),
        "{name}: {found:?}"
    );
    assert_eq!(found.camera_region, None, "{name}");
}
