//! Request ids of responses.

use lectern_tests::{Client, TestServer, a_completed_job, on_both_backends};

use crate::http::support::{JOBS, job_path};

on_both_backends!(
    every_response_has_a_request_id_and_keeps_a_given_one,
    a_valid_request_id_is_returned,
    an_invalid_request_id_is_replaced,
);

/// Method, path, headers and expected status.
type Call<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], u16);

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
    let mut ids = Vec::new();
    for (method, path, headers, status) in calls {
        let call = |id: &str| {
            let request = server.request(method, path).header("X-Request-Id", id);
            let request = headers.iter().fold(request, |request, (name, value)| {
                request.header(name, value)
            });
            let answer = request.send();
            answer
                .header("X-Request-Id")
                .unwrap_or_else(|| panic!("no id: {answer}"))
                .to_owned()
        };
        // The DELETE succeeds only once.
        if status != 204 {
            assert_eq!(call("trace-7.a_B"), "trace-7.a_B", "{method} {path}");
            for invalid in ["two words", "quote\"d", "{}", &"x".repeat(129)] {
                assert_ne!(call(invalid), invalid, "{method} {path}");
            }
        }
        let request = headers
            .iter()
            .fold(server.request(method, path), |request, (name, value)| {
                request.header(name, value)
            });
        ids.push(
            request
                .send()
                .expect(status)
                .header("X-Request-Id")
                .unwrap()
                .to_owned(),
        );
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), calls.len(), "{ids:?}");
}

/// Sends a request with this request id; returns the one of the response.
fn returned_id(client: &Client, method: &str, path: &str, request_id: &str) -> String {
    let answer = client
        .request(method, path)
        .header("X-Request-Id", request_id)
        .send();
    answer
        .header("X-Request-Id")
        .unwrap_or_else(|| panic!("no id: {answer}"))
        .to_owned()
}

fn a_valid_request_id_is_returned(server: TestServer) {
    let job = job_path(a_completed_job(server.db()).job_id, "");
    for id in ["a", "Az-09_.z", &"x".repeat(128)] {
        for (method, path) in [
            ("GET", JOBS),
            ("PUT", JOBS),
            ("POST", JOBS),
            ("GET", "/nothing"),
            ("GET", "/healthz"),
            ("HEAD", &job),
            ("GET", &format!("{job}x")),
            ("GET", &format!("{JOBS}?limit=0")),
            ("OPTIONS", "/metrics"),
        ] {
            assert_eq!(
                returned_id(&server, method, path, id),
                id,
                "{method} {path}"
            );
        }
    }
    let unchanged = server
        .request("GET", &job)
        .header("If-None-Match", "*")
        .header("X-Request-Id", "r-1");
    assert_eq!(
        unchanged.send().expect(304).header("X-Request-Id"),
        Some("r-1")
    );
    assert_eq!(returned_id(&server, "DELETE", &job, "r-2"), "r-2");
}

fn an_invalid_request_id_is_replaced(server: TestServer) {
    let mut ids: Vec<String> = [
        "",
        "a b",
        "a/b",
        "a\"b",
        "é",
        "a,b",
        "{{}}",
        &"x".repeat(129),
    ]
    .map(|id| {
        let returned = returned_id(&server, "GET", JOBS, id);
        assert_ne!(returned, id);
        returned
    })
    .into();
    ids.extend((0..2).map(|_| {
        server
            .get("/nothing")
            .header("X-Request-Id")
            .unwrap()
            .to_owned()
    }));
    let is_valid = |id: &String| {
        id.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    assert!(
        ids.iter().all(|id| !id.is_empty() && is_valid(id)),
        "{ids:?}"
    );
    ids.sort();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "two requests have the same id");
}
