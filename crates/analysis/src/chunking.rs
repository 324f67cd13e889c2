//! Splits a long recording into chunks for parallel speech recognition.
//!
//! Cuts are made in silences near the target length, so that no word is cut.
//! The input is the duration and the silences, the output a list of adjacent
//! time ranges that covers the recording. The running time is `O(n log n)` in
//! the number of silences. All times are in seconds.

use lectern_domain::{Invalid, TimeRange, VideoDuration};

use crate::time_span::TimeSpan;

/// The lengths of chunks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChunkRules {
    /// The preferred length, in seconds; positive.
    pub target_length: f64,
    /// The maximum length, in seconds; at least `target_length`.
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

/// Splits a recording into adjacent chunks from 0 to its end.
///
/// A chunk ends in the middle of a silence. The longest silence that gives it 0.5 to
/// 1.5 times the target length is used, or else the longest one that keeps it within
/// the maximum length. Without such a silence, it has the maximum length, or less so
/// that the last chunk is long enough. A remainder of at most 1.5 times the target
/// length, and at most the maximum length, is not split. The last of several chunks has
/// at least a quarter of the target length, because recognizers invent words when they
/// hear too little.
///
/// `silences` are the ranges without sound, as from [`audio_silences`], in any
/// order.
///
/// # Errors
///
/// If `rules` are inconsistent; the error names the field.
///
/// ```
/// use lectern_analysis::chunking::{ChunkRules, split};
/// use lectern_domain::{TimeRange, VideoDuration};
///
/// let silences = [TimeRange::new(290.0, 292.0)?, TimeRange::new(320.0, 321.0)?];
/// let chunks = split(VideoDuration::new(650.0)?, &silences, &ChunkRules::default())?;
/// assert_eq!(chunks, [TimeRange::new(0.0, 291.0)?, TimeRange::new(291.0, 650.0)?]);
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
///
/// [`audio_silences`]: crate::silence_region::audio_silences
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
            "must be finite and more than 0 seconds",
        ));
    }
    if !(max_length.is_finite() && max_length >= target_length) {
        return Err(Invalid::field(
            "max_length",
            "must be finite and not below target_length",
        ));
    }
    let silences = TimeSpan::union_of_ranges(silences);
    let end = duration.get();
    let max_unsplit = max_length.min(1.5 * target_length);
    let mut chunks = Vec::new();
    let mut start = 0.0;
    while end - start > max_unsplit {
        let latest = (start + max_length).min(end - target_length / 4.0);
        let target = start + target_length;
        let near = TimeSpan::new(
            start + target_length / 2.0,
            latest.min(start + 1.5 * target_length),
        );
        let far = TimeSpan::new(near.end, latest);
        let cut = cut_in_longest_silence(&silences, near, target)
            .or_else(|| cut_in_longest_silence(&silences, far, target))
            .unwrap_or(latest);
        chunks.push(TimeRange::new(start, cut)?);
        start = cut;
    }
    chunks.push(TimeRange::new(start, end)?);
    Ok(chunks)
}

/// The midpoint of the longest silence whose midpoint is in `window`; of
/// equally long ones, the one nearest to `target`.
fn cut_in_longest_silence(silences: &[TimeSpan], window: TimeSpan, target: f64) -> Option<f64> {
    let first = silences.partition_point(|silence| silence.midpoint() < window.start);
    silences[first..]
        .iter()
        .take_while(|silence| silence.midpoint() <= window.end)
        .max_by(|a, b| {
            let distance = |silence: &TimeSpan| (silence.midpoint() - target).abs();
            let by_length = a.length().total_cmp(&b.length());
            by_length.then_with(|| distance(b).total_cmp(&distance(a)))
        })
        .map(|silence| silence.midpoint())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chunks(duration: f64, silences: &[(f64, f64)]) -> Vec<(f64, f64)> {
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
    fn a_short_recording_is_not_split() {
        assert_eq!(chunks(450.0, &[(200.0, 201.0)]), [(0.0, 450.0)]);
    }

    #[test]
    fn without_silences_chunks_have_the_maximum_length() {
        assert_eq!(
            chunks(1500.0, &[]),
            [(0.0, 600.0), (600.0, 1200.0), (1200.0, 1500.0)]
        );
    }

    #[test]
    fn the_last_chunk_is_at_least_a_quarter_of_the_target() {
        assert_eq!(
            chunks(601.0, &[(598.0, 602.0)]),
            [(0.0, 526.0), (526.0, 601.0)]
        );
    }

    #[test]
    fn a_silence_near_the_target_is_preferred_to_a_longer_one_far_away() {
        let silences = [(160.0, 161.0), (400.0, 403.0), (500.0, 510.0)];
        assert_eq!(chunks(800.0, &silences)[0], (0.0, 401.5));
        assert_eq!(chunks(800.0, &silences[2..])[0], (0.0, 505.0));
    }

    #[test]
    fn of_equally_long_silences_the_nearest_to_the_target_is_used() {
        let silences = [(200.0, 202.0), (290.0, 292.0), (400.0, 402.0)];
        assert_eq!(chunks(700.0, &silences)[0], (0.0, 291.0));
    }

    #[test]
    fn inconsistent_rules_are_an_error() {
        let duration = VideoDuration::new(10.0).unwrap();
        for (target_length, max_length) in [
            (0.0, 1.0),
            (2.0, 1.0),
            (f64::NAN, 1.0),
            (1.0, f64::INFINITY),
        ] {
            let rules = ChunkRules {
                target_length,
                max_length,
            };
            assert!(split(duration, &[], &rules).is_err());
        }
    }

    proptest! {
        #[test]
        fn chunks_cover_the_recording_and_have_lengths_in_bounds(
            duration in 0.1..20_000.0_f64,
            silences in prop::collection::vec((0.0..20_000.0_f64, 0.0..30.0_f64), 0..200),
        ) {
            let silences: Vec<_> = silences
                .into_iter()
                .map(|(start, length)| (start, start + length))
                .collect();
            let chunks = chunks(duration, &silences);
            let starts: Vec<f64> = chunks.iter().map(|chunk| chunk.0).chain([duration]).collect();
            let ends: Vec<f64> = [0.0].into_iter().chain(chunks.iter().map(|chunk| chunk.1)).collect();
            prop_assert_eq!(starts, ends);
            for (start, end) in &chunks {
                prop_assert!(end - start <= 600.0 + 1e-9);
                prop_assert!(chunks.len() == 1 || end - start >= 75.0 - 1e-9);
            }
        }
    }
}
