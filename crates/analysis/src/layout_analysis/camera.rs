//! Locates the rectangle of the camera image.
//!
//! The rectangle surrounds the moving area, and each of its sides is a border
//! or an edge of the picture. The score of a combination of candidates for the
//! four sides is the mean support of the sides, and a small bonus for its area.
//! The support of a border is the fraction of the side's length that is border.
//! There are at most 17 candidates per side, so about 83,000 rectangles, and
//! each takes constant time.

use super::border::Borders;
use super::profile::{BLOCK_SIZE, bands_between};
use super::rectangle::Rectangle;

/// How far inside the moving area's bounding box a side may be, in pixels. The
/// box is a little too large: motion leaves noise beyond the border, and a
/// block may contain pixels from both sides of the border.
const MAX_OVERLAP: usize = 2 * BLOCK_SIZE;
/// The bonus for a rectangle as large as the picture. The bonus is proportional to
/// the area. Of rectangles with equal support the larger one is usually right:
/// lines inside a camera image (a door, a shelf) are more common than a frame
/// on the screen around the camera.
const SIZE_BONUS: f64 = 0.02;

/// The camera's rectangle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Camera {
    pub(super) rectangle: Rectangle,
    /// The lowest support of a side, or the support of a circle, 0 to 1.
    pub(super) min_side_support: f64,
    /// The mean support of the sides, or the support of a circle, 0 to 1.
    pub(super) mean_side_support: f64,
}

/// Finds the rectangle in `picture` around `moving`, the bounding box of the
/// moving area, whose sides have the best support.
///
/// Lines inside the camera image (a door, a shelf) or on the screen (a footer)
/// rarely form a closed rectangle, so the support of a side is measured along its
/// whole length.
pub(super) fn locate(
    moving: Rectangle,
    picture: Rectangle,
    vertical: &Borders,
    horizontal: &Borders,
) -> Camera {
    let candidates = SideCandidates::find(moving, picture, vertical, horizontal);
    let mut best = Camera {
        rectangle: picture,
        mean_side_support: 0.0,
        min_side_support: 0.0,
    };
    let mut best_score = f64::MIN;
    for (left, right) in ordered_pairs(&candidates.left, &candidates.right) {
        for (top, bottom) in ordered_pairs(&candidates.top, &candidates.bottom) {
            let rectangle = Rectangle {
                left: left.position,
                top: top.position,
                right: right.position,
                bottom: bottom.position,
            };
            let rows = bands_between(top.position, bottom.position);
            let columns = bands_between(left.position, right.position);
            let height_coverage = coverage(moving.height(), rectangle.height());
            let width_coverage = coverage(moving.width(), rectangle.width());
            let supports = [
                left.support(height_coverage, |x| vertical.start_support(x, rows.clone())),
                right.support(height_coverage, |x| vertical.end_support(x, rows.clone())),
                top.support(width_coverage, |y| {
                    horizontal.start_support(y, columns.clone())
                }),
                bottom.support(width_coverage, |y| {
                    horizontal.end_support(y, columns.clone())
                }),
            ];
            let mean = supports.iter().sum::<f64>() / 4.0;
            let score = mean + SIZE_BONUS * rectangle.area() as f64 / picture.area() as f64;
            if score > best_score {
                best_score = score;
                best = Camera {
                    mean_side_support: mean,
                    rectangle,
                    min_side_support: supports.into_iter().fold(1.0, f64::min),
                };
            }
        }
    }
    best
}

/// A candidate for one side of the rectangle.
#[derive(Debug, Clone, Copy)]
struct Side {
    /// The x of a vertical side, or the y of a horizontal one, in pixels.
    position: usize,
    /// Set if the side is an edge of the picture: how close the moving area comes to
    /// this edge, from 0 at the opposite edge to 1 if the moving area touches it.
    edge_closeness: Option<f64>,
}

impl Side {
    /// The support of the side, 0 to 1.
    ///
    /// An edge of the picture has no visible border. Its support is the mean of its
    /// [`edge_closeness`](Self::edge_closeness) and `moving_coverage`, the fraction
    /// of the side's length that the moving area covers.
    fn support(self, moving_coverage: f64, border_support: impl Fn(usize) -> f64) -> f64 {
        self.edge_closeness.map_or_else(
            || border_support(self.position),
            |closeness| f64::midpoint(closeness, moving_coverage),
        )
    }
}

/// The candidates for each side. The last candidate is always the edge of the picture.
struct SideCandidates {
    left: Vec<Side>,
    right: Vec<Side>,
    top: Vec<Side>,
    bottom: Vec<Side>,
}

impl SideCandidates {
    fn find(
        moving: Rectangle,
        picture: Rectangle,
        vertical: &Borders,
        horizontal: &Borders,
    ) -> Self {
        let rows = bands_between(moving.top, moving.bottom);
        let columns = bands_between(moving.left, moving.right);
        let (width, height) = (picture.width(), picture.height());
        let left_range = picture.left + 1..moving.left + MAX_OVERLAP;
        let right_range = moving.right.saturating_sub(MAX_OVERLAP)..picture.right;
        let top_range = picture.top + 1..moving.top + MAX_OVERLAP;
        let bottom_range = moving.bottom.saturating_sub(MAX_OVERLAP)..picture.bottom;
        Self {
            left: with_picture_edge(
                vertical.start_candidates(left_range, rows.clone()),
                picture.left,
                closeness(moving.left - picture.left, width),
            ),
            right: with_picture_edge(
                vertical.end_candidates(right_range, rows),
                picture.right,
                closeness(picture.right - moving.right, width),
            ),
            top: with_picture_edge(
                horizontal.start_candidates(top_range, columns.clone()),
                picture.top,
                closeness(moving.top - picture.top, height),
            ),
            bottom: with_picture_edge(
                horizontal.end_candidates(bottom_range, columns),
                picture.bottom,
                closeness(picture.bottom - moving.bottom, height),
            ),
        }
    }
}

fn with_picture_edge(borders: Vec<usize>, edge: usize, closeness: f64) -> Vec<Side> {
    let borders = borders.into_iter().map(|position| Side {
        position,
        edge_closeness: None,
    });
    let edge = Side {
        position: edge,
        edge_closeness: Some(closeness),
    };
    borders.chain([edge]).collect()
}

/// All pairs in which the first side comes before the second one.
fn ordered_pairs<'a>(
    first: &'a [Side],
    second: &'a [Side],
) -> impl Iterator<Item = (&'a Side, &'a Side)> {
    first.iter().flat_map(move |start| {
        second
            .iter()
            .filter(|end| start.position < end.position)
            .map(move |end| (start, end))
    })
}

fn closeness(distance: usize, picture_length: usize) -> f64 {
    1.0 - distance as f64 / picture_length.max(1) as f64
}

/// The fraction of a side's length that the moving area covers, at most 1.
fn coverage(moving_length: usize, side_length: usize) -> f64 {
    (moving_length as f64 / side_length.max(1) as f64).min(1.0)
}
