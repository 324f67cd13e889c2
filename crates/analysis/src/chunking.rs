//! Pieces of a long recording for recognizers that work side by side.

use lectern_domain::{Invalid, TimeRange, VideoDuration};

use crate::span::Span;

/// How long the pieces are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChunkRules {
    /// The length to aim at, in seconds, more than 0.
    pub target_length: f64,
    /// The greatest length, in seconds, not below the target_length.
    pub max_length: f64,
}

impl Default for ChunkRules {
    /// Five minutes, at most ten.
    fn default() -> Self {
        Self {
            target_length: 300.0,
            max_length: 600.0,
        }
    }
}

/// Cuts a recording into pieces that follow each other from 0 to its end.
///
/// A cut is made in the middle of the longest silence between half and one and
/// a half times the target_length from the last one; if there is none, in the middle
/// of the longest between there and the maximum; and if nobody ever pauses, at
/// the maximum. A rest of at most one and a half times the target_length stays whole,
/// and no cut leaves less than a quarter of the target_length behind it: recognizers
/// make things up when they hear too little.
///
/// `silences` are where nothing is heard ([`crate::silence_region::audio_silences`]), in any
/// order. The error is about `rules`.
///
/// ```
/// use lectern_analysis::chunking::{ChunkRules, split};
/// use lectern_domain::{TimeRange, VideoDuration};
///
/// let silences = [TimeRange::new(290.0, 292.0)?, TimeRange::new(320.0, 321.0)?];
/// let pieces = split(VideoDuration::new(650.0)?, &silences, &ChunkRules::default())?;
/// assert_eq!(pieces, [TimeRange::new(0.0, 291.0)?, TimeRange::new(291.0, 650.0)?]);
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
pub fn split(
    duration: VideoDuration,
    silences: &[TimeRange],
    rules: &ChunkRules,
) -> Result<Vec<TimeRange>, Invalid> {
    let ChunkRules {
        target_length,
        max_length,
    } = *rules;
    if !(target_length.is_finite() && target_length > 0.0) {
        return Err(Invalid::field(
            "target_length",
            "must be more than 0 seconds",
        ));
    }
    if !(max_length.is_finite() && max_length >= target_length) {
        return Err(Invalid::field(
            "max_length",
            "must not be below target_length",
        ));
    }
    let silences = Span::unite(silences.iter().copied().map(Span::from).collect());
    let (end, whole) = (duration.get(), max_length.min(1.5 * target_length));
    let mut pieces = Vec::new();
    let mut at = 0.0;
    while end - at > whole {
        let latest = (at + max_length).min(end - target_length / 4.0);
        let near = Span::new(
            at + target_length / 2.0,
            latest.min(at + 1.5 * target_length),
        );
        let far = Span::new(near.end, latest);
        let cut = longest(&silences, near, at + target_length)
            .or_else(|| longest(&silences, far, at + target_length))
            .unwrap_or(latest);
        pieces.push(TimeRange::new(at, cut)?);
        at = cut;
    }
    pieces.push(TimeRange::new(at, end)?);
    Ok(pieces)
}

/// The middle of the longest silence whose middle lies in `place`; of equals,
/// the one nearest to `target_length`.
fn longest(silences: &[Span], place: Span, target_length: f64) -> Option<f64> {
    let from = silences.partition_point(|silence| silence.middle() < place.start);
    silences[from..]
        .iter()
        .take_while(|silence| silence.middle() <= place.end)
        .max_by(|a, b| {
            let near = |span: &Span| (span.middle() - target_length).abs();
            let by_length = a.length().total_cmp(&b.length());
            by_length.then_with(|| near(b).total_cmp(&near(a)))
        })
        .map(|silence| silence.middle())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pieces(duration: f64, silences: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let silences: Vec<_> = silences
            .iter()
            .map(|&(start, end)| TimeRange::new(start, end).unwrap())
            .collect();
        split(
            VideoDuration::new(duration).unwrap(),
            &silences,
            &ChunkRules::default(),
        )
        .unwrap()
        .iter()
        .map(|time| (time.start(), time.end()))
        .collect()
    }

    #[test]
    fn a_short_recording_stays_whole() {
        assert_eq!(pieces(450.0, &[(200.0, 201.0)]), [(0.0, 450.0)]);
    }

    #[test]
    fn who_never_pauses_is_cut_at_the_maximum() {
        assert_eq!(
            pieces(1500.0, &[]),
            [(0.0, 600.0), (600.0, 1200.0), (1200.0, 1500.0)]
        );
    }

    #[test]
    fn no_cut_leaves_a_scrap() {
        assert_eq!(
            pieces(601.0, &[(598.0, 602.0)]),
            [(0.0, 526.0), (526.0, 601.0)]
        );
    }

    #[test]
    fn the_longest_pause_near_the_target_is_cut_and_a_far_one_only_without() {
        let near = [(160.0, 161.0), (400.0, 403.0), (500.0, 510.0)];
        assert_eq!(pieces(800.0, &near)[0], (0.0, 401.5));
        assert_eq!(pieces(800.0, &near[2..])[0], (0.0, 505.0));
    }

    #[test]
    fn of_equal_pauses_the_one_nearest_to_the_target_is_cut() {
        let equal = [(200.0, 202.0), (290.0, 292.0), (400.0, 402.0)];
        assert_eq!(pieces(700.0, &equal)[0], (0.0, 291.0));
    }

    #[test]
    fn rules_that_cannot_be_kept_are_refused() {
        let duration = VideoDuration::new(10.0).unwrap();
        for (target_length, max_length) in [
            (0.0, 1.0),
            (2.0, 1.0),
            (f64::NAN, 1.0),
            (1.0, f64::INFINITY),
        ] {
            assert!(
                split(
                    duration,
                    &[],
                    &ChunkRules {
                        target_length,
                        max_length
                    }
                )
                .is_err()
            );
        }
    }

    proptest! {
        #[test]
        fn pieces_cover_everything_and_none_is_too_long(
            duration in 0.1..20_000.0_f64,
            silences in prop::collection::vec((0.0..20_000.0_f64, 0.0..30.0_f64), 0..200),
        ) {
            let silences: Vec<_> = silences
                .into_iter()
                .map(|(start, length)| (start, start + length))
                .collect();
            let pieces = pieces(duration, &silences);
            let starts: Vec<f64> = pieces.iter().map(|piece| piece.0).chain([duration]).collect();
            let ends: Vec<f64> = [0.0].into_iter().chain(pieces.iter().map(|piece| piece.1)).collect();
            prop_assert_eq!(starts, ends);
            for (start, end) in &pieces {
                prop_assert!(end - start <= 600.0 + 1e-9);
                prop_assert!(pieces.len() == 1 || end - start >= 75.0 - 1e-9);
            }
        }
    }
}
