//! Schemas of fields whose Rust type accepts more than the domain allows.

use std::borrow::Cow;

use lectern_domain::{
    MAX_JSON_DEPTH, PipelineName, ProcessingMode, ProcessingOptions, RECORDING_TYPES, Resolution,
    Stage,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;

/// Pattern of text with a character that is not white space. The white space is listed
/// because dialects of regular expressions differ in `\s`.
pub(crate) const NOT_BLANK: &str =
    r"[^\t-\r \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]";

/// Pattern of the media types of recordings; an empty one counts as left out.
pub(crate) const RECORDING_TYPE_PATTERN: &str = concat!(
    r"^(([vV][iI][dD][eE][oO]|[aA][uU][dD][iI][oO])/[!#$&^_.+0-9A-Za-z-]+",
    r"[ \t]*(;[\t -~\u00A0-\uFFFF]*)?)?$",
);

/// Pattern of names that end in the extension of a recording, in upper or lower
/// case.
pub(crate) fn recording_name_pattern() -> String {
    let any_case = |letter: char| match letter.to_ascii_uppercase() {
        upper if upper == letter => letter.to_string(),
        upper => format!("[{letter}{upper}]"),
    };
    let extensions =
        RECORDING_TYPES.map(|known| known.extension.chars().map(any_case).collect::<String>());
    format!(r"\.({})$", extensions.join("|"))
}

// The empty enums below only stand for a JSON schema.

/// Any JSON object.
pub(crate) enum JsonObject {}

/// A stage that workers run.
pub(crate) enum WorkStage {}

/// The settings of a job.
pub(crate) enum ProcessingConfig {}

impl JsonSchema for JsonObject {
    fn schema_name() -> Cow<'static, str> {
        "JsonObject".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // A recursive schema would also bound the depth, but client generators do not
        // support it.
        json_schema!({
            "description": format!("Any JSON object, nested at most {MAX_JSON_DEPTH} levels deep."),
            "type": "object",
            "additionalProperties": true,
        })
    }
}

impl JsonSchema for WorkStage {
    fn schema_name() -> Cow<'static, str> {
        "WorkStage".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A stage that workers process.",
            "type": "string",
            "enum": Stage::WORK,
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
            "Settings of a job. The service uses the properties listed here; it stores \
             any others for the workers."
                .into(),
        );
        let mut properties = ProcessingOptions::json_schemas();
        properties.extend([
            (
                "processing_mode".to_owned(),
                json!(generator.subschema_for::<Option<ProcessingMode>>()),
            ),
            (
                "resolution".to_owned(),
                json!(generator.subschema_for::<Option<Resolution>>()),
            ),
            (
                "pipeline".to_owned(),
                json!({
                    "description": "Name of one of the configured pipelines; `default` when it is left out.",
                    "type": ["string", "null"],
                    "minLength": PipelineName::MIN,
                    "maxLength": PipelineName::MAX,
                }),
            ),
        ]);
        schema.insert("properties".into(), properties.into());
        schema
    }
}

#[cfg(test)]
mod tests {
    use lectern_domain::WHITE_SPACE;

    use super::*;

    /// The characters of a class such as `\t-\r \u0085`.
    fn members(class: &str) -> Vec<char> {
        let mut rest = class.chars();
        let mut next = || match rest.next()? {
            '\\' => match rest.next()? {
                't' => Some('\t'),
                'r' => Some('\r'),
                _ => {
                    let digits: String = rest.by_ref().take(4).collect();
                    char::from_u32(u32::from_str_radix(&digits, 16).ok()?)
                }
            },
            plain => Some(plain),
        };
        let mut members = Vec::new();
        while let Some(member) = next() {
            if member == '-' {
                let (first, last) = (members.pop().unwrap(), next().unwrap());
                members.extend(first..=last);
            } else {
                members.push(member);
            }
        }
        members
    }

    #[test]
    fn not_blank_excludes_exactly_the_white_space_of_the_domain() {
        let class = NOT_BLANK.strip_prefix("[^").unwrap();
        assert_eq!(members(class.strip_suffix(']').unwrap()), WHITE_SPACE);
    }
}
