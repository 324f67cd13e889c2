//! What can go wrong with the storage.

use lectern_domain::Invalid;

use crate::ObjectKey;

/// The error of everything in this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no object of this name.
    #[error("there is no object {0}")]
    NotFound(ObjectKey),

    /// A name that could not be an object's.
    #[error("not an object key: {0}")]
    Invalid(#[from] Invalid),

    /// A name that local disk cannot give: a symlink is in its way, or what is
    /// a file here would have to be a directory there.
    #[error("{key} is not allowed: {why}")]
    NotAllowed {
        /// The name.
        key: ObjectKey,
        /// What is in its way.
        why: &'static str,
    },

    /// More bytes came than were announced. Nothing of them was kept.
    #[error("{key} was announced with {announced} bytes, and more came")]
    TooLarge {
        /// The object that was to be written.
        key: ObjectKey,
        /// How many bytes were announced.
        announced: u64,
    },

    /// Fewer bytes came than were announced. Nothing of them was kept.
    #[error("{key} was announced with {announced} bytes, and {received} came")]
    TooShort {
        /// The object that was to be written.
        key: ObjectKey,
        /// How many bytes were announced.
        announced: u64,
        /// How many came.
        received: u64,
    },

    /// The bytes stopped coming with an error of whoever sent them. Nothing of
    /// them was kept.
    #[error("the bytes of {key} broke off")]
    BrokenStream {
        /// The object that was to be written.
        key: ObjectKey,
        /// What the sender's side said.
        #[source]
        source: Source,
    },

    /// The wanted range has no byte of the object in it.
    #[error("the range is outside of {key}, which has {size} bytes")]
    OutOfRange {
        /// The object.
        key: ObjectKey,
        /// How many bytes it has.
        size: u64,
    },

    /// The storage does not answer, or not now. Worth trying again.
    #[error("the storage is not available: could not {doing}")]
    Unavailable {
        /// What was being done.
        doing: String,
        /// What the driver said.
        #[source]
        source: Source,
    },

    /// The storage cannot be used as it is configured.
    #[error("{0}")]
    Config(String),

    /// Any other error of the disk or the service.
    #[error("could not {doing}")]
    Other {
        /// What was being done.
        doing: String,
        /// What the driver said.
        #[source]
        source: Source,
    },
}

/// The cause of an error, whatever library it came from.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

impl Error {
    /// What the driver said about `key` while `doing` something with it.
    pub(crate) fn of_key(source: object_store::Error, doing: &str, key: &ObjectKey) -> Self {
        match source {
            object_store::Error::NotFound { .. } => Self::NotFound(key.clone()),
            source => Self::of_driver(source, format!("{doing} {key}")),
        }
    }

    /// What the driver said while `doing` something.
    pub(crate) fn of_driver(source: object_store::Error, doing: String) -> Self {
        let unavailable = is_outage(&source);
        let source = Box::new(source);
        if unavailable {
            Self::Unavailable { doing, source }
        } else {
            Self::Other { doing, source }
        }
    }

    /// What the disk said while `doing` something.
    pub(crate) fn other(doing: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Other {
            doing: doing.into(),
            source: source.into(),
        }
    }
}

/// Whether the driver's error says "not now" rather than "never".
fn is_outage(error: &object_store::Error) -> bool {
    use object_store::client::{HttpError, HttpErrorKind};

    let mut cause = Some(error as &(dyn std::error::Error + 'static));
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<HttpError>() {
            return error.kind() != HttpErrorKind::Decode;
        }
        // The status is in a type that cannot be named from here, but in words too.
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
