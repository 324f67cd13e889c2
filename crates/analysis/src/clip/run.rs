//! Finds the passages of a segment that make the best clip.
//!
//! Every run of consecutive passages with a permitted length is scored: by how much its
//! sentences say about the topic of the segment, by how it begins and ends, and by its
//! length. The running time is linear in the number of passages, times those that fit into a
//! clip.

use std::collections::HashSet;
use std::ops::Range;

use super::cut::clip_span;
use super::passage::{Opening, Passage};
use crate::time_span::TimeSpan;

// How much the properties of a run count.
const TOPIC: f64 = 1.0;
const LENGTH: f64 = 1.0;
const LEAD_IN: f64 = 0.6;
const CONNECTIVE_START: f64 = -1.8;
const CONNECTIVE_NEXT: f64 = -0.3;
const LEAD_IN_NEXT: f64 = 0.4;
const SEGMENT_START: f64 = 0.6;
const SEGMENT_END: f64 = 0.4;
const SUBJECT_CHANGE: f64 = 0.5;
const QUESTION_AT_END: f64 = -1.5;
const UNCERTAIN_BOUNDARY: f64 = -10.0;
const IMPROBABLE_BOUNDARY: f64 = -6.0;
/// The certainty below which a sentence probably does not begin there.
const MIN_CERTAINTY: f64 = 0.45;
const ESTIMATED_PAUSE: f64 = -1.0;
const SILENT_TIME: f64 = -2.0;
/// The longest time without speech inside a clip, in seconds.
const MAX_INNER_PAUSE: f64 = 15.0;
/// The greatest fraction of a clip's time that is not speech.
const MAX_SILENT: f64 = 0.6;
/// The standard deviation of the logarithm of the length.
const LOG_LENGTH_DEVIATION: f64 = 0.45;
/// The most distinct terms of the topic that count in one passage.
const MAX_TOPIC_TERMS: usize = 4;

/// The permitted lengths of a run, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Lengths {
    pub(super) min: f64,
    pub(super) max: f64,
    /// The preferred length.
    pub(super) target: f64,
}

/// How probable it must be that a sentence begins where a run begins, and where it has ended: 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct MinCertainty(pub(super) f64);

/// A run of passages.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    pub(super) passages: Range<usize>,
    /// With margins, as the clip is cut.
    pub(super) span: TimeSpan,
    pub(super) score: f64,
}

/// The passages among which a run is searched.
#[derive(Debug, Clone)]
pub(super) struct Search<'a> {
    pub(super) passages: &'a [Passage],
    /// The keys of the segment's keywords.
    pub(super) keys: &'a HashSet<String>,
    /// The passages of the segment.
    pub(super) segment: Range<usize>,
    /// The passages that may be in the run. If they are more than the segment, the run
    /// contains the segment.
    pub(super) permitted: Range<usize>,
    pub(super) recording: TimeSpan,
}

