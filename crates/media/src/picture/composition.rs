//! Regions of a picture composed into a new one.

use lectern_domain::Region;

use super::placement::{Placement, covered};
use super::size::even;
use crate::error::Error;
use crate::probe::VideoStream;

/// A new arrangement of regions of the picture. Regions are in pixels of the displayed
/// picture, and each is as large as its part of the new picture permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Composition {
    /// A 16:9 canvas with the screen in the left three quarters and the camera in
    /// the right quarter. Both are vertically centred.
    SideBySide {
        /// Position of the screen in the recording.
        screen: Region,
        /// Position of the camera in the recording.
        camera: Region,
    },
    /// One region, and nothing else.
    Crop(Region),
    /// A 9:16 canvas with one region in the middle.
    Portrait(Region),
    /// A 9:16 canvas with the screen above the camera. Where the camera is on top of the
    /// screen, it is covered with the colour beside it, so that it is shown once.
    Stack {
        /// Position of the screen in the recording.
        screen: Region,
        /// Position of the camera in the recording.
        camera: Region,
    },
}

impl Composition {
    /// Width and height of the new picture. A canvas of 16:9 is `height` pixels high, as is a
    /// single region; one of 9:16 is `height` pixels wide.
    pub(crate) fn size(self, video: &VideoStream, height: u32) -> (u32, u32) {
        let height = f64::from(height);
        match self {
            Self::SideBySide { .. } => {
                let height = even(height);
                (even(f64::from(height) * 16.0 / 9.0), height)
            }
            Self::Crop(region) => {
                let width = f64::from(region.width.get()) * video.pixel_aspect;
                let aspect = width / f64::from(region.height.get().max(1));
                (even(height * aspect), even(height))
            }
            Self::Portrait(_) | Self::Stack { .. } => {
                let width = even(height);
                (width, even(f64::from(width) * 16.0 / 9.0))
            }
        }
    }

    /// The filters that compose the picture on a canvas of this width and height, both even.
    /// Every `]` in them ends a label.
    pub(crate) fn filters(self, video: &VideoStream, canvas: (u32, u32)) -> Result<String, Error> {
        match self {
            Self::SideBySide { screen, camera } => side_by_side(video, canvas, screen, camera),
            Self::Crop(region) | Self::Portrait(region) => centred(video, canvas, region),
            Self::Stack { screen, camera } => stack(video, canvas, screen, camera),
        }
    }
}

fn side_by_side(
    video: &VideoStream,
    (width, height): (u32, u32),
    screen: Region,
    camera: Region,
) -> Result<String, Error> {
    let screen_width = even(f64::from(width) * 0.75);
    let camera_width = width.saturating_sub(screen_width).max(2);
    let screen = Placement::new("screen", screen, video, (screen_width, height))?;
    let camera = Placement::new("camera", camera, video, (camera_width, height))?;
    Ok(format!(
        "split[left][right];\
         [left]{screen_filters},pad={width}:{height}:{x}:{y}[canvas];\
         [right]{camera_filters}[camera];\
         [canvas][camera]overlay={camera_x}:{camera_y}",
        screen_filters = screen.filters(),
        x = screen.x,
        y = screen.y,
        camera_filters = camera.filters(),
        camera_x = screen_width + camera.x,
        camera_y = camera.y,
    ))
}

/// The region in the middle of the canvas.
fn centred(
    video: &VideoStream,
    (width, height): (u32, u32),
    region: Region,
) -> Result<String, Error> {
    let placement = Placement::new("selected", region, video, (width, height))?;
    Ok(format!(
        "{filters},pad={width}:{height}:{x}:{y}",
        filters = placement.filters(),
        x = placement.x,
        y = placement.y,
    ))
}

fn stack(
    video: &VideoStream,
    (width, height): (u32, u32),
    screen_region: Region,
    camera_region: Region,
) -> Result<String, Error> {
    // A screen that is high leaves half of the height to the camera.
    let box_size = (width, height / 4 * 2);
    let screen = Placement::new("screen", screen_region, video, box_size)?;
    let box_size = (width, height - screen.height);
    let camera = Placement::new("camera", camera_region, video, box_size)?;
    let top = (height - screen.height - camera.height) / 4 * 2;
    Ok(format!(
        "split[above][below];\
         [above]{cover}{screen_filters},pad={width}:{height}:{x}:{top}[canvas];\
         [below]{camera_filters}[camera];\
         [canvas][camera]overlay={camera_x}:{camera_y}",
        cover = covered(screen_region, camera_region, video).unwrap_or_default(),
        screen_filters = screen.filters(),
        x = screen.x,
        camera_filters = camera.filters(),
        camera_x = camera.x,
        camera_y = top + screen.height,
    ))
}
