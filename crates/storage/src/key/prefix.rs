//! Prefixes of object keys.

use std::fmt;

use lectern_domain::{Invalid, JobId};
use object_store::path::{self, Path};

use super::ObjectKey;

/// A prefix of keys that consists of whole segments: `jobs/1` is a prefix of `jobs/1/a`
/// but not of `jobs/10`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectPrefix(Option<ObjectKey>);

impl ObjectPrefix {
    /// Makes a prefix from a text. Fails unless the text is empty or a valid key.
    pub fn new(text: impl Into<String>) -> Result<Self, Invalid> {
        let text = text.into();
        if text.is_empty() {
            return Ok(Self::everything());
        }
        ObjectKey::new(text).map(Self::from)
    }

    /// The empty prefix, which is a prefix of all keys.
    pub fn everything() -> Self {
        Self(None)
    }

    /// The prefix of all objects that belong to jobs: `jobs`.
    pub fn jobs() -> Self {
        ObjectKey::from_valid("jobs".to_owned()).into()
    }

    /// The prefix of what is stored of a resumable upload besides its parts; see
    /// [`ObjectKey::upload_tail`].
    pub fn upload_tails(job_id: JobId) -> Self {
        ObjectKey::from_valid(format!("jobs/{job_id}/upload")).into()
    }

    pub(crate) fn as_key(&self) -> Option<&ObjectKey> {
        self.0.as_ref()
    }

    /// The prefix as a path of the `object_store` crate.
    pub(crate) fn to_path(&self) -> Result<Path, path::Error> {
        self.as_key().map_or(Ok(Path::ROOT), ObjectKey::to_path)
    }

    /// The prefix without a slash at its end.
    pub fn as_str(&self) -> &str {
        self.0.as_ref().map_or("", |key| key.as_str())
    }
}

impl From<ObjectKey> for ObjectPrefix {
    /// The prefix of all keys below `key`.
    fn from(key: ObjectKey) -> Self {
        Self(Some(key))
    }
}

impl fmt::Display for ObjectPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
