//! Requests: what a client may send, and its conversion into the domain's types.

use lectern_domain::{At, Invalid, LongText, NonNegativeInt, assign_positions};
use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use validator::Validate;

use crate::wire::object::Object;
use crate::wire::validation::FieldErrors;

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

    /// Deserializes the request, from an object only; an implementation that serde
    /// derives also accepts an array of the values in order.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Object::deserialize(deserializer).map(|object| object.0)
    }

    /// The fields that are out of bounds. A request with a list of any length validates
    /// it item by item, so that the memory for the errors is bounded.
    fn out_of_bounds(&self) -> FieldErrors {
        FieldErrors::of(self)
    }

    /// Validates and converts the request. The error has every field that is out of
    /// bounds or, if there is none, the first broken rule of the domain; it
    /// is never empty.
    fn into_domain(self) -> Result<Self::Domain, FieldErrors> {
        let errors = self.out_of_bounds();
        if errors.is_empty() {
            Self::Domain::try_from(self).map_err(FieldErrors::from)
        } else {
            Err(errors)
        }
    }
}

/// Deserializes the value of a field as `Some`, to distinguish it from an absent field,
/// which is `None` by `#[serde(default)]`. Whether `null` is accepted depends on `T`.
pub(crate) fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Converts the value of `field` if there is one; an error names the field.
pub(crate) fn optional<T, U>(
    field: &str,
    value: Option<T>,
    convert: impl FnOnce(T) -> Result<U, Invalid>,
) -> Result<Option<U>, Invalid> {
    value.map(convert).transpose().at(field)
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
        .map(|(i, item)| convert(item).map_err(|invalid| invalid.at(&format!("{field}[{i}]"))))
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
    // The name of the list is empty, because the caller puts it in front of the path.
    let given = convert_each("", given, |position| {
        position.map(NonNegativeInt::new).transpose().at(field)
    })?;
    assign_positions(given, field)
}
