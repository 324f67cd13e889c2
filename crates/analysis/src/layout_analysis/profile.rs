//! Intensity profiles of a frame.
//!
//! A border between screen and camera is a vertical or a horizontal line. To
//! find vertical borders, a frame is cut into bands of four rows. In each band,
//! the four pixels of every column are summed. These sums are the intensity
//! profile of the band, and a vertical border is a step in it. To find
//! horizontal borders, the frame is cut into bands of four columns. The sum of
//! four pixels has half the relative noise of one pixel, and the step keeps its
//! position.

use std::ops::Range;

use super::frame::GrayFrame;

/// Thickness of a band, and width and height of a block, in pixels.
pub(super) const BLOCK_SIZE: usize = 4;

/// The profiles of all bands of a frame.
#[derive(Debug, Clone)]
pub(super) struct Profiles {
    /// Values per profile: the width of the frame for bands of rows, the
    /// height for bands of columns.
    pub(super) length: usize,
    /// Number of whole bands.
    pub(super) band_count: usize,
    /// Sums of [`BLOCK_SIZE`] gray levels, band by band.
    sums: Vec<u16>,
}

impl Profiles {
    /// Profiles along x, one per band of four rows.
    pub(super) fn of_row_bands(frame: &GrayFrame<'_>) -> Self {
        let (length, band_count) = (frame.width, frame.height / BLOCK_SIZE);
        let mut sums = vec![0; length * band_count];
        let rows = frame.data.chunks_exact(length);
        for (y, row) in rows.take(band_count * BLOCK_SIZE).enumerate() {
            let profile = &mut sums[y / BLOCK_SIZE * length..][..length];
            for (sum, &pixel) in profile.iter_mut().zip(row) {
                *sum += u16::from(pixel);
            }
        }
        Self {
            length,
            band_count,
            sums,
        }
    }

    /// Profiles along y, one per band of four columns.
    pub(super) fn of_column_bands(frame: &GrayFrame<'_>) -> Self {
        let (length, band_count) = (frame.height, frame.width / BLOCK_SIZE);
        let mut sums = vec![0; length * band_count];
        for (y, row) in frame.data.chunks_exact(frame.width).enumerate() {
            for (band, pixels) in row.chunks_exact(BLOCK_SIZE).enumerate() {
                sums[band * length + y] = pixels.iter().map(|&pixel| u16::from(pixel)).sum();
            }
        }
        Self {
            length,
            band_count,
            sums,
        }
    }

    /// The profile of a band; a value of 4 is one gray level.
    pub(super) fn band(&self, band: usize) -> &[u16] {
        &self.sums[band * self.length..][..self.length]
    }

    /// The profiles of all bands, one after the other.
    pub(super) fn all(&self) -> &[u16] {
        &self.sums
    }
}

/// The bands that lie completely between the pixels `start` and `end`.
pub(super) fn bands_between(start: usize, end: usize) -> Range<usize> {
    let first = start.div_ceil(BLOCK_SIZE);
    first..(end / BLOCK_SIZE).max(first)
}
