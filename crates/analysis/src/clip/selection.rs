//! Selects clips from the content segments of a recording.

use super::keyword_index::KeywordIndex;
use super::rules::ClipRules;
use super::snapping::SnapPoints;
use crate::time_span::TimeSpan;

/// A content segment from which clips may be taken.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) span: TimeSpan,
    /// 0 to 1.
    pub(super) importance: f64,
    /// The keys of the terms in its keywords.
    pub(super) keys: Vec<String>,
}

/// A selected clip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Selection {
    /// Index of the candidate.
    pub(super) candidate: usize,
    pub(super) span: TimeSpan,
}

/// Selects from these candidates.
pub(super) struct ClipSelector<'a> {
    pub(super) candidates: &'a [Candidate],
    pub(super) keyword_index: &'a KeywordIndex,
    pub(super) snap_points: &'a SnapPoints,
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
        let mut max_length = self.rules.max_length;
        let mut selected = self.select_up_to(max_length);
        while selected.len() < self.rules.min_clips && max_length > self.rules.min_length {
            max_length = (max_length / 2.0).max(self.rules.min_length);
            let shorter = self.select_up_to(max_length);
            if shorter.len() > selected.len() {
                selected = shorter;
            }
        }
        selected.sort_by(|a, b| a.span.start.total_cmp(&b.span.start));
        selected
    }

    /// Takes one clip from each candidate, the most important first, up to the
    /// maximum number. While there are fewer than the minimum number, takes further
    /// clips from the parts of the candidates that are not in a clip yet.
    fn select_up_to(&self, max_length: f64) -> Vec<Selection> {
        let by_importance = self.by_importance();
        let mut selected: Vec<Selection> = Vec::new();
        let mut max_count = self.rules.max_clips;
        loop {
            let previous_count = selected.len();
            for &candidate in &by_importance {
                if selected.len() >= max_count {
                    return selected;
                }
                let span = self.next_clip(candidate, max_length, &selected);
                selected.extend(span.map(|span| Selection { candidate, span }));
            }
            if selected.len() == previous_count {
                return selected;
            }
            max_count = self.rules.min_clips;
        }
    }

    /// Indices of the candidates, the most important first, then in order of
    /// time.
    fn by_importance(&self) -> Vec<usize> {
        let mut indices: Vec<usize> = (0..self.candidates.len()).collect();
        indices.sort_by(|&a, &b| {
            let (a, b) = (&self.candidates[a], &self.candidates[b]);
            let by_importance = b.importance.total_cmp(&a.importance);
            by_importance.then_with(|| a.span.start.total_cmp(&b.span.start))
        });
        indices
    }

    /// The next clip of a candidate that does not overlap the `selected` clips.
    fn next_clip(
        &self,
        candidate: usize,
        max_length: f64,
        selected: &[Selection],
    ) -> Option<TimeSpan> {
        let taken = TimeSpan::union(selected.iter().map(|clip| clip.span).collect());
        let Candidate { span, keys, .. } = &self.candidates[candidate];
        // `free` is a gap between the selected clips, and `part` is the part of the
        // candidate in it.
        let free_parts = self
            .recording
            .difference(&taken)
            .into_iter()
            .filter_map(|free| Some((free, span.intersection(free)?)));
        let (free, part) = first_max(free_parts, |(_, part)| part.length())?;
        let is_first = selected.iter().all(|clip| clip.candidate != candidate);
        let min_length = self.rules.min_length;
        let (content, clip) = if part.length() > max_length {
            // Leave room for the boundaries to move.
            let length = (max_length - self.rules.max_snap_distance).max(min_length);
            let window = self
                .keyword_index
                .densest_window(keys, part, length, min_length);
            (window, window)
        } else if part.length() >= min_length {
            (part, part)
        } else if is_first && free.length() >= min_length {
            (part, extended(part, min_length, free))
        } else {
            return None;
        };
        // A short part may be at the edge of its clip, where snapping could
        // remove it: keep at least half of it.
        let anchor = content.midpoint();
        Some(self.snap_points.snap(clip, anchor, free, self.rules))
    }
}

/// Extends `span` to `length` seconds, equally on both sides as far as `bounds`
/// permit.
fn extended(span: TimeSpan, length: f64, bounds: TimeSpan) -> TimeSpan {
    let start = span.midpoint() - length / 2.0;
    let start = start.min(bounds.end - length).max(bounds.start);
    TimeSpan::new(start, start + length)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extended_span_stays_in_bounds() {
        let bounds = TimeSpan::new(10.0, 40.0);
        let extend = |start, end| extended(TimeSpan::new(start, end), 20.0, bounds);
        assert_eq!(extend(20.0, 30.0), TimeSpan::new(15.0, 35.0));
        assert_eq!(extend(10.0, 12.0), TimeSpan::new(10.0, 30.0));
        assert_eq!(extend(38.0, 40.0), TimeSpan::new(20.0, 40.0));
    }
}
