//! The OpenAPI 3.1 document of the interface.

mod components;
mod endpoints;
mod operation;
mod schemas;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use components::Components;

/// The OpenAPI document of the whole interface.
///
/// ```
/// let document = lectern_api::openapi::document();
/// assert_eq!(document["openapi"], "3.1.0");
/// assert_eq!(document["paths"]["/api/v1/jobs"]["post"]["operationId"], "createJob");
/// ```
pub fn document() -> Value {
    let operations = endpoints::all();
    let mut components = Components::default();
    let mut paths = Map::new();
    for operation in &operations {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.to_lowercase()] = operation.describe(&operations, &mut components);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Lectern",
            "summary": "Turns long recordings into clips.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT", "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "servers": [{ "url": "/" }],
        "tags": endpoints::TAGS.map(|(name, description)| json!({
            "name": name,
            "description": description,
        })),
        "paths": paths,
        "components": components.into_value(),
    })
}

/// Method (in capitals) and path of every operation in the document, such as
/// `("GET", "/api/v1/jobs/{job_id}")`.
pub fn routes() -> impl Iterator<Item = (&'static str, &'static str)> {
    endpoints::all()
        .into_iter()
        .map(|operation| (operation.method, operation.path))
}
