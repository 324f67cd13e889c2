//! An operation: its parameters, body and responses.

mod responses;

use std::collections::BTreeSet;

use lectern_domain::Access;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::components::{API_KEY, BEARER, Components, WATCH_TOKEN, reference};
use super::schemas::SchemaOf;
use crate::transcript_segment::TranscriptSegmentsBody;
use crate::upload::sample_recording;
use crate::wire::Code;

const PATH_PARAMETERS: [&str; 7] = [
    "job_id",
    "clip_id",
    "segment_id",
    "lease_id",
    "stage",
    "upload_id",
    "key",
];

/// A method of a path: its parameters, body and responses.
#[derive(Clone)]
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    description: &'static str,
    query: Option<SchemaOf>,
    headers: Vec<&'static str>,
    body: Option<Body>,
    responses: Vec<ResponseSpec>,
    /// The arguments of [`Operation::links_to`].
    links_to: Option<(&'static str, &'static str)>,
    excluded_from_links: bool,
    problems: BTreeSet<Code>,
    /// `None`: callers need no keys.
    access: Option<Access>,
}

#[derive(Clone)]
struct Body {
    required: bool,
    content: Vec<(&'static str, SchemaOf)>,
}

/// A response that is not a problem.
#[derive(Clone)]
struct ResponseSpec {
    status: u16,
    /// `None`: the summary of the operation.
    description: Option<&'static str>,
    content: Vec<(&'static str, SchemaOf)>,
    headers: &'static [&'static str],
}

impl Operation {
    /// An operation with the problems that its path implies.
    pub(super) fn new(method: &'static str, path: &'static str, id: &'static str) -> Self {
        let mut problems = BTreeSet::from([Code::HostNotAllowed, Code::Internal, Code::Overloaded]);
        if !["GET", "HEAD", "OPTIONS"].contains(&method) {
            problems.insert(Code::OriginNotAllowed);
        }
        // What may be public is not limited.
        let is_limited = path.starts_with("/api/v1/") && !path.starts_with("/api/v1/objects/");
        if (is_limited && method != "OPTIONS") || path.starts_with("/ws/") || path == "/metrics" {
            problems.insert(Code::RateLimited);
        }
        if path.contains("{job_id}") {
            problems.insert(Code::JobNotFound);
        }
        if path.contains("{clip_id}") {
            problems.insert(Code::ClipNotFound);
        }
        if path.contains("{segment_id}") {
            problems.insert(Code::SegmentNotFound);
        }
        if path.contains("{lease_id}") {
            problems.insert(Code::LeaseLost);
        }
        if path.contains("{upload_id}") {
            problems.insert(Code::UploadNotFound);
        }
        if path.contains('{') {
            // No route matches the path if an id is empty.
            problems.insert(Code::NotFound);
        }
        Self {
            method,
            path,
            id,
            tag: "",
            summary: "",
            description: "",
            query: None,
            headers: Vec::new(),
            body: None,
            responses: Vec::new(),
            links_to: None,
            excluded_from_links: false,
            problems,
            access: None,
        }
    }

    /// Sets who may call the operation, in a service whose callers need keys.
    pub(super) fn set_access(&mut self, access: Access) {
        self.access = Some(access);
        if access != Access::Public {
            let refusals = [
                Code::AuthenticationRequired,
                Code::InvalidKey,
                Code::InvalidToken,
                Code::ScopeMissing,
                Code::IdentityProviderUnavailable,
                // Keys are in the database.
                Code::DatabaseUnavailable,
            ];
            self.problems.extend(refusals);
            if self.headers.contains(&"Lease-Id") {
                // For workers.
                self.problems.insert(Code::LeaseRequired);
            }
        }
    }

    pub(super) fn tag(mut self, tag: &'static str) -> Self {
        self.tag = tag;
        self
    }

    /// Sets the summary, which is one line, and the longer description.
    pub(super) fn describe_as(mut self, summary: &'static str, description: &'static str) -> Self {
        self.summary = summary;
        self.description = description;
        self
    }

    pub(super) fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(T::json_schema);
        self.with_problems([Code::MalformedQuery, Code::ValidationFailed])
    }

