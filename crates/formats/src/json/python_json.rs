//! JSON as Python's `json` module writes it.

use std::borrow::Cow;

use serde::de::IgnoredAny;

/// Greatest length of an error message, in characters.
const MAX_MESSAGE_CHARS: usize = 200;

/// The text with `NaN` and the infinities, which only Python writes, replaced by `null`, if it
/// is not JSON without that. Line numbers stay the same.
pub(super) fn valid(text: &str) -> Cow<'_, str> {
    if serde_json::from_str::<IgnoredAny>(text).is_ok() {
        return text.into();
    }
    replace_python_numbers(text).map_or(text.into(), Cow::Owned)
}

/// The message of an error, which does not quote the file at length.
pub(super) fn message(error: &serde_json::Error) -> String {
    // The position is reported apart from the message.
    let message = error.to_string();
    let end = message.rfind(" at line ").unwrap_or(message.len());
    message[..end].chars().take(MAX_MESSAGE_CHARS).collect()
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
}
