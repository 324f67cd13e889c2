//! Decides which layout the recording has, and how certain that is.
//!
//! The rules and the meaning of the confidence are in the documentation of
//! [`layout_analysis`](super).

use lectern_domain::LayoutType::{
    self, CameraOnly, PictureInPicture, ScreenOnly, SideBySide, Unknown,
};

use super::border::Borders;
use super::camera::{self, Camera};
use super::edge_density::edge_density;
use super::letterbox::picture_without_bars;
use super::motion::{Motion, fraction_true};
use super::moving_area::MovingArea;
use super::profile::bands_between;
use super::rectangle::Rectangle;
use super::round::locate_round;
use super::sampling::{Orientation, SampledFrames};

/// The minimum number of frame pairs for a decision.
const MIN_PAIRS: usize = 7;
/// The layout is unknown below this confidence.
pub(super) const MIN_CONFIDENCE: f64 = 0.5;
/// The highest confidence in a screen that never changes: it may be the frozen
/// image of a camera.
const MAX_STATIC_CONFIDENCE: f64 = 0.75;

/// A block belongs to the moving area if it changes in this fraction of the calm
/// pairs: the half of the pairs with the least change, in which slides rarely change.
const MIN_CHANGE_RATE: f64 = 0.2;
/// The smallest moving area of a camera, as a fraction of the picture: a clock
/// or a blinking cursor is smaller, a face in the smallest inset is larger.
const MIN_MOVING_AREA: f64 = 0.004;
/// The smallest width and height of a camera, as fractions of the picture's;
/// anything narrower is a clock or a cursor, too.
const MIN_CAMERA_SIZE: f64 = 0.07;
/// A camera fills the width of the picture if it has at least this fraction of it;
/// likewise for the height.
const FULL_SIZE: f64 = 0.9;
/// The largest width of a camera beside the screen, as a fraction of the
/// picture's.
const MAX_SIDE_BY_SIDE_WIDTH: f64 = 0.65;
/// The largest width and height of a camera on top of the screen, as fractions
/// of the picture.
const MAX_INSET_SIZE: f64 = 0.6;
/// A camera touches an edge of the picture if it is at most this far away, as a
/// fraction of the picture's width.
const MAX_EDGE_DISTANCE: f64 = 0.04;
/// The largest distance of a camera on top of the screen from the nearest edge of the picture,
/// as a fraction of the picture's width or height. A moving area that is farther from all edges,
/// with other content around it, is a video on a slide or on a web page.
const MAX_INSET_MARGIN: f64 = 0.08;
/// The highest confidence that a moving area in the middle of other content is a video.
pub(super) const MAX_VIDEO_CONFIDENCE: f64 = 0.7;
/// The highest confidence if there is nothing around the camera: it may be a margin of the
/// camera image, or an empty slide.
const MAX_BLANK_CONFIDENCE: f64 = 0.7;
/// The smallest support of the border between a camera and the screen beside
/// it.
const MIN_SPLIT_SUPPORT: f64 = 0.8;
/// The smallest edge density of an area that is not empty.
const MIN_EDGE_DENSITY: f64 = 0.002;
/// How far scaling blurs a border, in pixels. This margin around a border
/// counts for neither of its sides.
const BORDER_BLUR: usize = 3;

/// The smallest fraction of the camera's blocks that change in a pair with motion.
const MIN_CAMERA_CHANGE: f64 = 0.03;
/// The smallest fraction of the screen's blocks that change when the slide changes.
const MIN_SLIDE_CHANGE: f64 = 0.05;
/// Full confidence requires that at least this fraction of the camera's rectangle
/// moves: about as much as the face of a presenter in front of a wall.
const FULL_CAMERA_COVERAGE: f64 = 0.12;
/// Full confidence requires that at least this fraction of the moving area's
/// bounding box moves. A smaller fraction suggests two cameras, because their common
/// bounding box contains the space between them.
const FULL_BOX_COVERAGE: f64 = 1.0 / 3.0;

/// The decision; rectangles are in pixels of the frames.
#[derive(Debug, Clone, Copy)]
pub(super) struct Classification {
    pub(super) layout: LayoutType,
    pub(super) screen: Option<Rectangle>,
    pub(super) camera: Option<Rectangle>,
    /// The width of the screen as a fraction of the picture's.
    pub(super) split_ratio: Option<f64>,
    pub(super) confidence: f64,
}

impl Classification {
    pub(super) fn is_unknown(&self) -> bool {
        self.layout == Unknown
    }

    /// Whether both are the same layout: the cameras overlap by at least `min_overlap` of their
    /// union.
    pub(super) fn resembles(&self, other: &Self, min_overlap: f64) -> bool {
        let has_same_camera = match (self.camera, other.camera) {
            (Some(one), Some(other)) => one.overlap(other) >= min_overlap,
            (None, None) => true,
            _ => false,
        };
        self.layout == other.layout && has_same_camera
    }

