//! How an operation is described.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::components::{Components, header_references, reference};
use super::{Answer, Operation};
use crate::Code;

/// What parameters of a path are called.
const IN_PATH: [&str; 4] = ["job_id", "clip_id", "lease_id", "key"];

impl Operation {
    /// The operation object; `all` are the operations an answer may lead to.
    pub(in super::super) fn describe(&self, all: &[Self], components: &mut Components) -> Value {
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
        if let Some(body) = &self.body {
            described["requestBody"] = json!({ "required": body.required });
            for (media_type, schema) in &body.content {
                let schema = components.schemas.request(*schema);
                described["requestBody"]["content"][media_type] = json!({ "schema": schema });
            }
        }
        described
    }

    fn parameters(&self, components: &mut Components) -> Vec<Value> {
        let shared = |name: &&str| reference("parameters", name);
        let in_path = IN_PATH.iter().filter(|name| self.takes(name));
        let mut parameters: Vec<_> = in_path.map(shared).collect();
        if let Some(query) = self.query {
            parameters.extend(components.schemas.query(query));
        }
        parameters.extend(self.headers.iter().map(shared));
        parameters
    }

    /// Whether there is such a parameter in the path.
    fn takes(&self, parameter: &str) -> bool {
        self.path.contains(&format!("{{{parameter}}}"))
    }

    fn responses(&self, all: &[Self], components: &mut Components) -> Map<String, Value> {
        let mut responses = Map::new();
        for answer in &self.answers {
            let told = answer.describe(self.summary, components);
            responses.insert(answer.status.to_string(), told);
        }
        if let (Some((parameter, place)), Some(first)) = (self.leads_on, self.answers.first()) {
            responses[&first.status.to_string()]["links"] = links(all, parameter, place);
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

impl Answer {
    fn describe(&self, summary: &str, components: &mut Components) -> Value {
        let mut described = json!({
            "description": self.meaning.unwrap_or(summary),
            "headers": header_references(self.headers),
        });
        for (media_type, schema) in &self.content {
            let schema = components.schemas.response(*schema);
            described["content"][media_type] = json!({ "schema": schema });
        }
        described
    }
}

/// From what was made to everything that can be done with it at once.
fn links(all: &[Operation], parameter: &str, place: &str) -> Value {
    all.iter()
        .filter(|operation| operation.takes(parameter) && !operation.later)
        .map(|operation| {
            let link = json!({
                "operationId": operation.id,
                "parameters": { parameter: place },
            });
            (operation.id.to_owned(), link)
        })
        .collect::<Map<_, _>>()
        .into()
}
