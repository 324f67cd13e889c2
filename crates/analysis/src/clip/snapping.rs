//! Moves the boundaries of a clip to places without speech.
//!
//! A boundary may move to a silence, or to a gap between two transcript
//! segments. All pairs of nearby snap points for start and end are compared;
//! silences are preferred to gaps, and gaps to the original position. The
//! running time is linear in the number of silences and gaps, plus the number
//! of pairs within reach.

use lectern_domain::TimeRange;

use super::rules::ClipRules;
use crate::segment_ref::TranscriptSegmentRef;
use crate::time_span::TimeSpan;

/// The maximum silence at the start and the end of a clip, in seconds.
const MAX_EDGE_SILENCE: f64 = 1.0;

/// The places without speech in a recording.
#[derive(Debug)]
pub(super) struct SnapPoints {
    silences: Vec<TimeSpan>,
    /// Midpoints of the gaps between transcript segments, in seconds,
    /// ascending.
    gaps: Vec<f64>,
}

/// A place to which a boundary may be moved.
#[derive(Debug, Clone, Copy)]
struct SnapPoint {
    /// In seconds.
    time: f64,
    penalty: u8,
}

// The penalties of the kinds of snap points. The penalties of start and end are added.
const SILENCE_PENALTY: u8 = 0;
const GAP_PENALTY: u8 = 1;
const NOT_MOVED_PENALTY: u8 = 2;

#[derive(Debug, Clone, Copy)]
enum Boundary {
    Start,
    End,
}

impl SnapPoints {
    /// `transcript` is sorted by start. There is a gap before a segment if all earlier
    /// segments have ended when it starts.
    pub(super) fn new(silences: &[TimeRange], transcript: &[TranscriptSegmentRef<'_>]) -> Self {
        let mut gaps = Vec::new();
        let mut latest_end: Option<f64> = None;
        for time in transcript.iter().map(|segment| segment.time) {
            if let Some(end) = latest_end.filter(|end| *end <= time.start()) {
                gaps.push(end.midpoint(time.start()));
            }
            latest_end = Some(latest_end.map_or(time.end(), |end| end.max(time.end())));
        }
        // Consecutive segments of zero length give the same gap repeatedly.
        gaps.dedup();
        Self {
            silences: TimeSpan::union_of_ranges(silences),
            gaps,
        }
    }

    /// Moves both boundaries of `clip`, each by at most `max_snap_distance`.
    ///
    /// The result is within `bounds`, has a length within the rules, and
    /// contains the time `anchor`. Of the pairs of snap points that qualify, the one
    /// with the lowest penalty is used; of pairs with equal penalties, the one that
    /// moves the boundaries least. If no pair qualifies, the clip is not changed.
    pub(super) fn snap(
        &self,
        clip: TimeSpan,
        anchor: f64,
        bounds: TimeSpan,
        rules: &ClipRules,
    ) -> TimeSpan {
        let starts = self.points_near(clip.start, Boundary::Start, rules.max_snap_distance);
        let ends = self.points_near(clip.end, Boundary::End, rules.max_snap_distance);
        let qualifies = |(start, end): &(SnapPoint, SnapPoint)| {
            let length = end.time - start.time;
            bounds.start <= start.time
                && end.time <= bounds.end
                && (start.time..=end.time).contains(&anchor)
                && (rules.min_length..=rules.max_length).contains(&length)
        };
        let penalty = |(start, end): &(SnapPoint, SnapPoint)| start.penalty + end.penalty;
        let distance = |(start, end): &(SnapPoint, SnapPoint)| {
            (start.time - clip.start).abs() + (end.time - clip.end).abs()
        };
        starts
            .iter()
            .flat_map(|start| ends.iter().map(move |end| (*start, *end)))
            .filter(qualifies)
            .min_by(|a, b| {
                let by_penalty = penalty(a).cmp(&penalty(b));
                by_penalty.then_with(|| distance(a).total_cmp(&distance(b)))
            })
            .map_or(clip, |(start, end)| TimeSpan::new(start.time, end.time))
    }

    /// The snap points at most `max_distance` seconds from `time`.
    fn points_near(&self, time: f64, boundary: Boundary, max_distance: f64) -> Vec<SnapPoint> {
        let reach = TimeSpan::new(time - max_distance, time + max_distance);
        let silences = self
            .silences
            .iter()
            .filter(|silence| silence.intersection(reach).is_some())
            .map(|silence| {
                let best = best_time_in(*silence, boundary);
                SnapPoint {
                    // The clamped time is still in the silence, which overlaps the reach.
                    time: best.clamp(reach.start, reach.end),
                    penalty: SILENCE_PENALTY,
                }
            });
        let gaps = self
            .gaps
            .iter()
            .filter(|gap| (reach.start..=reach.end).contains(gap))
            .map(|&time| SnapPoint {
                time,
                penalty: GAP_PENALTY,
            });
        let not_moved = SnapPoint {
            time,
            penalty: NOT_MOVED_PENALTY,
        };
        silences.chain(gaps).chain([not_moved]).collect()
    }
}

/// The midpoint of the silence. If the clip would then contain more than
/// [`MAX_EDGE_SILENCE`] of the silence, the time at which the clip contains exactly
/// [`MAX_EDGE_SILENCE`].
fn best_time_in(silence: TimeSpan, boundary: Boundary) -> f64 {
    let middle = silence.midpoint();
    match boundary {
        Boundary::Start => middle.max(silence.end - MAX_EDGE_SILENCE),
        Boundary::End => middle.min(silence.start + MAX_EDGE_SILENCE),
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
        max_snap_distance: 5.0,
    };

    fn times(ranges: &[(f64, f64)]) -> Vec<TimeRange> {
        let time = |&(start, end): &(f64, f64)| TimeRange::new(start, end).unwrap();
        ranges.iter().map(time).collect()
    }

    fn transcript(ranges: &[(f64, f64)]) -> Vec<TranscriptSegmentRef<'static>> {
        let segment = |time| TranscriptSegmentRef { time, text: "so" };
        times(ranges).into_iter().map(segment).collect()
    }

