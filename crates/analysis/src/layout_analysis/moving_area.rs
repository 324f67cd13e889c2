//! Finds the area of the picture that keeps moving.
//!
//! Blocks that change often enough in calm pairs are grouped into connected
//! components. Small components are dropped; the rest is the moving area. The
//! running time is linear in the number of blocks.

use super::motion::Motion;
use super::profile::BLOCK_SIZE;
use super::rectangle::Rectangle;

/// The largest distance between neighbours in a connected component, in blocks
/// along each axis: gaps of up to two blocks do not split a component.
const NEIGHBOURHOOD: usize = 3;
/// A component is kept if the largest component is at most this many times as large. The
/// largest component alone would not be enough: a head may move separately from the hands.
const MAX_SIZE_RATIO: usize = 4;

/// Blocks that keep moving, as `(column, row)`.
#[derive(Debug)]
pub(super) struct MovingArea {
    blocks: Vec<(usize, usize)>,
}

impl MovingArea {
    /// The blocks that change in at least the fraction `min_change_rate` of the
    /// calm pairs, without small connected components.
    pub(super) fn find(motion: &Motion, min_change_rate: f64) -> Self {
        let moving: Vec<bool> = motion
            .change_rates
            .iter()
            .map(|&rate| rate >= min_change_rate)
            .collect();
        let mut components = connected_components(&moving, motion.columns, motion.rows);
        let largest = components.iter().map(Vec::len).max().unwrap_or(0);
        components.retain(|component| component.len() * MAX_SIZE_RATIO >= largest);
        let blocks = components.into_iter().flatten();
        Self {
            blocks: blocks
                .map(|block| (block % motion.columns, block / motion.columns))
                .collect(),
        }
    }

    /// In pixels.
    pub(super) fn area(&self) -> usize {
        self.blocks.len() * BLOCK_SIZE * BLOCK_SIZE
    }

    /// The bounding box in pixels, without the outermost 2 % of the blocks on
    /// each side, which are often scattered by encoding artefacts.
    pub(super) fn bounding_box(&self) -> Rectangle {
        let (left, right) = trimmed_range(self.blocks.iter().map(|block| block.0).collect());
        let (top, bottom) = trimmed_range(self.blocks.iter().map(|block| block.1).collect());
        Rectangle {
            left,
            top,
            right,
            bottom,
        }
    }
}

/// Groups the marked blocks of a grid by breadth-first search.
fn connected_components(marked: &[bool], columns: usize, rows: usize) -> Vec<Vec<usize>> {
    let mut visited = vec![false; marked.len()];
    let mut components = Vec::new();
    for start in 0..marked.len() {
        if !marked[start] || visited[start] {
            continue;
        }
        visited[start] = true;
        let mut component = vec![start];
        let mut next = 0;
        while let Some(&block) = component.get(next) {
            next += 1;
            for neighbour in neighbours(block, columns, rows) {
                if marked[neighbour] && !visited[neighbour] {
                    visited[neighbour] = true;
                    component.push(neighbour);
                }
            }
        }
        components.push(component);
    }
    components
}

/// The blocks at most [`NEIGHBOURHOOD`] away along each axis.
fn neighbours(block: usize, columns: usize, rows: usize) -> impl Iterator<Item = usize> {
    let around = |position: usize, count: usize| {
        position.saturating_sub(NEIGHBOURHOOD)..(position + NEIGHBOURHOOD + 1).min(count)
    };
    let nearby_columns = around(block % columns, columns);
    around(block / columns, rows).flat_map(move |row| {
        nearby_columns
            .clone()
            .map(move |column| row * columns + column)
    })
}

/// The pixels along one axis from the first to the last of the block `positions`, without
/// the outermost 2 % of the blocks at each end.
fn trimmed_range(mut positions: Vec<usize>) -> (usize, usize) {
    positions.sort_unstable();
    let trimmed = positions.len() / 50;
    let first = positions.get(trimmed).map_or(0, |block| block * BLOCK_SIZE);
    let last = positions
        .iter()
        .rev()
        .nth(trimmed)
        .map_or(0, |block| (block + 1) * BLOCK_SIZE);
    (first, last)
}
