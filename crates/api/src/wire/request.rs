//! Requests: what a client may send, and its conversion into the domain's types.

use lectern_domain::{InField, Invalid, LongText, NonNegativeInt, Patch, assign_positions};
use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use validator::Validate;

use crate::wire::items::with_max_items;
use crate::wire::json_object::Object;
use crate::wire::validation::{FieldError, FieldErrors};

/// A body or a query string that a client may send.
///
/// Three steps lead to a value of the domain, and each finds a different kind of error:
/// [`Request::read`] finds wrong types and missing or unknown fields, [`Validate`]
/// finds all values out of bounds, and the conversion finds the first of the
/// remaining errors (contradicting fields, NUL characters).
/// [`Request::into_domain`] takes the last two steps.
pub trait Request: DeserializeOwned + Validate {
    /// The domain's type for the request.
    type Domain: TryFrom<Self, Error = Invalid>;

    /// Deserializes the request from an object. Refuses an array of the values in order,
    /// which a derived `Deserialize` would accept.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Object::deserialize(deserializer).map(|object| object.0)
    }

    /// The kind of values in a body, for an estimate of the memory that the body needs.
    const BODY_SHAPE: BodyShape = BodyShape::Json;

    /// The parameters of a query string whose other parameters are ignored. `None`: other
    /// parameters are refused.
    const ONLY_PARAMETERS: Option<&'static [&'static str]> = None;

    /// A map that query strings spell as one parameter for each key: `metadata` is read
    /// from the parameters `metadata.course` and `metadata.year`.
    const MAP_PARAMETER: Option<&'static str> = None;

    /// Whether a query string selects a page of a list by its cursor.
    const IS_PAGED: bool = false;

    /// A parameter of a query string that is well-formed, but not together with the others.
    fn contradiction(&self) -> Option<FieldError> {
        None
    }

    /// The fields that are out of bounds.
    fn out_of_bounds(&self) -> FieldErrors {
        FieldErrors::of(self)
    }

    /// Validates and converts the request. The errors are all fields that are out of
    /// bounds or, if no field is out of bounds, the first broken rule of the domain. An
    /// `Err` is never empty.
    fn into_domain(self) -> Result<Self::Domain, FieldErrors> {
        let errors = self.out_of_bounds();
        if errors.is_empty() {
            Self::Domain::try_from(self).map_err(FieldErrors::from)
        } else {
            Err(errors)
        }
    }

    /// Reads and converts a request whose lists have at most `max_items` items.
    fn read_domain<'de, D: Deserializer<'de>>(
        deserializer: D,
        max_items: usize,
    ) -> Result<Result<Self::Domain, FieldErrors>, D::Error> {
        with_max_items(max_items, || {
            Self::read(deserializer).map(Self::into_domain)
        })
    }
}

/// The kind of values in a body. Determines how much memory the values need compared with
/// their JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyShape {
    /// A list of items with a fixed number of fields.
    Rows,
    /// A list of items that contain lists of objects with a fixed number of fields.
    RowsOfWords,
    /// A list of items that contain lists of strings.
    RowsOfLists,
    /// A list of items that contain JSON of any form.
    RowsWithJson,
    /// JSON of any form.
    Json,
}

impl BodyShape {
    /// Upper bound of the memory for the values of a body of JSON, in bytes. Does not
    /// include the memory of `body` itself. Lists have at most `max_items` items.
    pub fn memory(self, body: &[u8], max_items: usize) -> usize {
        let count =
            |wanted: u8| -> usize { body.iter().map(|byte| usize::from(*byte == wanted)).sum() };
        let structure = match self {
            Self::Rows => 240 * count(b'{').min(max_items),
            Self::RowsOfWords => {
                let counts = ValueCounts::of(body, ROW_DEPTH);
                240 * counts.rows.min(max_items) + 240 * counts.objects
            }
            Self::RowsOfLists => 16 * count(b'"') + 24 * count(b','),
            Self::RowsWithJson => {
                let counts = ValueCounts::of(body, ROW_DEPTH);
                800 * counts.rows.min(max_items) + counts.json_memory()
            }
            Self::Json => ValueCounts::of(body, 0).json_memory(),
        };
        // All strings together are not longer than the body.
        body.len() + structure
    }
}

/// The nesting depth of the items of a list: the body has depth 1 and its list depth 2.
const ROW_DEPTH: usize = 3;

/// The numbers of objects, arrays and commas in a JSON text.
#[derive(Debug, Default, PartialEq, Eq)]
struct ValueCounts {
    /// Objects at the depth of the rows.
    rows: usize,
    /// Objects inside of rows.
    objects: usize,
    /// Arrays inside of rows.
    arrays: usize,
    /// Commas between values inside of rows, except the fields of the row itself.
    commas: usize,
}

