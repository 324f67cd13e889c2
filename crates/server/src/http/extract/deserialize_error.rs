//! Errors of deserialization: the broken rule as data, not as serde's text.

use std::fmt;

use lectern_api::FieldError;
use serde::de::{Error, Expected, Unexpected};

/// The error of deserializing a request.
#[derive(Debug)]
pub(crate) enum DeserializeError<E> {
    /// A value that is well-formed but does not fit its type.
    Rule(BrokenRule),
    /// The format's own error, such as a syntax error.
    Format(E),
}

/// A rule that a value breaks. The value itself is not kept: it may be long or
/// secret.
#[derive(Debug)]
pub(crate) enum BrokenRule {
    /// The value must be what the text says, such as `a number`.
    Expected(String),
    /// The number must be an integer within the bounds of its type.
    IntegerBounds,
    MissingField(&'static str),
    UnknownField(String),
    DuplicateField(&'static str),
    /// The message of a type's own `Deserialize`.
    Custom(String),
}

impl<E: Error> Error for DeserializeError<E> {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Rule(BrokenRule::Custom(message.to_string()))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Rule(BrokenRule::Expected(expected.to_string()))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Rule(match unexpected {
            Unexpected::Signed(_) | Unexpected::Unsigned(_) => BrokenRule::IntegerBounds,
            _ => BrokenRule::Expected(expected.to_string()),
        })
    }

    fn missing_field(name: &'static str) -> Self {
        Self::Rule(BrokenRule::MissingField(name))
    }

    fn unknown_field(name: &str, _: &'static [&'static str]) -> Self {
        Self::Rule(BrokenRule::UnknownField(name.to_owned()))
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self::Rule(BrokenRule::DuplicateField(name))
    }
}

impl<E: fmt::Display> fmt::Display for DeserializeError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(rule) => write!(f, "{rule:?}"),
            Self::Format(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error> std::error::Error for DeserializeError<E> {}

impl BrokenRule {
    /// The rule as it is reported to clients. `path` is where deserialization
    /// stopped: at the value, or at the object that has a missing, unknown or
    /// duplicate field.
    pub(crate) fn at(self, path: &str) -> FieldError {
        let path = path.trim_start_matches('.');
        match self {
            Self::MissingField(name) => FieldError::new(join(path, name), "is required"),
            Self::DuplicateField(name) => {
                FieldError::new(beside(path, name), "must be given only once")
            }
            Self::UnknownField(name) => FieldError::new(beside(path, &name), "is not known here"),
            Self::IntegerBounds => FieldError::new(path, "must be a whole number within bounds"),
            Self::Expected(expected) => {
                FieldError::new(path, format!("must be {}", in_json(&expected)))
            }
            Self::Custom(message) if message.starts_with("must ") => FieldError::new(path, message),
            Self::Custom(message) => FieldError::new(path, format!("cannot be read: {message}")),
        }
    }
}

/// The path of field `name` in the object at `path`, which may already include
/// it.
fn beside(path: &str, name: &str) -> String {
    if path == name || path.ends_with(&format!(".{name}")) {
        path.to_owned()
    } else {
        join(path, name)
    }
}

fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    }
}

/// The names of Rust's types, by which serde's own implementations describe what
/// they expect, in terms of JSON.
fn in_json(expected: &str) -> &str {
    match expected {
        "f32" | "f64" => "a number",
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" => "a whole number",
        "a sequence" => "a list",
        "a map" => "an object",
        structure if structure.starts_with("struct ") => "an object",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::extract::json_deserializer::{JsonDeserializer, Slot};
    use lectern_domain::SilenceType;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Segment {
        start: f64,
        order: Option<i32>,
        kind: Option<SilenceType>,
        #[serde(default)]
        extra: serde_json::Map<String, serde_json::Value>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Segments {
        segments: Vec<Segment>,
    }

    fn reported(json: &str) -> String {
        let mut json = serde_json::Deserializer::from_str(json);
        let slot = Slot::default();
        let json = JsonDeserializer::new(&mut json, &slot);
        let error = serde_path_to_error::deserialize::<_, Segments>(json).unwrap_err();
        let path = error.path().to_string();
        let DeserializeError::Rule(rule) = error.into_inner() else {
            panic!("the JSON is well-formed");
        };
        let FieldError { field, message } = rule.at(&path);
        format!("{field} {message}")
    }

    #[test]
    fn every_error_names_its_field_and_the_broken_rule() {
        assert_eq!(reported("{}"), "segments is required");
        assert_eq!(reported("5"), " must be an object");
        assert_eq!(reported(r#"{"segments": {}}"#), "segments must be a list");
        assert_eq!(
            reported(r#"{"segments": [], "x": 1}"#),
            "x is not known here"
        );
        assert_eq!(
            reported(r#"{"segments": [], "segments": []}"#),
            "segments must be given only once"
        );
        let item = |json: &str| reported(&format!(r#"{{"segments": [{{"start": 1}}, {json}]}}"#));
        assert_eq!(item("{}"), "segments[1].start is required");
        assert_eq!(item("7"), "segments[1] must be an object");
        assert_eq!(
            item(r#"{"start": "x"}"#),
            "segments[1].start must be a number"
        );
        assert_eq!(
            item(r#"{"start": 1, "y": 1}"#),
            "segments[1].y is not known here"
        );
        assert_eq!(
            item(r#"{"start": 1, "order": 1.5}"#),
            "segments[1].order must be a whole number"
        );
        assert_eq!(
            item(r#"{"start": 1, "order": 99999999999}"#),
            "segments[1].order must be a whole number within bounds"
        );
        assert_eq!(
            item(r#"{"start": 1, "kind": "x"}"#),
            "segments[1].kind must be one of audio_silence, blank_screen, both"
        );
        assert_eq!(
            item(r#"{"start": 1, "kind": 1}"#),
            "segments[1].kind must be one of audio_silence, blank_screen, both"
        );
        assert_eq!(
            item(r#"{"start": 1, "extra": null}"#),
            "segments[1].extra must be an object"
        );
    }
}
