//! Parts of objects.

use std::ops::Range;

/// Which bytes of an object are wanted, as the header `Range` can say it. The
/// first byte is 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ByteRange {
    /// From the first up to but without the second, or to the end if that comes
    /// before.
    Between(u64, u64),
    /// From this one to the end.
    From(u64),
    /// As many at the end, or all if there are fewer.
    Last(u64),
}

impl ByteRange {
    /// The bytes of an object of `size` bytes that are meant, if any.
    ///
    /// ```
    /// use lectern_storage::ByteRange;
    ///
    /// assert_eq!(ByteRange::Between(2, 1000).within(10), Some(2..10));
    /// assert_eq!(ByteRange::Last(3).within(10), Some(7..10));
    /// assert_eq!(ByteRange::From(10).within(10), None);
    /// ```
    pub fn within(&self, size: u64) -> Option<Range<u64>> {
        let range = match *self {
            Self::Between(start, end) => start..end.min(size),
            Self::From(start) => start..size,
            Self::Last(count) => size.saturating_sub(count)..size,
        };
        (!range.is_empty()).then_some(range)
    }
}
