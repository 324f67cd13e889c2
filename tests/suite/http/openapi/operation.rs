//! The operations of the OpenAPI document.

use serde_json::Value;

use super::schema::resolve;

/// A method of a path and its documentation.
pub(crate) struct Operation<'d> {
    /// In lower case.
    pub(crate) method: &'d str,
    pub(crate) path: &'d str,
    pub(crate) documented: &'d Value,
}

impl Operation<'_> {
    pub(crate) fn id(&self) -> &str {
        self.documented["operationId"].as_str().unwrap()
    }

    /// Whether 503 is a documented response.
    pub(crate) fn needs_the_database(&self) -> bool {
        let codes = &self.documented["responses"]["503"]["$ref"];
        codes
            .as_str()
            .is_some_and(|codes| codes.contains("database_unavailable"))
    }

    /// Whether its URLs are signed, with all of their query.
    pub(crate) fn is_signed(&self) -> bool {
        self.path.starts_with("/api/v1/objects/")
    }

    /// Whether it has a JSON body.
    pub(crate) fn takes_json(&self) -> bool {
        self.documented["requestBody"]["content"]["application/json"].is_object()
    }

    /// Status and media type of every documented success; no type if there is
    /// no body.
    pub(crate) fn successes<'d>(&'d self, document: &'d Value) -> Vec<(u16, Option<&'d str>)> {
        let responses = self.documented["responses"].as_object().unwrap().iter();
        let by_status = responses
            .map(|(status, documented)| (status.parse().unwrap(), resolve(document, documented)));
        let successful = by_status.filter(|(status, _)| *status < 400);
        successful
            .flat_map(
                |(status, documented)| match documented["content"].as_object() {
                    // The types listed beside `*/*` are some of those that it includes.
                    Some(content) if content.contains_key("*/*") => vec![(status, Some("*/*"))],
                    Some(content) => content
                        .keys()
                        .map(|kind| (status, Some(kind.as_str())))
                        .collect(),
                    None => vec![(status, None)],
                },
            )
            .collect()
    }
}

/// All operations of the document.
pub(crate) fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().iter();
            methods.map(move |(method, documented)| Operation {
                method,
                path,
                documented,
            })
        })
        .collect()
}