    /// Takes the query string of a signed URL. Nothing is found at a URL whose query string
    /// is not the one that was signed.
    pub(super) fn signed_query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(T::json_schema);
        self
    }

    /// Adds a request header.
    pub(super) fn header(mut self, name: &'static str) -> Self {
        self.headers.push(name);
        self
    }

    /// Takes `If-Match`.
    pub(super) fn if_match(self) -> Self {
        self.header("If-Match")
            .with_problems([Code::VersionMismatch])
    }

    /// Takes `If-None-Match` and responds with 304, with the headers of the first
    /// response.
    pub(super) fn if_none_match(self) -> Self {
        let headers = self
            .responses
            .first()
            .map_or(&[][..], |first| first.headers);
        self.header("If-None-Match")
            .or_responds(304, "The client already has this version.")
            .with_headers(headers)
    }

    /// Takes `Idempotency-Key`.
    pub(super) fn idempotent(self) -> Self {
        self.header("Idempotency-Key").with_problems([
            Code::IdempotencyInProgress,
            Code::IdempotencyMismatch,
            // Of a key.
            Code::ValidationFailed,
        ])
    }

    /// Takes `Lease-Id`, which is required while the stage is leased.
    pub(super) fn leased(self) -> Self {
        self.header("Lease-Id").with_problems([Code::LeaseLost])
    }

    pub(super) fn body<T: JsonSchema>(self) -> Self {
        self.json_body(SchemaGenerator::subschema_for::<T>, true)
    }

    /// Takes changes, as JSON or as a JSON merge patch (RFC 7396).
    pub(super) fn body_patch<T: JsonSchema>(self) -> Self {
        let mut operation = self.body::<T>();
        if let Some(body) = &mut operation.body {
            let schema: SchemaOf = SchemaGenerator::subschema_for::<T>;
            body.content.push(("application/merge-patch+json", schema));
        }
        operation
    }

    /// Takes a body of one of two types, with the example of the first.
    pub(super) fn body_of_either<A: JsonSchema, B: JsonSchema>(self) -> Self {
        let either = |generator: &mut SchemaGenerator| {
            let types = [
                generator.subschema_for::<A>(),
                generator.subschema_for::<B>(),
            ];
            json_schema!({ "anyOf": types })
        };
        self.json_body(either, true)
    }

    /// Takes segments of a transcript, as JSON or as a file.
    pub(super) fn body_transcript(self) -> Self {
        let mut operation = self.json_body(transcript, true);
        if let Some(body) = &mut operation.body {
            body.content.extend([
                (VTT, web_vtt as SchemaOf),
                (SRT, sub_rip),
                ("application/ttml+xml", ttml),
                ("text/x-ssa", substation_alpha),
                ("text/x-sbv", sbv),
                ("text/x-lrc", lrc),
                ("text/tab-separated-values", tsv),
                ("application/x-ndjson", json_lines),
            ]);
        }
        operation
    }

    /// Takes an optional body.
    pub(super) fn optional_body<T: JsonSchema>(self) -> Self {
        self.json_body(SchemaGenerator::subschema_for::<T>, false)
    }

    fn json_body(mut self, schema: SchemaOf, required: bool) -> Self {
        self.body = Some(Body {
            required,
            content: vec![("application/json", schema)],
        });
        self.with_problems([
            Code::MalformedBody,
            Code::BodyTooLarge,
            Code::UnsupportedMediaType,
            Code::ValidationFailed,
        ])
    }

    /// Takes a recording, which is any bytes.
    pub(super) fn body_recording(mut self) -> Self {
        self.body = Some(Body {
            required: true,
            content: vec![(OCTET_STREAM, recording)],
        });
        self.with_problems([
            Code::MalformedBody,
            Code::BodyTooLarge,
            Code::ValidationFailed,
        ])
    }

    /// Takes a part of a recording, in the protocol tus. `required`: an empty part has a
    /// type, too.
    pub(super) fn body_tus(mut self, required: bool) -> Self {
        self.body = Some(Body {
            required,
            content: vec![("application/offset+octet-stream", recording)],
        });
        self.header("Upload-Checksum").with_problems([
            Code::MalformedBody,
            Code::ChecksumNotSupported,
            Code::BodyTooLarge,
            Code::UnsupportedMediaType,
            Code::ValidationFailed,
            Code::UploadInProgress,
            Code::ChecksumMismatch,
            Code::InsufficientStorage,
        ])
    }

    pub(super) fn responds_empty(self, status: u16) -> Self {
        self.response(status, None, Vec::new())
    }

    pub(super) fn responds<T: JsonSchema>(self, status: u16) -> Self {
        let json = ("application/json", SchemaGenerator::subschema_for::<T> as _);
        self.response(status, None, vec![json])
    }

    pub(super) fn responds_text(self, media_type: &'static str) -> Self {
        self.response(200, None, Vec::new()).or_text(media_type)
    }

    /// Responds with segments, as JSON or as a file.
    pub(super) fn responds_transcript<T: JsonSchema>(self) -> Self {
        let json = self.responds::<T>(200);
        json.or_text(VTT).or_text(SRT).or_text("text/plain")
    }

    /// Responds with a file of any media type. Octet streams are listed, too, because client
    /// generators do not support `*/*`.
    pub(super) fn responds_bytes(self, status: u16) -> Self {
        self.response(status, None, vec![("*/*", bytes), (OCTET_STREAM, bytes)])
    }

    /// Adds a response of another status. The response has no content, except that a 206
    /// has the content of the first response.
    pub(super) fn or_responds(self, status: u16, description: &'static str) -> Self {
        let content = match self.responses.first() {
            Some(full) if status == 206 => full.content.clone(),
            _ => Vec::new(),
        };
        self.response(status, Some(description), content)
    }

    fn response(
        mut self,
        status: u16,
        description: Option<&'static str>,
        content: Vec<(&'static str, SchemaOf)>,
    ) -> Self {
        self.responses.push(ResponseSpec {
            status,
            description,
            content,
            headers: &[],
        });
        self
    }

    /// Adds a text type to the content of the last response.
    pub(super) fn or_text(mut self, media_type: &'static str) -> Self {
        let text = (media_type, SchemaGenerator::subschema_for::<String> as _);
        if let Some(response) = self.responses.last_mut() {
            response.content.push(text);
        }
        self
    }

    /// Sets the headers of the last response besides `X-Request-Id`.
    pub(super) fn with_headers(mut self, headers: &'static [&'static str]) -> Self {
        if let Some(response) = self.responses.last_mut() {
            response.headers = headers;
        }
        self
    }

    /// Adds links to the operations whose path has this parameter. `pointer` is the place
    /// of the parameter's value in the first response.
    pub(super) fn links_to(mut self, parameter: &'static str, pointer: &'static str) -> Self {
        self.links_to = Some((parameter, pointer));
        self
    }

    /// Omits the operation from the links of a new job or claim, because the operation
    /// would fail for a new job or claim.
    pub(super) fn exclude_from_links(mut self) -> Self {
        self.excluded_from_links = true;
        self
    }

    /// Uses the database, which may be unavailable or overloaded.
    pub(super) fn uses_database(self) -> Self {
        self.with_problems([Code::DatabaseUnavailable, Code::Overloaded])
    }

    /// Adds problems that the operation may respond with.
    pub(super) fn with_problems(mut self, problems: impl IntoIterator<Item = Code>) -> Self {
        self.problems.extend(problems);
        self
    }

    /// The operation object; `all` are the operations that links may lead to.
    pub(super) fn describe(&self, all: &[Self], components: &mut Components) -> Value {
        let mut described = json!({
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "description": self.description,
            "parameters": self.parameters(components),
            "responses": self.responses(all, components),
        });
        match self.access {
            None => {}
            Some(Access::Public) => described["security"] = json!([]),
            Some(Access::AnyKey) => {
                described["security"] = json!([{ BEARER: [] }, { API_KEY: [] }]);
                let description = format!("{}\n\nNeeds a key of any role.", self.description);
                described["description"] = description.into();
            }
            Some(Access::Scope(scope)) => {
                described["security"] = json!([{ BEARER: [] }, { API_KEY: [] }]);
                // Linters know scopes in `security` of OAuth only.
                described["x-scope"] = scope.as_str().into();
                let description = format!("{}\n\nNeeds the scope `{scope}`.", self.description);
                described["description"] = description.into();
            }
            Some(Access::ScopeOrWatchToken(scope)) => {
                described["security"] =
                    json!([{ BEARER: [] }, { API_KEY: [] }, { WATCH_TOKEN: [] }]);
                described["x-scope"] = scope.as_str().into();
                let description = format!(
                    "{}\n\nNeeds the scope `{scope}`, or a token of `createWatchToken` for this \
                     job.",
                    self.description
                );
                described["description"] = description.into();
            }
        }
        if let Some(body) = &self.body {
            described["requestBody"] = json!({ "required": body.required });
            for (media_type, schema) in &body.content {
                let (schema, example) = components.schemas.request(*schema);
                let mut content = json!({ "schema": schema });
                if let Some(example) = example {
                    content["example"] = example;
                }
                described["requestBody"]["content"][media_type] = content;
            }
        }
        described
    }

    fn parameters(&self, components: &mut Components) -> Vec<Value> {
        let shared = |name: &&str| reference("parameters", name);
        let in_path = PATH_PARAMETERS
            .iter()
            .filter(|name| self.has_path_parameter(name));
        let mut parameters: Vec<_> = in_path.map(shared).collect();
        if let Some(query) = self.query {
            parameters.extend(components.schemas.query(query));
        }
        parameters.extend(self.headers.iter().map(shared));
        parameters
    }

    fn has_path_parameter(&self, parameter: &str) -> bool {
        self.path.contains(&format!("{{{parameter}}}"))
    }
}

