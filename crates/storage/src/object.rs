//! Objects, their metadata, and ranges of their bytes.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;

use crate::error::Error;
use crate::key::ObjectKey;

/// The metadata of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The name of the object.
    pub key: ObjectKey,
    /// In bytes.
    pub size: u64,
    /// By the clock of the disk or the service.
    pub last_modified: DateTime<Utc>,
    /// Changes whenever the content changes. Has the form of the header `ETag`, including
    /// quotation marks. `None` in lists of the local disk and from services without etags.
    pub etag: Option<String>,
}

/// An object that is being read.
pub struct Object {
    /// The metadata of the whole object.
    pub info: ObjectInfo,
    /// The bytes that `stream` returns; the whole object unless a range was requested.
    pub range: Range<u64>,
    /// The content. The stream reads when it is polled; on local disk, at most 256 KiB at a
    /// time.
    pub stream: BoxStream<'static, Result<Bytes, Error>>,
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object")
            .field("info", &self.info)
            .field("range", &self.range)
            .finish_non_exhaustive()
    }
}

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
