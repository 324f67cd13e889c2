//! Merges detected silences and black frames into silence regions.
//!
//! The input is two lists of time ranges: without sound, and without a visible
//! picture. The output is one list of disjoint regions, each of one type. In
//! both inputs, ranges that overlap are merged first; then one sweep over both
//! lists finds the overlaps between them. The running time is `O(n log n)` in
//! the number of ranges. All times are in seconds.

use lectern_domain::{Decibels, InField, Invalid, NewSilenceRegion, SilenceType, TimeRange};

use crate::time_span::TimeSpan;

/// Parameters of [`merge`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SilenceRules {
    /// The minimum length of a region, in seconds.
    pub min_length: f64,
    /// The level below which sound was detected as silence, in dBFS. Stored with the
    /// regions that have no sound.
    pub amplitude_threshold: Option<Decibels>,
}

impl Default for SilenceRules {
    /// Half a second, and no threshold.
    fn default() -> Self {
        Self {
            min_length: 0.5,
            amplitude_threshold: None,
        }
    }
}

/// Merges the ranges without sound (`audio`) and without a picture (`blank`)
/// into silence regions, which are sorted and disjoint. The ranges are
/// `(start, end)` in seconds, in any order.
///
/// Where sound and picture are both missing, the type is
/// [`SilenceType::Both`]; the parts before and after keep their own type.
/// No region is shorter than the minimum length. A shorter overlap belongs to the
/// range that starts first. Other shorter parts are dropped.
///
/// # Errors
///
/// If a range is invalid; the error names its field, as in
/// `audio[3].end_time`.
///
/// ```
/// use lectern_analysis::silence_region::{SilenceRules, merge};
/// use lectern_domain::SilenceType::{AudioSilence, BlankScreen, Both};
///
/// let regions = merge(&[(10.0, 14.0)], &[(12.0, 17.0)], &SilenceRules::default())?;
/// let regions: Vec<_> = regions
///     .iter()
///     .map(|region| (region.time.start(), region.time.end(), region.silence_type))
///     .collect();
/// assert_eq!(regions, [(10.0, 12.0, AudioSilence), (12.0, 14.0, Both), (14.0, 17.0, BlankScreen)]);
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
pub fn merge(
    audio: &[(f64, f64)],
    blank: &[(f64, f64)],
    rules: &SilenceRules,
) -> Result<Vec<NewSilenceRegion>, Invalid> {
    let audio = TimeSpan::union(validate(audio).in_field("audio")?);
    let blank = TimeSpan::union(validate(blank).in_field("blank")?);
    let is_long_enough = |span: &TimeSpan| span.length() > 0.0 && span.length() >= rules.min_length;

    let mut both = Vec::new();
    // The overlaps to remove from each list.
    let (mut cut_from_audio, mut cut_from_blank) = (Vec::new(), Vec::new());
    for overlap in overlaps(&audio, &blank) {
        if is_long_enough(&overlap.common) {
            both.push(overlap.common);
        } else if overlap.audio.start <= overlap.blank.start {
            cut_from_blank.push(overlap.common);
        } else {
            cut_from_audio.push(overlap.common);
        }
    }
    cut_from_audio.extend(&both);
    cut_from_blank.extend(&both);

    let remaining =
        |spans: &[TimeSpan], cut: Vec<TimeSpan>, silence_type| -> Vec<(TimeSpan, SilenceType)> {
            let cut = TimeSpan::union(cut);
            spans
                .iter()
                .flat_map(|span| span.difference(&cut))
                .filter(is_long_enough)
                .map(|span| (span, silence_type))
                .collect()
        };
    let mut regions = remaining(&audio, cut_from_audio, SilenceType::AudioSilence);
    regions.extend(remaining(&blank, cut_from_blank, SilenceType::BlankScreen));
    regions.extend(both.iter().map(|span| (*span, SilenceType::Both)));
    regions.sort_by(|(a, _), (b, _)| a.start.total_cmp(&b.start));
    regions
        .into_iter()
        .map(|(span, silence_type)| {
            let has_no_sound = silence_type != SilenceType::BlankScreen;
            Ok(NewSilenceRegion {
                time: span.to_range()?,
                silence_type,
                amplitude_threshold: rules.amplitude_threshold.filter(|_| has_no_sound),
            })
        })
        .collect()
}

