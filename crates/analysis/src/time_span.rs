//! Interval arithmetic in media time.

use lectern_domain::{Invalid, TimeRange};

/// A closed interval, in seconds.
///
/// Unlike a [`TimeRange`], a span is not validated, so intermediate results may be
/// empty (`end < start`) or start before 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TimeSpan {
    pub(crate) start: f64,
    pub(crate) end: f64,
}

impl TimeSpan {
    pub(crate) fn new(start: f64, end: f64) -> Self {
        Self { start, end }
    }

    /// In seconds.
    pub(crate) fn length(self) -> f64 {
        self.end - self.start
    }

    pub(crate) fn midpoint(self) -> f64 {
        self.start.midpoint(self.end)
    }

    /// The intersection; a single instant if the spans only touch, `None` if
    /// they are disjoint.
    pub(crate) fn intersection(self, other: Self) -> Option<Self> {
        let common = Self::new(self.start.max(other.start), self.end.min(other.end));
        (common.start <= common.end).then_some(common)
    }

    /// Merges spans that overlap or touch; the result is sorted and disjoint.
    pub(crate) fn union(mut spans: Vec<Self>) -> Vec<Self> {
        spans.sort_by(|a, b| a.start.total_cmp(&b.start));
        let mut merged: Vec<Self> = Vec::with_capacity(spans.len());
        for span in spans {
            match merged.last_mut() {
                Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
                _ => merged.push(span),
            }
        }
        merged
    }

    /// The [`Self::union`] of time ranges.
    pub(crate) fn union_of_ranges(ranges: &[TimeRange]) -> Vec<Self> {
        Self::union(ranges.iter().copied().map(Self::from).collect())
    }

    /// The parts of `self` outside all of `others`, which are sorted and
    /// disjoint.
    pub(crate) fn difference(self, others: &[Self]) -> Vec<Self> {
        // Binary search, because a caller may subtract a long list from many spans.
        let first = others.partition_point(|other| other.end < self.start);
        let last = others.partition_point(|other| other.start <= self.end);
        let nearby = others.get(first..last).unwrap_or_default();
        let starts = std::iter::once(self.start).chain(nearby.iter().map(|other| other.end));
        let ends = nearby.iter().map(|other| other.start).chain([self.end]);
        starts
            .zip(ends)
            .filter_map(|(start, end)| Self::new(start, end).intersection(self))
            .filter(|gap| gap.length() > 0.0)
            .collect()
    }

    pub(crate) fn to_range(self) -> Result<TimeRange, Invalid> {
        TimeRange::new(self.start, self.end)
    }
}

impl From<TimeRange> for TimeSpan {
    fn from(time: TimeRange) -> Self {
        Self::new(time.start(), time.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_is_the_gaps_between_the_other_spans() {
        let span = TimeSpan::new(0.0, 10.0);
        let others = [
            TimeSpan::new(0.0, 2.0),
            TimeSpan::new(5.0, 6.0),
            TimeSpan::new(9.0, 12.0),
        ];
        assert_eq!(
            span.difference(&others),
            [TimeSpan::new(2.0, 5.0), TimeSpan::new(6.0, 9.0)]
        );
        assert_eq!(span.difference(&[]), [span]);
        assert_eq!(span.difference(&[TimeSpan::new(-1.0, 11.0)]), []);
        let outside = [
            TimeSpan::new(6.5, 8.0),
            TimeSpan::new(2.0, 5.0),
            TimeSpan::new(13.0, 14.0),
        ];
        for span in outside {
            assert_eq!(span.difference(&others), [span]);
        }
        assert_eq!(TimeSpan::new(5.2, 5.8).difference(&others), []);
    }

    #[test]
    fn the_union_merges_spans_that_touch() {
        let spans = vec![
            TimeSpan::new(3.0, 4.0),
            TimeSpan::new(0.0, 1.0),
            TimeSpan::new(1.0, 2.0),
        ];
        assert_eq!(
            TimeSpan::union(spans),
            [TimeSpan::new(0.0, 2.0), TimeSpan::new(3.0, 4.0)]
        );
    }
}