    /// This layout, or else `other` if this one is unknown.
    pub(super) fn or(self, other: Self) -> Self {
        if self.is_unknown() { other } else { self }
    }

    pub(super) fn unknown(confidence: f64) -> Self {
        Self {
            layout: Unknown,
            screen: None,
            camera: None,
            split_ratio: None,
            confidence,
        }
    }
}

pub(super) fn classify(sampled: &SampledFrames) -> Classification {
    if sampled.pairs.len() < MIN_PAIRS {
        return Classification::unknown(0.0);
    }
    let classifier = Classifier {
        sampled,
        motion: Motion::detect(sampled),
        picture: picture_without_bars(&sampled.frames),
    };
    let best = classifier.best_match();
    if best.confidence < MIN_CONFIDENCE {
        Classification::unknown(best.confidence)
    } else {
        best
    }
}

struct Classifier<'a> {
    sampled: &'a SampledFrames,
    motion: Motion,
    /// Without black bars.
    picture: Rectangle,
}

impl Classifier<'_> {
    /// The layout that fits best, whatever its confidence.
    fn best_match(&self) -> Classification {
        let moving = MovingArea::find(&self.motion, MIN_CHANGE_RATE);
        let moving_pixels = moving.area() as f64;
        let min_pixels = MIN_MOVING_AREA * self.picture.area() as f64;
        let moving_ratio = (moving_pixels / min_pixels).min(1.0);
        if moving_pixels < min_pixels {
            return self.screen_only(moving_ratio);
        }
        let vertical = Borders::find(self.sampled, Orientation::Vertical, &self.motion);
        let horizontal = Borders::find(self.sampled, Orientation::Horizontal, &self.motion);
        let bounding_box = moving.bounding_box().clamped_to(self.picture);
        let mut camera = camera::locate(bounding_box, self.picture, &vertical, &horizontal);
        if camera.min_side_support < MIN_SPLIT_SUPPORT
            && let Some(round) = locate_round(bounding_box, self.picture, &vertical, &horizontal)
            && round.mean_side_support > camera.mean_side_support
        {
            camera = round;
        }
        let (width, height) = camera.rectangle.size_relative_to(self.picture);
        if width < MIN_CAMERA_SIZE || height < MIN_CAMERA_SIZE {
            return self.screen_only(moving_ratio);
        }
        let confidence = self.camera_confidence(camera, moving_pixels, bounding_box);
        self.with_camera(camera.rectangle, bounding_box, confidence, &vertical)
    }

    /// `moving_ratio` is the moving area divided by the smallest moving area of a
    /// camera, at most 1.
    fn screen_only(&self, moving_ratio: f64) -> Classification {
        if !self.has_content(|_, _| true) {
            return Classification::unknown(0.0);
        }
        let stillness = self.stillness(|_, _| true);
        let confidence = if stillness < 1.0 {
            stillness
        } else {
            MAX_STATIC_CONFIDENCE
        };
        Classification {
            layout: ScreenOnly,
            screen: Some(self.picture),
            camera: None,
            split_ratio: None,
            // A moving area of the smallest size of a camera is as likely a camera as
            // not: the confidence is then at most 0.5.
            confidence: confidence.min(1.0 - moving_ratio / 2.0),
        }
    }

    /// The confidence that there is one camera and this is its rectangle.
    fn camera_confidence(
        &self,
        camera: Camera,
        moving_pixels: f64,
        bounding_box: Rectangle,
    ) -> f64 {
        let area = camera.rectangle;
        let in_camera = |column, row| area.contains_block(column, row);
        let moves = self.motion.pairs_with_change(MIN_CAMERA_CHANGE, in_camera);
        let coverage = moving_pixels / area.area() as f64 / FULL_CAMERA_COVERAGE;
        let box_coverage = moving_pixels / bounding_box.area().max(1) as f64 / FULL_BOX_COVERAGE;
        fraction_true(moves.into_iter())
            .min(coverage)
            .min(box_coverage)
            .min(camera.min_side_support)
            .min(1.0)
    }

    /// The layout with a camera in this rectangle around `moving`, the bounding box of the
    /// moving area; `confidence` is the [`camera_confidence`](Self::camera_confidence).
    fn with_camera(
        &self,
        camera: Rectangle,
        moving: Rectangle,
        confidence: f64,
        vertical: &Borders,
    ) -> Classification {
        let picture = self.picture;
        let stillness = self.stillness(|column, row| !camera.contains_block(column, row));
        let camera_with_margin = camera.expanded(BORDER_BLUR);
        let (width, height) = camera.size_relative_to(picture);

        let camera_only = |confidence| Classification {
            layout: CameraOnly,
            screen: None,
            camera: Some(camera),
            split_ratio: None,
            confidence,
        };
        let picture_in_picture = |confidence| Classification {
            layout: PictureInPicture,
            screen: Some(picture),
            camera: Some(camera),
            split_ratio: None,
            confidence,
        };
        if width >= FULL_SIZE && height >= FULL_SIZE {
            return camera_only(confidence);
        }
        let is_inset = width <= MAX_INSET_SIZE && height <= MAX_INSET_SIZE;
        let is_near_edge = self.is_near_edge(camera);
        if stillness >= 1.0 && !self.has_content(|x, y| !camera_with_margin.contains(x, y)) {
            let confidence = confidence.min(MAX_BLANK_CONFIDENCE);
            return if is_inset && is_near_edge {
                picture_in_picture(confidence)
            } else {
                camera_only(confidence)
            };
        }
        let confidence = confidence.min(stillness);
        if width <= MAX_SIDE_BY_SIDE_WIDTH
            && let Some(screen) = self.screen_beside(camera, vertical)
        {
            return Classification {
                layout: SideBySide,
                screen: Some(screen),
                camera: Some(camera),
                split_ratio: Some(screen.width() as f64 / picture.width() as f64),
                confidence,
            };
        }
        if !is_near_edge || !(is_inset || self.is_near_edge(moving)) {
            return Classification {
                layout: ScreenOnly,
                screen: Some(picture),
                camera: None,
                split_ratio: None,
                confidence: confidence.min(MAX_VIDEO_CONFIDENCE),
            };
        }
        if is_inset {
            return picture_in_picture(confidence);
        }
        Classification::unknown(0.0)
    }

    /// Whether at most [`MAX_INSET_MARGIN`] is between the rectangle and an edge of the
    /// picture, as it is between a camera and at least one edge.
    fn is_near_edge(&self, rectangle: Rectangle) -> bool {
        let picture = self.picture;
        let is_near =
            |distance: usize, length: usize| distance as f64 <= MAX_INSET_MARGIN * length as f64;
        is_near(rectangle.left - picture.left, picture.width())
            || is_near(picture.right - rectangle.right, picture.width())
            || is_near(rectangle.top - picture.top, picture.height())
            || is_near(picture.bottom - rectangle.bottom, picture.height())
    }

    /// The part of the picture beside the camera, if it is a screen: the camera
    /// touches one side of the picture, a border as high as the picture
    /// separates both, and the space above and below the camera is empty.
    fn screen_beside(&self, camera: Rectangle, vertical: &Borders) -> Option<Rectangle> {
        let picture = self.picture;
        let max_distance = MAX_EDGE_DISTANCE * picture.width() as f64;
        let touches = |side: usize, edge: usize| side.abs_diff(edge) as f64 <= max_distance;
        let has_border_at = |x: usize| {
            let rows = bands_between(picture.top, picture.bottom);
            vertical.max_support(x.saturating_sub(1)..=x + 1, rows) >= MIN_SPLIT_SUPPORT
        };
        let screen = match (
            touches(camera.left, picture.left),
            touches(camera.right, picture.right),
        ) {
            (true, false) if has_border_at(camera.right) => Rectangle {
                left: camera.right,
                ..picture
            },
            (false, true) if has_border_at(camera.left) => Rectangle {
                right: camera.left,
                ..picture
            },
            _ => return None,
        };
        let camera_with_margin = camera.expanded(BORDER_BLUR);
        let screen_with_margin = screen.expanded(BORDER_BLUR);
        let elsewhere =
            |x, y| !camera_with_margin.contains(x, y) && !screen_with_margin.contains(x, y);
        let (_, height) = camera.size_relative_to(picture);
        (height >= FULL_SIZE || !self.has_content(elsewhere)).then_some(screen)
    }

    /// The stillness of the blocks `(column, row)` that are `included`, 0 to 1. It is
    /// 1 minus the fraction of pairs with a slide change, minus the fraction of pairs
    /// in which a slide change directly follows another one.
    fn stillness(&self, included: impl Fn(usize, usize) -> bool) -> f64 {
        let picture = self.picture;
        let changes = self
            .motion
            .pairs_with_change(MIN_SLIDE_CHANGE, |column, row| {
                picture.contains_block(column, row) && included(column, row)
            });
        let pairs = changes.len().max(1) as f64;
        let consecutive_count = changes
            .windows(2)
            .filter(|successive| successive[0] && successive[1])
            .count();
        let consecutive = consecutive_count as f64 / pairs;
        (1.0 - fraction_true(changes.into_iter()) - consecutive).max(0.0)
    }

    /// Whether the pixels `(x, y)` that are `included` show anything.
    fn has_content(&self, included: impl Fn(usize, usize) -> bool) -> bool {
        let in_picture = |x, y| self.picture.contains(x, y) && included(x, y);
        let density = edge_density(&self.sampled.frames, self.motion.threshold, in_picture);
        density >= MIN_EDGE_DENSITY
    }
}
