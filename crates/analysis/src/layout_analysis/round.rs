//! Locates a round camera image.
//!
//! Many programs show the camera in a circle. Of its outline, eight arcs are compared with the
//! borders that [`Borders`] found in each band: those from 20° to 48° on both sides of the
//! outermost points at the left, right, top and bottom. Nearer to these points, a straight border
//! looks the same; farther away, it is nearly parallel to the bands. The support of a circle is
//! the fraction of the bands with a border where the circle crosses them.
//!
//! The running time is the number of circles, a few 10,000 for a small camera, times their
//! number of bands.

use super::border::Borders;
use super::camera::Camera;
use super::profile::BLOCK_SIZE;
use super::rectangle::Rectangle;

/// The radius of the smallest circle, in pixels.
const MIN_RADIUS: usize = 8;
/// How far, in pixels, a border may be from the circle.
const TOLERANCE: usize = 1;
/// The smallest support of the arcs at one of the four sides.
const MIN_SIDE_SUPPORT: f64 = 0.25;
/// The smallest support of a circle.
const MIN_SUPPORT: f64 = 0.85;

/// Finds the circle around `moving`, the bounding box of the moving area, with the best support.
/// Its rectangle is the bounding square.
pub(super) fn locate_round(
    moving: Rectangle,
    picture: Rectangle,
    vertical: &Borders,
    horizontal: &Borders,
) -> Option<Camera> {
    let longest = moving.width().max(moving.height());
    // A larger circle is no inset.
    let max_radius = (picture.height() * 3 / 10).min(longest + BLOCK_SIZE);
    let mut best: Option<Camera> = None;
    for radius in MIN_RADIUS.max(longest * 2 / 5)..=max_radius {
        for y in moving.top..moving.bottom {
            for x in moving.left..moving.right {
                let circle = Circle { x, y, radius };
                let square = circle.bounding_square(picture);
                let Some(rectangle) = square.filter(|square| square.surrounds(moving, BLOCK_SIZE))
                else {
                    continue;
                };
                let best_support = best.map_or(MIN_SUPPORT, |best| best.min_side_support);
                let support = circle.support(vertical, horizontal);
                if let Some(support) = support.filter(|support| *support >= best_support) {
                    best = Some(Camera {
                        rectangle,
                        min_side_support: support,
                        mean_side_support: support,
                    });
                }
            }
        }
    }
    best
}

/// In pixels.
#[derive(Debug, Clone, Copy)]
struct Circle {
    x: usize,
    y: usize,
    radius: usize,
}

impl Circle {
    /// `None` if the circle is not completely inside the picture.
    fn bounding_square(self, picture: Rectangle) -> Option<Rectangle> {
        let square = Rectangle {
            left: self.x.checked_sub(self.radius)?,
            top: self.y.checked_sub(self.radius)?,
            right: self.x + self.radius,
            bottom: self.y + self.radius,
        };
        let is_inside = square.left > picture.left
            && square.top > picture.top
            && square.right < picture.right
            && square.bottom < picture.bottom;
        is_inside.then_some(square)
    }

    /// 0 to 1; `None` if a side has less than [`MIN_SIDE_SUPPORT`].
    fn support(self, vertical: &Borders, horizontal: &Borders) -> Option<f64> {
        let [left, right] = self.side_supports(vertical, self.x, self.y)?;
        let [top, bottom] = self.side_supports(horizontal, self.y, self.x)?;
        Some((left + right + top + bottom) / 4.0)
    }

    /// The support of the two sides that the bands cross; `None` if one has less than
    /// [`MIN_SIDE_SUPPORT`]. The centre is `across` pixels from the start of the bands, and
    /// `along` pixels from the first band.
    fn side_supports(self, borders: &Borders, across: usize, along: usize) -> Option<[f64; 2]> {
        // The sines of 20° and 48°.
        let (nearest, farthest) = (self.radius * 34 / 100, self.radius * 74 / 100);
        let (mut starts, mut ends, mut count) = (0_u32, 0_u32, 0_u32);
        for band in along.saturating_sub(farthest) / BLOCK_SIZE..=(along + farthest) / BLOCK_SIZE {
            let distance = (band * BLOCK_SIZE + BLOCK_SIZE / 2).abs_diff(along);
            if !(nearest..=farthest).contains(&distance) {
                continue;
            }
            let half_chord = (self.radius.pow(2) - distance.pow(2)).isqrt();
            let near = |position: usize| position.saturating_sub(TOLERANCE)..=position + TOLERANCE;
            let bands = band..band + 1;
            let start = near(across.saturating_sub(half_chord))
                .any(|x| borders.start_support(x, bands.clone()) > 0.0);
            let end =
                near(across + half_chord).any(|x| borders.end_support(x, bands.clone()) > 0.0);
            starts += u32::from(start);
            ends += u32::from(end);
            count += 1;
        }
        let supports = [starts, ends].map(|found| f64::from(found) / f64::from(count.max(1)));
        let is_supported = supports.iter().all(|support| *support >= MIN_SIDE_SUPPORT);
        is_supported.then_some(supports)
    }
}
