//! Objects and their metadata.

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
