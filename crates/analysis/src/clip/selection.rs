//! Selects clips from the segments of a recording.
//!
//! One clip is taken from each segment, the most important first, until the number or the
//! total length of clips is reached. A segment whose keywords are those of a segment that has a
//! clip already comes later. Only if there are too few segments, further clips are taken
//! from them. Housekeeping gives a clip only if nothing else does.

use std::collections::HashSet;
use std::ops::Range;

use super::passage::Passage;
use super::rules::ClipRules;
use super::run::{Lengths, MinCertainty, Run, Search};
use crate::time_span::TimeSpan;

/// How much less important a segment is for a clip if it has the same keywords as one
/// that already has a clip.
const SAME_TOPIC: f64 = 0.8;
/// The preferred length of a clip, in seconds, if the rules permit it: about the time in
/// which a lecturer explains one idea.
const IDEA_LENGTH: f64 = 50.0;
/// Where there is no punctuation, it is not certain where sentences begin. Clips with edges of
/// the first certainty are taken first, and those with any edges only from segments without a
/// better clip.
const MIN_CERTAINTIES: [f64; 3] = [0.55, 0.45, 0.0];
/// A segment is housekeeping if more than this fraction of its time is.
const MAX_HOUSEKEEPING: f64 = 0.5;

/// A segment from which clips may be taken.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) span: TimeSpan,
    /// 0 to 1.
    pub(super) importance: f64,
    /// The keys of the terms in its keywords.
    pub(super) keys: HashSet<String>,
    /// Indices of its passages.
    pub(super) passages: Range<usize>,
}

/// A selected clip.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Selection {
    /// Index of the candidate.
    pub(super) candidate: usize,
    pub(super) run: Run,
}

/// Selects from these candidates.
pub(super) struct ClipSelector<'a> {
    pub(super) candidates: &'a [Candidate],
    pub(super) passages: &'a [Passage],
    pub(super) recording: TimeSpan,
    pub(super) rules: &'a ClipRules,
}

