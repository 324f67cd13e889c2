//! JSON that both databases can store.

use serde_json::{Map, Value};

use crate::value::invalid::Invalid;
use crate::value::storage_traits::JsonValue;

/// How deep arrays and objects may nest. `serde_json` parses at most 128 levels, and a
/// response nests the object a few levels deeper.
pub const MAX_JSON_DEPTH: usize = 64;

/// A JSON object without a NUL in any text or key, nested at most
/// [`MAX_JSON_DEPTH`] deep.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
#[serde(transparent)]
pub struct JsonObject(Map<String, Value>);

impl JsonObject {
    /// Checks every string and key for NUL, and the depth; the error names the
    /// path inside the object.
    pub fn new(object: Map<String, Value>) -> Result<Self, Invalid> {
        check_object(&object, 1)?;
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

    #[test]
    fn only_objects_are_accepted() {
        assert!(JsonObject::try_from(json!([])).is_err());
        assert!(JsonObject::try_from(json!(null)).is_err());
    }
}
