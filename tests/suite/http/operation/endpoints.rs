use std::collections::HashMap;

use lectern_server::ServerConfig;
use lectern_tests::{
    Backend, Client, Response, TestDb, TestServer, a_completed_job, a_job, on_both_backends,
};
use serde_json::json;

use crate::http::support::{JOBS, UNKNOWN_ID, a_recording, job_path};

on_both_backends!(
    a_running_server_is_healthy_and_ready,
    a_server_with_a_pending_migration_is_healthy_but_not_ready,
    a_server_without_tables_is_not_ready,
    missing_tables_are_named_in_the_log_only,
    request_metrics_have_method_route_and_status,
    durations_are_measured_and_unknown_paths_and_methods_are_no_labels,
    the_pool_has_metrics,
    every_response_has_a_request_id_and_keeps_a_given_one,
    the_documentation_page_loads_nothing_from_other_hosts,
    documentation_files_are_revalidated_by_entity_tag,
    other_origins_are_refused_by_default,
    configured_origins_are_allowed,
    a_wildcard_allows_every_origin,
);

/// Parses the text format of Prometheus: values by name and labels.
fn metrics(client: &Client) -> HashMap<String, f64> {
    let answer = client.get("/metrics").expect(200);
    assert!(
        answer
            .header("Content-Type")
            .unwrap()
            .starts_with("text/plain; version=0.0.4"),
        "{answer}"
    );
    assert!(answer.text().ends_with('\n'));
    let mut types = HashMap::new();
    let mut numbers = HashMap::new();
    for line in answer.text().lines() {
        if let Some(typed) = line.strip_prefix("# TYPE ") {
            let (name, kind) = typed.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(types.insert(name, kind), None, "{line}");
        } else if !line.starts_with("# HELP ") {
            let (key, number) = line.rsplit_once(' ').unwrap();
            let name = key.split('{').next().unwrap();
            let part_of_histogram = ["_bucket", "_sum", "_count"].iter().any(|end| {
                name.strip_suffix(end)
                    .is_some_and(|name| types.get(name) == Some(&"histogram"))
            });
            assert!(
                part_of_histogram || types.contains_key(name),
                "no type: {line}"
            );
            assert!(key == name || key.ends_with('}'), "{line}");
            assert_eq!(
                numbers.insert(key.to_owned(), number.parse().unwrap()),
                None,
                "{line}"
            );
        }
    }
    numbers
}

/// The metric of requests with this method, route and status.
fn requests(method: &str, route: &str, status: u16) -> String {
    format!(r#"http_requests_total{{method="{method}",route="{route}",status="{status}"}}"#)
}

/// Method, path, headers and expected status.
type Call<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], u16);

/// The values of an attribute in an HTML page.
fn attributes<'p>(page: &'p str, name: &str) -> Vec<&'p str> {
    let opening = format!(" {name}=\"");
    page.split(&opening)
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect()
}

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
    let ask = client.request("OPTIONS", JOBS).header("Origin", origin);
    ask.header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "content-type,if-match")
        .send()
}

fn allowed_origin(answer: &Response) -> Option<&str> {
    answer.header("Access-Control-Allow-Origin")
}

fn a_running_server_is_healthy_and_ready(server: TestServer) {
    for path in ["/healthz", "/readyz"] {
        assert_eq!(
            server.get(path).expect(200).json(),
            json!({ "status": "ok" })
        );
        assert_eq!(
            server.request("HEAD", path).send().expect(200).body.len(),
            0
        );
    }
}

fn a_server_with_a_pending_migration_is_healthy_but_not_ready(server: TestServer) {
    server.db().migrations().down(1).unwrap();
    server.get("/readyz").problem(503, "database_unavailable");
    server.get("/healthz").expect(200);
    server.db().migrations().up().unwrap();
    server.get("/readyz").expect(200);
}

fn a_server_without_tables_is_not_ready(server: TestServer) {
    server.db().migrations().down(usize::MAX).unwrap();
    server
        .db()
        .sql()
        .batch("DROP TABLE __diesel_schema_migrations")
        .unwrap();
    server.get("/readyz").problem(503, "database_unavailable");
    server.get("/healthz").expect(200);
    server.db().init().unwrap();
    server.get("/readyz").expect(200);
}

fn missing_tables_are_named_in_the_log_only(server: TestServer) {
    server.db().migrations().down(usize::MAX).unwrap();
    let answer = server.get(&format!("{JOBS}/{UNKNOWN_ID}"));
    answer.problem(500, "internal");
    assert!(!answer.text().contains("jobs"), "{answer}");
}

