//! What operations share and refer to.

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::schemas::Schemas;
use crate::{Code, Problem};

/// Collects what the operations refer to.
#[derive(Default)]
pub(super) struct Components {
    pub(super) schemas: Schemas,
    problems: Map<String, Value>,
}

impl Components {
    /// A reference to a problem, narrowed down to the codes that may occur.
    pub(super) fn problem(&mut self, status: u16, codes: &[Code]) -> Value {
        let words: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
        let titles: Vec<_> = codes
            .iter()
            .map(|code| format!("{} (`{}`).", code.title(), code.as_str()))
            .collect();
        let headers: &[_] = if status == 503 { &["Retry-After"] } else { &[] };
        let problem = self
            .schemas
            .response(SchemaGenerator::subschema_for::<Problem>);
        let name = words.join(".");
        let reference = reference("responses", &name);
        self.problems.insert(
            name,
            json!({
                "description": titles.join(" "),
                "headers": header_references(headers),
                "content": { "application/problem+json": { "schema": {
                    "allOf": [problem],
                    "properties": { "status": { "const": status }, "code": { "enum": words } },
                } } },
            }),
        );
        reference
    }

    /// The components object.
    pub(super) fn into_value(self) -> Value {
        json!({
            "schemas": self.schemas.into_definitions(),
            "responses": self.problems,
            "parameters": parameters(),
            "headers": headers(),
        })
    }
}

/// The parameters operations share.
fn parameters() -> Value {
    let condition = |name: &str, description: &str| {
        json!({
            "name": name,
            "in": "header",
            "description": description,
            "schema": { "type": "string" },
        })
    };
    json!({
        "job_id": {
            "name": "job_id",
            "in": "path",
            "required": true,
            "description": "Names the job.",
            "schema": { "type": "string", "format": "uuid" },
        },
        "If-Match": condition("If-Match", "Refuses the change unless the job still has this `ETag`."),
        "If-None-Match": condition("If-None-Match", "Answers 304 if the job still has this `ETag`."),
    })
}

/// The headers responses share.
fn headers() -> Value {
    let header = |description: &str, schema: Value| json!({ "required": true, "description": description, "schema": schema });
    json!({
        "X-Request-Id": header(
            "The caller's, if it sent one; otherwise a new one.",
            json!({ "type": "string" }),
        ),
        "ETag": header(
            "The version of the job.",
            json!({ "type": "string", "pattern": "^\"[0-9]+\"$" }),
        ),
        "Location": header(
            "Where the job is to be read.",
            json!({ "type": "string", "format": "uri-reference" }),
        ),
        "Retry-After": header(
            "Seconds after which to try again.",
            json!({ "type": "integer", "minimum": 0 }),
        ),
    })
}

/// References to headers, `X-Request-Id` among them.
pub(super) fn header_references(names: &[&str]) -> Value {
    ["X-Request-Id"]
        .iter()
        .chain(names)
        .map(|name| ((*name).to_owned(), reference("headers", name)))
        .collect::<Map<_, _>>()
        .into()
}

/// A reference to what is shared under this name.
pub(super) fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}
