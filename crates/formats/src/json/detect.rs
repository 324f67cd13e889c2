//! Distinguishes the JSON of other programs from Lectern's.

use super::document::{Object, Raw, list};
use super::python_json;
use crate::charset::decode_unicode;

/// Fields that only a segment of Lectern's JSON has.
const LECTERN_FIELDS: [&str; 3] = ["start_time", "end_time", "speaker_id"];
/// Fields of a file that Lectern's JSON does not have.
const FOREIGN_FIELDS: [&str; 8] = [
    "text",
    "language",
    "words",
    "word_segments",
    "duration",
    "task",
    "model",
    "metadata",
];

/// Whether the bytes are JSON of another program, rather than the JSON of Lectern's API, which
/// also has `segments`. JSON of a shape that is not read is that of another program, too.
///
/// The first segment decides: Lectern's has one of the fields that only Lectern's segments
/// have. If there is no segment, or if the file has fields that Lectern's has not, these
/// decide.
pub fn detect(bytes: &[u8]) -> bool {
    let text = decode_unicode(bytes);
    let text = python_json::valid(&text);
    let Ok((values, _)) = super::values(&text) else {
        return false;
    };
    values.first().is_some_and(|first| is_foreign(first))
}

fn is_foreign(value: Raw<'_>) -> bool {
    let Some(file) = Object::of(value) else {
        let items = list(value).unwrap_or_default();
        let first = items.first().and_then(|raw| Object::of(raw));
        return first.is_some_and(|first| !first.is_empty() && !is_of_lectern(&first));
    };
    if file.is_empty() || is_of_lectern(&file) {
        return false;
    }
    let has_foreign_field = file.first(&FOREIGN_FIELDS).is_some();
    if !file.has("segments") {
        return true;
    }
    let first = file.list("segments").first().copied();
    match first.map(Object::of) {
        Some(Some(first)) => has_foreign_field || !is_of_lectern(&first),
        // No list of objects.
        Some(None) => false,
        None => has_foreign_field,
    }
}

/// Whether a segment has a field of Lectern's, at least by its name.
fn is_of_lectern(segment: &Object<'_>) -> bool {
    segment.first(&LECTERN_FIELDS).is_some()
}
