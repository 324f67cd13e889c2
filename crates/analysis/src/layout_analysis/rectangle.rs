//! The rectangle a camera's picture fills.

use std::ops::Range;

use lectern_domain::{Invalid, Region};

use super::border::Borders;
use super::strips::STRIP;

/// By how much better, on average, a side may be seen of a rectangle that is
/// smaller by all of the picture.
const LARGER: f64 = 0.02;

/// A rectangle in a sample, in its pixels; the ends are not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rectangle {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) right: usize,
    pub(super) bottom: usize,
}

impl Rectangle {
    pub(super) fn width(self) -> usize {
        self.right - self.left
    }

    pub(super) fn height(self) -> usize {
        self.bottom - self.top
    }

    pub(super) fn area(self) -> usize {
        self.width() * self.height()
    }

    /// Whether the middle of a cell lies in it.
    pub(super) fn holds_cell(self, column: usize, row: usize) -> bool {
        self.holds(column * STRIP + STRIP / 2, row * STRIP + STRIP / 2)
    }

    /// How wide and how high it is as parts of another.
    pub(super) fn part_of(self, other: Self) -> (f64, f64) {
        (
            self.width() as f64 / other.width().max(1) as f64,
            self.height() as f64 / other.height().max(1) as f64,
        )
    }

    /// Whether a pixel lies in it.
    pub(super) fn holds(self, x: usize, y: usize) -> bool {
        (self.left..self.right).contains(&x) && (self.top..self.bottom).contains(&y)
    }

    /// The same rectangle in a picture of another size, in its pixels.
    pub(super) fn scaled(
        self,
        (width, height): (usize, usize),
        (source_width, source_height): (u32, u32),
    ) -> Result<Region, Invalid> {
        let scale = |at: usize, from: usize, to: u32| -> Result<i32, Invalid> {
            let (at, from) = (at as u64, (from as u64).max(1));
            i32::try_from((at * u64::from(to) + from / 2) / from)
                .map_err(|_| Invalid::new("must be less than 2147483648 pixels wide and high"))
        };
        let (left, right) = (
            scale(self.left, width, source_width)?,
            scale(self.right, width, source_width)?,
        );
        let (top, bottom) = (
            scale(self.top, height, source_height)?,
            scale(self.bottom, height, source_height)?,
        );
        Region::new(left, top, right - left, bottom - top)
    }

    /// With `by` more pixels on each side.
    pub(super) fn grown(self, by: usize) -> Self {
        Self {
            left: self.left.saturating_sub(by),
            top: self.top.saturating_sub(by),
            right: self.right + by,
            bottom: self.bottom + by,
        }
    }

    /// The part of both.
    pub(super) fn within(self, other: Self) -> Self {
        let left = self.left.clamp(other.left, other.right);
        let top = self.top.clamp(other.top, other.bottom);
        Self {
            left,
            top,
            right: self.right.clamp(left, other.right),
            bottom: self.bottom.clamp(top, other.bottom),
        }
    }
}

/// A side of a rectangle that may be the one.
#[derive(Debug, Clone, Copy)]
struct Side {
    place: usize,
    /// Set where it is the edge of the picture: how near what moves comes to
    /// it, 1 for touching, 0 for as far away as can be.
    nearness: Option<f64>,
}

impl Side {
    /// How well it is seen: the share of its length that is border. At the edge
    /// of the picture there is none to be seen, so it is taken from what moves:
    /// how near that comes, and along how much of the length.
    fn seen(self, border: impl Fn(usize) -> f64, moving: usize, length: usize) -> f64 {
        self.nearness.map_or_else(
            || border(self.place),
            |nearness| f64::midpoint(nearness, (moving as f64 / length.max(1) as f64).min(1.0)),
        )
    }
}

/// A rectangle with how well that side is seen which is seen worst, 0 to 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) rectangle: Rectangle,
    pub(super) seen: f64,
}

/// Finds the rectangle around `motion` in `picture` whose sides are seen best,
/// each a straight border or an edge of the picture.
///
/// Lines inside the camera's picture (a door, a shelf) and lines on the screen
/// (a footer) rarely have four that close, so each side counts along its whole
/// length. Of two that are seen as well the larger is taken: what stands still
/// in a camera's picture has lines more often than the screen has frames.
pub(super) fn find(
    motion: Rectangle,
    picture: Rectangle,
    upright: &Borders,
    lying: &Borders,
) -> Found {
    let (rows, columns) = (motion.top..motion.bottom, motion.left..motion.right);
    let (rows, columns) = (
        groups(rows.start, rows.end),
        groups(columns.start, columns.end),
    );
    // What moves on one side of a border makes a bit of noise on the other, and
    // a cell may belong to both.
    let reach = 2 * STRIP;
    let (width, height) = (picture.width(), picture.height());
    let lefts = sides(
        upright.beginnings(picture.left + 1..motion.left + reach, rows.clone()),
        (picture.left, nearness(motion.left - picture.left, width)),
    );
    let rights = sides(
        upright.endings(motion.right.saturating_sub(reach)..picture.right, rows),
        (picture.right, nearness(picture.right - motion.right, width)),
    );
    let tops = sides(
        lying.beginnings(picture.top + 1..motion.top + reach, columns.clone()),
        (picture.top, nearness(motion.top - picture.top, height)),
    );
    let bottoms = sides(
        lying.endings(motion.bottom.saturating_sub(reach)..picture.bottom, columns),
        (
            picture.bottom,
            nearness(picture.bottom - motion.bottom, height),
        ),
    );

    let mut best = Found {
        rectangle: picture,
        seen: 0.0,
    };
    let mut best_score = f64::MIN;
    for left in &lefts {
        for right in &rights {
            for top in &tops {
                for bottom in &bottoms {
                    if left.place >= right.place || top.place >= bottom.place {
                        continue;
                    }
                    let rectangle = Rectangle {
                        left: left.place,
                        top: top.place,
                        right: right.place,
                        bottom: bottom.place,
                    };
                    let rows = groups(top.place, bottom.place);
                    let columns = groups(left.place, right.place);
                    let (wide, high) = (rectangle.width(), rectangle.height());
                    let seen = [
                        left.seen(|at| upright.begins(at, rows.clone()), motion.height(), high),
                        right.seen(|at| upright.ends(at, rows.clone()), motion.height(), high),
                        top.seen(|at| lying.begins(at, columns.clone()), motion.width(), wide),
                        bottom.seen(|at| lying.ends(at, columns.clone()), motion.width(), wide),
                    ];
                    let average = seen.iter().sum::<f64>() / 4.0;
                    let score = average + LARGER * rectangle.area() as f64 / picture.area() as f64;
                    if score > best_score {
                        best_score = score;
                        best = Found {
                            rectangle,
                            seen: seen.into_iter().fold(1.0, f64::min),
                        };
                    }
                }
            }
        }
    }
    best
}

fn sides(lines: Vec<usize>, edge: (usize, f64)) -> Vec<Side> {
    let lines = lines.into_iter().map(|place| Side {
        place,
        nearness: None,
    });
    lines
        .chain([Side {
            place: edge.0,
            nearness: Some(edge.1),
        }])
        .collect()
}

fn nearness(distance: usize, length: usize) -> f64 {
    1.0 - distance as f64 / length.max(1) as f64
}

/// The groups of strips that lie wholly between two places.
pub(super) fn groups(from: usize, to: usize) -> Range<usize> {
    let first = from.div_ceil(STRIP);
    first..(to / STRIP).max(first)
}
