//! What operations share and refer to.

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::schemas::Schemas;
use crate::{Code, Problem};
use lectern_domain::IdempotencyKey;

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
    // Text rather than a UUID where anything else is refused in the same way as
    // an id that names nothing.
    let text = || json!({ "type": "string" });
    let uuid = json!({ "type": "string", "format": "uuid" });
    let idempotency_key = json!({
        "type": "string",
        "minLength": 1,
        "maxLength": IdempotencyKey::MAX,
        "pattern": "^[!-~]+$",
    });
    [
        ("path", "job_id", "Names the job.", uuid.clone()),
        ("path", "clip_id", "Names the clip.", uuid),
        ("path", "lease_id", "The lease as it was claimed.", text()),
        (
            "path",
            "key",
            "Where the object lies in the storage, slashes and all.",
            text(),
        ),
        (
            "header",
            "If-Match",
            "Refuses the change unless the job still has this `ETag`.",
            text(),
        ),
        (
            "header",
            "If-None-Match",
            "Answers 304 if the `ETag` is still this one.",
            text(),
        ),
        (
            "header",
            "Idempotency-Key",
            "A key of the caller's own: the same request with the same key is done once within \
             24 hours, and answered alike.",
            idempotency_key,
        ),
        (
            "header",
            "Lease-Id",
            "The lease of the stage this belongs to. Refused unless it is live, and needed as \
             long as somebody has one.",
            text(),
        ),
        (
            "header",
            "Last-Event-ID",
            "Number of the last event that was seen; the same as `after`.",
            text(),
        ),
        (
            "header",
            "Prefer",
            "`wait=<seconds>`: how long to wait with a page, up to a minute, when there is nothing \
             on it yet.",
            text(),
        ),
        (
            "header",
            "Range",
            "Which part is wanted, such as `bytes=0-1023`.",
            text(),
        ),
    ]
    .into_iter()
    .map(|(place, name, description, schema)| {
        let parameter = json!({
            "name": name,
            "in": place,
            "required": place == "path",
            "description": description,
            "schema": schema,
        });
        (name.to_owned(), parameter)
    })
    .collect::<Map<_, _>>()
    .into()
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
        "Content-Range": header(
            "Which part it is, and of how many bytes.",
            json!({ "type": "string", "pattern": "^bytes [0-9]+-[0-9]+/[0-9]+$" }),
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
