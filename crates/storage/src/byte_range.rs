//! Ranges of bytes.

use std::ops::Range;

/// The bytes of an object to read, as in the header `Range`. The first byte has number 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ByteRange {
    /// From the first number, inclusive, to the second number, exclusive. A smaller object
    /// ends the range earlier.
    Between(u64, u64),
    /// From this byte to the end.
    From(u64),
    /// This number of bytes at the end, or the whole object if the object is smaller.
    Last(u64),
}

impl ByteRange {
    /// The range in an object of `size` bytes; `None` if the range contains no byte.
    ///
    /// ```
    /// use lectern_storage::ByteRange;
    ///
    /// assert_eq!(ByteRange::Between(2, 1000).resolve(10), Some(2..10));
    /// assert_eq!(ByteRange::Last(3).resolve(10), Some(7..10));
    /// assert_eq!(ByteRange::From(10).resolve(10), None);
    /// ```
    pub fn resolve(&self, size: u64) -> Option<Range<u64>> {
        let range = match *self {
            Self::Between(start, end) => start..end.min(size),
            Self::From(start) => start..size,
            Self::Last(count) => size.saturating_sub(count)..size,
        };
        (!range.is_empty()).then_some(range)
    }
}
