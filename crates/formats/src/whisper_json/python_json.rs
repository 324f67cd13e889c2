//! JSON as Python's `json` module writes it.

use std::cell::Cell;

use lectern_domain::{DeserializeError, Reason, TypedErrors};
use serde::de::DeserializeOwned;

pub(super) type Result<T> = std::result::Result<T, DeserializeError<serde_json::Error>>;

/// Parses JSON. If that fails, replaces `NaN` and the infinities, which only Python
/// writes, by `null` and tries again; line numbers stay the same.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    parse_json(text).or_else(|error| match replace_python_numbers(text) {
        Some(text) => parse_json(&text),
        None => Err(error),
    })
}

fn parse_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(TypedErrors::new(&mut json, &Cell::default()))?;
    json.end().map_err(|source| DeserializeError {
        reason: Reason::Syntax,
        source: Some(source),
    })?;
    Ok(value)
}

/// Replaces `NaN`, `Infinity` and `-Infinity` outside of strings by `null`. `None` if
/// there is no `I` or `N` outside of strings, so nothing to replace.
fn replace_python_numbers(text: &str) -> Option<String> {
    const NUMBERS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];
    let mut replaced = String::with_capacity(text.len());
    let (mut found, mut in_string) = (false, false);
    for piece in text.split_inclusive('"') {
        if in_string || !piece.contains(['I', 'N']) {
            replaced.push_str(piece);
        } else {
            found = true;
            let replace = |piece: String, number| piece.replace(number, "null");
            replaced += &NUMBERS.into_iter().fold(piece.to_owned(), replace);
        }
        // A quote after an odd number of backslashes is escaped and ends no string.
        let before = piece.strip_suffix('"').unwrap_or(piece);
        let backslashes = before.len() - before.trim_end_matches('\\').len();
        in_string = !in_string || backslashes % 2 == 1;
    }
    found.then_some(replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_numbers_become_null_outside_of_strings() {
        for (text, expected) in [
            ("[NaN, -Infinity,Infinity]", Some("[null, null,null]")),
            (r#"{"NaN": NaN}"#, Some(r#"{"NaN": null}"#)),
            (
                r#"["\"NaN", "\\", NaN, "-Infinity\\\""]"#,
                Some(r#"["\"NaN", "\\", null, "-Infinity\\\""]"#),
            ),
            (r#"["Infinity \"NaN"]"#, None),
            ("[1, null]", None),
            ("", None),
        ] {
            assert_eq!(replace_python_numbers(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn other_errors_keep_their_line() {
        let error = parse::<Vec<Option<f64>>>("[NaN,\n-NaN]").unwrap_err();
        assert_eq!(error.line(), 2);
        assert_eq!(
            parse::<Vec<Option<f64>>>("[NaN, 1.5]").unwrap(),
            [None, Some(1.5)]
        );
    }
}
