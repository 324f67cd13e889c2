//! Every route with a key of every role.

use lectern_domain::{Access, Role};
use lectern_server::routes::{page_routes, routes};
use lectern_tests::{Client, Response, TestDb, on_both_backends};
use serde_json::json;

use crate::http::support::UNKNOWN_ID;
use crate::http::support::api_key::{Key, serve_with_keys};

on_both_backends!(
    every_route_asks_for_its_scope,
    the_document_names_the_scope_of_every_operation,
);

const PUBLIC: &str = "public";

/// Who may call each route, written down a second time so that no change goes unnoticed.
const EXPECTED: &[(&str, &str, &str)] = &[
    ("GET", "/", "jobs:read"),
    ("GET", "/", PUBLIC),
    ("GET", "/assets/{name}", PUBLIC),
    ("GET", "/jobs/{job_id}", "jobs:read"),
    ("GET", "/api/v1/audit", "audit:read"),
    ("GET", "/api/v1/clips/{clip_id}", "jobs:read"),
    ("PATCH", "/api/v1/clips/{clip_id}", "jobs:write"),
    ("DELETE", "/api/v1/clips/{clip_id}", "jobs:write"),
    ("GET", "/api/v1/clips/{clip_id}/subtitles", "jobs:read"),
    ("PUT", "/api/v1/clips/{clip_id}/subtitles", "outputs:write"),
    ("GET", "/api/v1/content-segments/{segment_id}", "jobs:read"),
    (
        "PATCH",
        "/api/v1/content-segments/{segment_id}",
        "jobs:write",
    ),
    (
        "DELETE",
        "/api/v1/content-segments/{segment_id}",
        "jobs:write",
    ),
    ("GET", "/api/v1/events", "jobs:read"),
    ("GET", "/api/v1/jobs", "jobs:read"),
    ("POST", "/api/v1/jobs", "jobs:write"),
    ("GET", "/api/v1/jobs/{job_id}", "jobs:read"),
    ("PATCH", "/api/v1/jobs/{job_id}", "jobs:write"),
    ("DELETE", "/api/v1/jobs/{job_id}", "jobs:write"),
    ("POST", "/api/v1/jobs/{job_id}/cancel", "jobs:write"),
    ("GET", "/api/v1/jobs/{job_id}/clips", "jobs:read"),
    ("PUT", "/api/v1/jobs/{job_id}/clips", "outputs:write"),
    ("POST", "/api/v1/jobs/{job_id}/clips", "outputs:write"),
    ("GET", "/api/v1/jobs/{job_id}/clips/archive", "jobs:read"),
    ("GET", "/api/v1/jobs/{job_id}/content-segments", "jobs:read"),
    (
        "PUT",
        "/api/v1/jobs/{job_id}/content-segments",
        "outputs:write",
    ),
    (
        "GET",
        "/api/v1/jobs/{job_id}/events",
        "jobs:read or watch token",
    ),
    ("GET", "/api/v1/jobs/{job_id}/layout-analysis", "jobs:read"),
    (
        "PUT",
        "/api/v1/jobs/{job_id}/layout-analysis",
        "outputs:write",
    ),
    ("GET", "/api/v1/jobs/{job_id}/logs", "jobs:read"),
    ("POST", "/api/v1/jobs/{job_id}/logs", "outputs:write"),
    ("POST", "/api/v1/jobs/{job_id}/progress", "outputs:write"),
    ("POST", "/api/v1/jobs/{job_id}/rerun", "jobs:write"),
    ("POST", "/api/v1/jobs/{job_id}/retry", "jobs:write"),
    ("GET", "/api/v1/jobs/{job_id}/silence-regions", "jobs:read"),
    (
        "PUT",
        "/api/v1/jobs/{job_id}/silence-regions",
        "outputs:write",
    ),
    ("GET", "/api/v1/jobs/{job_id}/stages", "jobs:read"),
    ("GET", "/api/v1/jobs/{job_id}/transcripts", "jobs:read"),
    ("PUT", "/api/v1/jobs/{job_id}/transcripts", "outputs:write"),
    ("POST", "/api/v1/jobs/{job_id}/transcripts", "outputs:write"),
    ("POST", "/api/v1/jobs/{job_id}/upload-url", "jobs:write"),
    ("POST", "/api/v1/jobs/{job_id}/watch-token", "jobs:read"),
    ("GET", "/api/v1/jobs/{job_id}/thumbnails", "jobs:read"),
    ("GET", "/api/v1/jobs/{job_id}/thumbnails.jpg", "jobs:read"),
    ("GET", "/api/v1/jobs/{job_id}/waveform", "jobs:read"),
    ("GET", "/api/v1/objects/{key}", PUBLIC),
    ("PUT", "/api/v1/objects/{key}", PUBLIC),
    (
        "GET",
        "/api/v1/results/{job_id}",
        "jobs:read or watch token",
    ),
    ("GET", "/api/v1/session", "any key"),
    ("POST", "/api/v1/session", "any key"),
    ("DELETE", "/api/v1/session", "any key"),
    ("GET", "/api/v1/stats", "jobs:read"),
    ("GET", "/api/v1/transcripts/{segment_id}", "jobs:read"),
    ("PATCH", "/api/v1/transcripts/{segment_id}", "jobs:write"),
    ("DELETE", "/api/v1/transcripts/{segment_id}", "jobs:write"),
    ("POST", "/api/v1/upload", "jobs:write"),
    ("POST", "/api/v1/upload/confirm", "jobs:write"),
    ("OPTIONS", "/api/v1/uploads/tus", PUBLIC),
    ("POST", "/api/v1/uploads/tus", "jobs:write"),
    ("OPTIONS", "/api/v1/uploads/tus/{upload_id}", PUBLIC),
    ("HEAD", "/api/v1/uploads/tus/{upload_id}", "jobs:write"),
    ("PATCH", "/api/v1/uploads/tus/{upload_id}", "jobs:write"),
    ("DELETE", "/api/v1/uploads/tus/{upload_id}", "jobs:write"),
    ("POST", "/api/v1/uploads/tus/{upload_id}", "jobs:write"),
    ("POST", "/api/v1/work/claim", "work"),
    ("POST", "/api/v1/work/stages/{stage}/pause", "work:manage"),
    ("POST", "/api/v1/work/stages/{stage}/resume", "work:manage"),
    ("GET", "/api/v1/work/stats", "jobs:read"),
    ("GET", "/api/v1/work/stats/history", "jobs:read"),
    ("GET", "/api/v1/workers", "jobs:read"),
    ("POST", "/api/v1/work/{lease_id}/complete", "work"),
    ("POST", "/api/v1/work/{lease_id}/fail", "work"),
    ("POST", "/api/v1/work/{lease_id}/heartbeat", "work"),
    ("GET", "/api/v1/work/{lease_id}/objects", "work"),
    ("POST", "/api/v1/work/{lease_id}/objects", "work"),
    ("POST", "/api/v1/work/{lease_id}/release", "work"),
    ("GET", "/login", PUBLIC),
    ("GET", "/login/callback", PUBLIC),
    ("GET", "/docs", PUBLIC),
    ("GET", "/docs/", PUBLIC),
    ("GET", "/docs/start.js", PUBLIC),
    ("GET", "/docs/{file}", PUBLIC),
    ("GET", "/healthz", PUBLIC),
    ("GET", "/logout", PUBLIC),
    ("POST", "/logout", "any key"),
    ("GET", "/metrics", "metrics"),
    ("GET", "/operation", "jobs:read"),
    ("POST", "/operation/{stage}/pause", "work:manage"),
    ("POST", "/operation/{stage}/resume", "work:manage"),
    ("GET", "/openapi.json", PUBLIC),
    ("GET", "/readyz", PUBLIC),
    ("GET", "/ws/jobs/{job_id}", "jobs:read or watch token"),
];

