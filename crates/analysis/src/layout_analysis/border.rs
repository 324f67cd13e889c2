//! Straight lines where a camera's picture could begin or end.

use std::ops::{Range, RangeInclusive};

use super::film::{Direction, Film};
use super::motion::Motion;
use super::strips::Strips;

/// In which share of the frames an edge must stand at one place, and in one
/// sense (dark to bright or bright to dark), to count as part of a border.
const PERSISTENT: f64 = 0.7;
/// By which share of the pairs more often it must move on one side of a border
/// than on the other, when there is no edge that stands still.
const LIVELIER: f64 = 0.35;
/// The least step of an edge in levels of gray, whatever the noise.
const LEAST_STEP: f64 = 6.0;
/// The least part of a line that must be there for it to be tried at all.
const TRIED: f64 = 0.5;
/// How many lines are tried for each side of a rectangle, nearest to what moves
/// first.
const MOST_TRIED: usize = 16;

/// Where it can be that a camera's picture begins, and where that it ends, in
/// one direction. A place `p` is the border between the pixels `p - 1` and `p`.
#[derive(Debug)]
pub(super) struct Borders {
    begins: Marks,
    ends: Marks,
}

impl Borders {
    pub(super) fn of(film: &Film, direction: Direction, motion: &Motion) -> Self {
        let threshold = motion.threshold;
        let strips: Vec<&Strips> = film.samples.iter().map(direction).collect();
        let (length, groups) = strips
            .first()
            .map_or((0, 0), |first| (first.length, first.groups));
        let mut begins = Marks::new(length, groups);
        let mut ends = Marks::new(length, groups);
        for group in 0..groups {
            let standing = standing_edges(&strips, group, LEAST_STEP.max(threshold / 2.0));
            let lively = liveliness(&strips, group, film, motion);
            for place in 2..length.saturating_sub(1) {
                let livelier =
                    (lively[place] + lively[place + 1] - lively[place - 1] - lively[place - 2])
                        / 2.0;
                begins.set(place, group, standing[place] || livelier >= LIVELIER);
                ends.set(place, group, standing[place] || -livelier >= LIVELIER);
            }
        }
        begins.count();
        ends.count();
        Self { begins, ends }
    }

    /// Places among `places` where a camera that fills `groups` may begin.
    pub(super) fn beginnings(&self, places: Range<usize>, groups: Range<usize>) -> Vec<usize> {
        let mut places = self.begins.peaks(places, groups);
        places.reverse();
        places.truncate(MOST_TRIED);
        places
    }

    /// Places among `places` where a camera that fills `groups` may end.
    pub(super) fn endings(&self, places: Range<usize>, groups: Range<usize>) -> Vec<usize> {
        let mut places = self.ends.peaks(places, groups);
        places.truncate(MOST_TRIED);
        places
    }

    /// How much of a beginning there is at `place` along `groups`, 0 to 1.
    pub(super) fn begins(&self, place: usize, groups: Range<usize>) -> f64 {
        self.begins.support(place, groups)
    }

    /// How much of a line of either kind there is at best among `places`.
    pub(super) fn best(&self, places: RangeInclusive<usize>, groups: Range<usize>) -> f64 {
        let line = |place| {
            self.begins(place, groups.clone())
                .max(self.ends(place, groups.clone()))
        };
        places.map(line).fold(0.0, f64::max)
    }

    /// How much of an end there is at `place` along `groups`, 0 to 1.
    pub(super) fn ends(&self, place: usize, groups: Range<usize>) -> f64 {
        self.ends.support(place, groups)
    }
}

/// At which places of a group an edge stands in most frames.
fn standing_edges(strips: &[&Strips], group: usize, least: f64) -> Vec<bool> {
    let length = strips.first().map_or(0, |first| first.length);
    let (mut up, mut down) = (vec![0_u32; length], vec![0_u32; length]);
    // Two strips of four pixels on each side.
    let least = least * 8.0;
    for frame in strips {
        for (at, four) in frame.group(group).windows(4).enumerate() {
            let step = (i32::from(four[2]) + i32::from(four[3]))
                - (i32::from(four[0]) + i32::from(four[1]));
            let step = f64::from(step);
            up[at + 2] += u32::from(step >= least);
            down[at + 2] += u32::from(step <= -least);
        }
    }
    let needed = PERSISTENT * strips.len() as f64;
    up.iter()
        .zip(&down)
        .map(|(&up, &down)| f64::from(up.max(down)) >= needed)
        .collect()
}

/// In which share of the calm pairs each strip of a group changed.
fn liveliness(strips: &[&Strips], group: usize, film: &Film, motion: &Motion) -> Vec<f64> {
    let length = strips.first().map_or(0, |first| first.length);
    let mut changed = vec![0_u32; length];
    let threshold = motion.threshold * 4.0;
    for &pair in &motion.calm {
        let (before, after) = film.pairs[pair];
        let both = strips[before]
            .group(group)
            .iter()
            .zip(strips[after].group(group));
        for (changed, (&before, &after)) in changed.iter_mut().zip(both) {
            *changed += u32::from(f64::from(before.abs_diff(after)) >= threshold);
        }
    }
    let pairs = motion.calm.len().max(1) as f64;
    changed
        .into_iter()
        .map(|changed| f64::from(changed) / pairs)
        .collect()
}

/// Which places are marked in which groups, and how many up to each group.
#[derive(Debug)]
struct Marks {
    length: usize,
    /// `counts[group * length + place]`: marks at the place in the groups
    /// before; one more group than there are.
    counts: Vec<u32>,
}

impl Marks {
    fn new(length: usize, groups: usize) -> Self {
        Self {
            length,
            counts: vec![0; length * (groups + 1)],
        }
    }

    fn set(&mut self, place: usize, group: usize, marked: bool) {
        self.counts[(group + 1) * self.length + place] = u32::from(marked);
    }

    fn count(&mut self) {
        for at in self.length..self.counts.len() {
            self.counts[at] += self.counts[at - self.length];
        }
    }

    fn support(&self, place: usize, groups: Range<usize>) -> f64 {
        if place >= self.length || groups.is_empty() {
            return 0.0;
        }
        let upto = |group: usize| self.counts[group * self.length + place];
        f64::from(upto(groups.end) - upto(groups.start)) / groups.len() as f64
    }

    /// The lines, each the middle of where it is at its best.
    fn peaks(&self, places: Range<usize>, groups: Range<usize>) -> Vec<usize> {
        let support = |place: usize| self.support(place, groups.clone());
        let mut peaks = Vec::new();
        let mut place = places.start;
        while place < places.end {
            let here = support(place);
            let mut end = place + 1;
            while end < places.end && support(end) >= here && support(end) <= here {
                end += 1;
            }
            let higher_before = place > 0 && support(place - 1) > here;
            if here >= TRIED && !higher_before && support(end) < here {
                peaks.push(usize::midpoint(place, end - 1));
            }
            place = end;
        }
        peaks
    }
}
