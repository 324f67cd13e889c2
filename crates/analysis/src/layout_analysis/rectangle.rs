//! Rectangles in the pixels of the sampled frames.

use lectern_domain::{Invalid, Region};

use super::profile::BLOCK_SIZE;

/// A rectangle in pixels; `right` and `bottom` are exclusive.
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

    /// In pixels.
    pub(super) fn area(self) -> usize {
        self.width() * self.height()
    }

    pub(super) fn contains(self, x: usize, y: usize) -> bool {
        (self.left..self.right).contains(&x) && (self.top..self.bottom).contains(&y)
    }

    /// Whether the rectangle contains the center of a block.
    pub(super) fn contains_block(self, column: usize, row: usize) -> bool {
        self.contains(
            column * BLOCK_SIZE + BLOCK_SIZE / 2,
            row * BLOCK_SIZE + BLOCK_SIZE / 2,
        )
    }

    /// The area of the intersection as a fraction of the area of the union.
    pub(super) fn overlap(self, other: Self) -> f64 {
        let length = |start: usize, end: usize| end.saturating_sub(start);
        let width = length(self.left.max(other.left), self.right.min(other.right));
        let height = length(self.top.max(other.top), self.bottom.min(other.bottom));
        let common = width * height;
        common as f64 / (self.area() + other.area() - common).max(1) as f64
    }

    /// Whether no side of `other` is outside this rectangle by more than `tolerance` pixels.
    pub(super) fn surrounds(self, other: Self, tolerance: usize) -> bool {
        self.left <= other.left + tolerance
            && self.top <= other.top + tolerance
            && self.right + tolerance >= other.right
            && self.bottom + tolerance >= other.bottom
    }

    /// Width and height as fractions of those of `other`.
    pub(super) fn size_relative_to(self, other: Self) -> (f64, f64) {
        (
            self.width() as f64 / other.width().max(1) as f64,
            self.height() as f64 / other.height().max(1) as f64,
        )
    }

    /// The rectangle with a margin of `pixels` added on each side.
    pub(super) fn expanded(self, pixels: usize) -> Self {
        Self {
            left: self.left.saturating_sub(pixels),
            top: self.top.saturating_sub(pixels),
            right: self.right + pixels,
            bottom: self.bottom + pixels,
        }
    }

    pub(super) fn clamped_to(self, bounds: Self) -> Self {
        let left = self.left.clamp(bounds.left, bounds.right);
        let top = self.top.clamp(bounds.top, bounds.bottom);
        Self {
            left,
            top,
            right: self.right.clamp(left, bounds.right),
            bottom: self.bottom.clamp(top, bounds.bottom),
        }
    }

    /// Scales the rectangle from a frame of `frame_size` to the recording's
    /// `source_size`, both width and height in pixels.
    pub(super) fn to_region(
        self,
        frame_size: (usize, usize),
        source_size: (u32, u32),
    ) -> Result<Region, Invalid> {
        let scale = |position: usize, from: usize, to: u32| -> Result<i32, Invalid> {
            let (position, from) = (position as u64, (from as u64).max(1));
            i32::try_from((position * u64::from(to) + from / 2) / from)
                .map_err(|_| Invalid::new("must be less than 2147483648 pixels wide and high"))
        };
        let (left, right) = (
            scale(self.left, frame_size.0, source_size.0)?,
            scale(self.right, frame_size.0, source_size.0)?,
        );
        let (top, bottom) = (
            scale(self.top, frame_size.1, source_size.1)?,
            scale(self.bottom, frame_size.1, source_size.1)?,
        );
        Region::new(left, top, right - left, bottom - top)
    }
}
