//! What moves, and how often.

use super::film::Film;
use super::rectangle::Rectangle;
use super::strips::{STRIP, Strips};

/// The least change, in levels of gray, that is taken for one. Video encoders
/// leave less than that of a picture that stands still.
const LEAST: f64 = 4.0;
/// How many times the noise a change must be. A cell averages sixteen pixels
/// and a strip four, so this is about six deviations of a cell, and three of a
/// strip, when the noise of neighbouring pixels is independent, and half as
/// many when scaling and encoding have smeared it over two.
const TIMES_NOISE: f64 = 3.0;

/// In which pairs of neighbouring samples which cell of 4 by 4 pixels changed.
#[derive(Debug)]
pub(super) struct Motion {
    /// Cells in a row.
    columns: usize,
    /// Rows of cells.
    rows: usize,
    /// From how many levels of gray on a strip has changed.
    pub(super) threshold: f64,
    /// Which pairs are calm: the half in which least changed.
    pub(super) calm: Vec<usize>,
    /// For each pair, which cells changed, row by row.
    pairs: Vec<Vec<bool>>,
    /// In which share of the calm pairs each cell changed.
    shares: Vec<f64>,
}

impl Motion {
    pub(super) fn of(film: &Film) -> Self {
        let (columns, rows) = match film.samples.first() {
            Some(first) => (first.lying.groups, first.upright.groups),
            None => (0, 0),
        };
        let upright = |sample: usize| &film.samples[sample].upright;
        let changes: Vec<_> = film
            .pairs
            .iter()
            .map(|&(before, after)| Change::between(upright(before), upright(after), columns))
            .collect();
        let threshold = LEAST.max(TIMES_NOISE * noise(&changes, columns * rows));
        let pairs: Vec<Vec<bool>> = changes
            .iter()
            .map(|change| {
                change
                    .means
                    .iter()
                    .map(|mean| mean.abs() >= threshold)
                    .collect()
            })
            .collect();
        let mut calm: Vec<usize> = (0..pairs.len()).collect();
        calm.sort_by_key(|&pair| pairs[pair].iter().filter(|&&changed| changed).count());
        calm.truncate(pairs.len().div_ceil(2));
        let shares = (0..columns * rows)
            .map(|cell| share(calm.iter().map(|&pair| pairs[pair][cell])))
            .collect();
        Self {
            columns,
            rows,
            threshold,
            calm,
            pairs,
            shares,
        }
    }

    /// For each pair, whether at least `part` of the cells changed of those
    /// that `belongs` picks by column and row.
    pub(super) fn changes(&self, part: f64, belongs: impl Fn(usize, usize) -> bool) -> Vec<bool> {
        let cells: Vec<usize> = (0..self.shares.len())
            .filter(|cell| belongs(cell % self.columns, cell / self.columns))
            .collect();
        let changed = |pair: &Vec<bool>| share(cells.iter().map(|&cell| pair[cell])) >= part;
        self.pairs.iter().map(changed).collect()
    }

    /// The patches of cells that change in at least `often` of the calm pairs:
    /// the largest, and those at least a quarter as large (a head may move
    /// apart from the hands). Gaps of up to two cells do not part a patch.
    pub(super) fn patches(&self, often: f64) -> Patches {
        let moving: Vec<bool> = self.shares.iter().map(|&share| share >= often).collect();
        let mut seen = vec![false; moving.len()];
        let mut patches: Vec<Vec<usize>> = Vec::new();
        for start in 0..moving.len() {
            if !moving[start] || seen[start] {
                continue;
            }
            seen[start] = true;
            let mut patch = vec![start];
            let mut next = 0;
            while let Some(&cell) = patch.get(next) {
                next += 1;
                for near in self.near(cell) {
                    if moving[near] && !seen[near] {
                        seen[near] = true;
                        patch.push(near);
                    }
                }
            }
            patches.push(patch);
        }
        let largest = patches.iter().map(Vec::len).max().unwrap_or(0);
        patches.retain(|patch| patch.len() * 4 >= largest);
        let cells = patches.iter().flatten();
        Patches {
            cells: cells
                .map(|cell| (cell % self.columns, cell / self.columns))
                .collect(),
        }
    }

