//! Properties of the whole document.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{document, routes};
use crate::wire::Code;

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
fn every_reference_has_a_target() {
    let document = document();
    walk(&document, "", &mut |path, value| {
        if let Some(Value::String(reference)) = value.get("$ref") {
            let target = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(target).is_some(), "{path}: {reference}");
        }
    });
}

#[test]
fn every_component_is_used() {
    let document = document();
    let mut referenced = BTreeSet::new();
    walk(&document, "", &mut |_, value| {
        if let Some(Value::String(reference)) = value.get("$ref") {
            referenced.insert(reference.clone());
        }
    });
    for (kind, components) in document["components"].as_object().unwrap() {
        for name in components.as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(referenced.contains(&reference), "{reference}");
        }
    }
}

#[test]
fn a_type_in_requests_and_responses_has_one_schema() {
    let mut components = super::components::Components::default();
    for operation in super::endpoints::all() {
        operation.describe(&[], &mut components);
    }
    let (requests, responses) = components.schemas.definitions();
    let shared: Vec<_> = requests
        .keys()
        .filter(|name| responses.contains_key(*name))
        .collect();
    assert!(!shared.is_empty());
    for name in shared {
        assert_eq!(requests[name], responses[name], "{name}");
    }
}

#[test]
fn operation_ids_are_unique() {
    let document = document();
    let mut names = BTreeSet::new();
    for (method, path) in routes() {
        let operation = &document["paths"][path][method.to_lowercase()];
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name.to_owned()), "{name}");
    }
}

#[test]
fn every_code_is_documented() {
    let document = document();
    let responses = document["components"]["responses"].as_object().unwrap();
    for code in Code::ALL {
        let found = responses
            .keys()
            .any(|name| name.split('.').any(|word| word == code.as_str()));
        assert!(found, "{}", code.as_str());
    }
}

#[test]
fn every_path_parameter_is_described() {
    let document = document();
    for (method, path) in routes() {
        let operation = &document["paths"][path][method.to_lowercase()];
        let described: BTreeSet<_> = operation["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|parameter| {
                document.pointer(parameter["$ref"].as_str()?.strip_prefix('#')?)
            })
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let braces = path.split('{').skip(1);
        let expected: BTreeSet<_> = braces.map(|rest| rest.split('}').next().unwrap()).collect();
        assert_eq!(described, expected, "{method} {path}");
    }
}

#[test]
fn a_new_job_or_claim_links_to_the_operations_it_is_ready_for() {
    let document = document();
    let links = |path: &str, status: &str| {
        let responses = &document["paths"][path]["post"]["responses"];
        responses[status]["links"].as_object().unwrap()
    };
    let of_a_job = links("/api/v1/jobs", "201");
    for id in ["getJob", "cancelJob", "listStages", "getEvents"] {
        let job_id = &of_a_job[id]["parameters"]["job_id"];
        assert_eq!(job_id, "$response.body#/job_id", "{id}");
    }
    for id in ["retryJob", "watchJob", "getLayoutAnalysis", "heartbeat"] {
        assert!(!of_a_job.contains_key(id), "{id}");
    }
    let of_a_claim: Vec<_> = links("/api/v1/work/claim", "200").keys().collect();
    assert_eq!(of_a_claim, ["completeStage", "failStage", "heartbeat"]);
}

#[test]
fn operations_take_a_lease_if_and_only_if_they_can_respond_lease_lost() {
    let document = document();
    for (method, path) in routes() {
        let operation = &document["paths"][path][method.to_lowercase()];
        let text = operation.to_string();
        let is_of_a_job = ["/api/v1/jobs/{job_id}", "/api/v1/clips/{clip_id}"]
            .iter()
            .any(|start| path.starts_with(start));
        let is_output = is_of_a_job
            && ["PUT", "PATCH", "POST"].contains(&method)
            && !path.ends_with("/cancel")
            && !path.ends_with("/retry")
            && !path.ends_with("/upload-url");
        let takes_lease = text.contains("parameters/Lease-Id") || path.contains("{lease_id}");
        assert_eq!(
            takes_lease,
            is_output || path.contains("{lease_id}"),
            "{method} {path}"
        );
        assert_eq!(text.contains("lease_lost"), takes_lease, "{method} {path}");
    }
}

#[test]
fn requests_refuse_unknown_fields_and_responses_have_no_internal_fields() {
    let document = document();
    let mut requests = BTreeSet::new();
    walk(&document["paths"], "", &mut |path, value| {
        if path.ends_with("/requestBody/content/application/json/schema") {
            // The second of two formats is Whisper's, which may have other fields.
            let schema = value.get("anyOf").map_or(value, |formats| &formats[0]);
            let reference = schema["$ref"].as_str().unwrap();
            requests.insert(reference.rsplit('/').next().unwrap().to_owned());
        }
    });
    assert!(requests.len() >= 15, "{requests:?}");
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if requests.contains(name) || name.ends_with("Create") || name.ends_with("Body") {
            assert_eq!(schema["additionalProperties"], false, "{name}");
        } else if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for internal in ["id", "version", "celery_task_id", "priority"] {
                assert!(!properties.contains_key(internal), "{name}");
            }
            let has_lease = properties.contains_key("lease_id");
            assert_eq!(has_lease, name == "ClaimResponse", "{name}");
        }
    }
}

#[test]
fn no_description_mentions_rust() {
    walk(&document(), "", &mut |path, value| {
        if let Value::String(text) = value {
            assert!(
                !text.contains("```") && !text.contains("::"),
                "{path}: {text}"
            );
        }
    });
}
