//! Schemas of what serde takes as it comes and the domain checks.

use std::borrow::Cow;

use lectern_domain::{ProcessingMode, Resolution};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;

/// Text without a NUL, which PostgreSQL cannot store.
pub(crate) const NO_NUL: &str = r"^[^\x00]*$";

/// Text without a NUL and with at least one character that is not white space.
/// The white space is spelled out because regular expressions do not agree on
/// what `\s` is.
pub(crate) const NOT_BLANK: &str = concat!(
    r"^[^\x00]*",
    r"[^\x00\t-\r \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]",
    r"[^\x00]*$",
);

/// Any JSON object without a NUL in any text.
pub(crate) enum JsonObject {}

/// Any JSON value without a NUL in any text.
enum JsonValue {}

/// The settings of a job.
pub(crate) enum ProcessingConfig {}

impl JsonSchema for JsonValue {
    fn schema_name() -> Cow<'static, str> {
        "JsonValue".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let inner = generator.subschema_for::<Self>();
        json_schema!({
            "description": "Any JSON, nested at most 64 levels deep.",
            "type": ["null", "boolean", "number", "string", "array", "object"],
            "pattern": NO_NUL,
            "items": inner,
            "propertyNames": { "pattern": NO_NUL },
            "additionalProperties": inner,
        })
    }
}

impl JsonSchema for JsonObject {
    fn schema_name() -> Cow<'static, str> {
        "JsonObject".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Any JSON object, nested at most 64 levels deep.",
            "type": "object",
            "propertyNames": { "pattern": NO_NUL },
            "additionalProperties": generator.subschema_for::<JsonValue>(),
        })
    }
}

impl JsonSchema for ProcessingConfig {
    fn schema_name() -> Cow<'static, str> {
        "ProcessingConfig".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = JsonObject::json_schema(generator);
        schema.insert(
            "description".into(),
            "Settings of a job. Those named here have a meaning to the service; \
             the rest is kept for the workers."
                .into(),
        );
        schema.insert(
            "properties".into(),
            json!({
                "processing_mode": generator.subschema_for::<Option<ProcessingMode>>(),
                "resolution": generator.subschema_for::<Option<Resolution>>(),
            }),
        );
        schema
    }
}
