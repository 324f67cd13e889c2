//! Values that only query strings have.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// Several values of an enumeration, separated by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommaSeparated<T>(pub Vec<T>);

impl<T> Default for CommaSeparated<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// An enumeration whose values are words.
pub(crate) trait Words: FromStr + fmt::Display + 'static {
    /// Every value.
    const ALL: &'static [Self];
}

impl<'de, T: Words> Deserialize<'de> for CommaSeparated<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(WordsVisitor(PhantomData))
    }
}

struct WordsVisitor<T>(PhantomData<T>);

impl<T: Words> Visitor<'_> for WordsVisitor<T> {
    type Value = CommaSeparated<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = T::ALL.iter().map(T::to_string).collect();
        let words = words.join(", ");
        write!(f, "one of {words}, or several of them separated by commas")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<CommaSeparated<T>, E> {
        let words = text.split(',').map(|word| word.parse().ok());
        let words: Option<_> = words.collect();
        words
            .map(CommaSeparated)
            .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

impl<T: JsonSchema> JsonSchema for CommaSeparated<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("List_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<T>();
        json_schema!({ "type": "array", "minItems": 1, "items": item })
    }
}

/// Deserializes a time in RFC 3339, or a date, which means the start of that day in UTC.
pub(crate) fn optional_time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    Ok(Option::<Time>::deserialize(deserializer)?.map(|time| time.0))
}

struct Time(DateTime<Utc>);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TimeVisitor)
    }
}

struct TimeVisitor;

impl Visitor<'_> for TimeVisitor {
    type Value = Time;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time such as 2026-01-31T08:30:00Z or a date such as 2026-01-31")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Time, E> {
        let time = match start_of_day(text) {
            Some(start) => Some(start),
            None => text.parse::<DateTime<FixedOffset>>().ok().map(Into::into),
        };
        time.map(Time)
            .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// The start of a day such as `2026-01-31`, in UTC.
fn start_of_day(text: &str) -> Option<DateTime<Utc>> {
    // chrono also accepts signs, spaces and single digits.
    let is_date = text.bytes().enumerate().all(|(i, byte)| match i {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (is_date && text.len() == 10).then(|| date.and_time(NaiveTime::MIN).and_utc())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn time(value: &Value) -> Result<Option<DateTime<Utc>>, String> {
        optional_time(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_date_is_the_start_of_its_day() {
        let read = |text: &str| time(&json!(text)).unwrap().unwrap().to_rfc3339();
        assert_eq!(read("2026-01-31"), "2026-01-31T00:00:00+00:00");
        assert_eq!(read("2024-02-29"), "2024-02-29T00:00:00+00:00");
        let with_offset = "2026-01-31T08:30:00.5+02:00";
        assert_eq!(read(with_offset), "2026-01-31T06:30:00.500+00:00");
        assert_eq!(time(&Value::Null), Ok(None));
    }

    #[test]
    fn other_texts_are_refused_with_examples() {
        for text in [
            "",
            "yesterday",
            "2026-02-29",
            "2026-1-1",
            "+2026-1-1",
            " 2026-01-1",
            "2026-01-31 ",
            "20260131",
            "2026-01-31T00:00:00",
        ] {
            let error = time(&json!(text)).unwrap_err();
            assert!(error.contains("expected a time such as"), "{text}: {error}");
        }
    }
}
