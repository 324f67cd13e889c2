use lectern_domain::{JobId, NewClip};
use lectern_tests::{
    Body, TestServer, a_clip_of, a_job, clips, content_segments, on_both_backends, snapshot,
};
use serde_json::{Value, json};

use crate::http::support::job_set::JobSet;
use crate::http::support::{JOBS, UNKNOWN_ID, job_path};

on_both_backends!(
    clips_are_returned_as_sent,
    every_clip_has_an_id_a_duration_and_a_creation_time,
    an_omitted_order_is_the_position,
    clip_orders_are_unique,
    putting_the_same_set_again_keeps_the_clips_and_their_ids,
    a_new_set_replaces_the_old_one,
    a_set_with_an_invalid_clip_stores_nothing,
    a_clip_refers_to_a_segment_of_its_own_job_or_none,
    top_clips_are_ordered_by_importance_with_unscored_clips_last,
    a_job_without_clips_has_an_empty_list,
    clips_of_an_unknown_job_are_not_found,
    concurrent_puts_leave_one_set,
);

pub(super) const CLIPS: JobSet = JobSet {
    path: "/clips",
    list: "clips",
    id: "clip_id",
};

/// A clip with the required fields only.
fn titled(title: &str) -> Value {
    json!({ "title": title, "start_time": 1, "end_time": 31 })
}

fn titles(response: &Value) -> Vec<&str> {
    CLIPS.texts(response, "title")
}