fn request_metrics_have_method_route_and_status(server: TestServer) {
    let job = a_job().create(server.db());
    let counted = [
        (requests("GET", "/api/v1/jobs/{job_id}", 200), 3.0),
        (requests("GET", "/api/v1/jobs/{job_id}", 404), 1.0),
        (requests("POST", "/api/v1/jobs", 201), 2.0),
        (requests("DELETE", "/api/v1/stats", 405), 1.0),
        (requests("GET", "unmatched", 404), 2.0),
    ];
    let before = metrics(&server);
    for _ in 0..3 {
        server.get(&job_path(job.job_id, "")).expect(200);
    }
    server.get(&format!("{JOBS}/{UNKNOWN_ID}")).expect(404);
    server.post(JOBS, &a_recording()).expect(201);
    server.post(JOBS, &a_recording()).expect(201);
    server.delete("/api/v1/stats").expect(405);
    server.get("/nowhere").expect(404);
    server.get("/nowhere/else").expect(404);
    let after = metrics(&server);
    for (name, n) in counted {
        let moved =
            after.get(&name).copied().unwrap_or(0.0) - before.get(&name).copied().unwrap_or(0.0);
        assert!((moved - n).abs() < 0.5, "{name} moved by {moved}");
    }
}

fn durations_are_measured_and_unknown_paths_and_methods_are_no_labels(server: TestServer) {
    a_completed_job(server.db());
    server.get(JOBS).expect(200);
    server.request("BREW", "/teapot/7").send();
    let numbers = metrics(&server);
    let times = r#"http_request_duration_seconds_count{method="GET",route="/api/v1/jobs"}"#;
    assert_eq!(numbers.get(times), Some(&1.0));
    for name in numbers.keys() {
        assert!(!name.contains("teapot") && !name.contains("BREW"), "{name}");
    }
}

