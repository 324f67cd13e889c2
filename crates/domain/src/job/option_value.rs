//! The values of the options of processing.

use std::fmt;
use std::num::NonZeroU8;
use std::str::FromStr;

use serde_json::{Value, json};

use crate::language_tag::LanguageTag;
use crate::value::string_enum::string_enum;
use crate::value::{Invalid, ParseEnumError};

/// A value of [`ProcessingOptions`](crate::ProcessingOptions).
pub trait OptionValue: Sized {
    /// Reads the value as it is in `processing_config`.
    ///
    /// # Errors
    ///
    /// If the type or the value is invalid; the message says what is valid.
    fn from_json(json: &Value) -> Result<Self, Invalid>;

    /// The JSON Schema of the value.
    fn json_schema() -> Value;

    /// Reads the value as it is on a command line: JSON, or a text without quotation marks.
    ///
    /// # Errors
    ///
    /// As [`OptionValue::from_json`].
    ///
    /// ```
    /// use lectern_domain::{ClipCount, OptionValue, Resolution};
    ///
    /// assert_eq!(ClipCount::from_text("5")?.get(), 5);
    /// assert_eq!(Resolution::from_text("720p")?, Resolution::P720);
    /// # Ok::<(), lectern_domain::Invalid>(())
    /// ```
    fn from_text(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let json = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
        Self::from_json(&json)
    }
}

string_enum! {
    /// Height of the pictures in the clips.
    Resolution {
        /// 1280 × 720.
        P720 = "720p",
        /// 1920 × 1080.
        P1080 = "1080p",
        /// 2560 × 1440.
        P1440 = "1440p",
        /// 3840 × 2160.
        P2160 = "2160p",
    }
}

string_enum! {
    /// Which parts of the picture the clips show. By default, the picture stays as it is,
    /// except that a screen beside the camera is enlarged.
    ClipLayout {
        /// The picture as it is.
        Keep = "keep",
        /// The screen.
        Screen = "screen",
        /// The camera.
        Camera = "camera",
        /// The screen above the camera, 9:16.
        Stack = "stack",
    }
}

/// A number of clips, 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClipCount(u8);

impl ClipCount {
    /// The greatest number of clips.
    pub const MAX: u8 = 100;

    /// The number.
    pub fn get(self) -> usize {
        self.0.into()
    }
}

impl OptionValue for ClipCount {
    fn from_json(json: &Value) -> Result<Self, Invalid> {
        // JSON has one type of numbers: 5.0 is an integer, too.
        let number = json.as_f64();
        let count = (1..=Self::MAX).find(|count| number == Some(f64::from(*count)));
        let invalid = || {
            Invalid::new(format!(
                "must be a whole number between 1 and {}",
                Self::MAX
            ))
        };
        count.map(Self).ok_or_else(invalid)
    }

    fn json_schema() -> Value {
        json!({ "type": "integer", "minimum": 1, "maximum": Self::MAX })
    }
}

/// Defines an option that is a number in a range.
macro_rules! number_option {
    ($(#[$doc:meta])* $name:ident, $min:literal to $max:literal, $rule:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
        pub struct $name(f64);

        impl $name {
            /// The number.
            pub fn get(self) -> f64 {
                self.0
            }
        }

        impl OptionValue for $name {
            fn from_json(json: &Value) -> Result<Self, Invalid> {
                match json.as_f64() {
                    Some(number @ $min..=$max) => Ok(Self(number)),
                    _ => Err(Invalid::new($rule)),
                }
            }

            fn json_schema() -> Value {
                json!({ "type": "number", "minimum": $min, "maximum": $max })
            }
        }
    };
}

number_option!(
    /// The length of a clip in seconds, 1 to 3600.
    ClipSeconds, 1.0 to 3600.0, "must be a number of seconds between 1 and 3600"
);
number_option!(
    /// A share of the recording, at least a hundredth.
    ClipShare, 0.01 to 1.0, "must be a number between 0.01 and 1"
);
number_option!(
    /// An integrated loudness in LUFS (EBU R 128), -70 to -5.
    Loudness, -70.0 to -5.0, "must be a number of LUFS between -70 and -5, for example -16"
);

impl OptionValue for LanguageTag {
    fn from_json(json: &Value) -> Result<Self, Invalid> {
        Self::new(json.as_str().unwrap_or_default())
    }

    fn json_schema() -> Value {
        json!({ "type": "string", "pattern": Self::PATTERN, "maxLength": Self::MAX })
    }
}

/// The audio track of a recording that is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudioTrack {
    /// The number of the track among the audio tracks, from 1.
    Number(NonZeroU8),
    /// All audio tracks mixed.
    Mix,
}

