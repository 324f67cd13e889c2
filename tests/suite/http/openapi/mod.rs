//! Compares the OpenAPI document with the behaviour of the service, in both
//! directions.

mod call;
mod limits;
mod operation;
mod schema;

use std::collections::BTreeSet;

use lectern_server::ServerConfig;
use lectern_tests::{Fixture as _, Response, TestDb, TestServer, a_job, on_both_backends};
use serde_json::{Value, json};

use super::support::recordings::{UPLOAD, path_of, send};
use super::support::{UNKNOWN_ID, job_path};
use call::TUS_PART;
pub(crate) use call::{Call, HANDSHAKE};
pub(crate) use operation::{Operation, operations};
use schema::{conforms, resolve};

on_both_backends!(
    the_document_has_the_shape_of_openapi_3_1,
    every_reference_resolves,
    documented_operations_and_routes_are_the_same,
    every_operation_returns_each_documented_response,
    unknown_ids_get_the_documented_response,
    rejected_bodies_get_the_documented_response,
    the_documented_query_parameters_are_accepted,
    the_documented_bodies_are_accepted,
    the_documented_recording_can_be_uploaded,
    the_servers_url_is_the_path_of_the_public_url,
    an_undocumented_response_is_detected,
);

fn document(server: &TestServer) -> Value {
    server.get("/openapi.json").expect(200).json()
}

/// Calls `visit` with every value in `value` and the path to it.
fn walk(value: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(path, value);
    match value {
        Value::Object(object) => object
            .iter()
            .for_each(|(key, inner)| walk(inner, &format!("{path}/{key}"), visit)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(i, item)| walk(item, &format!("{path}/{i}"), visit)),
        _ => {}
    }
}

/// Checks that the document has a response like this one; returns the
/// documented status and media type.
fn documented_response<'d>(
    document: &'d Value,
    operation: &'d Operation<'_>,
    answer: &Response,
) -> (u16, Option<&'d str>) {
    let id = operation.id();
    let documented = &operation.documented["responses"][answer.status.to_string()];
    assert!(
        documented.is_object(),
        "{id} has no documented {}: {answer}",
        answer.status
    );
    let documented = resolve(document, documented);
    for (name, header) in documented["headers"].as_object().unwrap() {
        let required = resolve(document, header)["required"] == json!(true);
        assert!(
            !required || answer.header(name).is_some(),
            "{id} has no {name}: {answer}"
        );
    }
    let Some(content) = documented["content"].as_object() else {
        assert!(
            answer.body.is_empty(),
            "{id} is documented without a body: {answer}"
        );
        return (answer.status, None);
    };
    let media_type = answer.header("Content-Type").unwrap();
    let media_type = media_type.split(';').next().unwrap();
    let (kind, documented) = content
        .get_key_value(media_type)
        .or_else(|| content.get_key_value("*/*"))
        .unwrap_or_else(|| panic!("{id} has no documented {media_type}"));
    if media_type.ends_with("json") {
        conforms(document, &documented["schema"], &answer.json(), id)
            .unwrap_or_else(|error| panic!("{error}\n{answer}"));
    }
    (answer.status, Some(kind))
}

/// Successful calls of an operation, one for each documented response.
fn calls(operation: &Operation<'_>, server: &TestServer) -> Vec<Call> {
    let call = Call::successful(operation, server, server.db());
    let with = |name, value| call.clone().with(name, value);
    match operation.id() {
        "getJob"
        | "getClip"
        | "getTranscriptSegment"
        | "getContentSegment"
        | "getWaveform"
        | "getThumbnails" => {
            vec![with("If-None-Match", "*"), call]
        }
        "getObject" | "getThumbnailPicture" => {
            vec![with("If-None-Match", "*"), with("Range", "bytes=0-3"), call]
        }
        "getEvents" => {
            let seen = call.send(server).json()["last_seq"].to_string();
            let stream = with("Accept", "text/event-stream");
            vec![stream.clone(), stream.with("Last-Event-ID", &seen), call]
        }
        // This stream does not end, so only its head is requested.
        "getAllEvents" => {
            let stream = with("Accept", "text/event-stream").with_method("HEAD");
            vec![stream, call]
        }
        "getTranscript" | "getSubtitles" => {
            let kinds = ["text/vtt", "application/x-subrip", "text/plain"];
            kinds
                .map(|kind| with("Accept", kind))
                .into_iter()
                .chain([call])
                .collect()
        }
        _ => vec![call],
    }
}

