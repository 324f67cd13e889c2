use chrono::TimeDelta;
use lectern_domain::{JobId, NewClip};
use lectern_tests::{
    Body, TestServer, a_clip_of, a_job, clips, content_segments, on_both_backends, snapshot,
};
use serde_json::{Value, json};

use crate::http::support::{JOBS, UNKNOWN_ID, concurrently, job_path};

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
    concurrent_puts_leave_one_whole_set,
);

/// The path of the clips of a new job.
fn of_a_job(server: &TestServer) -> String {
    job_path(a_job().create(server.db()).job_id, "/clips")
}

fn body(clips: &[NewClip]) -> Value {
    json!({ "clips": clips.body() })
}

/// A clip with the required fields only.
fn titled(title: &str) -> Value {
    json!({ "title": title, "start_time": 1, "end_time": 31 })
}

fn titles(answer: &Value) -> Vec<&str> {
    let clips = answer["clips"].as_array().unwrap();
    assert_eq!(answer["total"], json!(clips.len()));
    clips
        .iter()
        .map(|clip| clip["title"].as_str().unwrap())
        .collect()
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

/// The clips of a response without the fields added by the server.
pub(crate) fn as_sent(mut answer: Value) -> Value {
    for clip in answer["clips"].as_array_mut().unwrap() {
        let clip = clip.as_object_mut().unwrap();
        for added in ["clip_id", "duration", "created_at"] {
            assert!(clip.remove(added).is_some(), "{added}");
        }
    }
    answer["clips"].take()
}

fn clips_are_returned_as_sent(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let path = job_path(job_id, "/clips");
    let mut sent = body(&clips(40));
    sent["clips"][7]["content_segment_id"] = json!(a_segment_of(&server, job_id));
    sent["clips"][8]["extra_metadata"] =
        json!({ "id": 8, "deep": { "a": [1, 2.5, null, true, "\\%_'\""] } });
    let stored = server.put(&path, &sent).expect(200).json();
    assert_eq!(server.get(&path).expect(200).json(), stored);
    assert_eq!(stored["total"], 40);
    assert_eq!(as_sent(stored), sent["clips"]);
}

fn every_clip_has_an_id_a_duration_and_a_creation_time(server: TestServer) {
    let full = clips(1).body()[0].take();
    let answer = server
        .put(
            &of_a_job(&server),
            &json!({ "clips": [full, titled("Only what must be")] }),
        )
        .expect(200);
    snapshot!("clips", answer.json());
}

fn an_omitted_order_is_the_position(server: TestServer) {
    let path = of_a_job(&server);
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
    let path = of_a_job(&server);
    let mut clips = ["a", "b", "c"].map(titled);
    clips[0]["clip_order"] = json!(2);
    let answer = server.put(&path, &json!({ "clips": clips }));
    answer.problem_with(422, "validation_failed", "clips[2].clip_order");
    assert_eq!(titles(&server.get(&path).expect(200).json()), [""; 0]);
}

fn putting_the_same_set_again_keeps_the_clips_and_their_ids(server: TestServer) {
    let path = of_a_job(&server);
    let stored = server.put(&path, &body(&clips(9))).expect(200).json();
    server.db().clock().advance(TimeDelta::seconds(1));
    assert_eq!(
        server.put(&path, &body(&clips(9))).expect(200).json(),
        stored
    );
    assert_eq!(server.get(&path).expect(200).json(), stored);
}

fn a_new_set_replaces_the_old_one(server: TestServer) {
    let (path, other) = (of_a_job(&server), of_a_job(&server));
    for path in [&path, &other] {
        server.put(path, &body(&clips(3))).expect(200);
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
    server.put(&path, &body(&[])).expect(200);
    assert_eq!(titles(&server.get(&path).expect(200).json()), [""; 0]);
    assert_eq!(server.get(&other).expect(200).json()["total"], 3);
}

fn a_set_with_an_invalid_clip_stores_nothing(server: TestServer) {
    let path = of_a_job(&server);
    let stored = server.put(&path, &body(&clips(2))).expect(200).json();
    let mut sent = body(&clips(20));
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
    let along = |segments: [&str; 3]| {
        let clips: Vec<_> = segments
            .iter()
            .zip(clips(3))
            .map(|(segment, clip)| NewClip {
                clip_order: clip.clip_order,
                ..a_clip_of(segment.parse().unwrap())
            })
            .collect();
        server.put(&path, &body(&clips))
    };
    let stored = along([&own, &own, &own]).expect(200).json();
    along([&own, &own, &foreign]).problem_with(
        422,
        "validation_failed",
        "clips[2].content_segment_id",
    );
    along([&own, UNKNOWN_ID, &own]).problem_with(
        422,
        "validation_failed",
        "clips[1].content_segment_id",
    );
    assert_eq!(server.get(&path).expect(200).json(), stored);
}

fn top_clips_are_ordered_by_importance_with_unscored_clips_last(server: TestServer) {
    let path = of_a_job(&server);
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
    let job_id = a_job().create(server.db()).job_id;
    let answer = server.get(&job_path(job_id, "/clips")).expect(200).json();
    assert_eq!(answer, json!({ "job_id": job_id, "clips": [], "total": 0 }));
}

fn clips_of_an_unknown_job_are_not_found(server: TestServer) {
    let path = format!("{JOBS}/{UNKNOWN_ID}/clips");
    server.get(&path).problem(404, "job_not_found");
    server
        .get(&format!("{path}?top=3"))
        .problem(404, "job_not_found");
    server
        .put(&path, &body(&clips(2)))
        .problem(404, "job_not_found");
    server
        .put(&path, &body(&[a_clip_of(UNKNOWN_ID.parse().unwrap())]))
        .problem(404, "job_not_found");
}

fn concurrent_puts_leave_one_whole_set(server: TestServer) {
    let path = of_a_job(&server);
    let answers = concurrently(8, |i| {
        server
            .put(&path, &body(&clips(3 * (i + 1))))
            .expect(200)
            .json()
    });
    for (i, answer) in answers.iter().enumerate() {
        assert_eq!(
            answer["total"],
            json!(3 * (i + 1)),
            "each response is the set of its request"
        );
    }
    assert!(answers.contains(&server.get(&path).expect(200).json()));
}
