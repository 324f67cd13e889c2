//! From what a client sends to what the domain takes.

use lectern_domain::{At, Invalid, LongText, NonNegativeInt, assign_positions};
use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use validator::Validate;

use crate::FieldError;
use crate::wire::object::Object;
use crate::wire::validation::field_errors;

/// A body or a query string: what a client may send, and what it means.
///
/// Three steps lead from one to the other, and each finds another kind of
/// mistake: [`Request::read`] finds what does not fit the type (a wrong type, a
/// missing or an unknown field), [`Validate`] finds all values out of bounds at
/// once, and the conversion finds what is left (fields that contradict each
/// other, NUL characters). [`Request::into_domain`] takes the last two.
pub trait Request: DeserializeOwned + Validate {
    /// What the domain makes of it.
    type Domain: TryFrom<Self, Error = Invalid>;

    /// Reads the request: the same as `deserialize`, but from an object only.
    /// (What serde derives takes an array of the values in order as well.)
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Object::deserialize(deserializer).map(|object| object.0)
    }

    /// Checks and converts the request. The error lists every field out of
    /// bounds or, when there is none, the first rule of the domain that is
    /// broken; it is never empty.
    fn into_domain(self) -> Result<Self::Domain, Vec<FieldError>> {
        self.validate().map_err(|errors| field_errors(&errors))?;
        Self::Domain::try_from(self)
            .map_err(|invalid| invalid.into_errors().into_iter().map(Into::into).collect())
    }
}

/// Tells a field that is there from one that is not: `null` reaches `T`, which
/// takes it or not.
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

/// Converts the items of the list `field`; an error names the item, such as
/// `segments[3].end_time`.
pub(crate) fn each<T, U>(
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

/// Text to search for: as long as it may be, but without a NUL, which no
/// stored text contains and PostgreSQL refuses to look for.
pub(crate) fn query_text(text: Option<String>) -> Result<Option<String>, Invalid> {
    Ok(text
        .map(LongText::new)
        .transpose()?
        .map(LongText::into_string))
}

/// The greatest number of best items one may ask for.
pub(crate) const MAX_TOP: i64 = 1000;

/// The number of best items a query asks for.
pub(crate) fn top(top: Option<i64>) -> Result<Option<usize>, Invalid> {
    let asks = || Invalid::field("top", format!("must be between 1 and {MAX_TOP}"));
    top.map(|top| match usize::try_from(top) {
        Ok(count) if (1..=MAX_TOP).contains(&top) => Ok(count),
        _ => Err(asks()),
    })
    .transpose()
}

/// The places of a list's items; see [`assign_positions`].
pub(crate) fn places(
    given: impl Iterator<Item = Option<i32>>,
    field: &str,
) -> Result<Vec<NonNegativeInt>, Invalid> {
    let given = each("", given, |place| {
        place.map(NonNegativeInt::new).transpose().at(field)
    })?;
    assign_positions(given, field)
}