impl ValueCounts {
    /// Counts objects at `row_depth` as rows, and everything deeper separately. The text
    /// need not be JSON.
    fn of(text: &[u8], row_depth: usize) -> Self {
        let mut found = Self::default();
        let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
        for byte in text {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if in_string => is_escaped = true,
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b'{' | b'[' => {
                    depth += 1;
                    match byte {
                        b'{' if depth == row_depth => found.rows += 1,
                        b'{' if depth > row_depth => found.objects += 1,
                        b'[' if depth > row_depth => found.arrays += 1,
                        _ => {}
                    }
                }
                b'}' | b']' => depth = depth.saturating_sub(1),
                b',' if depth > row_depth => found.commas += 1,
                _ => {}
            }
        }
        found
    }

    /// Upper bound of the memory for JSON of any form, in bytes. Even a small map allocates
    /// space for eleven entries. Up to four copies exist: the parsed value, the value sent
    /// to the database, the value that the database returns, and the copy for the
    /// fingerprint of the request.
    fn json_memory(&self) -> usize {
        4 * (640 * self.objects + 56 * self.commas + 32 * self.arrays)
    }
}

/// Deserializes the value of a field as `Some`. With `#[serde(default)]`, an absent field
/// is `None`, so the two can be distinguished. Whether `null` is accepted depends on `T`.
pub(crate) fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Deserializes a text, of which an empty one counts as absent, like `null`. For a field
/// that browsers fill with an empty text if they do not know the value.
pub(crate) fn not_empty<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// Converts the value of `field` if there is one; an error names the field.
pub(crate) fn optional<T, U>(
    field: &str,
    value: Option<T>,
    convert: impl FnOnce(T) -> Result<U, Invalid>,
) -> Result<Option<U>, Invalid> {
    value.map(convert).transpose().in_field(field)
}

/// Converts the change of a field that `null` clears.
#[expect(
    clippy::option_option,
    reason = "absent, null and a value have three meanings"
)]
pub(crate) fn patch<T, U>(
    change: Option<Option<T>>,
    convert: impl FnOnce(T) -> Result<U, Invalid>,
) -> Result<Patch<U>, Invalid> {
    change
        .map_or(Patch::Keep, |value| value.map_or(Patch::Clear, Patch::Set))
        .try_map(convert)
}

/// Converts the items of the list `field`; an error names the item, as in
/// `segments[3].end_time`.
pub(crate) fn convert_each<T, U>(
    field: &str,
    items: impl IntoIterator<Item = T>,
    convert: impl Fn(T) -> Result<U, Invalid>,
) -> Result<Vec<U>, Invalid> {
    items
        .into_iter()
        .enumerate()
        .map(|(i, item)| {
            convert(item).map_err(|invalid| invalid.in_field(&format!("{field}[{i}]")))
        })
        .collect()
}

/// Checks a text to search for: any length, but no NUL, which PostgreSQL refuses
/// as a parameter.
pub(crate) fn search_text(text: Option<String>) -> Result<Option<String>, Invalid> {
    Ok(text
        .map(LongText::new)
        .transpose()?
        .map(LongText::into_string))
}

/// The maximum of `top`.
pub(crate) const MAX_TOP: i64 = 1000;

/// The number of most important items that a query asks for.
pub(crate) fn top(top: Option<i64>) -> Result<Option<usize>, Invalid> {
    let invalid = || Invalid::field("top", format!("must be between 1 and {MAX_TOP}"));
    top.map(|top| match usize::try_from(top) {
        Ok(count) if (1..=MAX_TOP).contains(&top) => Ok(count),
        _ => Err(invalid()),
    })
    .transpose()
}

/// The positions of a list's items; see [`assign_positions`].
pub(crate) fn positions(
    given: impl Iterator<Item = Option<i32>>,
    field: &str,
) -> Result<Vec<NonNegativeInt>, Invalid> {
    // The name of the list is empty, because the caller adds the name to the path.
    let given = convert_each("", given, |position| {
        position
            .map(NonNegativeInt::new)
            .transpose()
            .in_field(field)
    })?;
    assign_positions(given, field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_and_commas_in_strings_are_not_counted() {
        let body = br#"{"clips": [{"a": {"b": [1, 2, {}]}, "c": "{[,\"{"}, {"d": "\\"}]}"#;
        assert_eq!(
            ValueCounts::of(body, ROW_DEPTH),
            ValueCounts {
                rows: 2,
                objects: 2,
                arrays: 1,
                commas: 2,
            }
        );
        assert_eq!(ValueCounts::of(b"]]}\"", 0), ValueCounts::default());
    }

    #[test]
    fn json_of_any_form_needs_more_memory_than_rows() {
        let rows = r#"{"start_time":0},"#.repeat(1_000);
        let rows = format!(r#"{{"clips":[{rows}{{}}]}}"#).into_bytes();
        assert!(BodyShape::Rows.memory(&rows, 10) < 2 * rows.len());
        assert!(BodyShape::RowsWithJson.memory(&rows, 10) < 2 * rows.len());
        assert!(BodyShape::Json.memory(&rows, 10) > 100 * rows.len());
    }
}
