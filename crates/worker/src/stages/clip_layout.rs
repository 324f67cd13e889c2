//! Which parts of the picture a clip shows.

use lectern_domain::{ClipLayout, LayoutType, NewLayoutAnalysis, Region};
use lectern_media::{Composition, VideoStream};

use crate::stage_output::Notes;

/// Lowest confidence of a layout at which the picture is composed anew without being asked.
const MIN_CONFIDENCE: f64 = 0.6;
/// The smallest part of the camera on top of the screen, as a fraction of its area, at which a
/// new picture with both shows the lecturer twice.
const MIN_OVERLAP: f64 = 0.1;
/// How much smaller the screen may become by composing the picture. Regions are found with
/// about this precision.
const SCREEN_TOLERANCE: f64 = 0.03;

/// The picture of a clip or of a part of it, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrangement {
    /// `None`: the picture as it is.
    pub(super) composition: Option<Composition>,
    /// What the notes of the stage say about it.
    pub(super) reason: Option<Reason>,
}

impl Arrangement {
    /// The picture as it is.
    pub(super) const KEEP: Self = Self {
        composition: None,
        reason: None,
    };
}

/// Why a clip has its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    SideBySide,
    ScreenWouldShrink,
    NoScreen,
    NoCamera,
}

impl Reason {
    /// Adds a note on these clips: "3 clips", or "parts of 3 clips".
    pub(super) fn note(self, clips: &str, notes: &mut Notes) {
        match self {
            Self::SideBySide => notes.info(format!(
                "the picture of {clips} is composed anew: the screen in three quarters of the width, the camera beside it"
            )),
            Self::ScreenWouldShrink => notes.info(format!(
                "the picture of {clips} stays as it is: composed anew, it would have a smaller screen"
            )),
            Self::NoScreen => notes.warning(format!(
                "no screen is known for {clips}; they show the other parts of the picture"
            )),
            Self::NoCamera => notes.warning(format!(
                "no camera is known for {clips}; they show the other parts of the picture"
            )),
        }
    }
}

/// The picture of a clip or a part of it with this layout. `layout` is `None` if nothing is known about it.
pub(super) fn arrange(
    layout: Option<&NewLayoutAnalysis>,
    wanted: Option<ClipLayout>,
    video: &VideoStream,
) -> Arrangement {
    let known = layout.filter(|layout| layout.layout_type != LayoutType::Unknown);
    let screen = known.and_then(|layout| layout.screen_region);
    let camera = known.and_then(|layout| layout.camera_region);
    let one = |region: Option<Region>, missing| Arrangement {
        composition: region
            .filter(|region| !is_whole_picture(*region, video))
            .map(Composition::Crop),
        reason: region.is_none().then_some(missing),
    };
    match wanted {
        None => known.map_or(Arrangement::KEEP, |layout| enlarge_screen(layout, video)),
        Some(ClipLayout::Keep) => Arrangement::KEEP,
        Some(ClipLayout::Screen) => one(screen, Reason::NoScreen),
        Some(ClipLayout::Camera) => one(camera, Reason::NoCamera),
        Some(ClipLayout::Stack) => match (screen, camera) {
            (Some(screen), Some(camera)) => Arrangement {
                composition: Some(Composition::Stack { screen, camera }),
                reason: None,
            },
            (screen, camera) => Arrangement {
                composition: screen
                    .or(camera)
                    .or_else(|| whole_picture(video))
                    .map(Composition::Portrait),
                reason: Some(if screen.is_none() {
                    Reason::NoScreen
                } else {
                    Reason::NoCamera
                }),
            },
        },
    }
}

/// A screen and a camera side by side, in a picture with a larger screen if there is one. A
/// camera on top of the screen stays there: beside it, it would be shown twice.
fn enlarge_screen(layout: &NewLayoutAnalysis, video: &VideoStream) -> Arrangement {
    let (Some(screen), Some(camera)) = (layout.screen_region, layout.camera_region) else {
        return Arrangement::KEEP;
    };
    if layout.layout_type != LayoutType::SideBySide
        || layout.confidence_score.get() < MIN_CONFIDENCE
        || overlap(screen, camera) >= MIN_OVERLAP
    {
        return Arrangement::KEEP;
    }
    // In pictures of the same height: the canvas of 16:9, and the recording.
    let height = f64::from(video.height);
    let screen_width = f64::from(screen.width.get()) * video.pixel_aspect;
    let screen_height = f64::from(screen.height.get());
    let scale = (0.75 * 16.0 / 9.0 * height / screen_width).min(height / screen_height);
    if scale < 1.0 - SCREEN_TOLERANCE {
        return Arrangement {
            composition: None,
            reason: Some(Reason::ScreenWouldShrink),
        };
    }
    Arrangement {
        composition: Some(Composition::SideBySide { screen, camera }),
        reason: Some(Reason::SideBySide),
    }
}

