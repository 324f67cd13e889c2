//! Enumerations that are text in the database and in JSON.

use std::fmt;

/// The error of parsing a text that names no variant of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseEnumError {
    /// Name of the enumeration, such as `JobStatus`.
    pub kind: &'static str,
    /// The text that was parsed.
    pub text: String,
}

impl fmt::Display for ParseEnumError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a {}", self.text, self.kind)
    }
}

impl std::error::Error for ParseEnumError {}

/// Deserializes an enumeration from a string.
pub(crate) struct EnumVisitor<T> {
    pub(crate) parse: fn(&str) -> Option<T>,
    pub(crate) texts: Vec<&'static str>,
}

impl<T> serde::de::Visitor<'_> for EnumVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {}", self.texts.join(", "))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

/// Defines an enumeration and the text of each variant, which is the same in the
/// database and in JSON.
macro_rules! string_enum {
    (
        $(#[$doc:meta])*
        $name:ident { $( $(#[$variant_doc:meta])* $variant:ident = $text:literal ),+ $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize)]
        #[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
        pub enum $name {
            $( $(#[$variant_doc])* #[serde(rename = $text)] $variant, )+
        }

        impl $name {
            /// Every variant, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The text of the variant.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        // A derived implementation would also accept `{"queued": null}`.
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let texts: Vec<_> = Self::ALL.iter().map(|variant| variant.as_str()).collect();
                deserializer.deserialize_str($crate::value::string_enum::EnumVisitor {
                    parse: |text| text.parse().ok(),
                    texts,
                })
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::value::ParseEnumError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::value::ParseEnumError {
                        kind: stringify!($name),
                        text: text.to_owned(),
                    }),
                }
            }
        }

        impl $crate::value::TextValue for $name {
            fn from_text(text: String) -> Result<Self, $crate::value::Invalid> {
                text.parse()
                    .map_err(|error: $crate::value::ParseEnumError| $crate::value::Invalid::new(error.to_string()))
            }

            fn as_text(&self) -> &str {
                self.as_str()
            }
        }
    };
}

pub(crate) use string_enum;

#[cfg(test)]
mod tests {
    use crate::job::JobStatus;

    fn read(json: &str) -> Result<JobStatus, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn only_a_string_is_deserialized() {
        assert_eq!(read("\"queued\""), Ok(JobStatus::Queued));
        assert_eq!(
            serde_json::to_string(&JobStatus::Queued).unwrap(),
            "\"queued\""
        );
        for json in [
            "{\"queued\": null}",
            "[\"queued\"]",
            "1",
            "null",
            "\"Queued\"",
            "\"\"",
        ] {
            let error = read(json).unwrap_err();
            assert!(
                error.contains("expected one of pending, queued"),
                "{json}: {error}"
            );
        }
    }
}
