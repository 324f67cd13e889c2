//! Properties of the whole document.

use std::collections::BTreeSet;

use lectern_domain::{Access, Scope};
use serde_json::{Value, json};

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
    for document in [document(), document_with_keys()] {
        let mut referenced = BTreeSet::new();
        walk(&document, "", &mut |_, value| {
            if let Some(Value::String(reference)) = value.get("$ref") {
                referenced.insert(reference.clone());
            }
        });
        for (kind, components) in document["components"].as_object().unwrap() {
            // Security schemes are used by their names.
            let names = components.as_object().unwrap().keys();
            for name in names.filter(|_| kind != "securitySchemes") {
                let reference = format!("#/components/{kind}/{name}");
                assert!(referenced.contains(&reference), "{reference}");
            }
        }
    }
}

/// The document of a service whose operations all need a key or a token.
fn document_with_keys() -> Value {
    let access = Access::ScopeOrWatchToken(Scope::JobsRead);
    super::document_at(".", Some(&|_, _| access))
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
    let document = document_with_keys();
    let responses = document["components"]["responses"].as_object().unwrap();
    for code in Code::ALL {
        // No operation has this code: preflight requests are not in the document.
        let expected = *code != Code::PreflightRefused;
        let found = responses
            .keys()
            .any(|name| name.split('.').any(|word| word == code.as_str()));
        assert_eq!(found, expected, "{}", code.as_str());
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
    assert_eq!(
        of_a_claim,
        [
            "completeStage",
            "failStage",
            "heartbeat",
            "listWorkObjects",
            "releaseStage"
        ]
    );
}

#[test]
fn operations_take_a_lease_if_and_only_if_they_can_respond_lease_lost() {
    let document = document();
    for (method, path) in routes() {
        let operation = &document["paths"][path][method.to_lowercase()];
        let text = operation.to_string();
        let is_of_a_job = path.starts_with("/api/v1/jobs/{job_id}");
        let is_row = path.contains("{clip_id}") || path.contains("{segment_id}");
        let is_output = ((is_of_a_job && ["PUT", "PATCH", "POST"].contains(&method))
            || (is_row && method != "GET"))
            && !path.ends_with("/cancel")
            && !path.ends_with("/retry")
            && !path.ends_with("/rerun")
            && !path.ends_with("/upload-url")
            && !path.ends_with("/watch-token");
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
            // Whisper's format of transcripts, the second of two, may have other fields.
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
            for internal in ["id", "version", "celery_task_id"] {
                // The version in a waveform is that of audiowaveform's format.
                let is_internal = (&**name, internal) != ("Waveform", "version");
                assert!(
                    !(is_internal && properties.contains_key(internal)),
                    "{name}"
                );
            }
            let has_lease = properties.contains_key("lease_id");
            assert_eq!(has_lease, name == "ClaimResponse", "{name}");
        }
    }
}

#[test]
fn the_type_of_a_message_determines_its_schema() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    let message = &schemas["WsMessage"];
    assert_eq!(message["discriminator"]["propertyName"], "type");
    let mapping = message["discriminator"]["mapping"].as_object().unwrap();
    let variants = message["oneOf"].as_array().unwrap();
    assert_eq!((mapping.len(), variants.len()), (6, 6));
    for (kind, reference) in mapping {
        assert!(
            variants.contains(&json!({ "$ref": reference })),
            "{reference}"
        );
        let schema = document.pointer(reference.as_str().unwrap().trim_start_matches('#'));
        assert_eq!(schema.unwrap()["properties"]["type"]["const"], **kind);
    }
}

#[test]
fn free_form_json_has_no_recursive_schema() {
    let schemas = &document()["components"]["schemas"];
    for (name, schema) in schemas.as_object().unwrap() {
        let text = schema.to_string();
        assert!(
            !text.contains(&format!("\"#/components/schemas/{name}\"")),
            "{name}"
        );
        assert!(
            !text.contains("propertyNames") && !text.contains(r"\\x00"),
            "{name}"
        );
    }
    assert_eq!(schemas["JsonObject"]["additionalProperties"], true);
    assert_eq!(schemas["ProcessingConfig"]["additionalProperties"], true);
}

