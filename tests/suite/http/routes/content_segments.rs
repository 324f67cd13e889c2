use lectern_domain::NewContentSegment;
use lectern_tests::{
    Body, TestServer, a_clip_of, a_job, content_segments, on_both_backends, snapshot,
};
use serde_json::{Value, json};

use crate::http::support::job_set::JobSet;
use crate::http::support::{JOBS, UNKNOWN_ID, job_path, percent_encoded};

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
    concurrent_puts_leave_one_set,
);

pub(super) const CONTENT_SEGMENTS: JobSet = JobSet {
    path: "/content-segments",
    list: "segments",
    id: "segment_id",
};

/// A segment without the fields that these tests do not need.
fn about(topic: &str, importance: f64, keywords: &[&str]) -> Value {
    json!({ "start_time": 0, "end_time": 60, "topic": topic, "importance_score": importance, "keywords": keywords })
}

fn topics(response: &Value) -> Vec<&str> {
    CONTENT_SEGMENTS.texts(response, "topic")
}

fn content_segments_are_returned_as_sent(server: TestServer) {
    let path = CONTENT_SEGMENTS.of_a_new_job(&server);
    let sent = CONTENT_SEGMENTS.body(&content_segments(60));
    CONTENT_SEGMENTS.assert_returned_as_sent(&server, &path, &sent);
}

fn every_segment_has_an_id_a_duration_and_a_creation_time(server: TestServer) {
    let full = content_segments(1).body()[0].take();
    let bare = json!({ "start_time": 300, "end_time": 301.5, "topic": "Questions", "importance_score": 0 });
    let answer = server
        .put(
            &CONTENT_SEGMENTS.of_a_new_job(&server),
            &json!({ "segments": [full, bare] }),
        )
        .expect(200);
    snapshot!("content_segments", answer.json());
}

fn an_omitted_order_is_the_position(server: TestServer) {
    let path = CONTENT_SEGMENTS.of_a_new_job(&server);
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
    let path = CONTENT_SEGMENTS.of_a_new_job(&server);
    let mut segments = ["a", "b", "c"].map(|topic| about(topic, 0.5, &[]));
    segments[0]["segment_order"] = json!(2);
    let answer = server.put(&path, &json!({ "segments": segments }));
    answer.problem_with(422, "validation_failed", "segments[2].segment_order");
    assert_eq!(topics(&server.get(&path).expect(200).json()), [""; 0]);
}

fn putting_the_same_set_again_keeps_the_segments_and_their_ids(server: TestServer) {
    CONTENT_SEGMENTS
        .assert_kept_by_an_equal_put(&server, &CONTENT_SEGMENTS.body(&content_segments(9)));
}

fn a_new_set_replaces_the_old_one(server: TestServer) {
    let (path, other) = (
        CONTENT_SEGMENTS.of_a_new_job(&server),
        CONTENT_SEGMENTS.of_a_new_job(&server),
    );
    for path in [&path, &other] {
        server
            .put(path, &CONTENT_SEGMENTS.body(&content_segments(3)))
            .expect(200);
    }
    let new = json!({ "segments": [about("new", 0.5, &[])] });
    assert_eq!(topics(&server.put(&path, &new).expect(200).json()), ["new"]);
    assert_eq!(topics(&server.get(&path).expect(200).json()), ["new"]);
    server
        .put(&path, &CONTENT_SEGMENTS.body::<NewContentSegment>(&[]))
        .expect(200);
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
        .put(&path, &CONTENT_SEGMENTS.body(&content_segments(2)))
        .expect(200)
        .json();
    let segment_id = stored["segments"][1]["segment_id"].as_str().unwrap();
    let clip = a_clip_of(segment_id.parse().unwrap()).body();
    server.put(&clips, &json!({ "clips": [clip] })).expect(200);
    server
        .put(&path, &CONTENT_SEGMENTS.body(&content_segments(2)))
        .expect(200);
    assert_eq!(
        server.get(&clips).expect(200).json()["clips"][0]["content_segment_id"],
        segment_id
    );
    server
        .put(&path, &CONTENT_SEGMENTS.body(&content_segments(1)))
        .expect(200);
    let left = server.get(&clips).expect(200).json();
    assert_eq!(
        (&left["total"], &left["clips"][0]["content_segment_id"]),
        (&json!(1), &Value::Null)
    );
}

fn a_set_with_an_invalid_segment_stores_nothing(server: TestServer) {
    let path = CONTENT_SEGMENTS.of_a_new_job(&server);
    let stored = server
        .put(&path, &CONTENT_SEGMENTS.body(&content_segments(2)))
        .expect(200)
        .json();
    let mut sent = CONTENT_SEGMENTS.body(&content_segments(20));
    sent["segments"][19]["keywords"] = json!(["fine", ""]);
    server
        .put(&path, &sent)
        .problem_with(422, "validation_failed", "segments[19].keywords[1]");
    assert_eq!(server.get(&path).expect(200).json(), stored);
}

fn a_keyword_matches_exactly(server: TestServer) {
    let path = CONTENT_SEGMENTS.of_a_new_job(&server);
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
            .get(&format!("{path}?keyword={}", percent_encoded(keyword)))
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
    let path = CONTENT_SEGMENTS.of_a_new_job(&server);
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
    CONTENT_SEGMENTS.assert_empty_without_rows(&server);
}

fn content_segments_of_an_unknown_job_are_not_found(server: TestServer) {
    let path = format!("{JOBS}/{UNKNOWN_ID}/content-segments");
    server.get(&path).problem(404, "job_not_found");
    server
        .get(&format!("{path}?top=3&keyword=x"))
        .problem(404, "job_not_found");
    server
        .put(&path, &CONTENT_SEGMENTS.body(&content_segments(2)))
        .problem(404, "job_not_found");
}

fn concurrent_puts_leave_one_set(server: TestServer) {
    CONTENT_SEGMENTS.assert_concurrent_puts_leave_one_set(&server, |n| {
        CONTENT_SEGMENTS.body(&content_segments(n))
    });
}