/// The routes of the program with their access, and the pages, which only a server has.
fn all_routes() -> Vec<(String, &'static str, Access)> {
    routes().chain(page_routes()).collect()
}

#[test]
fn the_scopes_of_all_routes_are_the_expected_ones() {
    let sorted = |mut routes: Vec<(String, String, String)>| {
        routes.sort();
        routes
    };
    let found = all_routes().into_iter();
    let found = found.map(|(method, path, access)| (method, path.to_owned(), access.to_string()));
    let expected = EXPECTED.iter();
    let expected = expected.map(|(method, path, access)| {
        (
            (*method).to_owned(),
            (*path).to_owned(),
            (*access).to_owned(),
        )
    });
    assert_eq!(sorted(found.collect()), sorted(expected.collect()));
}

/// A path with ids that nothing has.
fn filled(path: &str) -> String {
    let mut filled = String::new();
    for part in path.split_inclusive('}') {
        match part.split_once('{') {
            None => filled.push_str(part),
            Some((before, name)) => {
                filled.push_str(before);
                filled.push_str(match name {
                    "key}" => "recordings/a.mp4",
                    "file}" => "swagger-ui.css",
                    _ => UNKNOWN_ID,
                });
            }
        }
    }
    filled
}

/// The code of a refusal because of the key; `None` if it was accepted or none was needed.
fn key_refusal(response: &Response) -> Option<&'static str> {
    let challenge = response.header("WWW-Authenticate");
    let code = match (response.status, challenge) {
        (401, Some("Bearer realm=\"lectern\"")) => "authentication_required",
        (401, Some(_)) => "invalid_key",
        (403, Some(_)) => "scope_missing",
        _ => {
            assert_eq!(challenge, None, "{response}");
            assert!(![401, 403].contains(&response.status), "{response}");
            return None;
        }
    };
    // The response to HEAD has no body, and that to a browser is a page.
    let is_page = response.header("Content-Type") == Some("text/html; charset=utf-8");
    if !response.body.is_empty() && !is_page {
        response.problem(response.status, code);
    }
    Some(code)
}

