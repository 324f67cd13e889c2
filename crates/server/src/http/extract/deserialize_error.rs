//! Converts serde's errors into field errors: the path of the field and the rule
//! it breaks.
//!
//! `serde_json` reports missing, unknown and duplicate fields only in its messages,
//! whose format the tests below pin.

use lectern_api::FieldError;

/// Converts `message`, which serde reported at `path`.
pub(crate) fn field_error(path: &str, message: &str) -> FieldError {
    let path = path.trim_start_matches('.');
    // The path of a missing field ends at its parent; the name is in the message.
    if let Some(name) = quoted(message, "missing field ") {
        return FieldError::new(join(path, name), "is required");
    }
    if let Some(name) = quoted(message, "duplicate field ") {
        return FieldError::new(beside(path, name), "must be given only once");
    }
    if let Some(name) = quoted(message, "unknown field ") {
        return FieldError::new(beside(path, name), "is not known here");
    }
    FieldError::new(path, rule(message))
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

fn quoted<'m>(message: &'m str, prefix: &str) -> Option<&'m str> {
    message
        .strip_prefix(prefix)?
        .strip_prefix('`')?
        .split('`')
        .next()
}

/// The broken rule. The received value is not repeated: it may be long or secret.
fn rule(message: &str) -> String {
    let message = strip_place(message);
    if message.starts_with("invalid value: integer") {
        return "must be a whole number within bounds".to_owned();
    }
    match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("must be {}", plain(expected)),
        None if message.starts_with("must ") => message.to_owned(),
        None => format!("cannot be read: {message}"),
    }
}

/// Rust's type names in terms of JSON.
fn plain(expected: &str) -> String {
    match expected {
        "f32" | "f64" => "a number".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" => "a whole number".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "an object".to_owned(),
        structure if structure.starts_with("struct ") => "an object".to_owned(),
        other => other.to_owned(),
    }
}

/// Removes the position that `serde_json` appends.
pub(crate) fn strip_place(message: &str) -> &str {
    match message.rsplit_once(" at line ") {
        Some((message, place)) if place.starts_with(|c: char| c.is_ascii_digit()) => message,
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lectern_domain::SilenceType;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Segment {
        start: f64,
        order: Option<i32>,
        kind: Option<SilenceType>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Segments {
        segments: Vec<Segment>,
    }

    fn reported(json: &str) -> String {
        let mut json = serde_json::Deserializer::from_str(json);
        let error = serde_path_to_error::deserialize::<_, Segments>(&mut json).unwrap_err();
        let FieldError { field, message } =
            field_error(&error.path().to_string(), &error.inner().to_string());
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
    }
}
