//! Errors of bodies that break a rule many times, or at great length.

use lectern_tests::{TestServer, a_job, on_both_backends};
use serde_json::json;

use crate::http::support::{JOBS, a_recording, dump, job_path};

on_both_backends!(
    a_body_with_a_hundred_thousand_errors_gets_the_first_hundred_and_their_number,
    a_hundred_errors_are_listed_without_a_remainder,
    a_field_of_a_megabyte_is_not_quoted_in_full,
);

/// Upper bound of a problem document with a hundred errors.
const MAX_PROBLEM_BYTES: usize = 64 << 10;

fn a_body_with_a_hundred_thousand_errors_gets_the_first_hundred_and_their_number(
    server: TestServer,
) {
    let job_id = a_job().create(server.db()).job_id;
    let before = dump(server.db());
    let segment = json!({ "start_time": -1, "end_time": -1, "text": "" });
    let region = json!({ "start_time": -1, "end_time": -1, "silence_type": "both" });
    let topic = json!({ "start_time": -1, "end_time": -1, "topic": "t", "importance_score": 0.5 });
    let clip = json!({ "start_time": -1, "end_time": -1, "title": "t" });
    for (path, list, item) in [
        ("/transcripts", "segments", segment),
        ("/silence-regions", "regions", region),
        ("/content-segments", "segments", topic),
        ("/clips", "clips", clip),
    ] {
        let body = json!({ list: vec![item; 50_000] });
        let answer = server.put(&job_path(job_id, path), &body);
        let errors = answer.problem(422, "validation_failed");
        assert_eq!(errors.len(), 100, "{path}");
        assert_eq!(errors[0]["field"], format!("{list}[0].end_time"));
        assert_eq!(errors[99]["field"], format!("{list}[49].start_time"));
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert_eq!(
            detail,
            "100000 fields are invalid; the first 100 are in \"errors\""
        );
        assert!(answer.body.len() < MAX_PROBLEM_BYTES, "{path}");
    }
    assert_eq!(dump(server.db()), before);
}

fn a_hundred_errors_are_listed_without_a_remainder(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let broken = json!({ "start_time": -1, "end_time": 1, "text": "a" });
    let body = json!({ "segments": vec![broken; 100] });
    let answer = server.put(&job_path(job_id, "/transcripts"), &body);
    assert_eq!(answer.problem(422, "validation_failed").len(), 100);
    assert_eq!(answer.json()["detail"], "100 fields are invalid");
}

fn a_field_of_a_megabyte_is_not_quoted_in_full(server: TestServer) {
    let mut body = a_recording();
    body["\u{1}".repeat(150_000)] = json!(1);
    let answer = server.post(JOBS, &body);
    let errors = answer.problem(422, "validation_failed");
    assert_eq!(errors.len(), 1);
    assert!(answer.body.len() < MAX_PROBLEM_BYTES);
}