    /// The cells at most three away in both directions.
    fn near(&self, cell: usize) -> impl Iterator<Item = usize> + use<> {
        let (column, row, columns, rows) = (
            cell % self.columns,
            cell / self.columns,
            self.columns,
            self.rows,
        );
        let across = column.saturating_sub(3)..(column + 4).min(columns);
        (row.saturating_sub(3)..(row + 4).min(rows))
            .flat_map(move |row| across.clone().map(move |column| row * columns + column))
    }
}

/// Cells that keep moving, by column and row.
#[derive(Debug)]
pub(super) struct Patches {
    cells: Vec<(usize, usize)>,
}

impl Patches {
    /// How many pixels the cells have.
    pub(super) fn pixels(&self) -> usize {
        self.cells.len() * STRIP * STRIP
    }

    /// The rectangle around them, in pixels, but for one in fifty on each side:
    /// encoding scatters a few.
    pub(super) fn extent(&self) -> Rectangle {
        let (left, right) = range(self.cells.iter().map(|cell| cell.0).collect());
        let (top, bottom) = range(self.cells.iter().map(|cell| cell.1).collect());
        Rectangle {
            left,
            top,
            right,
            bottom,
        }
    }
}

/// From where to where nearly all of them are, in pixels.
fn range(mut cells: Vec<usize>) -> (usize, usize) {
    cells.sort_unstable();
    let few = cells.len() / 50;
    let first = cells.get(few).map_or(0, |cell| cell * STRIP);
    let last = cells
        .iter()
        .rev()
        .nth(few)
        .map_or(0, |cell| (cell + 1) * STRIP);
    (first, last)
}

/// How one sample differs from the one before, cell by cell.
struct Change {
    /// By how many levels of gray on average.
    means: Vec<f64>,
    /// The variance among a cell's four strips.
    variances: Vec<f64>,
}

impl Change {
    fn between(before: &Strips, after: &Strips, columns: usize) -> Self {
        let cells = columns * before.groups;
        let (mut means, mut variances) = (Vec::with_capacity(cells), Vec::with_capacity(cells));
        for group in 0..before.groups {
            let (before, after) = (before.group(group), after.group(group));
            for (before, after) in before.chunks_exact(STRIP).zip(after.chunks_exact(STRIP)) {
                let (mut sum, mut squares) = (0, 0);
                for (&before, &after) in before.iter().zip(after) {
                    let by = i32::from(after) - i32::from(before);
                    sum += by;
                    squares += by * by;
                }
                // In quarters of a level, because strips are sums of four.
                let mean = f64::from(sum) / 4.0;
                means.push(mean / 4.0);
                variances.push((f64::from(squares) - 4.0 * mean * mean) / 3.0 / 16.0);
            }
        }
        Self { means, variances }
    }
}

/// The deviation of the changes of strips in what is calm: what a calm cell
/// usually shows, and of all cells the tenth calmest in a hundred.
fn noise(changes: &[Change], cells: usize) -> f64 {
    if changes.is_empty() || cells == 0 {
        return 0.0;
    }
    let mut usual: Vec<f64> = (0..cells)
        .map(|cell| {
            let mut variances: Vec<f64> = changes
                .iter()
                .map(|change| change.variances[cell])
                .collect();
            let middle = variances.len() / 2;
            *variances.select_nth_unstable_by(middle, f64::total_cmp).1
        })
        .collect();
    let calm = cells / 10;
    usual
        .select_nth_unstable_by(calm, f64::total_cmp)
        .1
        .max(0.0)
        .sqrt()
}

/// How many of them hold, from 0 to 1; of none, none.
pub(super) fn share(facts: impl Iterator<Item = bool>) -> f64 {
    let (mut count, mut hold) = (0_u32, 0_u32);
    for fact in facts {
        count += 1;
        hold += u32::from(fact);
    }
    f64::from(hold) / f64::from(count.max(1))
}