/// The fraction of the camera's area that is on top of the screen.
fn overlap(screen: Region, camera: Region) -> f64 {
    let length = |start: [i32; 2], length: [i32; 2]| {
        let end = |i: usize| i64::from(start[i]) + i64::from(length[i]);
        let common = end(0).min(end(1)) - i64::from(start[0].max(start[1]));
        common.max(0) as f64
    };
    let width = length(
        [screen.x.get(), camera.x.get()],
        [screen.width.get(), camera.width.get()],
    );
    let height = length(
        [screen.y.get(), camera.y.get()],
        [screen.height.get(), camera.height.get()],
    );
    let area = f64::from(camera.width.get()) * f64::from(camera.height.get());
    width * height / area.max(1.0)
}

fn whole_picture(video: &VideoStream) -> Option<Region> {
    let size = |length: u32| i32::try_from(length).ok();
    Region::new(0, 0, size(video.width)?, size(video.height)?).ok()
}

fn is_whole_picture(region: Region, video: &VideoStream) -> bool {
    whole_picture(video) == Some(region)
}

#[cfg(test)]
mod tests {
    use lectern_domain::Ratio;

    use super::ClipLayout::{Camera, Keep, Screen, Stack};
    use super::Composition::{Crop, Portrait};
    use super::Reason::{NoCamera, NoScreen};
    use super::*;
    use crate::testing::VIDEO;

    fn region([x, y, width, height]: [i32; 4]) -> Region {
        Region::new(x, y, width, height).unwrap()
    }

    fn layout(
        layout_type: LayoutType,
        screen: Option<[i32; 4]>,
        camera: Option<[i32; 4]>,
    ) -> NewLayoutAnalysis {
        NewLayoutAnalysis {
            screen_region: screen.map(region),
            camera_region: camera.map(region),
            ..NewLayoutAnalysis::new(layout_type, Ratio::new(0.8).unwrap())
        }
    }

    const PICTURE: [i32; 4] = [0, 0, 1920, 1080];

    #[test]
    fn only_a_screen_that_grows_beside_the_camera_is_composed_without_being_asked() {
        let arranged = |layout: &NewLayoutAnalysis| arrange(Some(layout), None, &VIDEO);
        let inset = [1500, 800, 400, 260];
        let picture_in_picture = layout(LayoutType::PictureInPicture, Some(PICTURE), Some(inset));
        assert_eq!(arranged(&picture_in_picture), Arrangement::KEEP);

        let (screen, camera) = ([0, 0, 1280, 1080], [1280, 0, 640, 1080]);
        let beside = layout(LayoutType::SideBySide, Some(screen), Some(camera));
        let composed = Some(Composition::SideBySide {
            screen: region(screen),
            camera: region(camera),
        });
        assert_eq!(arranged(&beside).composition, composed);
        let uncertain = NewLayoutAnalysis {
            confidence_score: Ratio::new(0.55).unwrap(),
            ..beside
        };
        assert_eq!(arranged(&uncertain), Arrangement::KEEP);

        let wide = layout(
            LayoutType::SideBySide,
            Some([0, 0, 1600, 1080]),
            Some([1600, 0, 320, 1080]),
        );
        assert_eq!(arranged(&wide).reason, Some(Reason::ScreenWouldShrink));
        assert_eq!(arranged(&wide).composition, None);
        // As a client may store it.
        let twice = layout(LayoutType::SideBySide, Some(PICTURE), Some(inset));
        assert_eq!(arranged(&twice), Arrangement::KEEP);
    }

    #[test]
    fn a_picture_that_was_asked_for_is_composed_of_the_known_regions() {
        let inset = [1500, 800, 400, 260];
        let both = layout(LayoutType::PictureInPicture, Some(PICTURE), Some(inset));
        let slides = layout(LayoutType::ScreenOnly, Some(PICTURE), None);
        let face = layout(LayoutType::CameraOnly, None, Some(inset));
        let unknown = layout(LayoutType::Unknown, None, None);
        let (picture, inset) = (region(PICTURE), region(inset));
        let stack = Composition::Stack {
            screen: picture,
            camera: inset,
        };
        for (layout, wanted, composition, reason) in [
            (&both, Keep, None, None),
            (&both, Screen, None, None),
            (&both, Camera, Some(Crop(inset)), None),
            (&both, Stack, Some(stack), None),
            (&slides, Camera, None, Some(NoCamera)),
            (&slides, Stack, Some(Portrait(picture)), Some(NoCamera)),
            (&face, Screen, None, Some(NoScreen)),
            (&face, Stack, Some(Portrait(inset)), Some(NoScreen)),
            (&unknown, Screen, None, Some(NoScreen)),
            (&unknown, Stack, Some(Portrait(picture)), Some(NoScreen)),
        ] {
            let expected = Arrangement {
                composition,
                reason,
            };
            let found = arrange(Some(layout), Some(wanted), &VIDEO);
            assert_eq!(found, expected, "{layout:?} {wanted:?}");
        }
    }
}