/// Formats of transcripts besides JSON.
const VTT: &str = "text/vtt";
const SRT: &str = "application/x-subrip";

/// Segments of a transcript, in Lectern's JSON or in that of other programs.
fn transcript(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "anyOf": [
            generator.subschema_for::<TranscriptSegmentsBody>(),
            {
                "description": "Whisper's `verbose_json`; other fields are ignored. The JSON of \
                    whisper.cpp, WhisperX, transformers, AssemblyAI, AWS Transcribe, Azure, Deepgram, \
                    ElevenLabs, Google, Podcasting 2.0, Rev.ai, Speechmatics, Vosk, IBM Watson and \
                    YouTube (`json3`) is read as well.",
                "type": "object",
                "required": ["segments"],
                "properties": { "segments": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["start", "text"],
                        "properties": {
                            "start": { "type": "number" },
                            "end": { "type": "number" },
                            "text": { "type": "string" },
                        },
                    },
                } },
            },
        ],
    })
}

/// Segments of a transcript as WebVTT.
fn web_vtt(_: &mut SchemaGenerator) -> Schema {
    let example = "WEBVTT\n\n00:00.000 --> 00:04.200\n<v lecturer>Welcome back.\n";
    json_schema!({ "type": "string", "example": example })
}

/// Segments of a transcript as SubRip.
fn sub_rip(_: &mut SchemaGenerator) -> Schema {
    let example = "1\n00:00:00,000 --> 00:00:04,200\nWelcome back.\n";
    json_schema!({ "type": "string", "example": example })
}

