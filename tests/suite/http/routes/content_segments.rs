use chrono::TimeDelta;
use lectern_domain::NewContentSegment;
use lectern_tests::{
    Body, TestServer, a_clip_of, a_job, content_segments, on_both_backends, snapshot,
};
use serde_json::{Value, json};

use crate::http::support::{JOBS, UNKNOWN_ID, concurrently, job_path};

on_both_backends!(
    content_segments_are_returned_as_sent,
    every_segment_has_an_id_a_duration_and_a_creation_time,
    an_omitted_order_is_the_position,
    segment_orders_are_unique,
    putting_the_same_set_again_keeps_the_segments_and_their_ids,
    a_new_set_replaces_the_old_one,
    a_clip_outlives_its_content_segment,
    a_set_with_an_invalid_segment_stores_nothing,
    a_keyword_matches_exactly,
    top_segments_are_ordered_by_importance_then_time,
    a_job_without_content_segments_has_an_empty_list,
    content_segments_of_an_unknown_job_are_not_found,
    concurrent_puts_leave_one_whole_set,
);

/// The path of the content segments of a new job.
fn of_a_job(server: &TestServer) -> String {
    job_path(a_job().create(server.db()).job_id, "/content-segments")
}

fn body(segments: &[NewContentSegment]) -> Value {
    json!({ "segments": segments.body() })
}

/// A segment with few fields.
fn about(topic: &str, importance: f64, keywords: &[&str]) -> Value {
    json!({ "start_time": 0, "end_time": 60, "topic": topic, "importance_score": importance, "keywords": keywords })
}

fn topics(answer: &Value) -> Vec<&str> {
    let segments = answer["segments"].as_array().unwrap();
    assert_eq!(answer["total"], json!(segments.len()));
    segments
        .iter()
        .map(|segment| segment["topic"].as_str().unwrap())
        .collect()
}

/// The segments of a response without the fields added by the server.
pub(crate) fn as_sent(mut answer: Value) -> Value {
    for segment in answer["segments"].as_array_mut().unwrap() {
        let segment = segment.as_object_mut().unwrap();
        for added in ["segment_id", "duration", "created_at"] {
            assert!(segment.remove(added).is_some(), "{added}");
        }
    }
    answer["segments"].take()
}

/// `text` percent-encoded for a query string.
fn encoded(text: &str) -> String {
    let bytes: Vec<_> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    bytes.concat()
}

fn content_segments_are_returned_as_sent(server: TestServer) {
    let path = of_a_job(&server);
    let sent = body(&content_segments(60));
    let stored = server.put(&path, &sent).expect(200).json();
    assert_eq!(server.get(&path).expect(200).json(), stored);
    assert_eq!(stored["total"], 60);
    assert_eq!(as_sent(stored), sent["segments"]);
}

fn every_segment_has_an_id_a_duration_and_a_creation_time(server: TestServer) {
    let full = content_segments(1).body()[0].take();
    let bare = json!({ "start_time": 300, "end_time": 301.5, "topic": "Questions", "importance_score": 0 });
    let answer = server
        .put(&of_a_job(&server), &json!({ "segments": [full, bare] }))
        .expect(200);
    snapshot!("content_segments", answer.json());
}

