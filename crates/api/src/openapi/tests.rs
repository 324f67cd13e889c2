//! What has to hold of the whole document.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{document, routes};
use crate::Code;

/// Calls `visit` with every object in `value` and the path to it.
fn walk(value: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(path, value);
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                walk(inner, &format!("{path}/{key}"), visit);
            }
        }
        Value::Array(items) => {
            for (i, inner) in items.iter().enumerate() {
                walk(inner, &format!("{path}/{i}"), visit);
            }
        }
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    walk(&document, "", &mut |path, value| {
        if let Some(Value::String(reference)) = value.get("$ref") {
            let target = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(target).is_some(), "{path}: {reference}");
        }
    });
}

#[test]
fn every_component_is_referred_to() {
    let document = document();
    let mut referred = BTreeSet::new();
    walk(&document, "", &mut |_, value| {
        if let Some(Value::String(reference)) = value.get("$ref") {
            referred.insert(reference.clone());
        }
    });
    for (kind, components) in document["components"].as_object().unwrap() {
        for name in components.as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(referred.contains(&reference), "{reference}");
        }
    }
}

#[test]
fn a_type_that_is_read_and_written_has_one_schema() {
    let mut components = super::components::Components::default();
    for operation in super::operations::all() {
        operation.describe(&[], &mut components);
    }
    let (read, written) = components.schemas.definitions();
    let shared: Vec<_> = read
        .keys()
        .filter(|name| written.contains_key(*name))
        .collect();
    assert!(!shared.is_empty());
    for name in shared {
        assert_eq!(read[name], written[name], "{name}");
    }
}

#[test]
fn operations_have_names_of_their_own() {
    let document = document();
    let mut names = BTreeSet::new();
    for (method, path) in routes() {
        let operation = &document["paths"][path][method.to_lowercase()];
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name.to_owned()), "{name}");
    }
}

#[test]
fn every_code_is_documented_where_it_occurs() {
    let document = document();
    let responses = document["components"]["responses"].as_object().unwrap();
    for code in Code::ALL {
        // The one that no operation answers: it is what other methods get.
        let expected = *code != Code::MethodNotAllowed;
        let found = responses
            .keys()
            .any(|name| name.split('.').any(|word| word == code.as_str()));
        assert_eq!(found, expected, "{}", code.as_str());
    }
}

#[test]
fn a_request_is_closed_and_a_response_tells_nothing_internal() {
    let document = document();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            continue;
        };
        let is_request =
            name.ends_with("Create") || name.ends_with("Update") || name.ends_with("Report");
        if is_request {
            assert_eq!(schema["additionalProperties"], false, "{name}");
        } else {
            for internal in ["id", "version", "celery_task_id"] {
                assert!(!properties.contains_key(internal), "{name}");
            }
        }
    }
}

#[test]
fn no_description_speaks_of_rust() {
    walk(&document(), "", &mut |path, value| {
        if let Value::String(text) = value {
            assert!(
                !text.contains("```") && !text.contains("::"),
                "{path}: {text}"
            );
        }
    });
}