impl AudioTrack {
    /// The greatest number of a track.
    pub const MAX_NUMBER: u8 = 64;
    /// The name of [`AudioTrack::Mix`].
    const MIX: &str = "mix";
}

impl OptionValue for AudioTrack {
    fn from_json(json: &Value) -> Result<Self, Invalid> {
        if json.as_str() == Some(Self::MIX) {
            return Ok(Self::Mix);
        }
        // JSON has one type of numbers: 2.0 is an integer, too.
        let value = json.as_f64();
        let number = (1..=Self::MAX_NUMBER).find(|number| value == Some(f64::from(*number)));
        let invalid = || {
            let max = Self::MAX_NUMBER;
            Invalid::new(format!(
                "must be a whole number between 1 and {max}, or mix"
            ))
        };
        number
            .and_then(NonZeroU8::new)
            .map(Self::Number)
            .ok_or_else(invalid)
    }

    fn json_schema() -> Value {
        json!({
            "anyOf": [
                { "type": "integer", "minimum": 1, "maximum": Self::MAX_NUMBER },
                { "const": Self::MIX },
            ],
        })
    }
}

impl fmt::Display for AudioTrack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Mix => f.write_str(Self::MIX),
        }
    }
}

/// The level below which sound is silence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SilenceLevel {
    /// Depends on the loudness of the speech and on the noise of the recording.
    Auto,
    /// A level in dBFS, -120 to 0.
    Dbfs(f64),
}

impl SilenceLevel {
    /// The name of [`SilenceLevel::Auto`].
    const AUTO: &str = "auto";
}

impl OptionValue for SilenceLevel {
    fn from_json(json: &Value) -> Result<Self, Invalid> {
        match json.as_f64() {
            Some(dbfs @ -120.0..=0.0) => Ok(Self::Dbfs(dbfs)),
            _ if json.as_str() == Some(Self::AUTO) => Ok(Self::Auto),
            _ => Err(Invalid::new(
                "must be a number of dBFS between -120 and 0, for example -35, or auto",
            )),
        }
    }

    fn json_schema() -> Value {
        json!({
            "anyOf": [
                { "type": "number", "minimum": -120, "maximum": 0 },
                { "const": Self::AUTO },
            ],
        })
    }
}

impl fmt::Display for SilenceLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str(Self::AUTO),
            Self::Dbfs(dbfs) => dbfs.fmt(f),
        }
    }
}

impl OptionValue for bool {
    fn from_json(json: &Value) -> Result<Self, Invalid> {
        json.as_bool()
            .ok_or_else(|| Invalid::new("must be true or false"))
    }

    fn json_schema() -> Value {
        json!({ "type": "boolean" })
    }
}

impl OptionValue for Resolution {
    fn from_json(json: &Value) -> Result<Self, Invalid> {
        one_of(json, Self::ALL)
    }

    fn json_schema() -> Value {
        json!({ "type": "string", "enum": Self::ALL })
    }
}

impl OptionValue for ClipLayout {
    fn from_json(json: &Value) -> Result<Self, Invalid> {
        one_of(json, Self::ALL)
    }

    fn json_schema() -> Value {
        json!({ "type": "string", "enum": Self::ALL })
    }
}

/// Reads a value of a fixed set.
pub(super) fn one_of<T>(json: &Value, all: &[T]) -> Result<T, Invalid>
where
    T: FromStr<Err = ParseEnumError> + ToString,
{
    let value = json.as_str().and_then(|text| text.parse().ok());
    value.ok_or_else(|| {
        let values: Vec<_> = all.iter().map(T::to_string).collect();
        Invalid::new(format!("must be one of {}", values.join(", ")))
    })
}
