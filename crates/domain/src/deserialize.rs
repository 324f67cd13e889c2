//! Deserialization whose errors are types instead of messages.
//!
//! Parsers turn a missing field or a wrong type into a message at once. A wrapper of the
//! deserializer keeps the reason as a value, so that callers can word their own message. It
//! also keeps the parser's error, which has the position.

use std::cell::Cell;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};

/// Wraps a deserializer so that its errors are [`DeserializeError`]s.
///
/// The visitors, seeds, sequences and maps that pass through the deserializer are
/// wrapped as well. While an error travels through the parser, it has the parser's
/// type, so its reason is kept in the cell until the parser returns.
///
/// ```
/// use lectern_domain::{Reason, TypedErrors};
/// use serde::Deserialize;
///
/// #[derive(Debug, Deserialize)]
/// struct Point {
///     x: f64,
/// }
///
/// let mut json = serde_json::Deserializer::from_str("{}");
/// let reason = Default::default();
/// let error = Point::deserialize(TypedErrors::new(&mut json, &reason)).unwrap_err();
/// assert_eq!(error.reason, Reason::MissingField("x"));
/// assert_eq!(error.column(), 2);
/// ```
pub struct TypedErrors<'r, T> {
    inner: T,
    reason: &'r Cell<Option<Reason>>,
}

impl<'r, T> TypedErrors<'r, T> {
    /// Wraps a deserializer.
    pub fn new(inner: T, reason: &'r Cell<Option<Reason>>) -> Self {
        Self { inner, reason }
    }
}

/// Converts an error into the parser's type and stores its reason in the cell.
fn stash_reason<T, E: Error>(
    result: Result<T, DeserializeError<E>>,
    cell: &Cell<Option<Reason>>,
) -> Result<T, E> {
    result.map_err(|error| {
        cell.set(Some(error.reason));
        // An existing error of the parser has the position already.
        error.source.unwrap_or_else(|| E::custom(""))
    })
}

/// Joins the parser's error with the reason from the cell.
fn restore_reason<T, E>(
    result: Result<T, E>,
    cell: &Cell<Option<Reason>>,
) -> Result<T, DeserializeError<E>> {
    result.map_err(|source| DeserializeError {
        reason: cell.take().unwrap_or(Reason::Syntax),
        source: Some(source),
    })
}

