//! The names of objects.

mod of_job;

use std::fmt;
use std::str::FromStr;

use lectern_domain::{Invalid, StorageKey};
use object_store::path::Path;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::Error;

/// The name of an object: segments divided by `/`, such as
/// `jobs/019a…/original/lecture.mp4`.
///
/// A key that exists names something below the root of the storage, whatever
/// bytes it was made of. Refused are
///
/// - nothing at all, more than 500 characters and more than 1024 bytes (S3);
/// - empty segments, so also a slash at the beginning or the end;
/// - the segments `.` and `..`, which name something else;
/// - backslashes, control characters and NUL;
/// - percent signs: a key is compared and stored decoded, so an encoded
///   separator is never mistaken for a name;
/// - segments over 240 bytes, which a file system could not hold while they are
///   being written;
/// - segments that end in `#` and digits: those are files being written.
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

/// The most bytes of a key, S3's limit.
const MAX_BYTES: usize = 1024;
/// The most bytes of a segment: file systems have 255, and `#` and a number are
/// added while it is written.
const MAX_SEGMENT_BYTES: usize = 240;
/// What stays as it is in the path of a URL.
const PLAIN: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

impl ObjectKey {
    /// Checks the text, which is not percent-encoded.
    pub fn new(text: impl Into<String>) -> Result<Self, Invalid> {
        let text = StorageKey::new(text)?;
        match fault(&text) {
            None => Ok(Self(text)),
            Some(fault) => Err(Invalid::new(fault)),
        }
    }

    /// The key in the path of a URL, given without its leading slash: decoded
    /// once, then checked. What is still encoded after that is refused.
    pub fn from_url_path(path: &str) -> Result<Self, Invalid> {
        let decoded = percent_decode_str(path)
            .decode_utf8()
            .map_err(|_| Invalid::new("must be UTF-8"))?;
        Self::new(decoded)
    }

    /// The key as the path of a URL, percent-encoded, without a leading slash.
    pub fn to_url_path(&self) -> String {
        utf8_percent_encode(self, &PLAIN).to_string()
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key as the driver wants it.
    pub(crate) fn to_path(&self) -> Result<Path, Error> {
        Path::parse(self.as_str()).map_err(|error| Error::other(format!("name {self}"), error))
    }

    #[expect(clippy::expect_used, reason = "made of parts that fit, see the tests")]
    pub(crate) fn checked(text: String) -> Self {
        Self::new(text).expect("a key made of parts that fit")
    }
}

/// The rule the text breaks, if it breaks one.
fn fault(text: &str) -> Option<&'static str> {
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
        } else if is_part(segment) {
            Some("must not contain a segment that ends in # and digits")
        } else {
            None
        }
    })
}

/// Whether a file of this name is one being written: the local backend appends
/// `#` and a number.
pub(crate) fn is_part(name: &str) -> bool {
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
    fn what_could_leave_the_root_or_be_mistaken_is_refused() {
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
