//! Objects that workers store for a job.

use std::ops::Deref;

use crate::value::{FileSize, Invalid};

/// The name of an object that a worker stores for a job: its path below the objects of the job,
/// such as `clips/019b76da-a87b-7763-a830-6c97ee0bf06d.mp4`. 1 to 255 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkObjectName(String);

impl WorkObjectName {
    /// The minimum number of characters.
    pub const MIN: usize = 1;
    /// The maximum number of characters.
    pub const MAX: usize = 255;

    /// Directories with the recording of a job, parts of its upload, and subtitles that people
    /// have stored. Some file systems ignore case.
    const RESERVED: [&str; 3] = ["original", "upload", "subtitles"];

    /// Checks a name.
    pub fn new(name: impl Into<String>) -> Result<Self, Invalid> {
        let name = name.into();
        if !(Self::MIN..=Self::MAX).contains(&name.chars().count()) {
            let message = format!("must be {} to {} characters long", Self::MIN, Self::MAX);
            return Err(Invalid::new(message));
        }
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let is_valid =
            |part: &str| !part.is_empty() && !part.starts_with('.') && part.chars().all(is_allowed);
        if !name.split('/').all(is_valid) {
            return Err(Invalid::new(
                "must be names of letters, digits, '.', '_' and '-', separated by '/', of which \
                 none begins with '.'",
            ));
        }
        let first = name.split('/').next().unwrap_or_default();
        if let Some(reserved) = Self::RESERVED
            .iter()
            .find(|reserved| first.eq_ignore_ascii_case(reserved))
        {
            let message = format!("must not be in the directory {reserved}");
            return Err(Invalid::new(message));
        }
        Ok(Self(name))
    }
}

impl Deref for WorkObjectName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// An object that a worker is going to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWorkObject {
    /// Its name.
    pub filename: WorkObjectName,
    /// Its exact size.
    pub file_size: FileSize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_path_that_stays_below_the_job_and_out_of_the_reserved_directories() {
        for name in [
            "clip.mp4",
            "clips/a-1_B.mp4",
            "a/b/c",
            "originals/a",
            "a/upload",
        ] {
            assert_eq!(&*WorkObjectName::new(name).unwrap(), name);
        }
        let long = "a".repeat(256);
        for name in [
            "",
            "/a",
            "a/",
            "a//b",
            "..",
            "a/../b",
            "a/.b",
            "a b",
            "ä",
            "a\\b",
            "a\0",
            "original/a.mp4",
            "Upload/1",
            "SUBTITLES/a.vtt",
            "original",
            &long,
        ] {
            assert!(WorkObjectName::new(name).is_err(), "{name:?}");
        }
    }
}
