//! A stretch of the media axis while it is being worked out.

use lectern_domain::{Invalid, TimeRange};

/// From `start` to `end` in seconds. Unlike a [`TimeRange`] it can be computed
/// with; it becomes one when it is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    pub(crate) start: f64,
    pub(crate) end: f64,
}

impl Span {
    pub(crate) fn new(start: f64, end: f64) -> Self {
        Self { start, end }
    }

    pub(crate) fn length(self) -> f64 {
        self.end - self.start
    }

    pub(crate) fn middle(self) -> f64 {
        self.start.midpoint(self.end)
    }

    /// What both have in common, unless they are apart. Two that only touch
    /// have an instant in common.
    pub(crate) fn within(self, other: Self) -> Option<Self> {
        let common = Self::new(self.start.max(other.start), self.end.min(other.end));
        (common.start <= common.end).then_some(common)
    }

    /// Unites what overlaps or touches; the result is in order and apart.
    pub(crate) fn unite(mut spans: Vec<Self>) -> Vec<Self> {
        spans.sort_by(|a, b| a.start.total_cmp(&b.start));
        let mut united: Vec<Self> = Vec::with_capacity(spans.len());
        for span in spans {
            match united.last_mut() {
                Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
                _ => united.push(span),
            }
        }
        united
    }

    /// What is left of `self` between `taken`, which are in order and apart.
    pub(crate) fn without(self, taken: &[Self]) -> Vec<Self> {
        // There may be many, and many of these spans: only those near it matter.
        let from = taken.partition_point(|span| span.end < self.start);
        let until = taken.partition_point(|span| span.start <= self.end);
        let taken = taken.get(from..until).unwrap_or_default();
        let starts = std::iter::once(self.start).chain(taken.iter().map(|span| span.end));
        let ends = taken.iter().map(|span| span.start).chain([self.end]);
        starts
            .zip(ends)
            .filter_map(|(start, end)| Self::new(start, end).within(self))
            .filter(|left| left.length() > 0.0)
            .collect()
    }

    pub(crate) fn time(self) -> Result<TimeRange, Invalid> {
        TimeRange::new(self.start, self.end)
    }
}

impl From<TimeRange> for Span {
    fn from(time: TimeRange) -> Self {
        Self::new(time.start(), time.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_lies_between_what_is_taken() {
        let whole = Span::new(0.0, 10.0);
        let taken = [
            Span::new(0.0, 2.0),
            Span::new(5.0, 6.0),
            Span::new(9.0, 12.0),
        ];
        assert_eq!(
            whole.without(&taken),
            [Span::new(2.0, 5.0), Span::new(6.0, 9.0)]
        );
        assert_eq!(whole.without(&[]), [whole]);
        assert_eq!(Span::new(6.5, 8.0).without(&taken), [Span::new(6.5, 8.0)]);
        assert_eq!(Span::new(5.2, 5.8).without(&taken), []);
        assert_eq!(Span::new(2.0, 5.0).without(&taken), [Span::new(2.0, 5.0)]);
        assert_eq!(
            Span::new(13.0, 14.0).without(&taken),
            [Span::new(13.0, 14.0)]
        );
        assert_eq!(whole.without(&[Span::new(-1.0, 11.0)]), []);
    }

    #[test]
    fn what_touches_is_united() {
        let spans = vec![
            Span::new(3.0, 4.0),
            Span::new(0.0, 1.0),
            Span::new(1.0, 2.0),
        ];
        assert_eq!(
            Span::unite(spans),
            [Span::new(0.0, 2.0), Span::new(3.0, 4.0)]
        );
    }
}
