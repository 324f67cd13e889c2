//! Domain values and the plain values as which they are stored.
//!
//! There is one trait per kind of column, so that a storage layer converts every type
//! of a kind with one generic function. Reading checks the rules again, because another
//! program may have written the row.

use serde_json::Value;
use uuid::Uuid;

use crate::value::invalid::Invalid;

/// A value stored as text: a text such as [`Title`](crate::Title) or an
/// enumeration such as [`Stage`](crate::Stage).
pub trait TextValue: Sized {
    /// Checks the text.
    fn from_text(text: String) -> Result<Self, Invalid>;

    /// The text that [`TextValue::from_text`] accepts.
    fn as_text(&self) -> &str;
}

/// Text whose length is bounded, in characters (Unicode scalar values).
pub trait BoundedText: TextValue {
    /// The least number of characters.
    const MIN: usize;
    /// The greatest number of characters.
    const MAX: usize;
}

/// A value stored as a number.
pub trait NumberValue: Copy {
    /// The type of the number: `f64`, `i64` or `i32`.
    type Number;

    /// Checks the bounds.
    fn from_number(number: Self::Number) -> Result<Self, Invalid>;

    /// The number that [`NumberValue::from_number`] accepts.
    fn to_number(self) -> Self::Number;
}

/// A value stored as a UUID.
pub trait IdValue: Copy + From<Uuid> {
    /// The plain UUID.
    fn as_uuid(self) -> Uuid;
}

impl IdValue for Uuid {
    fn as_uuid(self) -> Uuid {
        self
    }
}

/// A value stored as JSON.
pub trait JsonValue: Sized {
    /// Checks the JSON.
    fn from_json(json: Value) -> Result<Self, Invalid>;

    /// The JSON that [`JsonValue::from_json`] accepts.
    fn to_json(&self) -> Value;
}

impl JsonValue for Value {
    fn from_json(json: Value) -> Result<Self, Invalid> {
        Ok(json)
    }

    fn to_json(&self) -> Value {
        self.clone()
    }
}

/// A JSON array of texts; an error names the item, such as `[3]`.
impl<T: TextValue> JsonValue for Vec<T> {
    fn from_json(json: Value) -> Result<Self, Invalid> {
        let Value::Array(items) = json else {
            return Err(Invalid::new("must be a JSON array"));
        };
        let text = |item| match item {
            Value::String(text) => T::from_text(text),
            _ => Err(Invalid::new("must be a string")),
        };
        let items = items.into_iter().enumerate();
        items
            .map(|(i, item)| text(item).map_err(|invalid| invalid.in_field(&format!("[{i}]"))))
            .collect()
    }

    fn to_json(&self) -> Value {
        self.iter().map(TextValue::as_text).collect()
    }
}

/// Describes a type by the schema of the plain type it is serialized as. The
/// bounds are left out: the wire types of requests state them.
#[cfg(feature = "schemars")]
macro_rules! schema_of {
    ($name:ident: $plain:ty) => {
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                <$plain as schemars::JsonSchema>::schema_name()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                <$plain as schemars::JsonSchema>::json_schema(generator)
            }
        }
    };
}

#[cfg(feature = "schemars")]
pub(crate) use schema_of;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::content_segment::Keyword;
    use crate::stage::Stage;

    #[test]
    fn a_list_of_texts_is_read_back_as_it_was_written() {
        let keywords = vec![
            Keyword::new("graph").unwrap(),
            Keyword::new("tree").unwrap(),
        ];
        assert_eq!(keywords.to_json(), json!(["graph", "tree"]));
        assert_eq!(Vec::from_json(keywords.to_json()), Ok(keywords));
        let stages = vec![Stage::Transcription];
        assert_eq!(Vec::from_json(stages.to_json()), Ok(stages));
    }

    #[test]
    fn an_invalid_item_of_a_list_is_named_by_its_position() {
        for json in [json!(["a", ""]), json!(["a", 1])] {
            let error = Vec::<Keyword>::from_json(json).unwrap_err();
            assert_eq!(error.errors()[0].field, "[1]");
        }
        assert!(Vec::<Keyword>::from_json(json!({})).is_err());
        assert!(Vec::<Stage>::from_json(json!(["sleeping"])).is_err());
    }
}