fn the_pool_has_metrics(server: TestServer) {
    server.get(JOBS).expect(200);
    let numbers = metrics(&server);
    let max = match server.db().backend() {
        Backend::Postgres => 15.0,
        Backend::Sqlite => 6.0,
    };
    assert_eq!(numbers.get("lectern_db_connections_max"), Some(&max));
    let open: f64 = ["idle", "in_use"]
        .iter()
        .map(|state| numbers[&format!(r#"lectern_db_connections{{state="{state}"}}"#)])
        .sum();
    assert!((1.0..=max).contains(&open), "{open}");
    assert_eq!(numbers.get("http_requests_in_flight"), Some(&1.0));
}

fn every_response_has_a_request_id_and_keeps_a_given_one(server: TestServer) {
    let job = a_completed_job(server.db());
    let (job_path, etag) = (job_path(job.job_id, ""), format!("\"{}\"", job.version));
    let calls: [Call<'_>; 11] = [
        ("GET", "/healthz", &[], 200),
        ("GET", "/readyz", &[], 200),
        ("GET", "/metrics", &[], 200),
        ("GET", "/openapi.json", &[], 200),
        ("GET", "/docs", &[], 200),
        ("HEAD", JOBS, &[], 200),
        ("GET", &job_path, &[("If-None-Match", &etag)], 304),
        ("GET", "/nowhere", &[], 404),
        ("TRACE", JOBS, &[], 405),
        ("POST", JOBS, &[], 415),
        ("DELETE", &job_path, &[], 204),
    ];
    let mut names = Vec::new();
    for (method, path, headers, status) in calls {
        let call = |name: &str| {
            let request = server.request(method, path).header("X-Request-Id", name);
            let request = headers.iter().fold(request, |request, (name, value)| {
                request.header(name, value)
            });
            let answer = request.send();
            answer
                .header("X-Request-Id")
                .unwrap_or_else(|| panic!("no name: {answer}"))
                .to_owned()
        };
        // The DELETE succeeds only once.
        if status != 204 {
            assert_eq!(call("trace-7.a_B"), "trace-7.a_B", "{method} {path}");
            for insane in ["two words", "quote\"d", "{}", &"x".repeat(129)] {
                assert_ne!(call(insane), insane, "{method} {path}");
            }
        }
        let request = headers
            .iter()
            .fold(server.request(method, path), |request, (name, value)| {
                request.header(name, value)
            });
        names.push(
            request
                .send()
                .expect(status)
                .header("X-Request-Id")
                .unwrap()
                .to_owned(),
        );
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), calls.len(), "{names:?}");
}

fn the_documentation_page_loads_nothing_from_other_hosts(server: TestServer) {
    let answer = server.get("/docs").expect(200);
    assert!(
        answer
            .header("Content-Type")
            .unwrap()
            .starts_with("text/html")
    );
    let page = answer.text();
    assert!(!page.contains("://"), "{page}");
    let files: Vec<_> = ["src", "href"]
        .iter()
        .flat_map(|name| attributes(page, name))
        .collect();
    assert!(files.len() >= 3, "{files:?}");
    let mut scripts = String::new();
    for file in files {
        assert!(
            !file.starts_with('/'),
            "{file} does not work behind a prefix"
        );
        let answer = server.get(&format!("/{file}")).expect(200);
        assert!(!answer.body.is_empty(), "{file}");
        let kind = answer.header("Content-Type").unwrap();
        match file.rsplit_once('.').unwrap().1 {
            "js" => assert!(kind.starts_with("text/javascript"), "{file}: {kind}"),
            "css" => assert!(kind.starts_with("text/css"), "{file}: {kind}"),
            _ => assert_eq!(kind, "image/png", "{file}"),
        }
        if answer.body.len() < 10_000 && kind.starts_with("text/javascript") {
            scripts += answer.text();
        }
    }
    assert!(
        scripts.contains("\"openapi.json\"") && !scripts.contains("://"),
        "{scripts}"
    );
    let policy = answer.header("Content-Security-Policy").unwrap();
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("http"),
        "{policy}"
    );
}

fn documentation_files_are_revalidated_by_entity_tag(server: TestServer) {
    for path in ["/docs", "/docs/swagger-ui.css"] {
        let first = server.get(path).expect(200);
        let etag = first.header("ETag").unwrap();
        let again = server
            .request("GET", path)
            .header("If-None-Match", etag)
            .send()
            .expect(304);
        assert_eq!(again.body.len(), 0);
    }
    server.get("/docs/index.html").problem(404, "not_found");
    server
        .get("/docs/..%2f..%2fCargo.toml")
        .problem(404, "not_found");
}

fn other_origins_are_refused_by_default(server: TestServer) {
    let answer = server
        .request("GET", JOBS)
        .header("Origin", "https://example.org")
        .send()
        .expect(200);
    assert!(
        answer
            .headers
            .keys()
            .all(|name| !name.as_str().starts_with("access-control-")),
        "{:?}",
        answer.headers
    );
    let answer = preflight(&server, "https://example.org");
    answer.problem(405, "method_not_allowed");
    assert_eq!(allowed_origin(&answer), None);
}

fn configured_origins_are_allowed(db: TestDb) {
    let server = with_allowed_origins(db, &["https://example.org", "http://localhost:3000"]);
    for origin in ["https://example.org", "http://localhost:3000"] {
        let answer = preflight(&server, origin).expect(200);
        assert_eq!(allowed_origin(&answer), Some(origin));
        let methods = answer.header("Access-Control-Allow-Methods").unwrap();
        assert!(
            ["GET", "POST", "PUT", "PATCH", "DELETE"]
                .iter()
                .all(|method| methods.contains(method)),
            "{methods}"
        );
        let headers = answer
            .header("Access-Control-Allow-Headers")
            .unwrap()
            .to_lowercase();
        assert!(
            headers.contains("content-type") && headers.contains("if-match"),
            "{headers}"
        );
        assert!(answer.header("X-Request-Id").is_some());

        let made = server
            .request("POST", JOBS)
            .header("Origin", origin)
            .json(&a_recording())
            .send()
            .expect(201);
        assert_eq!(allowed_origin(&made), Some(origin));
        let exposed = made
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
        let answer = preflight(&server, origin);
        assert!((400..500).contains(&answer.status), "{answer}");
        assert_eq!(allowed_origin(&answer), None);
    }
    server.get(JOBS).expect(200);
}

fn a_wildcard_allows_every_origin(db: TestDb) {
    let server = with_allowed_origins(db, &["*"]);
    let answer = preflight(&server, "https://anywhere.net").expect(200);
    assert_eq!(allowed_origin(&answer), Some("*"));
    let answer = server
        .request("GET", JOBS)
        .header("Origin", "null")
        .send()
        .expect(200);
    assert_eq!(allowed_origin(&answer), Some("*"));
    assert_eq!(answer.header("Access-Control-Allow-Credentials"), None);
}
