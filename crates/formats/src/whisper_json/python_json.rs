//! JSON as Python writes it.

use serde::de::DeserializeOwned;

/// Reads JSON, or what would be JSON if it had `null` for the numbers of Python
/// that JSON has not. Lines are the same in both.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str(text).or_else(|error| match nulled(text) {
        Some(text) => serde_json::from_str(&text),
        None => Err(error),
    })
}

/// The text with `null` for every such number; `None` when there is none.
fn nulled(text: &str) -> Option<String> {
    const NUMBERS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];
    let mut nulled = String::with_capacity(text.len());
    let (mut found, mut inside) = (false, false);
    for piece in text.split_inclusive('"') {
        if inside || !piece.contains(['I', 'N']) {
            nulled.push_str(piece);
        } else {
            found = true;
            let word = |piece: String, number| piece.replace(number, "null");
            nulled += &NUMBERS.into_iter().fold(piece.to_owned(), word);
        }
        // A string goes on behind a quote that is escaped.
        let before = piece.strip_suffix('"').unwrap_or(piece);
        let backslashes = before.len() - before.trim_end_matches('\\').len();
        inside = !inside || backslashes % 2 == 1;
    }
    found.then_some(nulled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_python_are_null_but_not_in_strings() {
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
            assert_eq!(nulled(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_else_is_wrong_is_told_with_its_line() {
        let error = parse::<Vec<Option<f64>>>("[NaN,\n-NaN]").unwrap_err();
        assert_eq!(error.line(), 2);
        assert_eq!(
            parse::<Vec<Option<f64>>>("[NaN, 1.5]").unwrap(),
            [None, Some(1.5)]
        );
    }
}