    fn snapped(silences: &[(f64, f64)], segments: &[(f64, f64)], clip: (f64, f64)) -> (f64, f64) {
        let middle = clip.0.midpoint(clip.1);
        snapped_around(middle, silences, segments, clip)
    }

    fn snapped_around(
        anchor: f64,
        silences: &[(f64, f64)],
        segments: &[(f64, f64)],
        clip: (f64, f64),
    ) -> (f64, f64) {
        let points = SnapPoints::new(&times(silences), &transcript(segments));
        let clip = TimeSpan::new(clip.0, clip.1);
        let clip = points.snap(clip, anchor, TimeSpan::new(0.0, 500.0), &RULES);
        (clip.start, clip.end)
    }

    #[test]
    fn boundaries_move_to_the_middle_of_the_nearest_silence() {
        let silences = [(96.0, 97.0), (102.0, 103.0), (163.0, 164.0)];
        assert_eq!(snapped(&silences, &[], (100.0, 160.0)), (102.5, 163.5));
    }

    #[test]
    fn at_most_a_second_of_a_long_silence_is_in_the_clip() {
        let silences = [(90.0, 100.0), (160.0, 180.0)];
        assert_eq!(snapped(&silences, &[], (100.0, 160.0)), (99.0, 161.0));
    }

    #[test]
    fn a_boundary_far_inside_a_silence_stays_in_it() {
        assert_eq!(
            snapped(&[(90.0, 130.0)], &[], (100.0, 160.0)),
            (105.0, 160.0)
        );
    }

    #[test]
    fn without_a_silence_boundaries_move_to_gaps_in_the_transcript() {
        let segments = [
            (90.0, 98.0),
            (98.4, 120.0),
            (120.0, 158.0),
            (158.0, 170.0),
            (165.0, 200.0),
        ];
        assert_eq!(snapped(&[], &segments, (100.0, 160.0)), (98.2, 158.0));
        assert_eq!(
            snapped(&[(104.0, 105.0)], &segments, (100.0, 160.0)),
            (104.5, 158.0)
        );
    }

    #[test]
    fn a_boundary_does_not_move_if_no_silence_is_near() {
        assert_eq!(
            snapped(&[(80.0, 90.0)], &[], (100.0, 160.0)),
            (100.0, 160.0)
        );
    }

    #[test]
    fn a_boundary_does_not_move_out_of_bounds_or_make_the_clip_too_short() {
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
    fn the_clip_still_contains_the_anchor() {
        let silences = [(103.0, 105.0), (157.0, 158.0)];
        let around = |anchor| snapped_around(anchor, &silences, &[], (100.0, 160.0));
        assert_eq!(around(130.0), (104.0, 157.5));
        assert_eq!(around(101.0), (100.0, 157.5));
        assert_eq!(around(159.0), (104.0, 160.0));
    }

    proptest! {
        #[test]
        fn boundaries_move_by_at_most_the_maximum_distance(
            silences in prop::collection::vec((0.0..400.0_f64, 0.0..20.0_f64), 0..40),
            start in 0.0..380.0_f64,
            length in 20.0..120.0_f64,
            fraction in 0.0..=1.0_f64,
        ) {
            let silences: Vec<_> = silences
                .into_iter()
                .map(|(start, length)| (start, start + length))
                .collect();
            let anchor = start + fraction * length;
            let clip = snapped_around(anchor, &silences, &silences, (start, start + length));
            prop_assert!(clip.0 <= anchor && anchor <= clip.1);
            prop_assert!((clip.0 - start).abs() <= 5.0 + 1e-9);
            prop_assert!((clip.1 - start - length).abs() <= 5.0 + 1e-9);
            prop_assert!((20.0 - 1e-9..=120.0 + 1e-9).contains(&(clip.1 - clip.0)));
            prop_assert!(0.0 <= clip.0 && clip.1 <= 500.0);
        }
    }
}
