//! One operation and how it is described.

use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::components::{Components, header_references, reference};
use super::schemas::SchemaOf;
use crate::Code;

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
    body: Option<SchemaOf>,
    condition: Option<&'static str>,
    status: u16,
    answer: Answer,
    headers: &'static [&'static str],
    problems: BTreeSet<Code>,
}

#[derive(Clone)]
enum Answer {
    Nothing,
    Json(SchemaOf),
    Text(&'static str),
}

impl Operation {
    /// An operation that answers 204 until it is told otherwise.
    pub(super) fn new(method: &'static str, path: &'static str, id: &'static str) -> Self {
        let mut problems = BTreeSet::from([Code::Internal]);
        if path.contains("{job_id}") {
            // An empty id is another path, and there is nothing at it.
            problems.extend([Code::NotFound, Code::JobNotFound]);
        }
        Self {
            method,
            path,
            id,
            tag: "",
            summary: "",
            description: "",
            query: None,
            body: None,
            condition: None,
            status: 204,
            answer: Answer::Nothing,
            headers: &[],
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

    pub(super) fn body<T: JsonSchema>(mut self) -> Self {
        self.body = Some(SchemaGenerator::subschema_for::<T>);
        self.or([
            Code::MalformedBody,
            Code::BodyTooLarge,
            Code::UnsupportedMediaType,
            Code::ValidationFailed,
        ])
    }

    /// Takes `If-Match` and refuses when it does not.
    pub(super) fn if_match(mut self) -> Self {
        self.condition = Some("If-Match");
        self.or([Code::VersionMismatch])
    }

    /// Takes `If-None-Match` and answers 304 when it does.
    pub(super) fn if_none_match(mut self) -> Self {
        self.condition = Some("If-None-Match");
        self
    }

    pub(super) fn answers<T: JsonSchema>(mut self, status: u16) -> Self {
        self.status = status;
        self.answer = Answer::Json(SchemaGenerator::subschema_for::<T>);
        self
    }

    pub(super) fn answers_text(mut self, media_type: &'static str) -> Self {
        self.status = 200;
        self.answer = Answer::Text(media_type);
        self
    }

    /// Headers of the answer besides `X-Request-Id`.
    pub(super) fn with(mut self, headers: &'static [&'static str]) -> Self {
        self.headers = headers;
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

    /// The operation object; `all` are the operations a made job leads to.
    pub(super) fn describe(&self, all: &[Self], components: &mut Components) -> Value {
        let mut described = json!({
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "parameters": self.parameters(components),
            "responses": self.responses(all, components),
        });
        if !self.description.is_empty() {
            described["description"] = self.description.into();
        }
        if let Some(body) = self.body {
            described["requestBody"] = json!({
                "required": true,
                "content": { "application/json": { "schema": components.schemas.request(body) } },
            });
        }
        described
    }

    fn parameters(&self, components: &mut Components) -> Vec<Value> {
        let mut parameters = Vec::new();
        if self.path.contains("{job_id}") {
            parameters.push(reference("parameters", "job_id"));
        }
        if let Some(query) = self.query {
            parameters.extend(components.schemas.query(query));
        }
        if let Some(header) = self.condition {
            parameters.push(reference("parameters", header));
        }
        parameters
    }

    fn responses(&self, all: &[Self], components: &mut Components) -> Map<String, Value> {
        let mut success = json!({
            "description": self.summary,
            "headers": header_references(self.headers),
        });
        match self.answer {
            Answer::Nothing => {}
            Answer::Json(schema) => {
                let schema = components.schemas.response(schema);
                success["content"] = json!({ "application/json": { "schema": schema } });
            }
            Answer::Text(media_type) => {
                success["content"] = json!({ media_type: { "schema": { "type": "string" } } });
            }
        }
        if self.headers.contains(&"Location") {
            success["links"] = links(all);
        }
        let mut responses = Map::from_iter([(self.status.to_string(), success)]);
        if self.condition == Some("If-None-Match") {
            responses.insert(
                "304".into(),
                json!({
                    "description": "The caller has this version already.",
                    "headers": header_references(self.headers),
                }),
            );
        }
        let mut by_status = BTreeMap::<u16, Vec<Code>>::new();
        for code in &self.problems {
            by_status.entry(code.status()).or_default().push(*code);
        }
        for (status, codes) in by_status {
            responses.insert(status.to_string(), components.problem(status, &codes));
        }
        responses
    }
}

/// From a job that was made to everything that can be done with it; a layout
/// analysis is not there yet.
fn links(all: &[Operation]) -> Value {
    all.iter()
        .filter(|operation| operation.path.contains("{job_id}"))
        .filter(|operation| !operation.problems.contains(&Code::LayoutAnalysisNotFound))
        .map(|operation| {
            let link = json!({
                "operationId": operation.id,
                "parameters": { "job_id": "$response.body#/job_id" },
            });
            (operation.id.to_owned(), link)
        })
        .collect::<Map<_, _>>()
        .into()
}
