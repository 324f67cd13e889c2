//! A deserializer around `serde_json`'s that keeps errors as data.
//!
//! `serde_json::Error` has only the text of an error that a visitor reports. Here,
//! visitors get [`DeserializeError`] as their error type; what they report is kept
//! in a [`Slot`] while `serde_json` passes a placeholder on, and is taken out where
//! its error leaves this deserializer.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};

use crate::http::extract::deserialize_error::{BrokenRule, DeserializeError};

/// The rule that a visitor found broken, until the error has left `serde_json`.
#[derive(Debug, Default)]
pub(crate) struct Slot(RefCell<Option<BrokenRule>>);

impl Slot {
    /// Exchanges a rule for a placeholder.
    fn put<E: Error>(&self, error: DeserializeError<E>) -> E {
        match error {
            DeserializeError::Format(error) => error,
            DeserializeError::Rule(rule) => {
                self.0.replace(Some(rule));
                E::custom("a rule is broken")
            }
        }
    }

    /// Exchanges a placeholder for its rule.
    fn take<E>(&self, error: E) -> DeserializeError<E> {
        match self.0.take() {
            Some(rule) => DeserializeError::Rule(rule),
            None => DeserializeError::Format(error),
        }
    }
}

/// A deserializer of JSON, or one of the parts that serde makes of it: a seed, or the
/// access to a list or an object.
#[derive(Debug)]
pub(crate) struct JsonDeserializer<'s, T> {
    inner: T,
    slot: &'s Slot,
}

impl<'s, T> JsonDeserializer<'s, T> {
    pub(crate) fn new(inner: T, slot: &'s Slot) -> Self {
        Self { inner, slot }
    }
}

impl<'de, D: Deserializer<'de>> JsonDeserializer<'_, D> {
    /// Deserializes a value without passing its expected type on: given a type,
    /// `serde_json` itself refuses other values, and with text only.
    fn any<V: Visitor<'de>>(
        self,
        visitor: V,
        accepts_null: bool,
    ) -> Result<V::Value, DeserializeError<D::Error>> {
        let Self { inner, slot } = self;
        let visitor = JsonVisitor {
            inner: visitor,
            slot,
            accepts_null,
        };
        inner
            .deserialize_any(visitor)
            .map_err(|error| slot.take(error))
    }
}

/// Methods that deserialize a value of an expected type, which `null` is not.
macro_rules! never_null {
    ($($deserialize:ident($($hint:ty),*);)+) => {$(
        fn $deserialize<V: Visitor<'de>>(self, $(_: $hint,)* visitor: V) -> Result<V::Value, Self::Error> {
            self.any(visitor, false)
        }
    )+};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for JsonDeserializer<'_, D> {
    type Error = DeserializeError<D::Error>;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.any(visitor, true)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        let Self { inner, slot } = self;
        let visitor = JsonVisitor {
            inner: visitor,
            slot,
            accepts_null: true,
        };
        inner
            .deserialize_option(visitor)
            .map_err(|error| slot.take(error))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    // Some visitors accept `null` without asking for it: that of a map as an empty
    // one.
    never_null! {
        deserialize_bool();
        deserialize_i64();
        deserialize_u64();
        deserialize_f64();
        deserialize_str();
        deserialize_string();
        deserialize_seq();
        deserialize_map();
        deserialize_struct(&'static str, &'static [&'static str]);
        deserialize_enum(&'static str, &'static [&'static str]);
        deserialize_identifier();
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u128 f32 char bytes byte_buf unit unit_struct tuple
        tuple_struct ignored_any
    }
}

/// A visitor that reports to the slot.
struct JsonVisitor<'s, V> {
    inner: V,
    slot: &'s Slot,
    accepts_null: bool,
}

/// Visits of plain values, which only need another error type.
macro_rules! forward_visits {
    ($($visit:ident: $plain:ty),+ $(,)?) => {$(
        fn $visit<E: Error>(self, value: $plain) -> Result<V::Value, E> {
            let Self { inner, slot, .. } = self;
            inner
                .$visit::<DeserializeError<E>>(value)
                .map_err(|error| slot.put(error))
        }
    )+};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for JsonVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    forward_visits! {
        visit_bool: bool,
        visit_i64: i64,
        visit_u64: u64,
        visit_f64: f64,
        visit_str: &str,
        visit_borrowed_str: &'de str,
        visit_string: String,
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        if !self.accepts_null {
            let error = DeserializeError::invalid_type(Unexpected::Unit, &self);
            return Err(self.slot.put(error));
        }
        let Self { inner, slot, .. } = self;
        inner
            .visit_unit::<DeserializeError<E>>()
            .map_err(|error| slot.put(error))
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        let Self { inner, slot, .. } = self;
        inner
            .visit_none::<DeserializeError<E>>()
            .map_err(|error| slot.put(error))
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        let Self { inner, slot, .. } = self;
        inner
            .visit_some(JsonDeserializer::new(value, slot))
            .map_err(|error| slot.put(error))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<V::Value, A::Error> {
        let Self { inner, slot, .. } = self;
        inner
            .visit_seq(JsonDeserializer::new(list, slot))
            .map_err(|error| slot.put(error))
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<V::Value, A::Error> {
        let Self { inner, slot, .. } = self;
        inner
            .visit_map(JsonDeserializer::new(object, slot))
            .map_err(|error| slot.put(error))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for JsonDeserializer<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let Self { inner, slot } = self;
        inner
            .deserialize(JsonDeserializer::new(deserializer, slot))
            .map_err(|error| slot.put(error))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for JsonDeserializer<'_, A> {
    type Error = DeserializeError<A::Error>;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Self::Error> {
        let seed = JsonDeserializer::new(seed, self.slot);
        self.inner
            .next_element_seed(seed)
            .map_err(|error| self.slot.take(error))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for JsonDeserializer<'_, A> {
    type Error = DeserializeError<A::Error>;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Self::Error> {
        let seed = JsonDeserializer::new(seed, self.slot);
        self.inner
            .next_key_seed(seed)
            .map_err(|error| self.slot.take(error))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, Self::Error> {
        let seed = JsonDeserializer::new(seed, self.slot);
        self.inner
            .next_value_seed(seed)
            .map_err(|error| self.slot.take(error))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}
