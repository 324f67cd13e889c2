//! Components that operations share and refer to.

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::schemas::Schemas;
use crate::tus::TUS_VERSION;
use crate::upload::{EXAMPLE_ID, sample_recording};
use crate::wire::{Code, Problem};
use lectern_domain::{IdempotencyKey, Stage};

/// Name of the security scheme with the header `Authorization`.
pub(super) const BEARER: &str = "bearer";
/// Name of the security scheme with the header `X-API-Key`.
pub(super) const API_KEY: &str = "apiKey";
/// Name of the security scheme with the parameter `token`.
pub(super) const WATCH_TOKEN: &str = "watchToken";

/// Collects the components that operations refer to.
#[derive(Default)]
pub(super) struct Components {
    pub(super) schemas: Schemas,
    problems: Map<String, Value>,
}

impl Components {
    /// A reference to the response with a problem of one of these codes. Adds the response
    /// to the components.
    pub(super) fn problem(&mut self, status: u16, codes: &[Code]) -> Value {
        let names: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
        let titles: Vec<_> = codes
            .iter()
            .map(|code| format!("{} (`{}`).", code.title(), code.as_str()))
            .collect();
        let headers: &[_] = match status {
            401 => &["WWW-Authenticate"],
            429 if codes.contains(&Code::RateLimited) => &[
                "Retry-After",
                "RateLimit-Limit",
                "RateLimit-Remaining",
                "RateLimit-Reset",
            ],
            429 | 503 => &["Retry-After"],
            _ => &[],
        };
        let problem = self
            .schemas
            .response(SchemaGenerator::subschema_for::<Problem>);
        let name = names.join(".");
        let reference = reference("responses", &name);
        self.problems.insert(
            name,
            json!({
                "description": titles.join(" "),
                "headers": header_references(headers),
                "content": { "application/problem+json": { "schema": {
                    "allOf": [problem],
                    "properties": { "status": { "const": status }, "code": { "enum": names } },
                } } },
            }),
        );
        reference
    }

    /// The components object.
    pub(super) fn into_value(self, with_keys: bool) -> Value {
        let mut components = json!({
            "schemas": self.schemas.into_definitions(),
            "responses": self.problems,
            "parameters": parameters(),
            "headers": headers(),
        });
        if with_keys {
            components["securitySchemes"] = security_schemes();
            components["headers"]["WWW-Authenticate"] = json!({
                "required": true,
                "description": "How to authenticate, and why the key was refused (RFC 6750).",
                "schema": { "type": "string" },
            });
        }
        components
    }
}

/// The two headers in which a key may be sent, and the parameter with a token.
fn security_schemes() -> Value {
    json!({
        BEARER: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "lct_…",
            "description": "A key of `lectern keys new`, in the header `Authorization`.",
        },
        API_KEY: {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-Key",
            "description": "The same key in a header of its own, where a proxy needs \
                `Authorization`.",
        },
        WATCH_TOKEN: {
            "type": "apiKey",
            "in": "query",
            "name": "token",
            "description": "A token of `createWatchToken`, for `EventSource` and `WebSocket`, \
                which cannot send headers. It is for one job.",
        },
    })
}

/// Storage key of the recording of the job [`EXAMPLE_ID`].
const EXAMPLE_KEY: &str = "jobs/019b76da-a87b-7763-a830-6c97ee0bf06d/original/sample.wav";

/// The headers of requests without which operations of tus fail.
const TUS_REQUIRED: [&str; 5] = [
    "Tus-Resumable",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Offset",
    "X-HTTP-Method-Override",
];

/// The stages that workers claim.
fn work_stages() -> Vec<&'static str> {
    Stage::WORK.iter().map(|stage| stage.as_str()).collect()
}

