//! JSON that both databases can store.

use serde_json::{Map, Number, Value};

use crate::value::invalid::Invalid;
use crate::value::storage_traits::JsonValue;

/// How deep arrays and objects may nest. `serde_json` parses at most 128 levels, and a
/// response nests the object a few levels deeper.
pub const MAX_JSON_DEPTH: usize = 64;

/// A JSON object without a NUL in any text or key, nested at most
/// [`MAX_JSON_DEPTH`] deep, with [normalized numbers](normalize_numbers).
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
#[serde(transparent)]
pub struct JsonObject(Map<String, Value>);

impl JsonObject {
    /// Checks every string and key for NUL, and the depth; the error names the
    /// path inside the object. Normalizes numbers.
    pub fn new(mut object: Map<String, Value>) -> Result<Self, Invalid> {
        check_object(&object, 1)?;
        object.values_mut().for_each(normalize_numbers);
        Ok(Self(object))
    }

    /// The object.
    pub fn get(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The approximate memory of the object, in bytes.
    pub fn memory(&self) -> usize {
        object_memory(&self.0)
    }

    /// The object as a JSON value.
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

impl TryFrom<Value> for JsonObject {
    type Error = Invalid;

    fn try_from(value: Value) -> Result<Self, Invalid> {
        match value {
            Value::Object(object) => Self::new(object),
            _ => Err(Invalid::new("must be a JSON object")),
        }
    }
}

#[cfg(feature = "schemars")]
crate::value::storage_traits::schema_of!(JsonObject: Map<String, Value>);

impl JsonValue for JsonObject {
    fn from_json(json: Value) -> Result<Self, Invalid> {
        Self::try_from(json)
    }

    fn to_json(&self) -> Value {
        Value::Object(self.0.clone())
    }
}

/// From here on, `serde_json` writes a float with an exponent and without a decimal point.
const LEAST_WITH_EXPONENT: f64 = 1e16;

/// Spells every number as PostgreSQL's `jsonb` returns it, so that a value compares and
/// prints the same before and after it is stored, and on both databases.
///
/// `jsonb` writes digits instead of an exponent, which makes `1e16` an integer, and has no
/// negative zero. It keeps `1` and `1.0` apart, and so does this function. A number beyond
/// the 64-bit integers stays a float.
pub fn normalize_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(normalized) = normalized(number) {
                *number = normalized;
            }
        }
        // The recursion is as deep as the value; `serde_json` parses at most 128 levels.
        Value::Array(items) => items.iter_mut().for_each(normalize_numbers),
        Value::Object(object) => object.values_mut().for_each(normalize_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// `None` if the number need not be changed.
fn normalized(number: &Number) -> Option<Number> {
    let float = number.as_f64().filter(|_| number.is_f64())?;
    if float == 0.0 {
        return Number::from_f64(0.0);
    }
    if float.abs() < LEAST_WITH_EXPONENT {
        return None;
    }
    // The shortest digits that identify the float, then zeros. `jsonb` gets the same digits
    // with an exponent. The exact value of the float may be another integer.
    let digits = float.to_string();
    let unsigned = digits.parse::<u64>().map(Number::from);
    let integer = unsigned.or_else(|_| digits.parse::<i64>().map(Number::from));
    integer.ok()
}

/// Bytes of a small allocation, with the allocator's overhead.
const ALLOCATION: usize = 32;

/// Bytes of a node of a map. A node has up to eleven entries; [`object_memory`] assumes
/// six.
const MAP_NODE: usize = 640;

/// The approximate memory of a JSON value, in bytes. An object of one entry takes more
/// than 600 bytes.
pub fn json_memory(value: &Value) -> usize {
    let own = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => ALLOCATION + text.len(),
        Value::Array(items) => ALLOCATION + items.iter().map(json_memory).sum::<usize>(),
        Value::Object(object) => object_memory(object),
    };
    size_of::<Value>() + own
}

fn object_memory(object: &Map<String, Value>) -> usize {
    let entries = object.iter();
    let entries = entries.map(|(key, value)| ALLOCATION + key.len() + json_memory(value));
    MAP_NODE * object.len().div_ceil(6) + entries.sum::<usize>()
}

fn check_object(object: &Map<String, Value>, depth: usize) -> Result<(), Invalid> {
    check_depth(depth)?;
    object.iter().try_for_each(|(key, value)| {
        if key.contains('\0') {
            return Err(Invalid::new("must not have a NUL character in a key"));
        }
        check_value(value, depth).map_err(|invalid| invalid.in_field(key))
    })
}

fn check_value(value: &Value, depth: usize) -> Result<(), Invalid> {
    match value {
        Value::String(text) if text.contains('\0') => {
            Err(Invalid::new("must not contain a NUL character"))
        }
        Value::Array(items) => {
            check_depth(depth + 1)?;
            items.iter().enumerate().try_for_each(|(i, item)| {
                check_value(item, depth + 1).map_err(|invalid| invalid.in_field(&format!("[{i}]")))
            })
        }
        Value::Object(object) => check_object(object, depth + 1),
        _ => Ok(()),
    }
}

fn check_depth(depth: usize) -> Result<(), Invalid> {
    if depth > MAX_JSON_DEPTH {
        return Err(Invalid::new(format!(
            "must not nest deeper than {MAX_JSON_DEPTH} levels"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nul_is_refused_at_any_depth() {
        let error = JsonObject::try_from(json!({"a": [{"b": "x\0"}]})).unwrap_err();
        assert_eq!(error.errors()[0].field, "a[0].b");
        assert!(JsonObject::try_from(json!({"a\0": 1})).is_err());
    }

    #[test]
    fn nesting_is_limited() {
        let nested = |levels| (1..levels).fold(json!({}), |inner, _| json!({ "a": inner }));
        assert!(JsonObject::try_from(nested(MAX_JSON_DEPTH)).is_ok());
        assert!(JsonObject::try_from(nested(MAX_JSON_DEPTH + 1)).is_err());
    }

    /// The text of a number after it was parsed and normalized.
    fn spelled(number: &str) -> String {
        let object = format!("{{\"a\": [{{\"b\": {number}}}]}}");
        let object = JsonObject::try_from(serde_json::from_str::<Value>(&object).unwrap());
        object.unwrap().get()["a"][0]["b"].to_string()
    }

    #[test]
    fn numbers_are_spelled_as_jsonb_returns_them() {
        // The right column is what `SELECT '{"a": …}'::jsonb` returns, parsed again.
        for (sent, stored) in [
            ("1e16", "10000000000000000"),
            ("-1e16", "-10000000000000000"),
            ("1.5e+16", "15000000000000000"),
            ("1e19", "10000000000000000000"),
            ("9.223372036854776e18", "9223372036854776000"),
            ("-9.223372036854776e18", "-9.223372036854776e+18"),
            ("18446744073709551615", "18446744073709551615"),
            ("18446744073709551616", "1.8446744073709552e+19"),
            ("1e300", "1e+300"),
            ("1e15", "1000000000000000.0"),
            ("1.0", "1.0"),
            ("1", "1"),
            ("1e0", "1.0"),
            ("0.1", "0.1"),
            ("1e-7", "1e-7"),
            ("5e-324", "5e-324"),
            ("-0", "0.0"),
            ("-0.0", "0.0"),
            ("0e5", "0.0"),
        ] {
            assert_eq!(spelled(sent), stored, "{sent}");
        }
    }

    #[test]
    fn floats_have_an_exponent_from_the_limit_on() {
        for (float, has_exponent) in [
            (LEAST_WITH_EXPONENT.next_down(), false),
            (LEAST_WITH_EXPONENT, true),
        ] {
            let text = Value::from(float).to_string();
            assert_eq!(text.contains('e'), has_exponent, "{text}");
            assert_eq!(text.contains('.'), !has_exponent, "{text}");
        }
    }

    #[test]
    fn normalizing_twice_changes_nothing_more() {
        for number in [
            1e16,
            1.2e18,
            1e19,
            1.9e19,
            1e300,
            -1e18,
            -1e19,
            -0.0,
            f64::MAX,
        ] {
            let mut once = Value::from(number);
            normalize_numbers(&mut once);
            let mut twice = once.clone();
            normalize_numbers(&mut twice);
            assert_eq!(once.to_string(), twice.to_string());
            assert_eq!(once.as_f64(), Some(number));
        }
    }

    #[test]
    fn only_objects_are_accepted() {
        assert!(JsonObject::try_from(json!([])).is_err());
        assert!(JsonObject::try_from(json!(null)).is_err());
    }
}