fn send(client: &Client, method: &str, route: (&str, Access), key: Option<&Key>) -> Response {
    let (path, access) = route;
    let request = match key {
        Some(key) => key.request(client, method, path),
        None => client.request(method, path),
    };
    // These paths are pages, which only browsers get.
    let is_page = path == "/" || path.starts_with("/jobs/");
    match access {
        Access::Scope(_) if is_page => request.header("Accept", "text/html").send(),
        _ => request.send(),
    }
}

fn every_route_asks_for_its_scope(db: TestDb) {
    let keys: Vec<(Role, Key)> = Role::ALL
        .iter()
        .map(|role| (*role, Key::create(&db, *role)))
        .collect();
    let server = serve_with_keys(db);
    let unknown = Key {
        text: lectern_server::generate_key(keys[0].1.id)
            .unwrap()
            .0
            .reveal(),
        ..keys[0].1.clone()
    };
    let mut checked = 0;
    for (method, path, access) in all_routes() {
        let mut methods = vec![method.as_str()];
        if method == "GET" {
            methods.push("HEAD");
        }
        let path = filled(path);
        for method in methods {
            let name = format!("{method} {path}");
            let refusal = |key| key_refusal(&send(&server, method, (&path, access), key));
            match access {
                Access::Public => {
                    assert_eq!(refusal(None), None, "{name}");
                    assert_eq!(refusal(Some(&unknown)), None, "{name}");
                }
                Access::AnyKey => {
                    assert_eq!(refusal(None), Some("authentication_required"), "{name}");
                    assert_eq!(refusal(Some(&unknown)), Some("invalid_key"), "{name}");
                    for (role, key) in &keys {
                        assert_eq!(refusal(Some(key)), None, "{name} as {role}");
                        checked += 1;
                    }
                }
                Access::Scope(scope) | Access::ScopeOrWatchToken(scope) => {
                    assert_eq!(refusal(None), Some("authentication_required"), "{name}");
                    assert_eq!(refusal(Some(&unknown)), Some("invalid_key"), "{name}");
                    for (role, key) in &keys {
                        let expected = (!role.has(scope)).then_some("scope_missing");
                        assert_eq!(refusal(Some(key)), expected, "{name} as {role}");
                        checked += 1;
                    }
                }
            }
        }
    }
    assert!(checked > 250, "{checked}");
}

fn the_document_names_the_scope_of_every_operation(db: TestDb) {
    let server = serve_with_keys(db);
    let document = server.get("/openapi.json").expect(200).json();
    let schemes = document["components"]["securitySchemes"]
        .as_object()
        .unwrap();
    let mut secured = 0;
    for (method, path, access) in routes() {
        if path.starts_with("/docs") || path.starts_with("/login") {
            continue;
        }
        let operation = &document["paths"][path][method.to_lowercase()];
        let alternatives = operation["security"].as_array().unwrap();
        match access {
            Access::Public => assert!(alternatives.is_empty(), "{method} {path}"),
            Access::AnyKey => {
                let expected = json!([{ "bearer": [] }, { "apiKey": [] }]);
                assert_eq!(operation["security"], expected, "{method} {path}");
            }
            Access::Scope(scope) | Access::ScopeOrWatchToken(scope) => {
                let mut expected = vec!["bearer", "apiKey"];
                if matches!(access, Access::ScopeOrWatchToken(_)) {
                    expected.push("watchToken");
                }
                assert_eq!(alternatives.len(), expected.len(), "{method} {path}");
                for (alternative, scheme) in alternatives.iter().zip(expected) {
                    assert!(schemes.contains_key(scheme));
                    assert_eq!(alternative, &json!({ scheme: [] }));
                }
                assert_eq!(operation["x-scope"], scope.as_str(), "{method} {path}");
                secured += 1;
            }
        }
    }
    assert!(secured > 40, "{secured}");
}