fn an_omitted_order_is_the_position(server: TestServer) {
    let path = of_a_job(&server);
    let mut segments = ["a", "b", "c", "d"].map(|topic| about(topic, 0.5, &[]));
    segments[1]["segment_order"] = json!(9);
    segments[2]["segment_order"] = Value::Null;
    let stored = server
        .put(&path, &json!({ "segments": segments }))
        .expect(200)
        .json();
    assert_eq!(topics(&stored), ["a", "c", "d", "b"]);
    let orders: Vec<_> = stored["segments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| &s["segment_order"])
        .collect();
    assert_eq!(orders, [0, 2, 3, 9]);
}

fn segment_orders_are_unique(server: TestServer) {
    let path = of_a_job(&server);
    let mut segments = ["a", "b", "c"].map(|topic| about(topic, 0.5, &[]));
    segments[0]["segment_order"] = json!(2);
    let answer = server.put(&path, &json!({ "segments": segments }));
    answer.problem_with(422, "validation_failed", "segments[2].segment_order");
    assert_eq!(topics(&server.get(&path).expect(200).json()), [""; 0]);
}

fn putting_the_same_set_again_keeps_the_segments_and_their_ids(server: TestServer) {
    let path = of_a_job(&server);
    let stored = server
        .put(&path, &body(&content_segments(9)))
        .expect(200)
        .json();
    server.db().clock().advance(TimeDelta::seconds(1));
    assert_eq!(
        server
            .put(&path, &body(&content_segments(9)))
            .expect(200)
            .json(),
        stored
    );
    assert_eq!(server.get(&path).expect(200).json(), stored);
}

fn a_new_set_replaces_the_old_one(server: TestServer) {
    let (path, other) = (of_a_job(&server), of_a_job(&server));
    for path in [&path, &other] {
        server.put(path, &body(&content_segments(3))).expect(200);
    }
    let new = json!({ "segments": [about("new", 0.5, &[])] });
    assert_eq!(topics(&server.put(&path, &new).expect(200).json()), ["new"]);
    assert_eq!(topics(&server.get(&path).expect(200).json()), ["new"]);
    server.put(&path, &body(&[])).expect(200);
    assert_eq!(topics(&server.get(&path).expect(200).json()), [""; 0]);
    assert_eq!(server.get(&other).expect(200).json()["total"], 3);
}

fn a_clip_outlives_its_content_segment(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let (path, clips) = (
        job_path(job_id, "/content-segments"),
        job_path(job_id, "/clips"),
    );
    let stored = server
        .put(&path, &body(&content_segments(2)))
        .expect(200)
        .json();
    let segment_id = stored["segments"][1]["segment_id"].as_str().unwrap();
    let clip = a_clip_of(segment_id.parse().unwrap()).body();
    server.put(&clips, &json!({ "clips": [clip] })).expect(200);
    server.put(&path, &body(&content_segments(2))).expect(200);
    assert_eq!(
        server.get(&clips).expect(200).json()["clips"][0]["content_segment_id"],
        segment_id
    );
    server.put(&path, &body(&content_segments(1))).expect(200);
    let left = server.get(&clips).expect(200).json();
    assert_eq!(
        (&left["total"], &left["clips"][0]["content_segment_id"]),
        (&json!(1), &Value::Null)
    );
}

fn a_set_with_an_invalid_segment_stores_nothing(server: TestServer) {
    let path = of_a_job(&server);
    let stored = server
        .put(&path, &body(&content_segments(2)))
        .expect(200)
        .json();
    let mut sent = body(&content_segments(20));
    sent["segments"][19]["keywords"] = json!(["fine", ""]);
    server
        .put(&path, &sent)
        .problem_with(422, "validation_failed", "segments[19].keywords[1]");
    assert_eq!(server.get(&path).expect(200).json(), stored);
}

fn a_keyword_matches_exactly(server: TestServer) {
    let path = of_a_job(&server);
    let odd = [
        "100%",
        "a_b",
        "it's",
        "\"q\"",
        "\\",
        "{a}",
        "?",
        "$1",
        "wächst",
        "\u{1F393}",
        "a&b=c",
    ];
    let segments = [
        about("heat", 0.5, &["entropy", "second law"]),
        about("close", 0.5, &["entropy rate", "Entropy"]),
        about("odd", 0.5, &odd),
        about("none", 0.5, &[]),
    ];
    server
        .put(&path, &json!({ "segments": segments }))
        .expect(200);
    let by = |keyword: &str| {
        server
            .get(&format!("{path}?keyword={}", encoded(keyword)))
            .expect(200)
            .json()
    };
    assert_eq!(topics(&by("entropy")), ["heat"]);
    assert_eq!(topics(&by("Entropy")), ["close"]);
    assert_eq!(topics(&by("second law")), ["heat"]);
    for keyword in odd {
        assert_eq!(topics(&by(keyword)), ["odd"], "{keyword}");
    }
    for keyword in ["entrop", "%", "_", "law", "[]", "'", "WÄCHST"] {
        assert_eq!(topics(&by(keyword)), [""; 0], "{keyword}");
    }
}

fn top_segments_are_ordered_by_importance_then_time(server: TestServer) {
    let path = of_a_job(&server);
    let segments = [
        about("least", 0.0, &[]),
        about("tied early", 0.5, &["k"]),
        about("most", 1.0, &[]),
        about("tied late", 0.5, &["k"]),
        about("keyed", 0.25, &["k"]),
    ];
    server
        .put(&path, &json!({ "segments": segments }))
        .expect(200);
    for (query, found) in [
        ("top=1", &["most"][..]),
        ("top=3", &["most", "tied early", "tied late"]),
        (
            "top=1000",
            &["most", "tied early", "tied late", "keyed", "least"],
        ),
        ("top=2&keyword=k", &["tied early", "tied late"]),
        ("keyword=k", &["tied early", "tied late", "keyed"]),
    ] {
        assert_eq!(
            topics(&server.get(&format!("{path}?{query}")).expect(200).json()),
            found,
            "{query}"
        );
    }
}

fn a_job_without_content_segments_has_an_empty_list(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let answer = server
        .get(&job_path(job_id, "/content-segments"))
        .expect(200)
        .json();
    assert_eq!(
        answer,
        json!({ "job_id": job_id, "segments": [], "total": 0 })
    );
}

fn content_segments_of_an_unknown_job_are_not_found(server: TestServer) {
    let path = format!("{JOBS}/{UNKNOWN_ID}/content-segments");
    server.get(&path).problem(404, "job_not_found");
    server
        .get(&format!("{path}?top=3&keyword=x"))
        .problem(404, "job_not_found");
    server
        .put(&path, &body(&content_segments(2)))
        .problem(404, "job_not_found");
}

fn concurrent_puts_leave_one_whole_set(server: TestServer) {
    let path = of_a_job(&server);
    let answers = concurrently(8, |i| {
        server
            .put(&path, &body(&content_segments(3 * (i + 1))))
            .expect(200)
            .json()
    });
    for (i, answer) in answers.iter().enumerate() {
        assert_eq!(
            answer["total"],
            json!(3 * (i + 1)),
            "each is answered the set it has put"
        );
    }
    assert!(answers.contains(&server.get(&path).expect(200).json()));
}
