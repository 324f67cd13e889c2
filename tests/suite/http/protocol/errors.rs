//! Unknown paths, methods and ids.

use std::collections::BTreeMap;

use lectern_server::routes::routes;
use lectern_tests::{TestServer, a_completed_job, on_both_backends};
use serde_json::Value;

use crate::http::support::{JOBS, UNKNOWN_ID, job_path};

on_both_backends!(
    an_unknown_path_is_404_for_every_method,
    an_unsupported_method_is_405_with_allow,
    head_answers_like_get_without_a_body,
    a_malformed_id_in_the_path_is_404,
);

/// All paths and their methods, for a job with rows in every table.
fn paths(server: &TestServer) -> BTreeMap<String, Vec<String>> {
    let job_id = a_completed_job(server.db()).job_id;
    let results = server.db().read(|conn| conn.jobs().results(job_id));
    let results = results.unwrap().unwrap();
    let clip_id = results.clips[0].clip_id;
    let transcript_segment_id = results.transcript[0].segment_id;
    let segments = server
        .db()
        .read(|conn| conn.content_segments().for_job(job_id));
    let content_segment_id = segments.unwrap()[0].segment_id;
    let mut paths = BTreeMap::<_, Vec<_>>::new();
    for (method, path, _) in routes() {
        let path = path
            .replace("{job_id}", &job_id.to_string())
            .replace("{clip_id}", &clip_id.to_string())
            .replace(
                "transcripts/{segment_id}",
                &format!("transcripts/{transcript_segment_id}"),
            )
            .replace("{segment_id}", &content_segment_id.to_string())
            .replace("{file}", "swagger-ui.css");
        let methods = paths.entry(path).or_default();
        if method == "GET" {
            methods.push("HEAD".to_owned());
        }
        methods.push(method);
    }
    paths
}

/// The number of stored jobs.
fn count(server: &TestServer) -> u64 {
    server.db().sql().count("jobs")
}

fn an_unknown_path_is_404_for_every_method(server: TestServer) {
    let job = job_path(a_completed_job(server.db()).job_id, "");
    let mut paths: Vec<String> = [
        "//",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v2/jobs",
        "/jobs",
        "/api/v1/nothing",
        "/api/v1/JOBS",
        "/api/v1//jobs",
        "/api/v1/jobs/",
        "/api/v1/results",
        "/api/v1/results/",
        "/api/v1/stats/",
        "/healthz/",
        "/docs/../jobs",
        "/api/v1/%2e%2e/jobs",
        "/%00",
        "/%FF",
    ]
    .map(str::to_owned)
    .into();
    let sub_paths = [
        "/",
        "/nothing",
        "/clips/",
        "/clips/1",
        "/progress/",
        "//clips",
    ];
    paths.extend(sub_paths.map(|sub_path| format!("{job}{sub_path}")));
    for path in paths {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
            let answer = server.request(method, &path).send();
            assert_eq!(
                answer.problem(404, "not_found"),
                [Value::Null; 0],
                "{method} {path}"
            );
        }
    }
    server.get("/docs/nothing.js").problem(404, "not_found");
}

fn an_unsupported_method_is_405_with_allow(server: TestServer) {
    let all_methods = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND",
    ];
    for (path, methods) in paths(&server) {
        for method in all_methods
            .iter()
            .filter(|method| !methods.iter().any(|supported| supported == *method))
        {
            let answer = server.request(method, &path).send().expect(405);
            let mut allowed: Vec<_> = answer.header("Allow").unwrap().split(", ").collect();
            let mut methods = methods.clone();
            allowed.sort_unstable();
            methods.sort();
            assert_eq!(allowed, methods, "{method} {path}");
            if *method == "HEAD" {
                assert_eq!(answer.body, b"", "{path}");
            } else {
                answer.problem(405, "method_not_allowed");
            }
        }
    }
    assert_eq!(count(&server), 1);
}

fn head_answers_like_get_without_a_body(server: TestServer) {
    let mut paths = paths(&server);
    // Objects need signed URLs or a lease, a WebSocket has no body, and some paths lead to others.
    // The files that a worker stores for the timeline are missing.
    let is_plain = |path: &str| {
        let leads_on = path == "/docs/" || path.starts_with("/login");
        let is_missing = path.ends_with("/waveform") || path.contains("/thumbnails");
        !path.contains('{') && !path.starts_with("/ws/") && !leads_on && !is_missing
    };
    paths.retain(|path, methods| is_plain(path) && methods.iter().any(|method| method == "GET"));
    for path in paths.into_keys() {
        let (get, head) = (
            server.get(&path).expect(200),
            server.request("HEAD", &path).send().expect(200),
        );
        assert_eq!(head.body, b"", "{path}");
        for header in ["Content-Type", "ETag", "Content-Length", "Cache-Control"] {
            // The request itself changes the metrics.
            if header != "Content-Length" || path != "/metrics" {
                assert_eq!(
                    head.header(header),
                    get.header(header),
                    "{header} of {path}"
                );
            }
        }
    }
    for path in [format!("{JOBS}/{UNKNOWN_ID}"), "/nothing".to_owned()] {
        let head = server.request("HEAD", &path).send().expect(404);
        assert_eq!(
            (head.body.len(), head.header("Content-Type")),
            (0, Some("application/problem+json"))
        );
    }
}

fn a_malformed_id_in_the_path_is_404(server: TestServer) {
    let job_id = a_completed_job(server.db()).job_id.to_string();
    let (cut, long, endless) = (&job_id[1..], format!("{job_id}0"), "1".repeat(4_000));
    let ids = [
        "1",
        "x",
        "null",
        "-1",
        "%00",
        "%FF",
        "..",
        "%2e%2e",
        "%2F",
        "%20",
        "*",
        "'%20OR%201=1--",
        UNKNOWN_ID,
        cut,
        &long,
        &endless,
        &format!("{job_id}%00"),
        &format!("%20{job_id}"),
        &job_id.replace('-', "_"),
    ];
    for id in ids {
        for (method, path, _) in routes() {
            let (variable, code) = match path {
                path if path.contains("{job_id}") => ("{job_id}", "job_not_found"),
                path if path.contains("{clip_id}") => ("{clip_id}", "clip_not_found"),
                _ => continue,
            };
            // Without a handshake the WebSocket path is 404 for every job.
            if id == UNKNOWN_ID && path.starts_with("/ws/") {
                continue;
            }
            if ["GET", "DELETE"].contains(&method.as_str()) {
                let path = path.replace(variable, id);
                let answer = server.request(&method, &path).send();
                assert_eq!(
                    answer.problem(404, code),
                    [Value::Null; 0],
                    "{method} {path}"
                );
            }
        }
    }
    assert_eq!(count(&server), 1);
}
