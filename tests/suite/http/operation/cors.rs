//! Cross-origin requests.

use lectern_server::{Server, ServerConfig};
use lectern_tests::{Client, Response, TestDb, TestServer, on_both_backends};

use crate::http::support::{JOBS, a_recording};

on_both_backends!(
    other_origins_are_refused_by_default,
    configured_origins_are_allowed,
    subdomains_of_a_configured_origin_are_allowed,
    a_preflight_of_a_forbidden_method_has_its_own_code,
    credentials_are_allowed_only_if_configured,
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
    response.problem(403, "preflight_refused");
    assert_eq!(allowed_origin(&response), None);
    // Not a preflight.
    let options = server.request("OPTIONS", JOBS).send();
    options.problem(405, "method_not_allowed");
}

fn subdomains_of_a_configured_origin_are_allowed(db: TestDb) {
    let server = with_allowed_origins(db, &["https://*.example.org"]);
    let origin = "https://a.b.example.org";
    let response = preflight(&server, origin).expect(200);
    assert_eq!(allowed_origin(&response), Some(origin));
    let vary = response.header("Vary").unwrap().to_lowercase();
    assert!(vary.contains("origin"), "{vary}");
    let created = server
        .request("POST", JOBS)
        .header("Origin", origin)
        .header("Sec-Fetch-Site", "cross-site")
        .json(&a_recording())
        .send()
        .expect(201);
    assert_eq!(allowed_origin(&created), Some(origin));
    for foreign in ["https://example.org", "https://a.example.org.evil.net"] {
        preflight(&server, foreign).problem(403, "preflight_refused");
        let refused = server
            .request("POST", JOBS)
            .header("Origin", foreign)
            .json(&a_recording())
            .send();
        refused.problem(403, "origin_not_allowed");
    }
}

fn a_preflight_of_a_forbidden_method_has_its_own_code(db: TestDb) {
    let server = with_allowed_origins(db, &["https://example.org"]);
    let request = server
        .request("OPTIONS", JOBS)
        .header("Origin", "https://example.org");
    let response = request.header("Access-Control-Request-Method", "TRACE");
    response.send().problem(403, "preflight_refused");
}

fn credentials_are_allowed_only_if_configured(db: TestDb) {
    let config = |cors_credentials| ServerConfig {
        cors_origins: vec!["https://example.org".to_owned()],
        cors_credentials,
        ..ServerConfig::default()
    };
    let without = Server::start(config(false), db.clone()).unwrap();
    let with = Server::start(config(true), db.clone()).unwrap();
    for (server, allowed) in [(without, None), (with, Some("true"))] {
        let client = Client::new(server.url());
        let read = client.request("GET", JOBS);
        let read = read.header("Origin", "https://example.org").send();
        let asked = preflight(&client, "https://example.org");
        for response in [read.expect(200), asked.expect(200)] {
            let credentials = response.header("Access-Control-Allow-Credentials");
            assert_eq!(credentials, allowed);
            assert_eq!(allowed_origin(&response), Some("https://example.org"));
        }
    }
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
            [
                "content-range",
                "etag",
                "link",
                "location",
                "preference-applied",
                "retry-after",
                "x-request-id"
            ]
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
        response.problem(403, "preflight_refused");
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
