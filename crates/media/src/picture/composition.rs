//! Two regions of a picture composed into a new one.

use lectern_domain::Region;

use super::size::even;
use crate::error::Error;
use crate::probe::VideoStream;

/// A new arrangement of regions of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Composition {
    /// A 16:9 canvas with the screen in the left three quarters and the camera in
    /// the right quarter. Both are as large as possible and vertically centred.
    /// Regions are in pixels of the displayed picture.
    SideBySide {
        /// Position of the screen in the recording.
        screen: Region,
        /// Position of the camera in the recording.
        camera: Region,
    },
}

impl Composition {
    /// The filters that compose the picture on a canvas `height` pixels high.
    pub(crate) fn filters(self, video: &VideoStream, height: u32) -> Result<String, Error> {
        let Self::SideBySide { screen, camera } = self;
        let height = even(f64::from(height));
        let width = even(f64::from(height) * 16.0 / 9.0);
        let screen_width = even(f64::from(width) * 0.75);
        let screen = Placement::new("screen", screen, video, (screen_width, height))?;
        let camera = Placement::new("camera", camera, video, (width - screen_width, height))?;
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
}

/// A region of the recording, and its size and position in its part of the canvas.
struct Placement {
    /// Left, top, width and height in the recording.
    crop: [u32; 4],
    width: u32,
    height: u32,
    x: u32,
    y: u32,
}

impl Placement {
    /// Fits the part of `region` that is inside the picture into a box of the
    /// given width and height.
    fn new(
        name: &'static str,
        region: Region,
        video: &VideoStream,
        (box_width, box_height): (u32, u32),
    ) -> Result<Self, Error> {
        let [x, y, width, height] = [region.x, region.y, region.width, region.height]
            .map(|number| number.get().unsigned_abs());
        let width = width.min(video.width.saturating_sub(x));
        let height = height.min(video.height.saturating_sub(y));
        if width == 0 || height == 0 {
            return Err(Error::RegionOutsidePicture {
                region: name,
                width: video.width,
                height: video.height,
            });
        }
        let square_width = f64::from(width) * video.pixel_aspect;
        let scale =
            (f64::from(box_width) / square_width).min(f64::from(box_height) / f64::from(height));
        let scaled_width = even(square_width * scale).min(box_width);
        let scaled_height = even(f64::from(height) * scale).min(box_height);
        Ok(Self {
            crop: [x, y, width, height],
            width: scaled_width,
            height: scaled_height,
            // Even offsets, because 4:2:0 stores colours for pairs of pixels.
            x: (box_width - scaled_width) / 4 * 2,
            y: (box_height - scaled_height) / 4 * 2,
        })
    }

    fn filters(&self) -> String {
        let [x, y, width, height] = self.crop;
        let (scaled_width, scaled_height) = (self.width, self.height);
        format!(
            "crop={width}:{height}:{x}:{y}:exact=1,scale={scaled_width}:{scaled_height},setsar=1"
        )
    }
}
