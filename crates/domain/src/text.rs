//! Text of a known length.

use std::fmt;
use std::ops::Deref;

use crate::Invalid;

/// Text of `MIN` to `MAX` characters (Unicode scalar values, not bytes)
/// without a NUL, which PostgreSQL cannot store.
///
/// The aliases below are what the tables call for. Two with the same bounds
/// are the same type: the bounds are all there is to get wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const MIN: usize, const MAX: usize>(String);

/// Name of the recording as its owner knows it, 1 to 255 characters.
pub type Filename = Text<1, 255>;
/// Media type of the recording, such as `video/mp4`, 1 to 255 characters.
pub type ContentType = Text<1, 255>;
/// Key of an object in the storage, 1 to 500 characters.
pub type StorageKey = Text<1, 500>;
/// What the recording is doing right now, at most 500 characters.
pub type ProgressMessage = Text<0, 500>;
/// Id of a task in an outside queue, 1 to 255 characters.
pub type TaskId = Text<1, 255>;
/// Who speaks, at most 50 characters.
pub type SpeakerId = Text<0, 50>;
/// Which program did the work, at most 50 characters.
pub type AgentName = Text<0, 50>;
/// Headline of a clip, 1 to 200 characters.
pub type Title = Text<1, 200>;
/// What a content segment is about, 1 to 200 characters.
pub type Topic = Text<1, 200>;
/// What a clip is about, at most 200 characters.
pub type ClipTopic = Text<0, 200>;
/// A keyword or concept, 1 to 200 characters.
pub type Keyword = Text<1, 200>;
/// Name of a worker, 1 to 50 characters.
pub type WorkerName = Text<1, 50>;
/// Name of a pipeline, 1 to 50 characters.
pub type PipelineName = Text<1, 50>;
/// Text as long as its writer wants it.
pub type LongText = Text<0, { usize::MAX }>;

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    /// The least number of characters.
    pub const MIN: usize = MIN;
    /// The greatest number of characters.
    pub const MAX: usize = MAX;

    /// Checks the length and that there is no NUL.
    pub fn new(text: impl Into<String>) -> Result<Self, Invalid> {
        let text = text.into();
        if text.contains('\0') {
            return Err(Invalid::new("must not contain a NUL character"));
        }
        // Bytes bound characters from above, so most texts are not counted.
        let short = text.len() < MIN || (MIN > 1 && text.chars().count() < MIN);
        let long = text.len() > MAX && text.chars().count() > MAX;
        match (short || long, MIN) {
            (false, _) => Ok(Self(text)),
            (true, 0) => Err(Invalid::new(format!(
                "must be at most {MAX} characters long"
            ))),
            (true, _) => Err(Invalid::new(format!(
                "must be {MIN} to {MAX} characters long"
            ))),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// What was said: any length, but more than white space, and no NUL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpokenText(String);

impl SpokenText {
    /// Checks that something is left after trimming. The text is kept as it
    /// came, white space and all.
    pub fn new(text: impl Into<String>) -> Result<Self, Invalid> {
        let text = LongText::new(text)?.into_string();
        if text.trim().is_empty() {
            return Err(Invalid::new("must not be empty or white space only"));
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl<const MIN: usize, const MAX: usize> Deref for Text<MIN, MAX> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Deref for SpokenText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> fmt::Display for Text<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for SpokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_characters_not_bytes() {
        assert!(Filename::new("é".repeat(255)).is_ok());
        assert!(Filename::new("é".repeat(256)).is_err());
        assert!(Filename::new("").is_err());
        assert!(SpeakerId::new("").is_ok());
    }

    #[test]
    fn nul_is_refused_in_every_text() {
        assert!(Filename::new("a\0b").is_err());
        assert!(LongText::new("\0").is_err());
        assert!(SpokenText::new("a\0").is_err());
    }

    #[test]
    fn spoken_text_is_more_than_white_space() {
        assert!(SpokenText::new(" \t\n\u{a0}").is_err());
        assert_eq!(SpokenText::new(" hi ").unwrap().as_str(), " hi ");
    }
}