/// The ranges without sound, whether or not there is a picture: the regions of
/// type `audio_silence` and `both`, merged where they touch.
///
/// [`clip::select`](crate::clip::select) and
/// [`chunking::split`](crate::chunking::split) cut in these ranges.
pub fn audio_silences(
    regions: impl IntoIterator<Item = (TimeRange, SilenceType)>,
) -> Vec<TimeRange> {
    let silent = regions
        .into_iter()
        .filter(|(_, silence_type)| *silence_type != SilenceType::BlankScreen)
        .map(|(time, _)| TimeSpan::from(time));
    // The union of valid ranges is valid, so this drops nothing.
    TimeSpan::union(silent.collect())
        .into_iter()
        .filter_map(|span| span.to_range().ok())
        .collect()
}

/// Sound that is shorter in all, in seconds, is none: the edges of silences are not exact.
const MIN_SOUND_SECONDS: f64 = 0.5;

/// Whether a recording of this many seconds is silent throughout, with these silences in any
/// order.
pub fn is_silent(silences: &[TimeRange], duration: f64) -> bool {
    let silences = TimeSpan::union_of_ranges(silences);
    let sound = TimeSpan::new(0.0, duration).difference(&silences);
    let seconds: f64 = sound.into_iter().map(TimeSpan::length).sum();
    seconds < MIN_SOUND_SECONDS.min(duration)
}

fn validate(ranges: &[(f64, f64)]) -> Result<Vec<TimeSpan>, Invalid> {
    ranges
        .iter()
        .enumerate()
        .map(|(i, &(start, end))| {
            let time = TimeRange::new(start, end).in_field(&format!("[{i}]"))?;
            Ok(TimeSpan::from(time))
        })
        .collect()
}

/// A range without sound and one without a picture that overlap.
struct Overlap {
    audio: TimeSpan,
    blank: TimeSpan,
    common: TimeSpan,
}

