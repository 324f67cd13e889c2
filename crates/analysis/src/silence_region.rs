//! Where nothing is heard, nothing is seen, or neither.

use lectern_domain::{At, Decibels, Invalid, NewSilenceRegion, SilenceType, TimeRange};

use crate::span::Span;

/// How silences are merged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SilenceRules {
    /// The shortest region worth telling, in seconds.
    pub min_length: f64,
    /// The level below which sound counted as silence, in dBFS; kept with the
    /// regions in which nothing is heard.
    pub amplitude_threshold: Option<Decibels>,
}

impl Default for SilenceRules {
    /// Half a second, and no level.
    fn default() -> Self {
        Self {
            min_length: 0.5,
            amplitude_threshold: None,
        }
    }
}

/// Merges where nothing is heard (`audio`) and where nothing is seen
/// (`blank`), each `(start, end)` in seconds in any order, into regions that
/// are in order and do not overlap.
///
/// Each region tells what holds in all of it: where sound and picture are both
/// missing it is [`SilenceType::Both`], and what is left before and after
/// keeps its own type. Nothing shorter than the minimum is told: a shorter
/// overlap stays with whichever began first, and a shorter rest is dropped.
///
/// The error names the range that is none, as in `audio[3].end_time`.
///
/// ```
/// use lectern_analysis::silence_region::{SilenceRules, merge};
/// use lectern_domain::SilenceType::{AudioSilence, BlankScreen, Both};
///
/// let regions = merge(&[(10.0, 14.0)], &[(12.0, 17.0)], &SilenceRules::default())?;
/// let told: Vec<_> = regions
///     .iter()
///     .map(|region| (region.time.start(), region.time.end(), region.silence_type))
///     .collect();
/// assert_eq!(told, [(10.0, 12.0, AudioSilence), (12.0, 14.0, Both), (14.0, 17.0, BlankScreen)]);
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
pub fn merge(
    audio: &[(f64, f64)],
    blank: &[(f64, f64)],
    rules: &SilenceRules,
) -> Result<Vec<NewSilenceRegion>, Invalid> {
    let audio = Span::unite(spans(audio).at("audio")?);
    let blank = Span::unite(spans(blank).at("blank")?);
    let worth = |span: &Span| span.length() > 0.0 && span.length() >= rules.min_length;

    let mut both = Vec::new();
    let mut slivers = Vec::new();
    for (heard, seen, common) in overlaps(&audio, &blank) {
        if worth(&common) {
            both.push(common);
        } else {
            slivers.push((heard.start <= seen.start, common));
        }
    }
    let given_to = |audio_first: bool| -> Vec<Span> {
        let given = slivers.iter().filter(|(first, _)| *first == audio_first);
        let given = given.map(|(_, common)| *common);
        Span::unite(both.iter().copied().chain(given).collect())
    };
    let (not_audio, not_blank) = (given_to(false), given_to(true));

    let rest = |spans: &[Span], taken: &[Span], kind| -> Vec<(Span, SilenceType)> {
        let left = spans.iter().flat_map(|span| span.without(taken));
        left.filter(worth).map(|span| (span, kind)).collect()
    };
    let mut regions = rest(&audio, &not_audio, SilenceType::AudioSilence);
    regions.extend(rest(&blank, &not_blank, SilenceType::BlankScreen));
    regions.extend(both.iter().map(|span| (*span, SilenceType::Both)));
    regions.sort_by(|(a, _), (b, _)| a.start.total_cmp(&b.start));
    regions
        .into_iter()
        .map(|(span, silence_type)| {
            Ok(NewSilenceRegion {
                time: span.time()?,
                silence_type,
                amplitude_threshold: rules
                    .amplitude_threshold
                    .filter(|_| silence_type != SilenceType::BlankScreen),
            })
        })
        .collect()
}

/// Where nothing is heard, whatever is seen: the ranges of `audio_silence` and
/// `both`, united where they touch. These are what [`crate::clip`] and
/// [`crate::chunking`] cut at.
pub fn audio_silences(
    regions: impl IntoIterator<Item = (TimeRange, SilenceType)>,
) -> Vec<TimeRange> {
    let quiet = regions
        .into_iter()
        .filter(|(_, kind)| *kind != SilenceType::BlankScreen)
        .map(|(time, _)| Span::from(time));
    // Ends taken from ranges always make a range.
    Span::unite(quiet.collect())
        .into_iter()
        .filter_map(|span| span.time().ok())
        .collect()
}

fn spans(ranges: &[(f64, f64)]) -> Result<Vec<Span>, Invalid> {
    let checked = ranges.iter().enumerate().map(|(i, &(start, end))| {
        let time = TimeRange::new(start, end).map_err(|invalid| invalid.at(&format!("[{i}]")))?;
        Ok(Span::from(time))
    });
    checked.collect()
}