impl ClipSelector<'_> {
    /// Selects clips in order of time.
    ///
    /// While there are too few clips, the maximum length is halved, down to the
    /// minimum length. The attempt with the most clips is used; of attempts with
    /// equally many clips, the one with the greatest maximum length.
    pub(super) fn select(&self) -> Vec<Selection> {
        let content: Vec<usize> = (0..self.candidates.len())
            .filter(|&i| !self.is_housekeeping(i))
            .collect();
        let all: Vec<usize> = (0..self.candidates.len()).collect();
        let mut selected = self.select_from(&content, true);
        if selected.is_empty() {
            selected = self.select_from(&all, true);
        }
        if selected.is_empty() {
            selected = self.select_from(&all, false);
        }
        selected.sort_by(|a, b| a.run.span.start.total_cmp(&b.run.span.start));
        selected
    }

    fn select_from(&self, candidates: &[usize], skips_housekeeping: bool) -> Vec<Selection> {
        let mut max_length = self.rules.max_length;
        let mut selected = self.select_up_to(max_length, candidates, skips_housekeeping);
        while selected.len() < self.rules.min_clips && max_length > self.rules.min_length {
            max_length = (max_length / 2.0).max(self.rules.min_length);
            let shorter = self.select_up_to(max_length, candidates, skips_housekeeping);
            if shorter.len() > selected.len() {
                selected = shorter;
            }
        }
        selected
    }

    /// Takes one clip from each candidate, up to the maximum number, first those whose edges are
    /// most certain. While there are fewer than the minimum number, takes further clips from the
    /// passages of the candidates that are not in a clip yet.
    fn select_up_to(
        &self,
        max_length: f64,
        candidates: &[usize],
        skips_housekeeping: bool,
    ) -> Vec<Selection> {
        let budget = self.rules.budget(self.recording.length());
        let mut used = 0.0;
        let mut selected: Vec<Selection> = Vec::new();
        let mut is_taken = vec![false; self.passages.len()];
        let mut certainties = MIN_CERTAINTIES.into_iter();
        loop {
            let previous_count = selected.len();
            // `None`: each candidate had its turn, and further clips are taken.
            let certainty = certainties.next();
            let max_count = match certainty {
                Some(_) => self.rules.max_clips,
                None => self.rules.min_clips,
            };
            let min_certainty = MinCertainty(certainty.unwrap_or(0.0));
            let mut remaining = candidates.to_vec();
            while selected.len() < max_count {
                let Some(candidate) = self.take_next(&mut remaining, &selected) else {
                    break;
                };
                let lengths =
                    self.lengths(max_length, budget - used, candidates.len(), selected.len());
                let is_excluded = |i: usize| {
                    is_taken[i] || skips_housekeeping && self.passages[i].is_housekeeping
                };
                let is_first = selected.iter().all(|clip| clip.candidate != candidate);
                if certainty.is_some() && !is_first {
                    continue;
                }
                let Some(run) =
                    self.best_run(candidate, lengths, min_certainty, is_first, is_excluded)
                else {
                    continue;
                };
                is_taken[run.passages.clone()].fill(true);
                used += run.span.length();
                selected.push(Selection { candidate, run });
            }
            if certainty.is_some() {
                continue;
            }
            if selected.len() == previous_count || selected.len() >= self.rules.min_clips {
                return selected;
            }
        }
    }

    /// The lengths of the next clip, if `budget` seconds are left. The budget is shared
    /// equally between the clips that will be made.
    fn lengths(&self, max_length: f64, budget: f64, candidates: usize, selected: usize) -> Lengths {
        let ClipRules {
            min_length,
            min_clips,
            max_clips,
            ..
        } = *self.rules;
        let count = candidates
            .clamp(min_clips.max(1), max_clips)
            .saturating_sub(selected)
            .max(1);
        let share = budget / count as f64;
        Lengths {
            min: min_length,
            max: max_length.min(budget),
            target: share
                .min(IDEA_LENGTH)
                .clamp(min_length, (max_length * 0.75).max(min_length)),
        }
    }

    /// Removes and returns the most important of the remaining candidates, given those that
    /// have a clip already; the first of equals.
    fn take_next(&self, remaining: &mut Vec<usize>, selected: &[Selection]) -> Option<usize> {
        let utility = |&i: &usize| {
            let candidate = &self.candidates[i];
            let similarity = selected
                .iter()
                .filter(|clip| clip.candidate != i)
                .map(|clip| similarity(&candidate.keys, &self.candidates[clip.candidate].keys))
                .fold(0.0, f64::max);
            candidate.importance - SAME_TOPIC * similarity
        };
        let best = first_max(0..remaining.len(), |&position| {
            utility(&remaining[position])
        })?;
        Some(remaining.remove(best))
    }

    /// The best run of a candidate. If it is too short for a clip, its first clip also
    /// contains passages around it.
    fn best_run(
        &self,
        candidate: usize,
        lengths: Lengths,
        min_certainty: MinCertainty,
        is_first: bool,
        is_excluded: impl Fn(usize) -> bool,
    ) -> Option<Run> {
        let candidate = &self.candidates[candidate];
        let segment = candidate.passages.clone();
        if segment.is_empty() {
            return None;
        }
        let search = |permitted| Search {
            passages: self.passages,
            keys: &candidate.keys,
            segment: segment.clone(),
            permitted,
            recording: self.recording,
        };
        let found = search(segment.clone()).best(lengths, min_certainty, &is_excluded);
        let is_short = candidate.span.length() < lengths.min;
        if found.is_some() || !is_first || !is_short {
            return found;
        }
        let reach = lengths.max;
        let near = |passage: &Passage| {
            passage.span.start >= candidate.span.start - reach
                && passage.span.end <= candidate.span.end + reach
        };
        let before = self.passages[..segment.start]
            .iter()
            .rev()
            .take_while(|passage| near(passage));
        let after = self.passages[segment.end..]
            .iter()
            .take_while(|passage| near(passage));
        let permitted = segment.start - before.count()..segment.end + after.count();
        search(permitted).best(lengths, min_certainty, &is_excluded)
    }

    fn is_housekeeping(&self, candidate: usize) -> bool {
        let passages = &self.passages[self.candidates[candidate].passages.clone()];
        let time = |passage: &Passage| passage.span.length();
        let total: f64 = passages.iter().map(time).sum();
        let housekeeping = passages.iter().filter(|passage| passage.is_housekeeping);
        housekeeping.map(time).sum::<f64>() > MAX_HOUSEKEEPING * total
    }
}

/// The cosine similarity of two sets, 0 to 1.
fn similarity(a: &HashSet<String>, b: &HashSet<String>) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    a.intersection(b).count() as f64 / ((a.len() * b.len()) as f64).sqrt()
}

/// The item with the highest `key`; the first of equal items, unlike [`Iterator::max_by`].
pub(super) fn first_max<T>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> f64,
) -> Option<T> {
    items.into_iter().reduce(|best, item| {
        if key(&item).total_cmp(&key(&best)).is_gt() {
            item
        } else {
            best
        }
    })
}
