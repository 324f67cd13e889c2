//! The names of objects.

mod job;
mod owner;
mod prefix;

use std::fmt;
use std::str::FromStr;

use lectern_domain::{Invalid, StorageKey};
use object_store::path::{self, Path};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

pub use job::ObjectVersion;
pub use prefix::ObjectPrefix;

/// The name of an object: segments separated by `/`, such as
/// `jobs/019a…/original/lecture.mp4`.
///
/// Every key names an object below the root of the storage. The constructors refuse
///
/// - empty texts and texts of more than 500 characters or 1024 bytes (the limit of S3);
/// - empty segments, which includes a slash at the beginning or the end;
/// - the segments `.` and `..`;
/// - backslashes and control characters, including NUL;
/// - percent signs: keys are stored decoded, and without `%`, decoding a key once more
///   cannot turn `%2f` into a separator;
/// - segments over 240 bytes, because file systems allow 255 bytes and the name of an
///   unfinished file has `#` and a number in addition;
/// - segments that end in `#` and digits, because unfinished files have such names.
///
/// ```
/// use lectern_storage::ObjectKey;
///
/// let key = ObjectKey::new("jobs/1/original/lecture 7.mp4")?;
/// assert_eq!(key.to_url_path(), "jobs/1/original/lecture%207.mp4");
/// assert_eq!(ObjectKey::from_url_path("jobs/1/original/lecture%207.mp4")?, key);
/// assert!(ObjectKey::new("jobs/../secret").is_err());
/// assert!(ObjectKey::from_url_path("jobs/%2e%2e/secret").is_err());
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(StorageKey);

/// Upper bound of the length of a key in S3.
const MAX_BYTES: usize = 1024;
/// File systems allow 255 bytes, and `#` and a number are appended during a write.
const MAX_SEGMENT_BYTES: usize = 240;
/// The characters that are percent-encoded in the path of a URL: all except letters,
/// digits and the characters below.
const ENCODED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

impl ObjectKey {
    /// Checks a text that is not percent-encoded.
    pub fn new(text: impl Into<String>) -> Result<Self, Invalid> {
        let text = StorageKey::new(text)?;
        match violated_rule(&text) {
            None => Ok(Self(text)),
            Some(rule) => Err(Invalid::new(rule)),
        }
    }

    /// Parses the path of a URL without its leading slash. The path is percent-decoded
    /// once; a key that is still encoded after that is refused.
    pub fn from_url_path(path: &str) -> Result<Self, Invalid> {
        let decoded = percent_decode_str(path)
            .decode_utf8()
            .map_err(|_| Invalid::new("must be UTF-8"))?;
        Self::new(decoded)
    }

    /// The key as the percent-encoded path of a URL, without a leading slash.
    pub fn to_url_path(&self) -> String {
        utf8_percent_encode(self, &ENCODED).to_string()
    }

    /// The object with the id of the database that the storage belongs to:
    /// `lectern-database-id`.
    pub(crate) fn database_id() -> Self {
        Self::from_valid("lectern-database-id".to_owned())
    }

    /// The text, which is not percent-encoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key as a path of the `object_store` crate.
    pub(crate) fn to_path(&self) -> Result<Path, path::Error> {
        Path::parse(self.as_str())
    }

    /// A key from a text that the caller guarantees to be valid.
    #[expect(clippy::expect_used, reason = "the callers' tests cover every form")]
    pub(crate) fn from_valid(text: String) -> Self {
        Self::new(text).expect("a valid key")
    }
}

/// The rule that the text violates, if any.
fn violated_rule(text: &str) -> Option<&'static str> {
    if text.len() > MAX_BYTES {
        return Some("must be at most 1024 bytes long");
    }
    if text
        .chars()
        .any(|c| c.is_control() || c == '\\' || c == '%')
    {
        return Some("must not contain backslashes, percent signs or control characters");
    }
    text.split('/').find_map(|segment| {
        if matches!(segment, "" | "." | "..") {
            Some("must not contain empty segments, \".\" or \"..\"")
        } else if segment.len() > MAX_SEGMENT_BYTES {
            Some("must not contain a segment of more than 240 bytes")
        } else if is_unfinished(segment) {
            Some("must not contain a segment that ends in # and digits")
        } else {
            None
        }
    })
}

/// Whether a name is the name of an unfinished file, which ends in `#` and a number; see
/// `StagedFile`.
pub(crate) fn is_unfinished(name: &str) -> bool {
    name.rsplit_once('#').is_some_and(|(_, number)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

impl std::ops::Deref for ObjectKey {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl FromStr for ObjectKey {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::new(text)
    }
}

impl TryFrom<StorageKey> for ObjectKey {
    type Error = Invalid;

    fn try_from(key: StorageKey) -> Result<Self, Invalid> {
        Self::new(key.into_string())
    }
}

impl From<ObjectKey> for StorageKey {
    fn from(key: ObjectKey) -> Self {
        key.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_outside_the_root_and_ambiguous_keys_are_refused() {
        let long = "a".repeat(501);
        let wide = "é".repeat(121);
        for text in [
            "",
            "/",
            "/etc/passwd",
            "a/",
            "a//b",
            ".",
            "..",
            "../a",
            "a/..",
            "a/./b",
            "a/../b",
            "a\\b",
            "..\\a",
            "a\0b",
            "a\nb",
            "a\u{7f}",
            "a\u{85}b",
            "a%2fb",
            "%2e%2e/a",
            "100%",
            "a#1",
            "a#12/b",
            "a##1",
            &long,
            &wide,
        ] {
            assert!(ObjectKey::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn ordinary_names_are_accepted() {
        for text in [
            "a",
            "a/b/c.mp4",
            ".hidden",
            "...",
            "a b",
            "Vorlesung #3.mp4",
            "a#",
            "a#1b",
            "講義/第1回",
            "a:b",
            "~",
            "a?b*c",
            "-",
            "a+b&c=d",
        ] {
            let key = ObjectKey::new(text).unwrap();
            assert_eq!(key.as_str(), text);
            assert_eq!(ObjectKey::from_url_path(&key.to_url_path()).unwrap(), key);
        }
    }
}
