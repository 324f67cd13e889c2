//! What is known of an object, and what is in it.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;

use crate::{Error, ObjectKey};

/// What is known of an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its name.
    pub key: ObjectKey,
    /// How many bytes it has.
    pub size: u64,
    /// When it was written.
    pub last_modified: DateTime<Utc>,
    /// Differs when its bytes differ, as the header `ETag` wants it, quotation
    /// marks included. Not every S3-compatible service gives one.
    pub etag: Option<String>,
}

/// An object that is being read.
pub struct Object {
    /// What is known of the whole of it.
    pub info: ObjectInfo,
    /// Which of its bytes come; all of them unless a range was asked for.
    pub range: Range<u64>,
    /// The bytes of that range. They are read as they are taken, in pieces of
    /// at most a quarter of a MiB on local disk.
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