/// Every pair that overlaps, with what it has in common; both lists are in
/// order and apart, so one walk along both finds them.
fn overlaps(audio: &[Span], blank: &[Span]) -> Vec<(Span, Span, Span)> {
    let (mut i, mut j) = (0, 0);
    let mut found = Vec::new();
    while let (Some(&heard), Some(&seen)) = (audio.get(i), blank.get(j)) {
        found.extend(heard.within(seen).map(|common| (heard, seen, common)));
        if heard.end <= seen.end {
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

    fn told(audio: &[(f64, f64)], blank: &[(f64, f64)]) -> Vec<(f64, f64, SilenceType)> {
        merge(audio, blank, &SilenceRules::default())
            .unwrap()
            .iter()
            .map(|region| (region.time.start(), region.time.end(), region.silence_type))
            .collect()
    }

    #[test]
    fn a_black_moment_inside_a_silence_splits_it_in_three() {
        assert_eq!(
            told(&[(10.0, 14.0)], &[(12.0, 13.0)]),
            [
                (10.0, 12.0, AudioSilence),
                (12.0, 13.0, Both),
                (13.0, 14.0, AudioSilence)
            ]
        );
    }

    #[test]
    fn what_ends_a_blink_apart_is_told_once() {
        assert_eq!(told(&[(10.0, 14.0)], &[(10.2, 14.3)]), [(10.2, 14.0, Both)]);
    }

    #[test]
    fn a_sliver_of_overlap_stays_with_who_began_first() {
        assert_eq!(
            told(&[(10.0, 12.0)], &[(11.9, 15.0)]),
            [(10.0, 12.0, AudioSilence), (12.0, 15.0, BlankScreen)]
        );
        assert_eq!(
            told(&[(11.9, 15.0)], &[(10.0, 12.0)]),
            [(10.0, 12.0, BlankScreen), (12.0, 15.0, AudioSilence)]
        );
    }

    #[test]
    fn one_kind_alone_keeps_its_type_and_is_united() {
        assert_eq!(
            told(&[(5.0, 6.0), (1.0, 2.0), (2.0, 3.0)], &[]),
            [(1.0, 3.0, AudioSilence), (5.0, 6.0, AudioSilence)]
        );
        assert_eq!(told(&[], &[(1.0, 2.0)]), [(1.0, 2.0, BlankScreen)]);
        assert_eq!(told(&[], &[]), []);
    }

    #[test]
    fn the_level_belongs_to_what_is_not_heard() {
        let level = Decibels::new(-35.0).unwrap();
        let rules = SilenceRules {
            amplitude_threshold: Some(level),
            ..SilenceRules::default()
        };
        let regions = merge(&[(0.0, 2.0)], &[(1.0, 3.0)], &rules).unwrap();
        let levels: Vec<_> = regions
            .iter()
            .map(|region| region.amplitude_threshold)
            .collect();
        assert_eq!(levels, [Some(level), Some(level), None]);
    }

    #[test]
    fn a_range_that_is_none_is_named() {
        let error = merge(&[(0.0, 1.0), (3.0, 2.0)], &[], &SilenceRules::default()).unwrap_err();
        assert_eq!(error.errors()[0].field, "audio[1].end_time");
        assert!(merge(&[], &[(0.0, f64::INFINITY)], &SilenceRules::default()).is_err());
    }

    #[test]
    fn quiet_is_one_range_where_the_picture_comes_and_goes() {
        let regions = merge(&[(10.0, 14.0)], &[(12.0, 17.0)], &SilenceRules::default()).unwrap();
        let quiet = audio_silences(
            regions
                .iter()
                .map(|region| (region.time, region.silence_type)),
        );
        assert_eq!(quiet, [TimeRange::new(10.0, 14.0).unwrap()]);
    }

    /// Up to twelve ranges on a grid of a tenth of a second.
    fn ranges() -> impl Strategy<Value = Vec<(f64, f64)>> {
        let range = (0_u32..600, 0_u32..80).prop_map(|(start, length)| {
            (f64::from(start) / 10.0, f64::from(start + length) / 10.0)
        });
        prop::collection::vec(range, 0..12)
    }

    proptest! {
        #[test]
        fn regions_are_in_order_apart_long_enough_and_true(audio in ranges(), blank in ranges()) {
            let regions = merge(&audio, &blank, &SilenceRules::default()).unwrap();
            for pair in regions.windows(2) {
                prop_assert!(pair[0].time.end() <= pair[1].time.start());
            }
            let covers = |ranges: &[(f64, f64)], at: f64| {
                ranges.iter().any(|&(start, end)| start <= at && at <= end)
            };
            for region in &regions {
                prop_assert!(region.time.duration() >= 0.5);
                for tenth in 1..10 {
                    let at = region.time.start() + region.time.duration() * f64::from(tenth) / 10.0;
                    let silent = region.silence_type == BlankScreen || covers(&audio, at);
                    let black = region.silence_type == AudioSilence || covers(&blank, at);
                    prop_assert!(silent && black, "{region:?} at {at}");
                }
            }
        }

        #[test]
        fn nothing_of_at_least_the_minimum_is_lost_where_kinds_do_not_meet(audio in ranges()) {
            let regions = merge(&audio, &[], &SilenceRules::default()).unwrap();
            for (start, end) in audio.into_iter().filter(|(start, end)| end - start >= 0.5) {
                let told = regions.iter().any(|region| region.time.start() <= start && end <= region.time.end());
                prop_assert!(told, "{start} to {end}");
            }
        }
    }
}