#[test]
fn every_parameter_and_body_has_an_example() {
    let document = document();
    for (method, path) in routes() {
        let operation = &document["paths"][path][method.to_lowercase()];
        let description = operation["description"].as_str().unwrap();
        assert!(!description.is_empty(), "{method} {path}");
        let parameters = operation["parameters"].as_array().unwrap().iter();
        for parameter in parameters {
            let parameter = match parameter["$ref"].as_str() {
                Some(reference) => document.pointer(reference.strip_prefix('#').unwrap()),
                None => Some(parameter),
            };
            let name = &parameter.unwrap()["name"];
            assert!(
                parameter.unwrap().get("example").is_some(),
                "{method} {path} {name}"
            );
        }
        let content = operation["requestBody"]["content"].as_object();
        for (media_type, content) in content.into_iter().flatten() {
            assert!(
                content.get("example").is_some(),
                "{method} {path} {media_type}"
            );
        }
    }
}

#[test]
fn a_new_job_has_a_recording_or_a_source() {
    let document = document();
    let body = &document["paths"]["/api/v1/jobs"]["post"]["requestBody"];
    assert_eq!(
        body["content"]["application/json"]["schema"]["anyOf"],
        json!([
            { "$ref": "#/components/schemas/JobCreate" },
            { "$ref": "#/components/schemas/JobOfSourceCreate" },
        ])
    );
    let of_recording = &document["components"]["schemas"]["JobCreate"];
    let of_source = &document["components"]["schemas"]["JobOfSourceCreate"];
    assert_eq!(
        of_recording["required"],
        json!(["filename", "file_size", "s3_key"])
    );
    assert_eq!(of_source["required"], json!(["source_job_id"]));
    let fields = |schema: &Value| -> BTreeSet<_> {
        let properties = schema["properties"].as_object().unwrap();
        properties.keys().cloned().collect()
    };
    let (of_recording, of_source) = (fields(of_recording), fields(of_source));
    let only_in = |these: &BTreeSet<String>, those: &BTreeSet<String>| -> Vec<_> {
        these.difference(those).cloned().collect()
    };
    assert_eq!(only_in(&of_source, &of_recording), ["source_job_id"]);
    assert_eq!(
        only_in(&of_recording, &of_source),
        ["content_type", "file_size", "s3_key"]
    );
}

#[test]
fn the_servers_url_is_the_path_of_the_service() {
    assert_eq!(document()["servers"], json!([{ "url": "." }]));
    let document = super::document_at("/lectern", None);
    assert_eq!(document["servers"], json!([{ "url": "/lectern" }]));
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

#[test]
fn operations_of_a_service_with_keys_name_their_scope() {
    let access = |method: &str, path: &str| match (method, path) {
        ("GET", "/healthz") => Access::Public,
        ("GET", "/ws/jobs/{job_id}") => Access::ScopeOrWatchToken(Scope::JobsRead),
        ("GET", _) => Access::Scope(Scope::JobsRead),
        _ => Access::Scope(Scope::JobsWrite),
    };
    let document = super::document_at(".", Some(&access));
    let schemes = document["components"]["securitySchemes"]
        .as_object()
        .unwrap();
    assert_eq!(schemes.len(), 3);
    assert_eq!(schemes["watchToken"]["name"], "token");
    let operation = &document["paths"]["/api/v1/jobs"]["post"];
    let expected = json!([{ "bearer": [] }, { "apiKey": [] }]);
    assert_eq!(operation["security"], expected);
    assert_eq!(operation["x-scope"], "jobs:write");
    assert!(operation["responses"]["401"].is_object() && operation["responses"]["403"].is_object());
    let watched = &document["paths"]["/ws/jobs/{job_id}"]["get"];
    let expected = json!([{ "bearer": [] }, { "apiKey": [] }, { "watchToken": [] }]);
    assert_eq!(watched["security"], expected);
    assert_eq!(watched["x-scope"], "jobs:read");
    let public = &document["paths"]["/healthz"]["get"];
    assert_eq!(public["security"], json!([]));
    assert!(public["responses"].get("401").is_none());
    // Without keys, there is nothing of them.
    let document = super::document();
    assert_eq!(document["components"].get("securitySchemes"), None);
    let operation = &document["paths"]["/api/v1/jobs"]["post"];
    assert_eq!(operation.get("security"), None);
    assert!(operation["responses"].get("401").is_none());
}
