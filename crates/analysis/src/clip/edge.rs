//! Where a clip may begin and end without cutting somebody short.

use lectern_domain::TimeRange;

use super::rules::ClipRules;
use crate::segment_ref::TranscriptSegmentRef;
use crate::span::Span;

/// The most silence a clip begins or ends with, in seconds.
const BREATH: f64 = 1.0;

/// The silences of a recording and the borders of its transcript's segments.
#[derive(Debug)]
pub(super) struct Edges {
    silences: Vec<Span>,
    borders: Vec<f64>,
}

/// A place an edge may be moved to; the less its rank the better.
#[derive(Debug, Clone, Copy)]
struct Place {
    at: f64,
    rank: u8,
}

#[derive(Debug, Clone, Copy)]
enum Side {
    Start,
    End,
}

impl Edges {
    /// Of the transcript, which is in order, the borders are where one segment
    /// has ended before the next begins: the middle of what is between.
    pub(super) fn new(silences: &[TimeRange], spoken: &[TranscriptSegmentRef<'_>]) -> Self {
        let mut borders = Vec::new();
        let mut said_until = f64::INFINITY;
        for time in spoken.iter().map(|segment| segment.time) {
            if said_until <= time.start() {
                borders.push(said_until.midpoint(time.start()));
            }
            said_until = match said_until {
                f64::INFINITY => time.end(),
                until => until.max(time.end()),
            };
        }
        // Where many segments begin at once, there is one border.
        borders.dedup();
        Self {
            silences: Span::unite(silences.iter().copied().map(Span::from).collect()),
            borders,
        }
    }

    /// Moves both edges of `span`, each by at most `snap_within`, to a silence;
    /// where there is none, to a border of the transcript; where there is none
    /// either, not at all. Of the possible pairs that keep the clip in `bounds`,
    /// within its least and greatest length, and around `moment`, the one with
    /// the better places wins, then the one that moves less.
    ///
    /// In a silence the place is its middle, or, when it is long, a second
    /// from where the clip's speech begins or ends.
    pub(super) fn snap(&self, span: Span, moment: f64, bounds: Span, rules: &ClipRules) -> Span {
        let starts = self.near(span.start, Side::Start, rules.snap_within);
        let ends = self.near(span.end, Side::End, rules.snap_within);
        let pairs = starts
            .iter()
            .flat_map(|start| ends.iter().map(move |end| (start, end)));
        let fits = |(start, end): &(&Place, &Place)| {
            let length = end.at - start.at;
            bounds.start <= start.at
                && end.at <= bounds.end
                && (start.at..=end.at).contains(&moment)
                && (rules.min_length..=rules.max_length).contains(&length)
        };
        let moved = |(start, end): (&Place, &Place)| {
            (start.at - span.start).abs() + (end.at - span.end).abs()
        };
        pairs
            .filter(fits)
            .min_by(|a, b| {
                let ranks = |pair: &(&Place, &Place)| pair.0.rank + pair.1.rank;
                ranks(a)
                    .cmp(&ranks(b))
                    .then_with(|| moved(*a).total_cmp(&moved(*b)))
            })
            .map_or(span, |(start, end)| Span::new(start.at, end.at))
    }

    fn near(&self, edge: f64, side: Side, within: f64) -> Vec<Place> {
        let reach = Span::new(edge - within, edge + within);
        let silent = self
            .silences
            .iter()
            .filter(|silence| silence.within(reach).is_some());
        let silent = silent.map(|silence| {
            let at = match side {
                Side::Start => silence.middle().max(silence.end - BREATH),
                Side::End => silence.middle().min(silence.start + BREATH),
            };
            // Still in the silence: it goes on from within reach to `at`.
            let at = at.clamp(reach.start, reach.end);
            Place { at, rank: 0 }
        });
        let borders = self
            .borders
            .iter()
            .filter(|at| (reach.start..=reach.end).contains(at));
        let borders = borders.map(|&at| Place { at, rank: 1 });
        let unmoved = Place { at: edge, rank: 2 };
        silent.chain(borders).chain([unmoved]).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULES: ClipRules = ClipRules {
        min_clips: 3,
        max_clips: 8,
        min_length: 20.0,
        max_length: 120.0,
        snap_within: 5.0,
    };

    fn times(ranges: &[(f64, f64)]) -> Vec<TimeRange> {
        let time = |&(start, end): &(f64, f64)| TimeRange::new(start, end).unwrap();
        ranges.iter().map(time).collect()
    }

    fn spoken(ranges: &[(f64, f64)]) -> Vec<TranscriptSegmentRef<'static>> {
        let say = |time| TranscriptSegmentRef { time, text: "so" };
        times(ranges).into_iter().map(say).collect()
    }

    fn snapped(silences: &[(f64, f64)], said: &[(f64, f64)], span: (f64, f64)) -> (f64, f64) {
        let middle = span.0.midpoint(span.1);
        snapped_around(middle, silences, said, span)
    }

    fn snapped_around(
        moment: f64,
        silences: &[(f64, f64)],
        said: &[(f64, f64)],
        span: (f64, f64),
    ) -> (f64, f64) {
        let edges = Edges::new(&times(silences), &spoken(said));
        let span = Span::new(span.0, span.1);
        let span = edges.snap(span, moment, Span::new(0.0, 500.0), &RULES);
        (span.start, span.end)
    }

    #[test]
    fn edges_go_to_the_middle_of_the_nearest_silence() {
        let silences = [(96.0, 97.0), (102.0, 103.0), (163.0, 164.0)];
        assert_eq!(snapped(&silences, &[], (100.0, 160.0)), (102.5, 163.5));
    }

    #[test]
    fn a_long_silence_is_left_a_second_from_the_speech() {
        let silences = [(90.0, 100.0), (160.0, 180.0)];
        assert_eq!(snapped(&silences, &[], (100.0, 160.0)), (99.0, 161.0));
    }

    #[test]
    fn an_edge_deep_in_a_silence_stays_in_it() {
        assert_eq!(
            snapped(&[(90.0, 130.0)], &[], (100.0, 160.0)),
            (105.0, 160.0)
        );
    }

    #[test]
    fn without_a_silence_edges_go_between_what_is_said() {
        let said = [
            (90.0, 98.0),
            (98.4, 120.0),
            (120.0, 158.0),
            (158.0, 170.0),
            (165.0, 200.0),
        ];
        assert_eq!(snapped(&[], &said, (100.0, 160.0)), (98.2, 158.0));
        assert_eq!(
            snapped(&[(104.0, 105.0)], &said, (100.0, 160.0)),
            (104.5, 158.0)
        );
    }

    #[test]
    fn edges_stay_where_nothing_is_near_or_the_clip_would_not_fit() {
        assert_eq!(
            snapped(&[(80.0, 90.0)], &[], (100.0, 160.0)),
            (100.0, 160.0)
        );
        assert_eq!(
            snapped(&[(102.0, 103.0)], &[], (100.0, 120.0)),
            (100.0, 120.0)
        );
        assert_eq!(
            snapped(&[(498.0, 520.0)], &[], (400.0, 499.5)),
            (400.0, 499.0)
        );
    }

    #[test]
    fn edges_stay_around_what_the_clip_is_about() {
        let silences = [(103.0, 105.0), (157.0, 158.0)];
        let around = |moment| snapped_around(moment, &silences, &[], (100.0, 160.0));
        assert_eq!(around(130.0), (104.0, 157.5));
        assert_eq!(around(101.0), (100.0, 157.5));
        assert_eq!(around(159.0), (104.0, 160.0));
    }

    proptest! {
        #[test]
        fn no_edge_moves_further_than_it_may(
            silences in prop::collection::vec((0.0..400.0_f64, 0.0..20.0_f64), 0..40),
            start in 0.0..380.0_f64,
            length in 20.0..120.0_f64,
            share in 0.0..=1.0_f64,
        ) {
            let silences: Vec<_> = silences.into_iter().map(|(start, length)| (start, start + length)).collect();
            let moment = start + share * length;
            let span = snapped_around(moment, &silences, &silences, (start, start + length));
            prop_assert!(span.0 <= moment && moment <= span.1);
            prop_assert!((span.0 - start).abs() <= 5.0 + 1e-9);
            prop_assert!((span.1 - start - length).abs() <= 5.0 + 1e-9);
            prop_assert!((20.0 - 1e-9..=120.0 + 1e-9).contains(&(span.1 - span.0)));
            prop_assert!(0.0 <= span.0 && span.1 <= 500.0);
        }
    }
}
