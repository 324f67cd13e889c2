//! Partial updates of JSON objects.

use serde_json::{Map, Value};

use crate::value::invalid::Invalid;
use crate::value::json::JsonObject;

/// The greatest size of the JSON text of an object that grew by a merge, in bytes: that of
/// the largest body of a request that is not the output of a stage.
const MAX_MERGED_BYTES: usize = 1 << 20;

/// A change of a JSON object.
#[derive(Debug, Clone, PartialEq)]
pub enum ObjectUpdate {
    /// Replaces the whole object.
    Replace(JsonObject),
    /// Merges a patch into the object (RFC 7396): members of the patch replace those of the
    /// object, `null` removes one, and objects are merged in the same way.
    Merge(JsonObject),
}

impl ObjectUpdate {
    /// The same object as a patch to be merged.
    pub fn merging(self) -> Self {
        match self {
            Self::Replace(object) | Self::Merge(object) => Self::Merge(object),
        }
    }

    /// The new object, unless it depends on the stored one.
    pub fn replacement(&self) -> Option<&JsonObject> {
        match self {
            Self::Replace(object) => Some(object),
            Self::Merge(_) => None,
        }
    }

    /// The object after the change.
    ///
    /// # Errors
    ///
    /// When a merge makes the object larger than a mebibyte of JSON, or nests it too deep.
    pub fn applied_to(&self, current: &JsonObject) -> Result<JsonObject, Invalid> {
        let patch = match self {
            Self::Replace(object) => return Ok(object.clone()),
            Self::Merge(patch) => patch,
        };
        let mut merged = current.get().clone();
        merge(&mut merged, patch.get());
        let merged = JsonObject::new(merged)?;
        let size = json_bytes(&merged);
        if size > MAX_MERGED_BYTES && size > json_bytes(current) {
            return Err(Invalid::new(format!(
                "must be at most {MAX_MERGED_BYTES} bytes of JSON after the merge"
            )));
        }
        Ok(merged)
    }
}

impl From<JsonObject> for ObjectUpdate {
    fn from(object: JsonObject) -> Self {
        Self::Replace(object)
    }
}

fn json_bytes(object: &JsonObject) -> usize {
    // An object of JSON values can always be written.
    serde_json::to_string(object).map_or(0, |text| text.len())
}

/// `MergePatch` of RFC 7396, section 2. The depth is that of `patch`.
fn merge(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Null => {
                target.remove(name);
            }
            Value::Object(patch) => {
                let member = target.entry(name.as_str()).or_insert(Value::Null);
                if !member.is_object() {
                    *member = Value::Object(Map::new());
                }
                if let Value::Object(member) = member {
                    merge(member, patch);
                }
            }
            value => {
                target.insert(name.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> JsonObject {
        JsonObject::try_from(value).unwrap()
    }

    fn merged(current: Value, patch: Value) -> Result<Value, Invalid> {
        let update = ObjectUpdate::from(object(patch)).merging();
        update
            .applied_to(&object(current))
            .map(JsonObject::into_value)
    }

    /// The examples of RFC 7396, appendix A, in which both values are objects.
    #[test]
    fn objects_are_merged_as_in_the_rfc() {
        for (current, patch, expected) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (
                json!({"a": "b"}),
                json!({"b": "c"}),
                json!({"a": "b", "b": "c"}),
            ),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (
                json!({"a": "b", "b": "c"}),
                json!({"a": null}),
                json!({"b": "c"}),
            ),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (
                json!({"a": [{"b": "c"}]}),
                json!({"a": [1]}),
                json!({"a": [1]}),
            ),
            (
                json!({"e": null}),
                json!({"a": 1}),
                json!({"e": null, "a": 1}),
            ),
            (
                json!({}),
                json!({"a": {"bb": {"ccc": null}}}),
                json!({"a": {"bb": {}}}),
            ),
            (
                json!({"a": 7}),
                json!({"a": {"b": 1}}),
                json!({"a": {"b": 1}}),
            ),
        ] {
            assert_eq!(
                merged(current.clone(), patch.clone()),
                Ok(expected),
                "{current} {patch}"
            );
        }
    }

    #[test]
    fn an_object_does_not_grow_beyond_the_bound_by_merges() {
        let half = "x".repeat(MAX_MERGED_BYTES / 2);
        let refused = merged(json!({ "a": half }), json!({ "b": half }));
        assert!(refused.unwrap_err().to_string().contains("after the merge"));
        // A larger object can still become smaller.
        let large = json!({ "a": half, "b": half, "c": half });
        let smaller = merged(large, json!({ "c": null })).unwrap();
        assert_eq!(smaller, json!({ "a": half, "b": half }));
    }

    #[test]
    fn a_replacement_does_not_depend_on_the_stored_object() {
        let update = ObjectUpdate::from(object(json!({ "a": null })));
        let replaced = update.applied_to(&object(json!({ "b": 1 }))).unwrap();
        assert_eq!(replaced.into_value(), json!({ "a": null }));
    }
}
