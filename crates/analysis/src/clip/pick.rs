//! Which parts of a recording become clips.

use super::edge::Edges;
use super::rules::ClipRules;
use super::speech::Speech;
use crate::span::Span;

/// A part of the recording that may become clips.
#[derive(Debug)]
pub(super) struct Candidate {
    /// Where it lies in the recording.
    pub(super) span: Span,
    /// How much it matters.
    pub(super) importance: f64,
    /// What its keywords are compared by.
    pub(super) keys: Vec<String>,
}

/// A clip: the candidate it comes from and where it lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Choice {
    pub(super) candidate: usize,
    pub(super) span: Span,
}

/// What clips are picked from.
pub(super) struct Picker<'a> {
    pub(super) candidates: &'a [Candidate],
    pub(super) speech: &'a Speech,
    pub(super) edges: &'a Edges,
    pub(super) recording: Span,
    pub(super) rules: &'a ClipRules,
}

impl Picker<'_> {
    /// The clips in the order of time. When the parts do not give enough of
    /// the greatest length, the length is halved until they do, or until
    /// halving it again does not help.
    pub(super) fn pick(&self) -> Vec<Choice> {
        let mut longest = self.rules.max_length;
        let mut picked = self.pick_up_to(longest);
        while picked.len() < self.rules.min_clips && longest > self.rules.min_length {
            longest = (longest / 2.0).max(self.rules.min_length);
            let shorter = self.pick_up_to(longest);
            if shorter.len() > picked.len() {
                picked = shorter;
            }
        }
        picked.sort_by(|a, b| a.span.start.total_cmp(&b.span.start));
        picked
    }

    /// The most important candidates give a clip each; while that is too few,
    /// they give another from what is left of them.
    fn pick_up_to(&self, longest: f64) -> Vec<Choice> {
        let mut ranked: Vec<usize> = (0..self.candidates.len()).collect();
        ranked.sort_by(|&a, &b| {
            let (a, b) = (&self.candidates[a], &self.candidates[b]);
            let by_importance = b.importance.total_cmp(&a.importance);
            by_importance.then_with(|| a.span.start.total_cmp(&b.span.start))
        });
        let mut picked: Vec<Choice> = Vec::new();
        let mut wanted = self.rules.max_clips;
        loop {
            let before = picked.len();
            for &candidate in &ranked {
                if picked.len() >= wanted {
                    return picked;
                }
                let span = self.window(candidate, longest, &picked);
                picked.extend(span.map(|span| Choice { candidate, span }));
            }
            if picked.len() == before {
                return picked;
            }
            wanted = self.rules.min_clips;
        }
    }

    /// The next clip of a candidate, beside those picked already.
    fn window(&self, candidate: usize, longest: f64, picked: &[Choice]) -> Option<Span> {
        let taken = Span::unite(picked.iter().map(|choice| choice.span).collect());
        let Candidate { span, keys, .. } = &self.candidates[candidate];
        let (free, left) = self
            .recording
            .without(&taken)
            .into_iter()
            .filter_map(|free| Some((free, span.within(free)?)))
            // The first of the longest.
            .rev()
            .max_by(|(_, a), (_, b)| a.length().total_cmp(&b.length()))?;
        let first = picked.iter().all(|choice| choice.candidate != candidate);
        let shortest = self.rules.min_length;
        let (shown, window) = if left.length() > longest {
            // Room for its edges to move.
            let length = (longest - self.rules.snap_within).max(shortest);
            let densest = self.speech.densest(keys, left, length, shortest);
            (densest, densest)
        } else if left.length() >= shortest {
            (left, left)
        } else if first && free.length() >= shortest {
            (left, extended(left, shortest, free))
        } else {
            return None;
        };
        // A short part may lie at the edge of its clip, which must not lose it.
        let moment = shown.middle();
        Some(self.edges.snap(window, moment, free, self.rules))
    }
}

/// Extends `span` to `length` on both sides alike, as far as `free` lets it.
fn extended(span: Span, length: f64, free: Span) -> Span {
    let start = span.middle() - length / 2.0;
    let start = start.min(free.end - length).max(free.start);
    Span::new(start, start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_extended_stays_where_it_is_free() {
        let free = Span::new(10.0, 40.0);
        let extend = |start, end| extended(Span::new(start, end), 20.0, free);
        assert_eq!(extend(20.0, 30.0), Span::new(15.0, 35.0));
        assert_eq!(extend(10.0, 12.0), Span::new(10.0, 30.0));
        assert_eq!(extend(38.0, 40.0), Span::new(20.0, 40.0));
    }
}
