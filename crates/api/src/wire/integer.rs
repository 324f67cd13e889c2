//! Integers in JSON. 5.0 is accepted as the integer 5, because JSON does not distinguish
//! the two and some clients write every number with a fraction.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// Deserializes an integer, with or without a zero fraction.
pub(crate) fn integer<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: TryFrom<i64>,
    D: Deserializer<'de>,
{
    Integer::deserialize(deserializer).map(|number| number.0)
}

/// Deserializes an integer or `null`. A field that may also be absent needs
/// `#[serde(default)]`.
pub(crate) fn optional_integer<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: TryFrom<i64>,
    D: Deserializer<'de>,
{
    Ok(Option::<Integer<T>>::deserialize(deserializer)?.map(|number| number.0))
}

/// Deserializes an integer and refuses `null`. For a field that may be absent and has
/// `#[serde(default)]`: the absent field is `None`.
pub(crate) fn present_integer<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: TryFrom<i64>,
    D: Deserializer<'de>,
{
    integer(deserializer).map(Some)
}

struct Integer<T>(T);

impl<'de, T: TryFrom<i64>> Deserialize<'de> for Integer<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_i64(IntegerVisitor(PhantomData))
    }
}

struct IntegerVisitor<T>(PhantomData<T>);

impl<T: TryFrom<i64>> Visitor<'_> for IntegerVisitor<T> {
    type Value = Integer<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number of {} bits", 8 * size_of::<T>())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Integer<T>, E> {
        let integer = number.try_into().map(Integer);
        integer.map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Integer<T>, E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Integer<T>, E> {
        /// 2^63, the first integer beyond `i64`.
        const I64_END: f64 = 9_223_372_036_854_775_808.0;
        if number.fract() == 0.0 && (-I64_END..I64_END).contains(&number) {
            #[expect(clippy::cast_possible_truncation, reason = "whole and within bounds")]
            return self.visit_i64(number as i64);
        }
        Err(E::invalid_value(Unexpected::Float(number), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: TryFrom<i64>>(json: &str) -> Option<T> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        integer(&mut deserializer).ok()
    }

    #[test]
    fn a_zero_fraction_is_accepted() {
        assert_eq!(read::<i32>("5"), Some(5));
        assert_eq!(read::<i32>("5.0"), Some(5));
        assert_eq!(read::<i64>("4e15"), Some(4_000_000_000_000_000));
        assert_eq!(read::<i64>("-0.0"), Some(0));
    }

    #[test]
    fn fractions_and_overflows_are_refused() {
        for json in ["5.5", "\"5\"", "true", "null", "1e10", "4294967296"] {
            assert_eq!(read::<i32>(json), None, "{json}");
        }
        assert_eq!(read::<i64>("9223372036854775807"), Some(i64::MAX));
        assert_eq!(read::<i64>("9223372036854775808"), None);
        assert_eq!(read::<i64>("9223372036854775808.0"), None);
    }
}