/// The parameters that several operations share.
#[expect(clippy::too_many_lines, reason = "a table")]
fn parameters() -> Value {
    let sample_length = sample_recording().len().to_string();
    // A malformed lease id is treated as an unknown lease, so any text is accepted.
    let text = || json!({ "type": "string" });
    let uuid = json!({ "type": "string", "format": "uuid" });
    let idempotency_key = json!({
        "type": "string",
        "minLength": 1,
        "maxLength": IdempotencyKey::MAX,
        "pattern": "^[!-~]+$",
    });
    [
        (
            "path",
            "job_id",
            "The id of the job.",
            uuid.clone(),
            EXAMPLE_ID,
        ),
        (
            "path",
            "clip_id",
            "The id of the clip.",
            uuid.clone(),
            EXAMPLE_ID,
        ),
        (
            "path",
            "segment_id",
            "The id of the segment.",
            uuid.clone(),
            EXAMPLE_ID,
        ),
        (
            "path",
            "lease_id",
            "The id of the lease.",
            text(),
            EXAMPLE_ID,
        ),
        (
            "path",
            "stage",
            "The stage.",
            json!({ "type": "string", "enum": work_stages() }),
            Stage::Transcription.as_str(),
        ),
        (
            "path",
            "upload_id",
            "The id of the resumable upload, which is the id of its job.",
            uuid.clone(),
            EXAMPLE_ID,
        ),
        (
            "path",
            "key",
            "Storage key of the object, including slashes.",
            text(),
            EXAMPLE_KEY,
        ),
        (
            "header",
            "If-Match",
            "The change is refused unless what is changed still has this `ETag`.",
            text(),
            "\"3\"",
        ),
        (
            "header",
            "If-None-Match",
            "The response is 304 if the `ETag` is still this one.",
            text(),
            "\"3\"",
        ),
        (
            "header",
            "Idempotency-Key",
            "A key chosen by the client: a request repeated with the same key within 24 hours \
             takes effect once and gets the same response.",
            idempotency_key,
            "lecture-7-2026-10-01",
        ),
        (
            "header",
            "Lease-Id",
            "The lease under which the request is made. A request with an invalid lease is \
             refused; the header is required while the stage is leased.",
            text(),
            EXAMPLE_ID,
        ),
        (
            "header",
            "Last-Event-ID",
            "The `id` of the last event that the client has received; takes precedence over \
             `after`.",
            text(),
            "0",
        ),
        (
            "header",
            "Prefer",
            "`wait=<seconds>`: how long to wait for the next event if the page is empty, at most \
             a minute.",
            text(),
            "wait=2",
        ),
        (
            "header",
            "Range",
            "The requested part, such as `bytes=0-1023`.",
            text(),
            "bytes=0-1023",
        ),
        (
            "header",
            "Tus-Resumable",
            "The version of tus that the client uses: `1.0.0`.",
            text(),
            TUS_VERSION,
        ),
        (
            "header",
            "Upload-Length",
            "Size of the recording in bytes.",
            text(),
            &sample_length,
        ),
        (
            "header",
            "Upload-Metadata",
            "Pairs of a key and a value in Base64, separated by commas: `filename` (required), \
             `filetype`, `processing_config` and `extra_metadata` (JSON objects), `priority`.",
            text(),
            "filename bGVjdHVyZS53YXY=",
        ),
        (
            "header",
            "Upload-Offset",
            "Number of bytes that have arrived already.",
            text(),
            "0",
        ),
        (
            "header",
            "Upload-Checksum",
            "`sha1`, `sha256` or `sha512`, a space, and the checksum of the body in Base64. A \
             body with another checksum is discarded.",
            text(),
            "sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
        ),
        (
            "header",
            "X-HTTP-Method-Override",
            "`PATCH`, `DELETE` or `HEAD`.",
            text(),
            "DELETE",
        ),
    ]
    .into_iter()
    .map(|(location, name, description, schema, example)| {
        let parameter = json!({
            "name": name,
            "in": location,
            "required": location == "path" || TUS_REQUIRED.contains(&name),
            "description": description,
            "schema": schema,
            "example": example,
        });
        (name.to_owned(), parameter)
    })
    .collect::<Map<_, _>>()
    .into()
}

/// The headers that several responses share.
fn headers() -> Value {
    let header = |description: &str, schema: Value| json!({ "required": true, "description": description, "schema": schema });
    let optional_header =
        |description: &str, schema: Value| json!({ "description": description, "schema": schema });
    json!({
        "X-Request-Id": header(
            "Id of the request: the client's, if it sent one, otherwise a new one.",
            json!({ "type": "string" }),
        ),
        "ETag": header(
            "The version of what the response contains. A job has a number, its parts a hash.",
            json!({ "type": "string", "pattern": "^\"[0-9a-f]+\"$" }),
        ),
        "Location": header(
            "URL of what was created.",
            json!({ "type": "string", "format": "uri-reference" }),
        ),
        "Link": json!({
            "description": "The next page, with the relation `next`, if there is one.",
            "schema": { "type": "string" },
        }),
        "Content-Range": header(
            "The range in the response and the total size, in bytes.",
            json!({ "type": "string", "pattern": "^bytes [0-9]+-[0-9]+/[0-9]+$" }),
        ),
        "RateLimit-Limit": optional_header(
            "Requests that a caller may send at once. This header and the next two are in all \
             responses of a service that limits requests, but not in those to other quotas.",
            json!({ "type": "integer", "minimum": 1 }),
        ),
        "RateLimit-Remaining": optional_header(
            "Requests that the caller may still send at once.",
            json!({ "type": "integer", "minimum": 0 }),
        ),
        "RateLimit-Reset": optional_header(
            "Seconds until the caller may send as many as at first; after a refusal, until it may \
             send one.",
            json!({ "type": "integer", "minimum": 0 }),
        ),
        "Retry-After": header(
            "Seconds after which to try again.",
            json!({ "type": "integer", "minimum": 0 }),
        ),
        "Tus-Resumable": header(
            "The version of tus that the server uses.",
            json!({ "type": "string", "const": TUS_VERSION }),
        ),
        "Tus-Version": header(
            "The versions of tus that the server supports.",
            json!({ "type": "string" }),
        ),
        "Tus-Extension": header(
            "The extensions of tus that the server supports.",
            json!({ "type": "string" }),
        ),
        "Tus-Max-Size": header(
            "Greatest size of a recording in bytes.",
            json!({ "type": "integer", "minimum": 1 }),
        ),
        "Tus-Checksum-Algorithm": header(
            "The algorithms of checksums that the server supports.",
            json!({ "type": "string" }),
        ),
        "Upload-Offset": header(
            "Number of bytes that have arrived.",
            json!({ "type": "integer", "minimum": 0 }),
        ),
        "Upload-Length": header(
            "Size of the recording in bytes.",
            json!({ "type": "integer", "minimum": 1 }),
        ),
        "Upload-Expires": header(
            "When an unfinished upload can no longer be resumed; each request that appends \
             postpones it.",
            json!({ "type": "string" }),
        ),
    })
}

/// References to the headers `names` and to `X-Request-Id`, which every response has.
pub(super) fn header_references(names: &[&str]) -> Value {
    ["X-Request-Id"]
        .iter()
        .chain(names)
        .map(|name| ((*name).to_owned(), reference("headers", name)))
        .collect::<Map<_, _>>()
        .into()
}

/// A reference to a shared component.
pub(super) fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}
