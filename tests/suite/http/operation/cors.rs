//! Cross-origin requests.

use lectern_server::ServerConfig;
use lectern_tests::{Client, Response, TestDb, TestServer, on_both_backends};

use crate::http::support::{JOBS, a_recording};

on_both_backends!(
    other_origins_are_refused_by_default,
    configured_origins_are_allowed,
    a_wildcard_allows_every_origin,
);

/// A server with these allowed origins.
fn with_allowed_origins(db: TestDb, origins: &[&str]) -> TestServer {
    let cors_origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
    TestServer::serve(
        db,
        ServerConfig {
            cors_origins,
            ..ServerConfig::default()
        },
    )
}

/// The preflight request of a browser for a JSON POST.
fn preflight(client: &Client, origin: &str) -> Response {
    let request = client.request("OPTIONS", JOBS).header("Origin", origin);
    request
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "content-type,if-match")
        .send()
}

fn allowed_origin(response: &Response) -> Option<&str> {
    response.header("Access-Control-Allow-Origin")
}

fn other_origins_are_refused_by_default(server: TestServer) {
    let response = server
        .request("GET", JOBS)
        .header("Origin", "https://example.org")
        .send()
        .expect(200);
    assert!(
        response
            .headers
            .keys()
            .all(|name| !name.as_str().starts_with("access-control-")),
        "{:?}",
        response.headers
    );
    let response = preflight(&server, "https://example.org");
    response.problem(405, "method_not_allowed");
    assert_eq!(allowed_origin(&response), None);
}

fn configured_origins_are_allowed(db: TestDb) {
    let server = with_allowed_origins(db, &["https://example.org", "http://localhost:3000"]);
    for origin in ["https://example.org", "http://localhost:3000"] {
        let response = preflight(&server, origin).expect(200);
        assert_eq!(allowed_origin(&response), Some(origin));
        let methods = response.header("Access-Control-Allow-Methods").unwrap();
        assert!(
            ["GET", "POST", "PUT", "PATCH", "DELETE"]
                .iter()
                .all(|method| methods.contains(method)),
            "{methods}"
        );
        let headers = response
            .header("Access-Control-Allow-Headers")
            .unwrap()
            .to_lowercase();
        assert!(
            headers.contains("content-type") && headers.contains("if-match"),
            "{headers}"
        );
        assert!(response.header("X-Request-Id").is_some());

        let created = server
            .request("POST", JOBS)
            .header("Origin", origin)
            .json(&a_recording())
            .send()
            .expect(201);
        assert_eq!(allowed_origin(&created), Some(origin));
        let exposed = created
            .header("Access-Control-Expose-Headers")
            .unwrap()
            .to_lowercase();
        assert!(
            ["etag", "location", "retry-after", "x-request-id"]
                .iter()
                .all(|name| exposed.contains(name)),
            "{exposed}"
        );
        let refused = server
            .request("GET", "/nowhere")
            .header("Origin", origin)
            .send();
        refused.problem(404, "not_found");
        assert_eq!(
            allowed_origin(&refused),
            Some(origin),
            "errors can be read as well"
        );
    }
    for origin in [
        "https://example.com",
        "http://example.org",
        "https://example.org.evil.net",
    ] {
        let response = preflight(&server, origin);
        assert!((400..500).contains(&response.status), "{response}");
        assert_eq!(allowed_origin(&response), None);
    }
    server.get(JOBS).expect(200);
}

fn a_wildcard_allows_every_origin(db: TestDb) {
    let server = with_allowed_origins(db, &["*"]);
    let response = preflight(&server, "https://anywhere.net").expect(200);
    assert_eq!(allowed_origin(&response), Some("*"));
    let response = server
        .request("GET", JOBS)
        .header("Origin", "null")
        .send()
        .expect(200);
    assert_eq!(allowed_origin(&response), Some("*"));
    assert_eq!(response.header("Access-Control-Allow-Credentials"), None);
}
