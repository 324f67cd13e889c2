//! Converts the reasons of failed deserialization into field errors: the path of the
//! field and the rule that the field breaks.

use lectern_api::FieldError;
use lectern_domain::Reason;

/// Converts `reason`, which was found at `path`.
pub(crate) fn field_error(path: &str, reason: &Reason) -> FieldError {
    let path = path.trim_start_matches('.');
    match reason {
        // The path of a missing field ends at its parent.
        Reason::MissingField(name) => FieldError::new(join(path, name), "is required"),
        Reason::DuplicateField(name) => {
            FieldError::new(sibling_path(path, name), "must be given only once")
        }
        Reason::UnknownField(name) => {
            FieldError::new(sibling_path(path, name), "is not known here")
        }
        Reason::IntegerOutOfBounds(_) => {
            FieldError::new(path, "must be a whole number within bounds")
        }
        Reason::Expected(expected) => {
            FieldError::new(path, format!("must be {}", json_term(expected)))
        }
        // Messages of the domain are rules already; messages of other crates are not.
        Reason::Custom(message) if message.starts_with("must ") => FieldError::new(path, message),
        Reason::Custom(_) | Reason::Syntax => {
            FieldError::new(path, format!("cannot be read: {reason}"))
        }
    }
}

/// The path of the field `name` in the object at `path`. `path` may already end with the
/// field.
fn sibling_path(path: &str, name: &str) -> String {
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

/// The JSON term for a type that one of serde's built-in visitors expects.
fn json_term(expected: &str) -> &str {
    match expected {
        "f32" | "f64" => "a number",
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" => "a whole number",
        "a sequence" => "a list",
        "a map" => "an object",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use lectern_domain::{SilenceType, TypedErrors};
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, expecting = "an object")]
    #[expect(dead_code, reason = "only read")]
    struct Segment {
        start: f64,
        order: Option<i32>,
        kind: Option<SilenceType>,
        #[serde(default)]
        extra: serde_json::Map<String, serde_json::Value>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, expecting = "an object")]
    #[expect(dead_code, reason = "only read")]
    struct Segments {
        segments: Vec<Segment>,
    }

    fn reported(json: &str) -> String {
        let mut json = serde_json::Deserializer::from_str(json);
        let reason = Cell::default();
        let json = TypedErrors::new(&mut json, &reason);
        let error = serde_path_to_error::deserialize::<_, Segments>(json).unwrap_err();
        let FieldError { field, message } =
            field_error(&error.path().to_string(), &error.inner().reason);
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
