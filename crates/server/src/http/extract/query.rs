//! Query strings, with the same error reports as JSON bodies.
//!
//! `serde_html_form` would change documented responses: it reads `limit=` as an absent
//! parameter, accepts `NaN` and `inf` as numbers, and reports other values without the
//! expected type. Therefore the values are deserialized here.

use std::collections::BTreeMap;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use lectern_api::{Code, FieldError, Request};
use lectern_domain::{DeserializeError, Reason};
use percent_encoding::percent_decode_str;
use serde::de::value::{Error as ValueError, MapDeserializer};
use serde::de::{Error as _, IntoDeserializer, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};
use serde_path_to_error::Track;

use crate::http::error::ApiError;
use crate::http::extract::deserialize_error::field_error;

type QueryError = DeserializeError<ValueError>;

/// A query string, validated and converted.
#[derive(Debug)]
pub(crate) struct Query<T: Request>(pub(crate) T::Domain);

impl<T: Request> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse::<T>(request.query_string()).map(Self))
    }
}

/// The query string as the values that it selects.
pub(crate) fn parse<T: Request>(query: &str) -> Result<T::Domain, ApiError> {
    let malformed = |error| ApiError::fields(Code::MalformedQuery, error);
    let pairs = pairs::<T>(query).map_err(malformed)?;
    let pairs = MapDeserializer::<_, QueryError>::new(pairs.into_iter());
    let mut track = Track::new();
    let read = T::read(serde_path_to_error::Deserializer::new(pairs, &mut track));
    let request = read.map_err(|error| {
        malformed(match error.reason {
            Reason::UnknownField(name) if T::IS_PAGED && OFFSETS.contains(&name.as_str()) => {
                FieldError::new(name, NO_OFFSET)
            }
            reason => field_error(&track.path().to_string(), &reason),
        })
    })?;
    if let Some(error) = request.contradiction() {
        return Err(malformed(error));
    }
    request
        .into_domain()
        .map_err(|errors| ApiError::fields(Code::ValidationFailed, errors))
}

/// The parameters with which other services select a page by the number of its first item
/// or by its own number.
const OFFSETS: [&str; 3] = ["offset", "skip", "page"];

const NO_OFFSET: &str = "is not known here: the next page is requested with the parameter cursor, which is \
                         the next_cursor of the page before";

fn pairs<T: Request>(query: &str) -> Result<Vec<(String, ParameterValue)>, FieldError> {
    let invalid = |field: &str| FieldError::new(field, "is not percent-encoded UTF-8");
    let is_ignored = |name: &Option<String>| {
        T::ONLY_PARAMETERS.is_some_and(|known| {
            !name
                .as_ref()
                .is_some_and(|name| known.contains(&name.as_str()))
        })
    };
    let mut pairs = Vec::new();
    let mut map: BTreeMap<String, ParameterValue> = BTreeMap::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let name = decode(name);
        if is_ignored(&name) {
            continue;
        }
        let name = name.ok_or_else(|| invalid(""))?;
        let value = decode(value).ok_or_else(|| invalid(&name))?;
        match T::MAP_PARAMETER.and_then(|map_name| name.strip_prefix(map_name)?.strip_prefix('.')) {
            Some(key) => {
                let value = ParameterValue::Text(value);
                if map.insert(key.to_owned(), value).is_some() {
                    return Err(FieldError::new(name, "must be given only once"));
                }
            }
            None if T::MAP_PARAMETER == Some(name.as_str()) => {
                let rule = format!("must be followed by a key, as in {name}.course=…");
                return Err(FieldError::new(name, rule));
            }
            None => pairs.push((name, ParameterValue::Text(value))),
        }
    }
    if let Some(name) = T::MAP_PARAMETER.filter(|_| !map.is_empty()) {
        pairs.push((name.to_owned(), ParameterValue::Map(map)));
    }
    Ok(pairs)
}

/// Decodes percent-encoding; `None` if an escape is malformed or the decoded text is not
/// UTF-8.
fn decode(text: &str) -> Option<String> {
    let is_escape = |after: &str| {
        let digits = after.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(is_escape) {
        return None;
    }
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

/// A parameter's value, which deserializes to the requested type.
#[derive(Debug)]
enum ParameterValue {
    Text(String),
    /// The values of the parameters with a common prefix, by the rest of their names.
    Map(BTreeMap<String, ParameterValue>),
}

impl IntoDeserializer<'_, QueryError> for ParameterValue {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl ParameterValue {
    fn into_text(self) -> Result<String, QueryError> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Map(_) => Err(QueryError::custom("must be a text")),
        }
    }
}

impl<'de> Deserializer<'de> for ParameterValue {
    type Error = QueryError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        match self {
            Self::Text(text) => visitor.visit_string(text),
            Self::Map(values) => visitor.visit_map(MapDeserializer::new(values.into_iter())),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_some(self)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        match self.into_text()?.as_str() {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(QueryError::custom("must be true or false")),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        let number = self.into_text()?.parse();
        let number = number.map_err(|_| QueryError::custom("must be a whole number"));
        visitor.visit_i64(number?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        match self.into_text()?.parse() {
            Ok(number) if f64::is_finite(number) => visitor.visit_f64(number),
            _ => Err(QueryError::custom("must be a number")),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, QueryError> {
        self.into_text()?
            .into_deserializer()
            .deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_is_decoded_or_refused() {
        assert_eq!(decode("a+b%20%C3%A9").as_deref(), Some("a b é"));
        for bad in ["%", "%2", "%zz", "%ff", "%+1"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