fn the_document_has_the_shape_of_openapi_3_1(server: TestServer) {
    let document = document(&server);
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["title"], "Lectern");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        document["info"]["license"]["identifier"],
        env!("CARGO_PKG_LICENSE")
    );
    let tags: BTreeSet<_> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].as_str().unwrap())
        .collect();
    let mut ids = BTreeSet::new();
    for operation in operations(&document) {
        let name = format!("{} {}", operation.method, operation.path);
        assert!(operation.path.starts_with('/'), "{name}");
        assert!(
            ["get", "head", "options", "put", "post", "patch", "delete"]
                .contains(&operation.method),
            "{name}"
        );
        assert!(ids.insert(operation.id().to_owned()), "{name}");
        assert!(
            operation.documented["tags"]
                .as_array()
                .unwrap()
                .iter()
                .all(|tag| tags.contains(tag.as_str().unwrap())),
            "{name}"
        );
        assert!(
            operation.documented["summary"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{name}"
        );
        let parameters: Vec<_> = operation.documented["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| resolve(&document, p))
            .collect();
        for parameter in &parameters {
            assert!(
                ["path", "query", "header"].contains(&parameter["in"].as_str().unwrap()),
                "{name}: {parameter}"
            );
            assert!(
                parameter["schema"].is_object() && parameter["name"].is_string(),
                "{name}: {parameter}"
            );
            // A signed URL has a name only if the download is saved under it.
            let is_signed = operation.is_signed()
                && parameter["in"] == "query"
                && parameter["name"] != "filename";
            // Requests of tus fail without the headers of the protocol, except for the checksum.
            let is_of_tus = operation.id().contains("Tus")
                && parameter["in"] == "header"
                && parameter["name"] != "Upload-Checksum"
                && parameter["name"] != "Idempotency-Key";
            assert_eq!(
                parameter["in"] == "path" || is_signed || is_of_tus,
                parameter["required"] == json!(true),
                "{name}: {parameter}"
            );
        }
        let in_path = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .count();
        assert_eq!(in_path, operation.path.matches('{').count(), "{name}");
        let responses = operation.documented["responses"].as_object().unwrap();
        for (status, response) in responses {
            assert!(
                status
                    .parse::<u16>()
                    .is_ok_and(|status| status == 101 || (200..600).contains(&status)),
                "{name}: {status}"
            );
            let response = resolve(&document, response);
            assert!(
                response["description"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty()),
                "{name} {status}"
            );
        }
        assert!(responses.contains_key("500"), "{name}");
    }
}

fn every_reference_resolves(server: TestServer) {
    let document = document(&server);
    let mut count = 0;
    walk(&document, "", &mut |path, value| {
        if let Some(Value::String(reference)) = value.get("$ref") {
            let target = reference
                .strip_prefix('#')
                .unwrap_or_else(|| panic!("{path}: {reference} is in another document"));
            assert!(
                document.pointer(target).is_some(),
                "{path}: {reference} does not resolve"
            );
            count += 1;
        }
    });
    assert!(count > 100, "{count}");
}

fn documented_operations_and_routes_are_the_same(server: TestServer) {
    let document = document(&server);
    let documented: BTreeSet<_> = operations(&document)
        .iter()
        .map(|operation| (operation.method.to_uppercase(), operation.path.to_owned()))
        .collect();
    let routes: BTreeSet<_> = lectern_server::routes::routes()
        .filter(|(_, path, _)| !path.starts_with("/docs") && !path.starts_with("/login"))
        .map(|(method, path, _)| (method, path.to_owned()))
        .collect();
    assert_eq!(documented, routes);
}

fn every_operation_returns_each_documented_response(server: TestServer) {
    let document = document(&server);
    for operation in operations(&document) {
        let answered: BTreeSet<_> = calls(&operation, &server)
            .into_iter()
            .map(|call| {
                let answer = call.send(&server);
                assert!(answer.status < 400, "{}: {answer}", operation.id());
                documented_response(&document, &operation, &answer)
            })
            .collect();
        let documented = operation.successes(&document).into_iter().collect();
        assert_eq!(answered, documented, "{}", operation.id());
    }
}

fn unknown_ids_get_the_documented_response(server: TestServer) {
    let document = document(&server);
    let mut seen = 0;
    for operation in operations(&document) {
        let (status, code) = match operation.path {
            path if path.contains("{job_id}") => (404, "job_not_found"),
            path if path.contains("{clip_id}") => (404, "clip_not_found"),
            path if path.contains("{segment_id}") => (404, "segment_not_found"),
            path if path.contains("{lease_id}") => (409, "lease_lost"),
            path if path.contains("{upload_id}")
                && !["head", "options"].contains(&operation.method) =>
            {
                (404, "upload_not_found")
            }
            path if path.contains("{key}") || path.contains("{stage}") => (404, "not_found"),
            _ => continue,
        };
        for unknown in [UNKNOWN_ID, "lecture-07", "0"] {
            let answer = Call::on_resource(&operation, unknown).send(&server);
            answer.problem(status, code);
            documented_response(&document, &operation, &answer);
        }
        seen += 1;
    }
    assert!(seen >= 28, "{seen}");
}

fn rejected_bodies_get_the_documented_response(server: TestServer) {
    let document = document(&server);
    for operation in operations(&document)
        .iter()
        .filter(|operation| operation.documented["requestBody"].is_object())
    {
        let call = Call::successful(operation, &server, server.db());
        let send = |kind, body: &str| {
            let answer = call.clone().with_body(kind, body).send(&server);
            documented_response(&document, operation, &answer);
            answer
        };
        if operation.takes_json() {
            send("application/json", "{").problem(400, "malformed_body");
            send("application/json", r#"{"nonsense":1}"#).problem(422, "validation_failed");
            send("text/plain", "{}").problem(415, "unsupported_media_type");
        } else if operation.path.contains("/tus") {
            send("video/mp4", "part").problem(415, "unsupported_media_type");
            send(TUS_PART, &"too long".repeat(1_000)).problem(413, "body_too_large");
        } else {
            send("video/mp4", "too short").problem_with(422, "validation_failed", "Content-Length");
            send("video/mp4", &"too long".repeat(1_000)).problem(413, "body_too_large");
        }
    }
}

fn the_documented_query_parameters_are_accepted(server: TestServer) {
    let document = document(&server);
    let mut seen = 0;
    for operation in operations(&document) {
        for parameter in operation.documented["parameters"].as_array().unwrap() {
            let parameter = resolve(&document, parameter);
            if parameter["in"] != "query" || operation.is_signed() {
                continue;
            }
            let name = parameter["name"].as_str().unwrap();
            let value = match &parameter["example"] {
                Value::String(text) => text.clone(),
                Value::Array(items) => {
                    assert_eq!(parameter["explode"], false);
                    let words: Vec<_> = items.iter().map(|word| word.as_str().unwrap()).collect();
                    words.join(",")
                }
                Value::Object(values) => {
                    assert_eq!(parameter["style"], "form");
                    assert_eq!(parameter["explode"], true);
                    for (name, value) in values {
                        let value = value.as_str().unwrap().replace(' ', "%20");
                        Call::successful(&operation, &server, server.db())
                            .with_query(&format!("{name}={value}"))
                            .send(&server)
                            .expect(200);
                    }
                    continue;
                }
                Value::Null => panic!("{} has no example of {name}", operation.id()),
                other => other.to_string(),
            };
            let call = Call::successful(&operation, &server, server.db())
                .with_query(&format!("{name}={value}"));
            let answer = call.send(&server);
            assert!(answer.status < 300, "{answer}");
            documented_response(&document, &operation, &answer);
            seen += 1;
        }
    }
    assert!(seen >= 20, "{seen}");
}

/// The example of a body, and its media type, for each format of the body.
fn body_examples<'d>(operation: &'d Operation<'_>) -> impl Iterator<Item = (&'d str, Vec<u8>)> {
    let content = operation.documented["requestBody"]["content"].as_object();
    content.into_iter().flatten().map(|(kind, content)| {
        let example = match &content["example"] {
            Value::String(text) => text.clone(),
            Value::Null => panic!("{} has no example in {kind}", operation.id()),
            json => json.to_string(),
        };
        (kind.as_str(), example.into_bytes())
    })
}

fn the_documented_bodies_are_accepted(server: TestServer) {
    let document = document(&server);
    let mut seen = 0;
    for operation in operations(&document) {
        // Their examples belong to the job, or the length, of another request.
        let of_another_request = ["putObject", "confirmUpload"].contains(&operation.id());
        if of_another_request || operation.id().contains("Tus") {
            continue;
        }
        for (kind, example) in body_examples(&operation) {
            let call = Call::successful(&operation, &server, server.db());
            let answer = call.with_body(kind, example).send(&server);
            assert!(
                answer.status < 300,
                "{} as {kind}: {answer}",
                operation.id()
            );
            seen += 1;
        }
    }
    assert!(seen >= 15, "{seen}");
}

fn the_documented_recording_can_be_uploaded(server: TestServer) {
    let document = document(&server);
    let example = |path: &str, method: &str| {
        let content = &document["paths"][path][method]["requestBody"]["content"];
        content.as_object().unwrap().values().next().unwrap()["example"].clone()
    };
    let announced = server.post(UPLOAD, &example(UPLOAD, "post")).expect(201);
    let announced = announced.json();
    let recording = example("/api/v1/objects/{key}", "put");
    let recording = recording.as_str().unwrap().as_bytes().to_vec();
    let path = path_of(&server, &announced["upload_url"]).to_owned();
    send(&server, &path, &recording).expect(200);
    let mut confirmation = example("/api/v1/upload/confirm", "post");
    confirmation["job_id"] = announced["job_id"].clone();
    server
        .post("/api/v1/upload/confirm", &confirmation)
        .expect(200);
}

fn the_servers_url_is_the_path_of_the_public_url(db: TestDb) {
    for (public_url, expected) in [
        (None, "."),
        (Some("https://talks.example"), "/"),
        (Some("https://talks.example/lectern/"), "/lectern"),
    ] {
        let config = ServerConfig {
            public_url: public_url.map(|url| url.parse().unwrap()),
            ..ServerConfig::default()
        };
        let server = TestServer::serve(TestDb::on(db.backend()), config);
        assert_eq!(document(&server)["servers"], json!([{ "url": expected }]));
    }
}

fn an_undocumented_response_is_detected(server: TestServer) {
    let document = document(&server);
    let job = json!({ "$ref": "#/components/schemas/JobResponse" });
    let documented = server
        .get(&job_path(a_job().create(server.db()).job_id, ""))
        .expect(200)
        .json();
    assert_eq!(conforms(&document, &job, &documented, ""), Ok(()));
    for (field, value) in [
        ("status", json!("asleep")),
        ("job_id", json!("7")),
        ("created_at", json!("yesterday")),
        ("file_size", json!("large")),
        ("progress", json!({})),
        ("surprise", json!(1)),
    ] {
        let mut invalid = documented.clone();
        invalid[field] = value;
        assert!(conforms(&document, &job, &invalid, "").is_err(), "{field}");
    }
    let mut invalid = documented;
    invalid.as_object_mut().unwrap().remove("filename");
    assert!(conforms(&document, &job, &invalid, "").is_err());
}
