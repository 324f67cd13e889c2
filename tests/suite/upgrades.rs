//! Databases of earlier releases, recorded by `tests/fixtures/make`, are migrated;
//! the responses of a server on them are the recorded ones.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use lectern_server::ServerConfig;
use lectern_tests::{Backend, Client, EmptyDb, Fixture, TestDb, TestServer, on_both_backends};
use serde_json::Value;

on_both_backends!(
    a_migrated_database_of_a_release_gives_the_recorded_responses,
    each_later_migration_goes_down_and_up_on_the_rows_of_a_release,
);

/// The directories of all releases for one backend.
fn releases(backend: Backend) -> Vec<PathBuf> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let releases: Vec<_> = fs::read_dir(fixtures)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| {
            path.join(match backend {
                Backend::Postgres => "postgres",
                Backend::Sqlite => "sqlite",
            })
        })
        .collect();
    assert!(!releases.is_empty());
    releases
}

fn restore(backend: Backend, release: &Path) -> TestDb {
    let dump = fs::read_to_string(release.join("dump.sql")).unwrap();
    EmptyDb::on(backend).restore(&dump)
}

/// A body with the URLs of objects reduced to their keys, without address, expiry
/// and signature.
fn without_signatures(client: &Client, body: &str) -> String {
    let objects = format!("{}/api/v1/objects/", client.base());
    let mut parts = body.split(&objects);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (url, rest) = part.split_once('"').unwrap();
        let key = url.split('?').next().unwrap();
        text.extend(["[object]/", key, "\"", rest]);
    }
    text
}

/// Sends a recorded request; checks that the response is the recorded one.
fn assert_same_response(client: &Client, recorded: &Value) {
    let text = |key: &str| recorded[key].as_str().unwrap();
    let path = match text("method") {
        "GET" => path_today(text("path")),
        _ => text("path").to_owned(),
    };
    let mut request = client.request(text("method"), &path);
    for (name, value) in recorded["headers"].as_object().unwrap() {
        request = request.header(name, value.as_str().unwrap());
    }
    if let Some(body) = recorded["request"].as_str() {
        request = request.body("application/json", body);
    }
    let response = request.send();
    let request_line = format!("{} {}", text("method"), text("path"));
    assert_eq!(
        response.status, recorded["status"],
        "{request_line}: {response}"
    );
    let mut body = without_signatures(client, response.text());
    // SubRip has a word joiner after "<" since, so that players take it for no tag.
    body = body.replace('\u{2060}', "");
    let recorded_body = with_readable_cues(text("answer"));
    if let (Ok(mut json), Ok(mut recorded)) = (
        serde_json::from_str::<Value>(&body),
        serde_json::from_str::<Value>(&recorded_body),
    ) {
        let counts_others = forget_stored_bytes(&mut json) & forget_stored_bytes(&mut recorded);
        let has_more = remove_added_fields(&mut json, &recorded);
        let is_rounded = round_percentages(&mut recorded);
        if (counts_others || has_more || is_rounded) && json == recorded {
            body.clone_from(&recorded_body);
        }
    }
    assert_eq!(
        body, recorded_body,
        "{request_line}: the body differs from the recorded one"
    );
    for (name, value) in recorded["answer_headers"].as_object().unwrap() {
        assert_eq!(
            response.header(name),
            value.as_str(),
            "{request_line}: {name} differs from the recorded one"
        );
    }
}

/// Subtitles in which the recorded cue of zero length is shown for a second, as such cues are
/// since.
fn with_readable_cues(recorded: &str) -> String {
    recorded
        .replace(
            "00:00:05.000 --> 00:00:05.001",
            "00:00:05.000 --> 00:00:06.000",
        )
        .replace(
            "00:00:05,000 --> 00:00:05,000",
            "00:00:05,000 --> 00:00:06,000",
        )
}

