//! The beginnings of names.

use std::fmt;

use lectern_domain::Invalid;
use object_store::path::Path;

use crate::{Error, ObjectKey};

/// The beginning of keys in whole segments: `jobs/1` is the beginning of
/// `jobs/1/a` and not of `jobs/10`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectPrefix(Option<ObjectKey>);

impl ObjectPrefix {
    /// Checks the text: empty for everything, or else like a key.
    pub fn new(text: impl Into<String>) -> Result<Self, Invalid> {
        let text = text.into();
        if text.is_empty() {
            return Ok(Self::everything());
        }
        ObjectKey::new(text).map(Self::from)
    }

    /// The beginning of all keys.
    pub fn everything() -> Self {
        Self(None)
    }

    /// What the jobs own: `jobs`.
    pub fn jobs() -> Self {
        ObjectKey::checked("jobs".to_owned()).into()
    }

    pub(crate) fn as_key(&self) -> Option<&ObjectKey> {
        self.0.as_ref()
    }

    /// The prefix as the driver wants it.
    pub(crate) fn to_path(&self) -> Result<Path, Error> {
        self.as_key().map_or(Ok(Path::ROOT), ObjectKey::to_path)
    }

    /// The prefix without a slash at the end, empty for everything.
    pub fn as_str(&self) -> &str {
        self.0.as_ref().map_or("", |key| key.as_str())
    }
}

impl From<ObjectKey> for ObjectPrefix {
    /// Everything below what would be the object of this name.
    fn from(key: ObjectKey) -> Self {
        Self(Some(key))
    }
}

impl fmt::Display for ObjectPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
