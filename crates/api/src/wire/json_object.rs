//! Structs deserialized from JSON objects only.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// A `T` that is deserialized from a JSON object. A derived `Deserialize` also accepts an
/// array of the values in order, and clients would then depend on the order of the fields.
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

/// Deserializes an object or `null`. A field that may also be absent needs
/// `#[serde(default)]`.
pub(crate) fn optional_object<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::<Object<T>>::deserialize(deserializer)?.map(|object| object.0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::layout_analysis::LayoutAnalysisBody;
    use crate::transcript_segment::TranscriptSegmentsBody;
    use crate::wire::request::Request;

    #[test]
    fn an_array_is_refused_for_an_object_at_any_depth() {
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