/// Removes the fields that the release did not have; returns whether there are any.
fn remove_added_fields(answer: &mut Value, recorded: &Value) -> bool {
    match (answer, recorded) {
        (Value::Object(answer), Value::Object(recorded)) => {
            let fields = answer.len();
            answer.retain(|name, _| recorded.contains_key(name));
            let mut any = answer.len() < fields;
            for (name, value) in answer {
                any |= recorded
                    .get(name)
                    .is_some_and(|recorded| remove_added_fields(value, recorded));
            }
            any
        }
        (Value::Array(answer), Value::Array(recorded)) => {
            let pairs = answer.iter_mut().zip(recorded);
            pairs.fold(false, |any, (answer, recorded)| {
                remove_added_fields(answer, recorded) | any
            })
        }
        _ => false,
    }
}

/// Rounds percentages as it is done since version 0.1.0; returns whether that changes any.
fn round_percentages(recorded: &mut Value) -> bool {
    match recorded {
        Value::Object(fields) => fields.iter_mut().fold(false, |any, (name, value)| {
            let percent = value.as_f64().filter(|_| name == "percent");
            let hundredths = percent.map(|percent| (percent * 100.0).round());
            match hundredths.filter(|hundredths| percent != Some(hundredths / 100.0)) {
                Some(hundredths) => {
                    *value = (hundredths / 100.0).into();
                    true
                }
                None => round_percentages(value) | any,
            }
        }),
        Value::Array(items) => items
            .iter_mut()
            .fold(false, |any, item| round_percentages(item) | any),
        _ => false,
    }
}

/// The path of a recorded request. Lists of jobs have had their metadata on request only
/// since.
fn path_today(recorded: &str) -> String {
    match recorded.strip_prefix("/api/v1/jobs?") {
        Some(query) => format!("/api/v1/jobs?include=metadata&{query}"),
        None if recorded == "/api/v1/jobs" => format!("{recorded}?include=metadata"),
        None => recorded.to_owned(),
    }
}

/// Removes the stored bytes from statistics; returns whether there were any. Version 0.1.0
/// counted recordings that had not arrived, too.
fn forget_stored_bytes(answer: &mut Value) -> bool {
    let object = answer.as_object_mut();
    object.is_some_and(|object| object.remove("bytes_stored").is_some())
}

fn a_migrated_database_of_a_release_gives_the_recorded_responses(empty: EmptyDb) {
    for release in releases(empty.backend()) {
        let db = restore(empty.backend(), &release);
        db.migrations().up().unwrap();
        assert_eq!(db.drift().unwrap(), []);
        let recording = fs::read_to_string(release.join("answers.json")).unwrap();
        let recording: Value = serde_json::from_str(&recording).unwrap();
        // At the recorded time no lease, event or idempotency key has expired.
        let answered_at: DateTime<Utc> =
            recording["answered_at"].as_str().unwrap().parse().unwrap();
        db.clock().advance(answered_at - db.now());
        let server = TestServer::serve(db, ServerConfig::default());
        let answers = recording["answers"].as_array().unwrap();
        assert!(!answers.is_empty());
        for recorded in answers {
            assert_same_response(&server, recorded);
        }
    }
}

fn each_later_migration_goes_down_and_up_on_the_rows_of_a_release(empty: EmptyDb) {
    for release in releases(empty.backend()) {
        let db = restore(empty.backend(), &release);
        let recorded = db.sql().dump();
        let later = db.migrations().up().unwrap();
        let migrated = db.sql().dump();
        for name in later.iter().rev() {
            assert_eq!(db.migrations().redo().unwrap().as_ref(), Some(name));
            assert_eq!(
                &db.migrations().down(1).unwrap(),
                std::slice::from_ref(name)
            );
        }
        assert_eq!(db.sql().dump(), recorded);
        assert_eq!(db.migrations().up().unwrap(), later);
        assert_eq!(db.sql().dump(), migrated);
    }
}