/// Segments of a transcript as TTML.
fn ttml(_: &mut SchemaGenerator) -> Schema {
    let example = "<tt xmlns=\"http://www.w3.org/ns/ttml\"><body><div>\
        <p begin=\"0s\" end=\"4.2s\">Welcome back.</p></div></body></tt>\n";
    json_schema!({ "type": "string", "example": example })
}

/// Segments of a transcript as `SubStation` Alpha.
fn substation_alpha(_: &mut SchemaGenerator) -> Schema {
    let example = "[Events]\nFormat: Start, End, Name, Text\n\
        Dialogue: 0:00:00.00,0:00:04.20,lecturer,Welcome back.\n";
    json_schema!({ "type": "string", "example": example })
}

/// Segments of a transcript as SBV.
fn sbv(_: &mut SchemaGenerator) -> Schema {
    let example = "0:00:00.000,0:00:04.200\nWelcome back.\n";
    json_schema!({ "type": "string", "example": example })
}

/// Segments of a transcript as LRC.
fn lrc(_: &mut SchemaGenerator) -> Schema {
    let example = "[00:00.00]Welcome back.\n[00:04.20]\n";
    json_schema!({ "type": "string", "example": example })
}

/// Segments of a transcript as text with tabs.
fn tsv(_: &mut SchemaGenerator) -> Schema {
    let example = "start\tend\ttext\n0\t4200\tWelcome back.\n";
    json_schema!({ "type": "string", "example": example })
}

/// Segments of a transcript as JSON lines.
fn json_lines(_: &mut SchemaGenerator) -> Schema {
    let example = "{\"start\": 0.0, \"end\": 4.2, \"text\": \"Welcome back.\"}\n";
    json_schema!({ "type": "string", "example": example })
}

const OCTET_STREAM: &str = "application/octet-stream";

/// Any bytes.
fn bytes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "binary" })
}

/// Any bytes, with a recording as the example.
fn recording(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "binary", "example": sample_recording() })
}
