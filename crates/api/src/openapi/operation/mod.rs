//! One operation: what it takes and what it answers.

mod describe;

use std::collections::BTreeSet;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::schemas::SchemaOf;
use crate::{Code, TranscriptSegmentsBody};

/// A method of a path: what it takes and what it answers.
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
    answers: Vec<Answer>,
    leads_on: Option<(&'static str, &'static str)>,
    later: bool,
    problems: BTreeSet<Code>,
}

#[derive(Clone)]
struct Body {
    required: bool,
    content: Vec<(&'static str, SchemaOf)>,
}

/// An answer that is no problem.
#[derive(Clone)]
struct Answer {
    status: u16,
    /// What it means; of the ordinary answer the summary tells.
    meaning: Option<&'static str>,
    content: Vec<(&'static str, SchemaOf)>,
    headers: &'static [&'static str],
}

impl Operation {
    /// An operation with the problems that come with its path.
    pub(super) fn new(method: &'static str, path: &'static str, id: &'static str) -> Self {
        let mut problems = BTreeSet::from([Code::Internal]);
        if path.contains("{job_id}") {
            problems.insert(Code::JobNotFound);
        }
        if path.contains("{clip_id}") {
            problems.insert(Code::ClipNotFound);
        }
        if path.contains("{lease_id}") {
            problems.insert(Code::LeaseLost);
        }
        if path.contains('{') {
            // An empty id is another path, and there is nothing at it.
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
            answers: Vec::new(),
            leads_on: None,
            later: false,
            problems,
        }
    }

    pub(super) fn tag(mut self, tag: &'static str) -> Self {
        self.tag = tag;
        self
    }

    /// What it does, in one line and then at more length.
    pub(super) fn about(mut self, summary: &'static str, description: &'static str) -> Self {
        self.summary = summary;
        self.description = description;
        self
    }

    pub(super) fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(T::json_schema);
        self.or([Code::MalformedQuery, Code::ValidationFailed])
    }

    /// Takes a header that is none of those below.
    pub(super) fn header(mut self, name: &'static str) -> Self {
        self.headers.push(name);
        self
    }

    /// Takes `If-Match` and refuses when it does not.
    pub(super) fn if_match(self) -> Self {
        self.header("If-Match").or([Code::VersionMismatch])
    }

    /// Takes `If-None-Match` and answers 304, with the headers of the ordinary
    /// answer, when it does.
    pub(super) fn if_none_match(self) -> Self {
        let headers = self.answers.first().map_or(&[][..], |first| first.headers);
        self.header("If-None-Match")
            .also(304, "The caller has this version already.")
            .with(headers)
    }

    /// Takes `Idempotency-Key`.
    pub(super) fn idempotent(self) -> Self {
        self.header("Idempotency-Key")
            .or([Code::IdempotencyInProgress, Code::IdempotencyMismatch])
    }

    /// Takes `Lease-Id`, and needs it while somebody has a lease.
    pub(super) fn leased(self) -> Self {
        self.header("Lease-Id").or([Code::LeaseLost])
    }

    pub(super) fn body<T: JsonSchema>(self) -> Self {
        self.json(SchemaGenerator::subschema_for::<T>, true)
    }

    /// Takes segments of a transcript, as JSON or as a file.
    pub(super) fn body_transcript(self) -> Self {
        let mut taken = self.json(transcript, true);
        if let Some(body) = &mut taken.body {
            let text = SchemaGenerator::subschema_for::<String> as SchemaOf;
            body.content
                .extend(TRANSCRIPT_FILES.map(|file| (file, text)));
        }
        taken
    }

    /// Takes a body or none at all.
    pub(super) fn maybe_body<T: JsonSchema>(self) -> Self {
        self.json(SchemaGenerator::subschema_for::<T>, false)
    }

    fn json(mut self, schema: SchemaOf, required: bool) -> Self {
        self.body = Some(Body {
            required,
            content: vec![("application/json", schema)],
        });
        self.or([
            Code::MalformedBody,
            Code::BodyTooLarge,
            Code::UnsupportedMediaType,
            Code::ValidationFailed,
        ])
    }

    /// Takes a body of a length that was announced before.
    pub(super) fn body_bytes(mut self) -> Self {
        self.body = Some(Body {
            required: true,
            content: vec![("application/octet-stream", bytes)],
        });
        self.or([
            Code::MalformedBody,
            Code::BodyTooLarge,
            Code::ValidationFailed,
        ])
    }

    pub(super) fn answers_nothing(self, status: u16) -> Self {
        self.answer(status, None, Vec::new())
    }

    pub(super) fn answers<T: JsonSchema>(self, status: u16) -> Self {
        let json = ("application/json", SchemaGenerator::subschema_for::<T> as _);
        self.answer(status, None, vec![json])
    }

    pub(super) fn answers_text(self, media_type: &'static str) -> Self {
        self.answer(200, None, Vec::new()).or_as_text(media_type)
    }

    /// Answers segments, as JSON or as a file.
    pub(super) fn answers_transcript<T: JsonSchema>(self) -> Self {
        let files = TRANSCRIPT_FILES.into_iter().chain(["text/plain"]);
        files.fold(self.answers::<T>(200), Self::or_as_text)
    }

    pub(super) fn answers_bytes(self, status: u16) -> Self {
        self.answer(status, None, vec![("*/*", bytes)])
    }

    /// Another answer of another status; without content, unless it is a part of
    /// that of the ordinary one.
    pub(super) fn also(self, status: u16, meaning: &'static str) -> Self {
        let content = match self.answers.first() {
            Some(whole) if status == 206 => whole.content.clone(),
            _ => Vec::new(),
        };
        self.answer(status, Some(meaning), content)
    }

    fn answer(
        mut self,
        status: u16,
        meaning: Option<&'static str>,
        content: Vec<(&'static str, SchemaOf)>,
    ) -> Self {
        self.answers.push(Answer {
            status,
            meaning,
            content,
            headers: &[],
        });
        self
    }

    /// The last answer can also be had as text of this type.
    pub(super) fn or_as_text(mut self, media_type: &'static str) -> Self {
        let text = (media_type, SchemaGenerator::subschema_for::<String> as _);
        if let Some(answer) = self.answers.last_mut() {
            answer.content.push(text);
        }
        self
    }

    /// Headers of the last answer besides `X-Request-Id`.
    pub(super) fn with(mut self, headers: &'static [&'static str]) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers = headers;
        }
        self
    }

    /// The first answer holds, at this place, what other operations take as this
    /// parameter of their path.
    pub(super) fn leads_on(mut self, parameter: &'static str, place: &'static str) -> Self {
        self.leads_on = Some((parameter, place));
        self
    }

    /// Not for what was just made: something has to come first.
    pub(super) fn later(mut self) -> Self {
        self.later = true;
        self
    }

    /// Asks the database, which may be away or too busy.
    pub(super) fn stored(self) -> Self {
        self.or([Code::DatabaseUnavailable, Code::Overloaded])
    }

    pub(super) fn or(mut self, problems: impl IntoIterator<Item = Code>) -> Self {
        self.problems.extend(problems);
        self
    }
}

/// What transcripts are read from and written to besides JSON.
const TRANSCRIPT_FILES: [&str; 2] = ["text/vtt", "application/x-subrip"];

/// Segments of a transcript, as they are stored here or as Whisper tells them.
fn transcript(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "anyOf": [
            generator.subschema_for::<TranscriptSegmentsBody>(),
            {
                "description": "What Whisper writes as `verbose_json`; what is not named here is passed over.",
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

/// Whatever it is.
fn bytes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "binary" })
}
