//! Converts errors of the storage to responses.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};

use lectern_api::Code;
use lectern_storage::Error as StorageError;
use rustix::io::Errno;

use crate::http::error::ApiError;

pub(super) const STORAGE_UNAVAILABLE: &str =
    "the storage does not answer, or has no room; try again";

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::NotFound(_)
            | StorageError::Invalid(_)
            | StorageError::NotAllowed { .. } => Self::no_object(),
            StorageError::UploadInProgress(_) => {
                let detail = "another request is uploading this recording; \
                              try again when that has ended";
                Self::new(Code::UploadInProgress, detail)
            }
            StorageError::TooLarge { announced, .. } => {
                let detail = format!("{announced} bytes were announced, but more arrived");
                Self::new(Code::BodyTooLarge, detail)
            }
            StorageError::TooShort {
                announced,
                received,
                ..
            } => {
                let detail = format!("{announced} bytes were announced, but {received} arrived");
                Self::new(Code::MalformedBody, detail)
            }
            // The stream of the request body failed with an `ApiError`, which the storage
            // has wrapped.
            StorageError::BrokenStream { source, .. } => match source.downcast::<Self>() {
                Ok(error) => *error,
                Err(source) => Self::internal(source),
            },
            error if is_transient(&error) => {
                Self::new(Code::Overloaded, STORAGE_UNAVAILABLE).with_cause(error)
            }
            error => Self::internal(error),
        }
    }
}

/// Whether a retry may succeed: the storage does not respond or has no space, or the
/// system cannot open more files.
fn is_transient(error: &StorageError) -> bool {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(is_exhausted) {
            return true;
        }
        cause = error.source();
    }
    matches!(error, StorageError::Unavailable { .. })
}

/// Whether the system has run out of disk space or file descriptors.
fn is_exhausted(error: &io::Error) -> bool {
    let has_no_space = matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    );
    has_no_space
        || matches!(
            Errno::from_io_error(error),
            Some(Errno::MFILE | Errno::NFILE)
        )
}
