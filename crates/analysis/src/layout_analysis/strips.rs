//! Frames, averaged a little, in the two directions a border can run.

use super::GrayFrame;

/// How many pixels make a strip, and how many strips side by side make a cell.
pub(super) const STRIP: usize = 4;

/// A frame as strips: averages of [`STRIP`] pixels along a possible border.
///
/// Noise in them is half as strong as in the pixels, while across the border
/// no precision is lost.
#[derive(Debug, Clone)]
pub(super) struct Strips {
    /// How many strips lie side by side: the picture's length across borders.
    pub(super) length: usize,
    /// How many rows of them there are.
    pub(super) groups: usize,
    /// Sums of [`STRIP`] pixels, group by group.
    sums: Vec<u16>,
}

impl Strips {
    /// Of borders that run from top to bottom.
    pub(super) fn upright(frame: &GrayFrame<'_>) -> Self {
        let (length, groups) = (frame.width, frame.height / STRIP);
        let mut sums = vec![0; length * groups];
        for group in 0..groups {
            let into = &mut sums[group * length..][..length];
            for row in frame
                .data
                .chunks_exact(length)
                .skip(group * STRIP)
                .take(STRIP)
            {
                for (sum, &pixel) in into.iter_mut().zip(row) {
                    *sum += u16::from(pixel);
                }
            }
        }
        Self {
            length,
            groups,
            sums,
        }
    }

    /// Of borders that run from left to right.
    pub(super) fn lying(frame: &GrayFrame<'_>) -> Self {
        let (length, groups) = (frame.height, frame.width / STRIP);
        let mut sums = vec![0; length * groups];
        for (y, row) in frame.data.chunks_exact(frame.width).enumerate() {
            for (group, pixels) in row.chunks_exact(STRIP).enumerate() {
                sums[group * length + y] = pixels.iter().map(|&pixel| u16::from(pixel)).sum();
            }
        }
        Self {
            length,
            groups,
            sums,
        }
    }

    /// The strips of a group; 4 stands for one level of gray.
    pub(super) fn group(&self, group: usize) -> &[u16] {
        &self.sums[group * self.length..][..self.length]
    }

    /// All strips, group by group.
    pub(super) fn all(&self) -> &[u16] {
        &self.sums
    }
}