impl Search<'_> {
    /// The run with the highest score, the first of equals, among those whose edges are certain
    /// enough. Passages for which `is_excluded` are in no run.
    pub(super) fn best(
        &self,
        lengths: Lengths,
        min_certainty: MinCertainty,
        is_excluded: impl Fn(usize) -> bool,
    ) -> Option<Run> {
        let values: Vec<f64> = self.permitted.clone().map(|i| self.value(i)).collect();
        let value = |i: usize| values[i - self.permitted.start];
        let weighted = |i: usize| value(i) * self.passages[i].span.length();
        let total_time: f64 = self.permitted.clone().map(|i| self.length(i)).sum();
        let mean = self.permitted.clone().map(weighted).sum::<f64>() / total_time.max(1e-9);
        let must_contain_segment = self.permitted != self.segment;
        let mut best: Option<Run> = None;
        for first in self.permitted.clone() {
            if self.certainty(first) < min_certainty.0 {
                continue;
            }
            let (mut topic, mut time) = (0.0, 0.0);
            for last in first..self.permitted.end {
                if is_excluded(last) || last > first && self.pause_before(last) > MAX_INNER_PAUSE {
                    break;
                }
                topic += weighted(last);
                time += self.length(last);
                let span = clip_span(self.passages, first, last, self.recording);
                if span.length() > lengths.max {
                    break;
                }
                let contains_segment = first <= self.segment.start && self.segment.end <= last + 1;
                if self.certainty(last + 1) < min_certainty.0 {
                    continue;
                }
                if span.length() < lengths.min || must_contain_segment && !contains_segment {
                    continue;
                }
                let relative = if mean > 0.0 {
                    topic / time.max(1e-9) / mean
                } else {
                    1.0
                };
                let deviation = (span.length() / lengths.target).ln() / LOG_LENGTH_DEVIATION;
                let silent = 1.0 - (time / span.length()).min(1.0);
                if silent > MAX_SILENT {
                    continue;
                }
                let score = TOPIC * relative.min(2.0) - LENGTH * deviation * deviation / 2.0
                    + SILENT_TIME * silent
                    + self.start_score(first)
                    + self.end_score(last);
                if best.as_ref().is_none_or(|best| score > best.score) {
                    best = Some(Run {
                        passages: first..last + 1,
                        span,
                        score,
                    });
                }
            }
        }
        best
    }

    fn pause_before(&self, i: usize) -> f64 {
        self.passages[i].span.start - self.passages[i - 1].span.end
    }

    fn length(&self, i: usize) -> f64 {
        self.passages[i].span.length()
    }

    /// How much a passage says about the topic.
    fn value(&self, i: usize) -> f64 {
        let passage = &self.passages[i];
        let terms = passage
            .keys
            .iter()
            .filter(|key| self.keys.contains(*key))
            .count();
        terms.min(MAX_TOPIC_TERMS) as f64 + 0.5 * passage.emphasis.min(2) as f64
    }

    fn start_score(&self, first: usize) -> f64 {
        let passage = &self.passages[first];
        let opening = match passage.opening {
            Opening::LeadIn => LEAD_IN,
            Opening::Neutral => 0.0,
            Opening::Connective => CONNECTIVE_START,
        };
        let place = if first == self.segment.start {
            SEGMENT_START
        } else {
            0.0
        };
        opening + place + self.boundary_score(first)
    }

    fn end_score(&self, last: usize) -> f64 {
        let question = if self.passages[last].is_question {
            QUESTION_AT_END
        } else {
            0.0
        };
        let place = if last + 1 == self.segment.end {
            SEGMENT_END
        } else {
            0.0
        };
        let next = match self.passages.get(last + 1).map(|next| next.opening) {
            Some(Opening::LeadIn) => LEAD_IN_NEXT,
            Some(Opening::Connective) => CONNECTIVE_NEXT,
            Some(Opening::Neutral) | None => 0.0,
        };
        question + place + next + self.boundary_score(last + 1)
    }

    /// The probability that a sentence begins with a passage; 1 at both ends of the recording, and
    /// where there is no text.
    fn certainty(&self, i: usize) -> f64 {
        let passage = self.passages.get(i).filter(|_| i > 0);
        let spoken = passage.filter(|passage| !passage.text.is_empty());
        spoken.map_or(1.0, |passage| passage.certainty)
    }

    /// How good the place before a passage is for a cut. The start and the end of the
    /// recording are good places.
    fn boundary_score(&self, i: usize) -> f64 {
        let Some(passage) = self.passages.get(i).filter(|_| i > 0) else {
            return 0.0;
        };
        let estimated = if passage.is_start_known {
            0.0
        } else {
            ESTIMATED_PAUSE
        };
        let improbable = if passage.certainty < MIN_CERTAINTY {
            IMPROBABLE_BOUNDARY
        } else {
            0.0
        };
        UNCERTAIN_BOUNDARY * (1.0 - passage.certainty)
            + improbable
            + estimated
            + SUBJECT_CHANGE * (passage.subject_change - 0.5)
    }
}
