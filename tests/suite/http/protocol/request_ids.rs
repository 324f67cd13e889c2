//! Request ids of responses.

use lectern_tests::{TestServer, a_completed_job, on_both_backends};

use crate::http::support::{JOBS, job_path};

on_both_backends!(every_response_has_a_request_id_and_keeps_a_given_one);

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
