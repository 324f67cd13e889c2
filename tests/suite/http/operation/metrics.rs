//! `/metrics`.

use std::collections::HashMap;

use lectern_tests::{Backend, Client, TestServer, a_completed_job, a_job, on_both_backends};

use crate::http::support::{JOBS, UNKNOWN_ID, a_recording, job_path};

on_both_backends!(
    request_metrics_have_method_route_and_status,
    durations_are_measured_and_unknown_paths_and_methods_are_not_labels,
    the_pool_has_metrics,
    rows_left_out_of_lists_are_counted,
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

fn request_metrics_have_method_route_and_status(server: TestServer) {
    let job = a_job().create(server.db());
    let expected = [
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
    for (name, increase) in expected {
        let found =
            after.get(&name).copied().unwrap_or(0.0) - before.get(&name).copied().unwrap_or(0.0);
        assert!(
            (found - increase).abs() < 0.5,
            "{name} increased by {found}"
        );
    }
}

fn durations_are_measured_and_unknown_paths_and_methods_are_not_labels(server: TestServer) {
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

fn rows_left_out_of_lists_are_counted(server: TestServer) {
    let metric = || metrics(&server)["lectern_db_unreadable_rows_total"].to_string();
    a_job().create(server.db());
    server
        .db()
        .before_migration("check_every_rule_of_the_domain", |sql| {
            sql.execute("INSERT INTO jobs (filename, content_type) VALUES ('talk.mp4', '')")
                .unwrap();
        });
    assert_eq!(metric(), "0");
    for omitted in ["1", "2"] {
        let list = server.get(JOBS).expect(200).json();
        assert_eq!(list["jobs"].as_array().unwrap().len(), 1, "{list}");
        assert_eq!(metric(), omitted);
        assert_eq!(metric(), omitted);
    }
}
