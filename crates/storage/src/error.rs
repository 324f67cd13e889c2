//! The error of every operation in this crate.

use std::fmt;

use lectern_domain::Invalid;

use crate::key::ObjectKey;

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The object does not exist.
    #[error("there is no object {0}")]
    NotFound(ObjectKey),

    /// The text is not an object key.
    #[error("not an object key: {0}")]
    Invalid(#[from] Invalid),

    /// The operation is not allowed for this key. On local disk, a part of the path is a
    /// symlink, or is a file instead of a directory or the reverse. In a bucket, clients
    /// upload directly.
    #[error("{key} is not allowed: {reason}")]
    NotAllowed {
        /// The key that was used.
        key: ObjectKey,
        /// The rule that the key or the operation violates.
        reason: &'static str,
    },

    /// Another upload of the object is running.
    #[error("{0} is being uploaded already")]
    UploadInProgress(ObjectKey),

    /// More bytes arrived than announced. Nothing was kept.
    #[error("{key} was announced with {announced} bytes, but more arrived")]
    TooLarge {
        /// The object that was to be written.
        key: ObjectKey,
        /// In bytes.
        announced: u64,
    },

    /// Fewer bytes arrived than announced. Nothing was kept.
    #[error("{key} was announced with {announced} bytes, but only {received} arrived")]
    TooShort {
        /// The object that was to be written.
        key: ObjectKey,
        /// In bytes.
        announced: u64,
        /// In bytes.
        received: u64,
    },

    /// The stream of bytes to write ended with an error. Nothing was kept.
    #[error("the stream of bytes for {key} failed")]
    BrokenStream {
        /// The object that was to be written.
        key: ObjectKey,
        /// The stream's error.
        #[source]
        source: Source,
    },

    /// The requested range contains no byte of the object.
    #[error("the range is outside of {key}, which has {size} bytes")]
    OutOfRange {
        /// The object that was to be read.
        key: ObjectKey,
        /// Of the whole object, in bytes.
        size: u64,
    },

    /// The storage service cannot be reached or is overloaded. A later attempt may
    /// succeed.
    #[error("the storage is not available: could not {doing}")]
    Unavailable {
        /// The operation, as an infinitive.
        doing: String,
        /// The driver's error.
        #[source]
        source: Source,
    },

    /// The configuration is invalid.
    #[error("{0}")]
    Config(String),

    /// Any other error of the disk or the service.
    #[error("could not {doing}")]
    Other {
        /// The operation, as an infinitive.
        doing: String,
        /// The error of the disk or the driver.
        #[source]
        source: Source,
    },
}

/// The cause of an error, from any library.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

impl Error {
    /// An error of the driver. `doing` is the operation on `key`, as an infinitive.
    pub(crate) fn driver_for_key(
        source: object_store::Error,
        doing: &str,
        key: &ObjectKey,
    ) -> Self {
        match source {
            object_store::Error::NotFound { .. } => Self::NotFound(key.clone()),
            source => Self::driver(source, format!("{doing} {key}")),
        }
    }

    /// An error of the driver. `doing` is the operation, as an infinitive.
    pub(crate) fn driver(source: object_store::Error, doing: String) -> Self {
        let is_temporary = is_temporary(&source);
        let source = Box::new(source);
        if is_temporary {
            Self::Unavailable { doing, source }
        } else {
            Self::Other { doing, source }
        }
    }

    /// An error of the disk or of the operating system. `doing` is the operation, as an
    /// infinitive.
    pub(crate) fn other(doing: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Other {
            doing: doing.into(),
            source: source.into(),
        }
    }

    /// The storage URL is invalid. The URL is not part of the message, because it may
    /// contain a secret.
    pub(crate) fn invalid_url(reason: impl fmt::Display) -> Self {
        Self::Config(format!(
            "not a storage URL: {reason}; accepted are file:///path and s3://bucket/prefix?endpoint=…&region=…"
        ))
    }
}

impl From<object_store::path::Error> for Error {
    fn from(error: object_store::path::Error) -> Self {
        Self::other("convert the object key to a path", error)
    }
}

/// Whether a later attempt may succeed.
fn is_temporary(error: &object_store::Error) -> bool {
    use object_store::client::{HttpError, HttpErrorKind};

    let mut cause = Some(error as &(dyn std::error::Error + 'static));
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<HttpError>() {
            return error.kind() != HttpErrorKind::Decode;
        }
        // In `object_store` the error type with the HTTP status is private, so the status is
        // searched for in the message.
        let text = error.to_string();
        if ["status code: 5", "status code: 429"]
            .iter()
            .any(|status| text.contains(status))
        {
            return true;
        }
        cause = error.source();
    }
    false
}
