//! The operation object of the document.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::components::{Components, header_references, reference};
use super::{Operation, ResponseSpec};
use crate::wire::Code;

const PATH_PARAMETERS: [&str; 5] = ["job_id", "clip_id", "segment_id", "lease_id", "key"];

impl Operation {
    /// The operation object; `all` are the operations that links may lead to.
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

    fn responses(&self, all: &[Self], components: &mut Components) -> Map<String, Value> {
        let mut responses = Map::new();
        for spec in &self.responses {
            let response = spec.describe(self.summary, components);
            responses.insert(spec.status.to_string(), response);
        }
        if let (Some((parameter, pointer)), Some(first)) = (self.links_to, self.responses.first()) {
            responses[&first.status.to_string()]["links"] = links(all, parameter, pointer);
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

impl ResponseSpec {
    fn describe(&self, summary: &str, components: &mut Components) -> Value {
        let mut described = json!({
            "description": self.description.unwrap_or(summary),
            "headers": header_references(self.headers),
        });
        for (media_type, schema) in &self.content {
            let schema = components.schemas.response(*schema);
            described["content"][media_type] = json!({ "schema": schema });
        }
        described
    }
}

/// Links from a new job or claim to the operations that it is ready for.
fn links(all: &[Operation], parameter: &str, pointer: &str) -> Value {
    all.iter()
        .filter(|operation| {
            operation.has_path_parameter(parameter) && !operation.excluded_from_links
        })
        .map(|operation| {
            let link = json!({
                "operationId": operation.id,
                "parameters": { parameter: pointer },
            });
            (operation.id.to_owned(), link)
        })
        .collect::<Map<_, _>>()
        .into()
}
