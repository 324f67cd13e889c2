//! Text with bounds.

use crate::value::invalid::Invalid;

/// The characters that count as white space: those with Unicode's property
/// `White_Space`, as in [`char::is_whitespace`]. Text that consists of them only is
/// blank.
pub const WHITE_SPACE: &[char] = &[
    '\t', '\n', '\u{b}', '\u{c}', '\r', ' ', '\u{85}', '\u{a0}', '\u{1680}', '\u{2000}',
    '\u{2001}', '\u{2002}', '\u{2003}', '\u{2004}', '\u{2005}', '\u{2006}', '\u{2007}', '\u{2008}',
    '\u{2009}', '\u{200a}', '\u{2028}', '\u{2029}', '\u{202f}', '\u{205f}', '\u{3000}',
];

/// Checks that there is no NUL, which PostgreSQL cannot store.
pub(crate) fn check_no_nul(text: &str) -> Result<(), Invalid> {
    if text.contains('\0') {
        return Err(Invalid::new("must not contain a NUL character"));
    }
    Ok(())
}

/// Checks the number of characters and that there is no NUL.
pub(crate) fn check(text: &str, min: usize, max: usize) -> Result<(), Invalid> {
    check_no_nul(text)?;
    // A text has no more characters than bytes, so most texts need not be counted.
    let is_short = text.len() < min || (min > 1 && text.chars().count() < min);
    let is_long = text.len() > max && text.chars().count() > max;
    match (is_short || is_long, min) {
        (false, _) => Ok(()),
        (true, 0) => Err(Invalid::new(format!(
            "must be at most {max} characters long"
        ))),
        (true, _) => Err(Invalid::new(format!(
            "must be {min} to {max} characters long"
        ))),
    }
}

pub(crate) fn check_not_blank(text: &str) -> Result<(), Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::new("must not be empty or white space only"));
    }
    Ok(())
}

/// Implements everything but the constructor of a text type.
macro_rules! text_impls {
    ($name:ident) => {
        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text, owned.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl std::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::value::Invalid;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::new(text).map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "schemars")]
        $crate::value::storage_traits::schema_of!($name: String);

        impl $crate::value::TextValue for $name {
            fn from_text(text: String) -> Result<Self, $crate::value::Invalid> {
                Self::new(text)
            }

            fn as_text(&self) -> &str {
                &self.0
            }
        }
    };
}

pub(crate) use text_impls;

/// Defines one type per text, each with the number of characters it may have.
macro_rules! bounded_texts {
    ($($(#[$doc:meta])* $name:ident: $min:literal to $max:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The least number of characters.
            pub const MIN: usize = $min;
            /// The greatest number of characters.
            pub const MAX: usize = $max;

            /// Checks the length and that there is no NUL.
            pub fn new(text: impl Into<String>) -> Result<Self, $crate::value::Invalid> {
                let text = text.into();
                $crate::value::text::check(&text, Self::MIN, Self::MAX)?;
                Ok(Self(text))
            }
        }

        impl $crate::value::BoundedText for $name {
            const MIN: usize = Self::MIN;
            const MAX: usize = Self::MAX;
        }

        $crate::value::text::text_impls!($name);
    )+};
}

pub(crate) use bounded_texts;

// Texts of a single noun are defined with it.
bounded_texts! {
    /// Name of the recording as its owner knows it, 1 to 255 characters.
    Filename: 1 to 255;
    /// Media type of the recording, such as `video/mp4`, 1 to 255 characters.
    ContentType: 1 to 255;
    /// Key of an object in the storage, 1 to 500 characters.
    StorageKey: 1 to 500;
    /// What a worker is doing, for people to read, at most 500 characters.
    ProgressMessage: 0 to 500;
    /// Id of a task in an external queue, 1 to 255 characters.
    TaskId: 1 to 255;
    /// Name of the program that did the work, at most 50 characters.
    AgentName: 0 to 50;
    /// Name of a worker, 1 to 50 characters.
    WorkerName: 1 to 50;
    /// Name of a pipeline, 1 to 50 characters.
    PipelineName: 1 to 50;
}

/// Text of any length without a NUL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LongText(String);

impl LongText {
    /// Checks that there is no NUL.
    pub fn new(text: impl Into<String>) -> Result<Self, Invalid> {
        let text = text.into();
        check_no_nul(&text)?;
        Ok(Self(text))
    }
}

text_impls!(LongText);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_characters_not_bytes() {
        assert!(Filename::new("é".repeat(255)).is_ok());
        assert!(Filename::new("é".repeat(256)).is_err());
        assert!(Filename::new("").is_err());
        assert!(ProgressMessage::new("").is_ok());
    }

    #[test]
    fn nul_is_refused_in_every_text() {
        assert!(Filename::new("a\0b").is_err());
        assert!(LongText::new("\0").is_err());
    }

    #[test]
    fn the_list_of_white_space_is_complete() {
        let all: Vec<char> = ('\0'..=char::MAX).filter(|c| c.is_whitespace()).collect();
        assert_eq!(all, WHITE_SPACE);
    }
}
