//! JSON objects that are nothing else.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// A `T` read from an object and nothing else. What serde derives for a struct
/// reads an array as well, taking the values in order, and no client should
/// come to rely on the order of the fields.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// Reads a list of objects.
pub(crate) fn objects<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let objects = Vec::<Object<T>>::deserialize(deserializer)?;
    Ok(objects.into_iter().map(|object| object.0).collect())
}

/// Reads an object or `null`; the field needs `#[serde(default)]`.
pub(crate) fn maybe_object<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::<Object<T>>::deserialize(deserializer)?.map(|object| object.0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{LayoutAnalysisBody, Request, TranscriptSegmentsBody};

    #[test]
    fn the_order_of_the_fields_means_nothing_at_any_depth() {
        let segment = json!([0.0, 1.0, "text", null, null]);
        let error = TranscriptSegmentsBody::read(json!({ "segments": [segment] })).unwrap_err();
        assert!(error.to_string().contains("expected an object"), "{error}");
        assert!(TranscriptSegmentsBody::read(json!([[]])).is_err());
        let layout = json!({
            "layout_type": "unknown",
            "confidence_score": 1,
            "screen_region": [0, 0, 1, 1],
        });
        assert!(LayoutAnalysisBody::read(layout).is_err());
    }
}
