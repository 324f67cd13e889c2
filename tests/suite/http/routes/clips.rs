use chrono::TimeDelta;
use lectern_domain::{JobId, NewClip};
use lectern_tests::{
    Body, TestServer, a_clip_of, a_job, clips, content_segments, on_both_backends, snapshot,
};
use serde_json::{Value, json};

use crate::http::support::{JOBS, NOBODY, at, at_once};

on_both_backends!(
    clips_are_answered_as_they_were_sent,
    every_clip_has_a_name_a_length_and_a_date,
    an_order_that_is_left_out_is_the_position,
    no_two_clips_have_one_order,
    the_same_set_again_leaves_the_same_clips_ids_and_all,
    another_set_takes_the_place_of_the_one_before,
    of_a_set_with_one_bad_clip_nothing_is_stored,
    a_clip_shows_a_segment_of_its_own_job_or_none,
    the_top_clips_are_the_most_important_and_those_without_a_score_come_last,
    a_job_without_clips_has_an_empty_list,
    nobody_has_no_clips,
    sets_put_by_many_at_once_leave_exactly_one,
);

/// Where the clips of a new job are.
fn of_a_job(server: &TestServer) -> String {
    at(a_job().create(server.db()).job_id, "/clips")
}

fn body(clips: &[NewClip]) -> Value {
    json!({ "clips": clips.body() })
}

/// A clip as short as it may be sent.
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

/// Stores two content segments for a job; answers the name of one.
fn a_segment_of(server: &TestServer, job_id: JobId) -> String {
    let segments = json!({ "segments": content_segments(2).body() });
    let stored = server
        .put(&at(job_id, "/content-segments"), &segments)
        .expect(200)
        .json();
    stored["segments"][1]["segment_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The clips of an answer without what the server has added.
pub(crate) fn as_sent(mut answer: Value) -> Value {
    for clip in answer["clips"].as_array_mut().unwrap() {
        let clip = clip.as_object_mut().unwrap();
        for added in ["clip_id", "duration", "created_at"] {
            assert!(clip.remove(added).is_some(), "{added}");
        }
    }
    answer["clips"].take()
}

fn clips_are_answered_as_they_were_sent(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let path = at(job_id, "/clips");
    let mut sent = body(&clips(40));
    sent["clips"][7]["content_segment_id"] = json!(a_segment_of(&server, job_id));
    sent["clips"][8]["extra_metadata"] =
        json!({ "id": 8, "deep": { "a": [1, 2.5, null, true, "\\%_'\""] } });
    let stored = server.put(&path, &sent).expect(200).json();
    assert_eq!(server.get(&path).expect(200).json(), stored);
    assert_eq!(stored["total"], 40);
    assert_eq!(as_sent(stored), sent["clips"]);
}

fn every_clip_has_a_name_a_length_and_a_date(server: TestServer) {
    let full = clips(1).body()[0].take();
    let answer = server
        .put(
            &of_a_job(&server),
            &json!({ "clips": [full, titled("Only what must be")] }),
        )
        .expect(200);
    snapshot!("clips", answer.json());
}

fn an_order_that_is_left_out_is_the_position(server: TestServer) {
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

fn no_two_clips_have_one_order(server: TestServer) {
    let path = of_a_job(&server);
    let mut clips = ["a", "b", "c"].map(titled);
    clips[0]["clip_order"] = json!(2);
    let answer = server.put(&path, &json!({ "clips": clips }));
    answer.problem_with(422, "validation_failed", "clips[2].clip_order");
    assert_eq!(titles(&server.get(&path).expect(200).json()), [""; 0]);
}

fn the_same_set_again_leaves_the_same_clips_ids_and_all(server: TestServer) {
    let path = of_a_job(&server);
    let stored = server.put(&path, &body(&clips(9))).expect(200).json();
    server.db().clock().advance(TimeDelta::seconds(1));
    assert_eq!(
        server.put(&path, &body(&clips(9))).expect(200).json(),
        stored
    );
    assert_eq!(server.get(&path).expect(200).json(), stored);
}

fn another_set_takes_the_place_of_the_one_before(server: TestServer) {
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

fn of_a_set_with_one_bad_clip_nothing_is_stored(server: TestServer) {
    let path = of_a_job(&server);
    let stored = server.put(&path, &body(&clips(2))).expect(200).json();
    let mut sent = body(&clips(20));
    sent["clips"][19]["s3_key"] = json!("k".repeat(501));
    server
        .put(&path, &sent)
        .problem_with(422, "validation_failed", "clips[19].s3_key");
    assert_eq!(server.get(&path).expect(200).json(), stored);
}

fn a_clip_shows_a_segment_of_its_own_job_or_none(server: TestServer) {
    let (job_id, other) = (
        a_job().create(server.db()).job_id,
        a_job().create(server.db()).job_id,
    );
    let (own, foreign) = (a_segment_of(&server, job_id), a_segment_of(&server, other));
    let path = at(job_id, "/clips");
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
    along([&own, NOBODY, &own]).problem_with(
        422,
        "validation_failed",
        "clips[1].content_segment_id",
    );
    assert_eq!(server.get(&path).expect(200).json(), stored);
}

fn the_top_clips_are_the_most_important_and_those_without_a_score_come_last(server: TestServer) {
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
    let answer = server.get(&at(job_id, "/clips")).expect(200).json();
    assert_eq!(answer, json!({ "job_id": job_id, "clips": [], "total": 0 }));
}

fn nobody_has_no_clips(server: TestServer) {
    let path = format!("{JOBS}/{NOBODY}/clips");
    server.get(&path).problem(404, "job_not_found");
    server
        .get(&format!("{path}?top=3"))
        .problem(404, "job_not_found");
    server
        .put(&path, &body(&clips(2)))
        .problem(404, "job_not_found");
    server
        .put(&path, &body(&[a_clip_of(NOBODY.parse().unwrap())]))
        .problem(404, "job_not_found");
}

fn sets_put_by_many_at_once_leave_exactly_one(server: TestServer) {
    let path = of_a_job(&server);
    let answers = at_once(8, |i| {
        server
            .put(&path, &body(&clips(3 * (i + 1))))
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
