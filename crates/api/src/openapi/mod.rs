//! The OpenAPI 3.1 document of the interface.

mod components;
mod endpoints;
mod operation;
mod schemas;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use components::Components;
use lectern_domain::Access;

const DESCRIPTION: &str = "Lectern is the backend of record for turning long recordings into \
    clips. A **job** is one recording and everything known about it. It passes through the \
    **stages** of a pipeline, which workers claim, execute and complete; what the stages store \
    are its transcript, silence regions, layout, topics and clips.\n\n\
    The life of a job: create an upload, PUT the recording to its URL, confirm it. Then, for \
    each stage, claim, store the output, complete. Then read the results.\n\n\
    Errors are problem documents (RFC 9457) with a stable `code`. Every response has an \
    `X-Request-Id`. A service may limit the requests of each caller, and what each has: beyond it, the \
    response is a 429 with `Retry-After`. Bodies must not have unknown fields, and no text may contain a NUL \
    character. Times are UTC, durations and positions in a recording are seconds.\n\n\
    The URLs of objects are signed, and the output of a leased stage is stored under its lease \
    only.";

/// Added where callers need no keys.
const WITHOUT_KEYS: &str = "This service asks for no keys: a client that reaches it may call every \
    operation.";

/// Added where callers need keys.
const WITH_KEYS: &str = "Operations that are not public need a key of `lectern keys new` with the \
    scope that they name. Without an accepted key the response is 401, with the key of another \
    role 403.";

/// Who may call an operation, by its method (in capitals) and its path.
pub type AccessOf<'a> = &'a dyn Fn(&str, &str) -> Access;

/// The OpenAPI document of the whole interface, for a service at the URL of the document.
///
/// ```
/// let document = lectern_api::openapi::document();
/// assert_eq!(document["openapi"], "3.1.0");
/// assert_eq!(document["paths"]["/api/v1/jobs"]["post"]["operationId"], "createJob");
/// assert_eq!(document["servers"][0]["url"], ".");
/// ```
pub fn document() -> Value {
    // Relative to the document, so that it is right below any path.
    document_at(".", None)
}

/// The OpenAPI document of the whole interface, for a service below `path`, such as
/// `/lectern` or `/`. `access` says who may call each operation; `None`: callers need no keys.
pub fn document_at(path: &str, access: Option<AccessOf<'_>>) -> Value {
    let mut operations = endpoints::all();
    if let Some(access) = access {
        for operation in &mut operations {
            operation.set_access(access(operation.method, operation.path));
        }
    }
    let about_keys = access.map_or(WITHOUT_KEYS, |_| WITH_KEYS);
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
            "description": format!("{DESCRIPTION}\n\n{about_keys}"),
            "contact": { "name": "Lectern", "url": env!("CARGO_PKG_REPOSITORY") },
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT", "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "servers": [{ "url": path }],
        // Operations that need credentials say so themselves.
        "security": [],
        "tags": endpoints::TAGS.map(|(name, description)| json!({
            "name": name,
            "description": description,
        })),
        "paths": paths,
        "components": components.into_value(access.is_some()),
    })
}

/// Method (in capitals) and path of every operation in the document, such as
/// `("GET", "/api/v1/jobs/{job_id}")`.
pub fn routes() -> impl Iterator<Item = (&'static str, &'static str)> {
    endpoints::all()
        .into_iter()
        .map(|operation| (operation.method, operation.path))
}
