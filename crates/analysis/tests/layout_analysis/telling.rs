//! Tells the layout of a scene, and checks what was told.

use std::time::Duration;

use lectern_analysis::layout_analysis::{GrayFrame, analyse};
use lectern_domain::LayoutType::{self, PictureInPicture, SideBySide, Unknown};
use lectern_domain::{NewLayoutAnalysis, Region};
use lectern_media::{Frames, Limits, Media, Tools};

use crate::scene::{Place, Scene, Show};

pub(crate) fn frames(scene: &Scene, count: u32) -> Frames {
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

pub(crate) fn layout(frames: &Frames) -> NewLayoutAnalysis {
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

/// Renders the scene and tells its layout; `--nocapture` shows what it was.
#[expect(clippy::print_stdout, reason = "the table of all that was told")]
pub(crate) fn told(name: &str, scene: &Scene) -> NewLayoutAnalysis {
    let told = layout(&frames(scene, 40));
    println!(
        "{name:32} {:18} {:.2} camera {:?} screen {:?} split {:?}",
        told.layout_type.as_str(),
        told.confidence_score.get(),
        told.camera_region.map(numbers),
        told.screen_region.map(numbers),
        told.split_ratio.map(lectern_domain::Ratio::get),
    );
    told
}

fn numbers(region: Region) -> [i32; 4] {
    [region.x, region.y, region.width, region.height].map(lectern_domain::NonNegativeInt::get)
}

/// Within 5 % of the size of the picture.
pub(crate) fn assert_region(
    name: &str,
    region: Option<Region>,
    place: Option<Place>,
    scene: &Scene,
) {
    let (Some(region), Some(place)) = (region, place) else {
        assert_eq!(
            region.map(numbers),
            place.map(|place| place.map(u32::cast_signed)),
            "{name}"
        );
        return;
    };
    let [_, _, width, height] = scene.all().map(f64::from);
    for ((told, true_), size) in numbers(region)
        .into_iter()
        .zip(place)
        .zip([width, height, width, height])
    {
        let off = (f64::from(told) - f64::from(true_)).abs();
        assert!(
            off <= 0.05 * size,
            "{name}: {:?} is not {place:?}",
            numbers(region)
        );
    }
}

pub(crate) fn assert_told(
    name: &str,
    scene: &Scene,
    layout: LayoutType,
    screen: Option<Place>,
    camera: Option<Place>,
) -> NewLayoutAnalysis {
    let told = told(name, scene);
    assert_eq!(told.layout_type, layout, "{name}: {told:?}");
    assert_region(name, told.screen_region, screen, scene);
    assert_region(name, told.camera_region, camera, scene);
    assert!((0.5..=1.0).contains(&told.confidence_score.get()), "{name}");
    let time = told.sample_frame_time.map(lectern_domain::Seconds::get);
    assert!(
        time.is_some_and(|time| (0.0..24.0).contains(&time)),
        "{name}: {time:?}"
    );
    told
}

pub(crate) fn assert_within(name: &str, scene: Scene, camera: Show, place: Place) {
    let all = scene.all();
    let scene = scene.with(camera, place);
    let told = assert_told(name, &scene, PictureInPicture, Some(all), Some(place));
    assert_eq!(told.split_ratio, None, "{name}");
}

pub(crate) fn assert_beside(name: &str, scene: &Scene, screen: Place, camera: Place, split: f64) {
    let told = assert_told(name, scene, SideBySide, Some(screen), Some(camera));
    let ratio = told.split_ratio.unwrap().get();
    assert!(
        (ratio - split).abs() <= 0.05,
        "{name}: {ratio} is not {split}"
    );
}

pub(crate) fn assert_unknown(name: &str, scene: &Scene) {
    let told = told(name, scene);
    assert_eq!(told.layout_type, Unknown, "{name}: {told:?}");
    assert!(told.confidence_score.get() < 0.5, "{name}");
    let nothing = (
        told.screen_region,
        told.camera_region,
        told.split_ratio,
        told.sample_frame_time,
    );
    assert_eq!(nothing, (None, None, None, None), "{name}");
}