/// Sweeps over both lists, which are sorted and disjoint.
fn overlaps(audio: &[TimeSpan], blank: &[TimeSpan]) -> Vec<Overlap> {
    let (mut i, mut j) = (0, 0);
    let mut found = Vec::new();
    while let (Some(&audio), Some(&blank)) = (audio.get(i), blank.get(j)) {
        found.extend(audio.intersection(blank).map(|common| Overlap {
            audio,
            blank,
            common,
        }));
        if audio.end <= blank.end {
            i += 1;
        } else {
            j += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use SilenceType::{AudioSilence, BlankScreen, Both};

    fn merged(audio: &[(f64, f64)], blank: &[(f64, f64)]) -> Vec<(f64, f64, SilenceType)> {
        merge(audio, blank, &SilenceRules::default())
            .unwrap()
            .iter()
            .map(|region| (region.time.start(), region.time.end(), region.silence_type))
            .collect()
    }

    #[test]
    fn a_blank_range_inside_a_silence_splits_it_in_three() {
        assert_eq!(
            merged(&[(10.0, 14.0)], &[(12.0, 13.0)]),
            [
                (10.0, 12.0, AudioSilence),
                (12.0, 13.0, Both),
                (13.0, 14.0, AudioSilence)
            ]
        );
    }

    #[test]
    fn short_parts_before_and_after_an_overlap_are_dropped() {
        assert_eq!(
            merged(&[(10.0, 14.0)], &[(10.2, 14.3)]),
            [(10.2, 14.0, Both)]
        );
    }

    #[test]
    fn a_short_overlap_belongs_to_the_range_that_starts_first() {
        assert_eq!(
            merged(&[(10.0, 12.0)], &[(11.9, 15.0)]),
            [(10.0, 12.0, AudioSilence), (12.0, 15.0, BlankScreen)]
        );
        assert_eq!(
            merged(&[(11.9, 15.0)], &[(10.0, 12.0)]),
            [(10.0, 12.0, BlankScreen), (12.0, 15.0, AudioSilence)]
        );
    }

    #[test]
    fn ranges_of_one_type_keep_it_and_are_merged_where_they_touch() {
        assert_eq!(
            merged(&[(5.0, 6.0), (1.0, 2.0), (2.0, 3.0)], &[]),
            [(1.0, 3.0, AudioSilence), (5.0, 6.0, AudioSilence)]
        );
        assert_eq!(merged(&[], &[(1.0, 2.0)]), [(1.0, 2.0, BlankScreen)]);
        assert_eq!(merged(&[], &[]), []);
    }

    #[test]
    fn only_regions_without_sound_have_the_threshold() {
        let threshold = Decibels::new(-35.0).unwrap();
        let rules = SilenceRules {
            amplitude_threshold: Some(threshold),
            ..SilenceRules::default()
        };
        let regions = merge(&[(0.0, 2.0)], &[(1.0, 3.0)], &rules).unwrap();
        let thresholds: Vec<_> = regions
            .iter()
            .map(|region| region.amplitude_threshold)
            .collect();
        assert_eq!(thresholds, [Some(threshold), Some(threshold), None]);
    }

    #[test]
    fn the_error_names_the_invalid_range() {
        let error = merge(&[(0.0, 1.0), (3.0, 2.0)], &[], &SilenceRules::default()).unwrap_err();
        assert_eq!(error.errors()[0].field, "audio[1].end_time");
        assert!(merge(&[], &[(0.0, f64::INFINITY)], &SilenceRules::default()).is_err());
    }

    #[test]
    fn an_audio_silence_is_one_range_although_the_picture_changes() {
        let regions = merge(&[(10.0, 14.0)], &[(12.0, 17.0)], &SilenceRules::default()).unwrap();
        let silences = audio_silences(
            regions
                .iter()
                .map(|region| (region.time, region.silence_type)),
        );
        assert_eq!(silences, [TimeRange::new(10.0, 14.0).unwrap()]);
    }

    /// Up to eleven ranges with bounds in multiples of 0.1 s.
    fn ranges() -> impl Strategy<Value = Vec<(f64, f64)>> {
        let range = (0_u32..600, 0_u32..80).prop_map(|(start, length)| {
            (f64::from(start) / 10.0, f64::from(start + length) / 10.0)
        });
        prop::collection::vec(range, 0..12)
    }

    proptest! {
        #[test]
        fn regions_are_sorted_disjoint_long_enough_and_of_the_right_type(
            audio in ranges(),
            blank in ranges(),
        ) {
            let regions = merge(&audio, &blank, &SilenceRules::default()).unwrap();
            for pair in regions.windows(2) {
                prop_assert!(pair[0].time.end() <= pair[1].time.start());
            }
            let covers = |ranges: &[(f64, f64)], time: f64| {
                ranges.iter().any(|&(start, end)| start <= time && time <= end)
            };
            for region in &regions {
                prop_assert!(region.time.duration() >= 0.5);
                for tenth in 1..10 {
                    let time = region.time.start() + region.time.duration() * f64::from(tenth) / 10.0;
                    let silent = region.silence_type == BlankScreen || covers(&audio, time);
                    let black = region.silence_type == AudioSilence || covers(&blank, time);
                    prop_assert!(silent && black, "{region:?} at {time}");
                }
            }
        }

        #[test]
        fn every_range_of_the_minimum_length_is_in_a_region_if_there_is_one_type(audio in ranges()) {
            let regions = merge(&audio, &[], &SilenceRules::default()).unwrap();
            for (start, end) in audio.into_iter().filter(|(start, end)| end - start >= 0.5) {
                let covered = regions
                    .iter()
                    .any(|region| region.time.start() <= start && end <= region.time.end());
                prop_assert!(covered, "{start} to {end}");
            }
        }
    }
}
