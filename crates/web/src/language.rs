//! The languages of the pages.

use crate::recording::editing_words::{self as editing, EditingWords};
use crate::recording::words::{self as recording, RecordingWords};
use crate::recordings::words::{self as recordings, ListWords};
use crate::words::{ENGLISH, GERMAN, Words};

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English, also for readers of languages that are not known here.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// The first known language of primary subtags, such as `de`, of which the preferred one
    /// comes first.
    pub fn preferred<'a>(subtags: impl IntoIterator<Item = &'a str>) -> Self {
        let known = subtags.into_iter().find_map(|subtag| {
            let is = |tag: &str| subtag.eq_ignore_ascii_case(tag);
            match subtag {
                _ if is("en") => Some(Self::English),
                _ if is("de") => Some(Self::German),
                _ => None,
            }
        });
        known.unwrap_or_default()
    }

    /// The language tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The words of the pages.
    pub fn words(self) -> &'static Words {
        match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
        }
    }

    /// The words of uploads and actions in the list of recordings.
    pub(crate) fn list_words(self) -> &'static ListWords {
        match self {
            Self::English => &recordings::ENGLISH,
            Self::German => &recordings::GERMAN,
        }
    }

    /// The words of the page of a recording.
    pub(crate) fn recording_words(self) -> &'static RecordingWords {
        match self {
            Self::English => &recording::ENGLISH,
            Self::German => &recording::GERMAN,
        }
    }

    /// The words of the page of a recording for changing its clips.
    pub(crate) fn editing_words(self) -> &'static EditingWords {
        match self {
            Self::English => &editing::ENGLISH,
            Self::German => &editing::GERMAN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_language_is_chosen() {
        assert_eq!(Language::preferred(["fr", "DE", "en"]), Language::German);
        assert_eq!(Language::preferred(["en", "de"]), Language::English);
        assert_eq!(Language::preferred(["fr"]), Language::English);
        assert_eq!(Language::preferred([]), Language::English);
    }
}