/// Stores two content segments for a job; returns the id of the second.
fn a_segment_of(server: &TestServer, job_id: JobId) -> String {
    let segments = json!({ "segments": content_segments(2).body() });
    let stored = server
        .put(&job_path(job_id, "/content-segments"), &segments)
        .expect(200)
        .json();
    stored["segments"][1]["segment_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn clips_are_returned_as_sent(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let path = job_path(job_id, "/clips");
    let mut sent = CLIPS.body(&clips(40));
    sent["clips"][7]["content_segment_id"] = json!(a_segment_of(&server, job_id));
    sent["clips"][8]["extra_metadata"] =
        json!({ "id": 8, "deep": { "a": [1, 2.5, null, true, "\\%_'\""] } });
    CLIPS.assert_returned_as_sent(&server, &path, &sent);
}

fn every_clip_has_an_id_a_duration_and_a_creation_time(server: TestServer) {
    let full = clips(1).body()[0].take();
    let answer = server
        .put(
            &CLIPS.of_a_new_job(&server),
            &json!({ "clips": [full, titled("Only the required fields")] }),
        )
        .expect(200);
    snapshot!("clips", answer.json());
}

fn an_omitted_order_is_the_position(server: TestServer) {
    let path = CLIPS.of_a_new_job(&server);
    let mut clips = ["a", "b", "c", "d"].map(titled);
    clips[1]["clip_order"] = json!(9);
    clips[2]["clip_order"] = Value::Null;
    let stored = server
        .put(&path, &json!({ "clips": clips }))
        .expect(200)
        .json();
    assert_eq!(titles(&stored), ["a", "c", "d", "b"]);
    let orders: Vec<_> = stored["clips"]
        .as_array()
        .unwrap()
        .iter()
        .map(|clip| &clip["clip_order"])
        .collect();
    assert_eq!(orders, [0, 2, 3, 9]);
}

fn clip_orders_are_unique(server: TestServer) {
    let path = CLIPS.of_a_new_job(&server);
    let mut clips = ["a", "b", "c"].map(titled);
    clips[0]["clip_order"] = json!(2);
    let answer = server.put(&path, &json!({ "clips": clips }));
    answer.problem_with(422, "validation_failed", "clips[2].clip_order");
    assert_eq!(titles(&server.get(&path).expect(200).json()), [""; 0]);
}

fn putting_the_same_set_again_keeps_the_clips_and_their_ids(server: TestServer) {
    CLIPS.assert_kept_by_an_equal_put(&server, &CLIPS.body(&clips(9)));
}

fn a_new_set_replaces_the_old_one(server: TestServer) {
    let (path, other) = (CLIPS.of_a_new_job(&server), CLIPS.of_a_new_job(&server));
    for path in [&path, &other] {
        server.put(path, &CLIPS.body(&clips(3))).expect(200);
    }
    assert_eq!(
        titles(
            &server
                .put(&path, &json!({ "clips": [titled("new")] }))
                .expect(200)
                .json()
        ),
        ["new"]
    );
    assert_eq!(titles(&server.get(&path).expect(200).json()), ["new"]);
    server.put(&path, &CLIPS.body::<NewClip>(&[])).expect(200);
    assert_eq!(titles(&server.get(&path).expect(200).json()), [""; 0]);
    assert_eq!(server.get(&other).expect(200).json()["total"], 3);
}

fn a_set_with_an_invalid_clip_stores_nothing(server: TestServer) {
    let path = CLIPS.of_a_new_job(&server);
    let stored = server.put(&path, &CLIPS.body(&clips(2))).expect(200).json();
    let mut sent = CLIPS.body(&clips(20));
    sent["clips"][19]["s3_key"] = json!("k".repeat(501));
    server
        .put(&path, &sent)
        .problem_with(422, "validation_failed", "clips[19].s3_key");
    assert_eq!(server.get(&path).expect(200).json(), stored);
}

fn a_clip_refers_to_a_segment_of_its_own_job_or_none(server: TestServer) {
    let (job_id, other) = (
        a_job().create(server.db()).job_id,
        a_job().create(server.db()).job_id,
    );
    let (own, foreign) = (a_segment_of(&server, job_id), a_segment_of(&server, other));
    let path = job_path(job_id, "/clips");
    let put_clips_of = |segments: [&str; 3]| {
        let clips: Vec<_> = segments
            .iter()
            .zip(clips(3))
            .map(|(segment, clip)| NewClip {
                clip_order: clip.clip_order,
                ..a_clip_of(segment.parse().unwrap())
            })
            .collect();
        server.put(&path, &CLIPS.body(&clips))
    };
    let stored = put_clips_of([&own, &own, &own]).expect(200).json();
    put_clips_of([&own, &own, &foreign]).problem_with(
        422,
        "validation_failed",
        "clips[2].content_segment_id",
    );
    put_clips_of([&own, UNKNOWN_ID, &own]).problem_with(
        422,
        "validation_failed",
        "clips[1].content_segment_id",
    );
    assert_eq!(server.get(&path).expect(200).json(), stored);
}

fn top_clips_are_ordered_by_importance_with_unscored_clips_last(server: TestServer) {
    let path = CLIPS.of_a_new_job(&server);
    let scores = [
        ("none", None),
        ("least", Some(0.0)),
        ("tied early", Some(0.5)),
        ("most", Some(1.0)),
        ("tied late", Some(0.5)),
    ];
    let clips = scores.map(|(title, score)| {
        let mut clip = titled(title);
        clip["importance_score"] = json!(score);
        clip
    });
    server.put(&path, &json!({ "clips": clips })).expect(200);
    for (query, found) in [
        ("?top=1", &["most"][..]),
        ("?top=3", &["most", "tied early", "tied late"]),
        (
            "?top=1000",
            &["most", "tied early", "tied late", "least", "none"],
        ),
        ("", &["none", "least", "tied early", "most", "tied late"]),
    ] {
        assert_eq!(
            titles(&server.get(&format!("{path}{query}")).expect(200).json()),
            found,
            "{query}"
        );
    }
}

fn a_job_without_clips_has_an_empty_list(server: TestServer) {
    CLIPS.assert_empty_without_rows(&server);
}

fn clips_of_an_unknown_job_are_not_found(server: TestServer) {
    let path = format!("{JOBS}/{UNKNOWN_ID}/clips");
    server.get(&path).problem(404, "job_not_found");
    server
        .get(&format!("{path}?top=3"))
        .problem(404, "job_not_found");
    server
        .put(&path, &CLIPS.body(&clips(2)))
        .problem(404, "job_not_found");
    server
        .put(
            &path,
            &CLIPS.body(&[a_clip_of(UNKNOWN_ID.parse().unwrap())]),
        )
        .problem(404, "job_not_found");
}

fn concurrent_puts_leave_one_set(server: TestServer) {
    CLIPS.assert_concurrent_puts_leave_one_set(&server, |n| CLIPS.body(&clips(n)));
}