macro_rules! deserialize {
    ($($method:ident($($argument:ident: $type:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self $(, $argument: $type)*, visitor: V) -> Result<V::Value, Self::Error> {
            let visitor = TypedErrors::new(visitor, self.reason);
            restore_reason(self.inner.$method($($argument,)* visitor), self.reason)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for TypedErrors<'_, D> {
    type Error = DeserializeError<D::Error>;

    deserialize! {
        deserialize_any() deserialize_bool() deserialize_i8() deserialize_i16() deserialize_i32()
        deserialize_i64() deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64()
        deserialize_f32() deserialize_f64() deserialize_char() deserialize_str()
        deserialize_string() deserialize_bytes() deserialize_byte_buf() deserialize_option()
        deserialize_unit() deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str) deserialize_seq()
        deserialize_tuple(len: usize) deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_map()
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_identifier() deserialize_ignored_any()
    }

    /// Only enumerations of names are supported.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let name: String = serde::Deserialize::deserialize(self)?;
        visitor.visit_enum(name.into_deserializer())
    }
}

macro_rules! visit {
    ($($method:ident($($argument:ident: $type:ty)?))*) => {$(
        fn $method<E: Error>(self $(, $argument: $type)?) -> Result<V::Value, E> {
            stash_reason(self.inner.$method($($argument)?), self.reason)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for TypedErrors<'_, V> {
    type Value = V::Value;

    /// Parsers call this only to report a value of a wrong type.
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expected = (&self.inner as &dyn Expected).to_string();
        f.write_str(&expected)?;
        self.reason.set(Some(Reason::Expected(expected)));
        Ok(())
    }

    visit! {
        visit_bool(value: bool) visit_i64(value: i64) visit_u64(value: u64) visit_f64(value: f64)
        visit_str(value: &str) visit_borrowed_str(value: &'de str) visit_string(value: String)
        visit_none() visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let inner = TypedErrors::new(inner, self.reason);
        stash_reason(self.inner.visit_some(inner), self.reason)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let inner = TypedErrors::new(inner, self.reason);
        stash_reason(self.inner.visit_newtype_struct(inner), self.reason)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        let items = TypedErrors::new(items, self.reason);
        stash_reason(self.inner.visit_seq(items), self.reason)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        let entries = TypedErrors::new(entries, self.reason);
        stash_reason(self.inner.visit_map(entries), self.reason)
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for TypedErrors<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        let inner = TypedErrors::new(inner, self.reason);
        stash_reason(self.inner.deserialize(inner), self.reason)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for TypedErrors<'_, A> {
    type Error = DeserializeError<A::Error>;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Self::Error> {
        let seed = TypedErrors::new(seed, self.reason);
        restore_reason(self.inner.next_element_seed(seed), self.reason)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for TypedErrors<'_, A> {
    type Error = DeserializeError<A::Error>;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Self::Error> {
        let seed = TypedErrors::new(seed, self.reason);
        restore_reason(self.inner.next_key_seed(seed), self.reason)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, Self::Error> {
        let seed = TypedErrors::new(seed, self.reason);
        restore_reason(self.inner.next_value_seed(seed), self.reason)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// Why a value could not be deserialized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The input is not in the format of the parser.
    Syntax,
    /// A field is missing.
    MissingField(&'static str),
    /// A field occurs more than once.
    DuplicateField(&'static str),
    /// The structure has no field of this name.
    UnknownField(String),
    /// An integer is out of bounds. Contains the description of the expected value.
    IntegerOutOfBounds(String),
    /// Any other value has a wrong type or is out of bounds. Contains the description of
    /// the expected value by [`Visitor::expecting`](serde::de::Visitor::expecting).
    Expected(String),
    /// The message of a [`Deserialize`](serde::Deserialize) implementation.
    Custom(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax => f.write_str("syntax error"),
            Self::MissingField(name) => write!(f, "missing field `{name}`"),
            Self::DuplicateField(name) => write!(f, "duplicate field `{name}`"),
            Self::UnknownField(name) => write!(f, "unknown field `{name}`"),
            Self::IntegerOutOfBounds(expected) | Self::Expected(expected) => {
                write!(f, "expected {expected}")
            }
            Self::Custom(message) => f.write_str(message),
        }
    }
}

/// An error of deserialization; its message does not repeat the received value.
#[derive(Debug)]
pub struct DeserializeError<E> {
    /// Why the value could not be deserialized.
    pub reason: Reason,
    /// The parser's error, which has the position; `None` if the error was made
    /// after the parser had returned.
    pub source: Option<E>,
}

impl<E: fmt::Display> fmt::Display for DeserializeError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.reason, &self.source) {
            (Reason::Syntax, Some(source)) => source.fmt(f),
            (reason, _) => reason.fmt(f),
        }
    }
}

impl<E: Error> std::error::Error for DeserializeError<E> {}

impl<E> From<Reason> for DeserializeError<E> {
    fn from(reason: Reason) -> Self {
        let source = None;
        Self { reason, source }
    }
}

impl<E: Error> Error for DeserializeError<E> {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Reason::Custom(message.to_string()).into()
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Reason::Expected(expected.to_string()).into()
    }

    fn invalid_value(value: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        match value {
            Unexpected::Signed(_) | Unexpected::Unsigned(_) => Reason::IntegerOutOfBounds(expected),
            _ => Reason::Expected(expected),
        }
        .into()
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Reason::Expected(expected.to_string()).into()
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Reason::Expected(format!("one of {}", expected.join(", "))).into()
    }

    fn unknown_field(name: &str, _: &'static [&'static str]) -> Self {
        Reason::UnknownField(name.to_owned()).into()
    }

    fn missing_field(name: &'static str) -> Self {
        Reason::MissingField(name).into()
    }

    fn duplicate_field(name: &'static str) -> Self {
        Reason::DuplicateField(name).into()
    }
}

impl DeserializeError<serde_json::Error> {
    /// The message without the position.
    pub fn message(&self) -> String {
        let message = self.to_string();
        // serde_json appends the position and has no method for the message alone.
        let position = self.source.as_ref().map(|source| {
            let (line, column) = (source.line(), source.column());
            format!(" at line {line} column {column}")
        });
        position
            .and_then(|position| message.strip_suffix(&position).map(str::to_owned))
            .unwrap_or(message)
    }

    /// The line of the error, from 1; 0 if it is not known.
    pub fn line(&self) -> usize {
        self.source.as_ref().map_or(0, serde_json::Error::line)
    }

    /// The column of the error, from 1; 0 if it is not known.
    pub fn column(&self) -> usize {
        self.source.as_ref().map_or(0, serde_json::Error::column)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde::de::IgnoredAny;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Item {
        number: Option<i32>,
        list: Option<Vec<IgnoredAny>>,
    }

    fn error(json: &str) -> DeserializeError<serde_json::Error> {
        let mut json = serde_json::Deserializer::from_str(json);
        Vec::<Item>::deserialize(TypedErrors::new(&mut json, &Cell::default())).unwrap_err()
    }

    #[test]
    fn every_reason_has_its_type_and_the_position_of_the_parser() {
        let expected = |text: &str| Reason::Expected(text.to_owned());
        for (item, reason, line) in [
            ("{\"list\":\n[1, }", Reason::Syntax, 2),
            ("{\"x\":\n1}", Reason::UnknownField("x".to_owned()), 1),
            (
                "{\"number\":\n99999999999}",
                Reason::IntegerOutOfBounds("i32".to_owned()),
                2,
            ),
            ("{\"number\":\n1.5}", expected("i32"), 2),
            ("{\"number\":\n\"1\"}", expected("i32"), 2),
            ("{\"list\":\n{\n}}", expected("a sequence"), 2),
            ("7", expected("struct Item"), 1),
            (
                "{\"list\":[],\n\"list\":[]}",
                Reason::DuplicateField("list"),
                2,
            ),
        ] {
            let error = error(&format!("[{item}]"));
            assert_eq!(error.reason, reason, "{item:?}");
            assert_eq!(error.line(), line, "{item:?}");
        }
    }

    #[test]
    fn the_message_has_no_position() {
        assert_eq!(error("[{},]").message(), "trailing comma");
        assert_eq!(error("[{\"list\":5}]").message(), "expected a sequence");
    }
}
