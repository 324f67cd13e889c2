use chrono::TimeDelta;
use lectern_domain::{JobId, NewClip};
use lectern_tests::{
    Body, TestServer, a_clip_of, a_job, clips, content_segments, on_both_backends, snapshot,
};
use serde_json::{Value, json};

use crate::http::support::job_set::JobSet;
use crate::http::support::{JOBS, UNKNOWN_ID, dump, job_path};

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
    putting_back_what_get_returned_changes_nothing,
    an_item_with_an_id_changes_this_clip,
    clips_swap_their_positions,
    an_id_of_another_job_or_a_repeated_one_is_rejected,
    a_repeated_set_keeps_the_subtitles_that_a_client_stored_since,
    an_item_with_an_id_removes_subtitles,
    a_large_set_keeps_ids,
    numbers_in_any_spelling_keep_ids,
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

fn putting_back_what_get_returned_changes_nothing(server: TestServer) {
    let path = CLIPS.of_a_new_job(&server);
    server.put(&path, &CLIPS.body(&clips(5))).expect(200);
    let before = dump(server.db());
    let got = server.get(&path).expect(200).json();
    server.db().clock().advance(TimeDelta::seconds(1));
    assert_eq!(server.put(&path, &got).expect(200).json(), got);
    assert_eq!(dump(server.db()), before);
}

fn an_item_with_an_id_changes_this_clip(server: TestServer) {
    let path = CLIPS.of_a_new_job(&server);
    let stored = server.put(&path, &CLIPS.body(&clips(3))).expect(200).json();
    server.db().clock().advance(TimeDelta::seconds(1));
    let mut sent = stored.clone();
    let list = sent["clips"].as_array_mut().unwrap();
    list[0]["title"] = json!("Renamed");
    list[1]["end_time"] = json!(400);
    list[2] = titled("New");
    let changed = server.put(&path, &sent).expect(200).json();
    assert_eq!(server.get(&path).expect(200).json(), changed);
    let clip = |i: usize| (&stored["clips"][i], &changed["clips"][i]);

    let (old, new) = clip(0);
    let mut expected = old.clone();
    expected["title"] = json!("Renamed");
    assert_eq!(
        new, &expected,
        "the same id and time of creation; not stale"
    );
    let (old, new) = clip(1);
    let mut expected = old.clone();
    expected["end_time"] = json!(400.0);
    expected["duration"] = json!(400.0 - old["start_time"].as_f64().unwrap());
    expected["stale"] = json!(true);
    assert_eq!(new, &expected);
    let (old, new) = clip(2);
    assert_ne!(new["clip_id"], old["clip_id"]);
    assert_ne!(new["created_at"], old["created_at"]);
    assert_eq!(new["stale"], json!(false));

    // Cut again by another worker, which names the new file.
    let mut sent = changed.clone();
    sent["clips"][1]["s3_key"] = json!("clips/again.mp4");
    let cut = server.put(&path, &sent).expect(200).json();
    assert_eq!(cut["clips"][1]["stale"], json!(false));
    assert_eq!(cut["clips"][1]["clip_id"], stored["clips"][1]["clip_id"]);
}

fn clips_swap_their_positions(server: TestServer) {
    let path = CLIPS.of_a_new_job(&server);
    let stored = server.put(&path, &CLIPS.body(&clips(3))).expect(200).json();
    let mut sent = stored.clone();
    for (i, order) in [2, 0, 1].into_iter().enumerate() {
        sent["clips"][i]["clip_order"] = json!(order);
    }
    let sorted = server.put(&path, &sent).expect(200).json();
    let ids = |set: &Value, order: [usize; 3]| order.map(|i| set["clips"][i]["clip_id"].clone());
    assert_eq!(ids(&sorted, [0, 1, 2]), ids(&stored, [1, 2, 0]));
}

fn an_id_of_another_job_or_a_repeated_one_is_rejected(server: TestServer) {
    let (path, other) = (CLIPS.of_a_new_job(&server), CLIPS.of_a_new_job(&server));
    let stored = server.put(&path, &CLIPS.body(&clips(2))).expect(200).json();
    let foreign = server
        .put(&other, &CLIPS.body(&clips(1)))
        .expect(200)
        .json();
    let before = dump(server.db());
    let mut sent = stored.clone();
    for (id, field) in [
        (&foreign["clips"][0]["clip_id"], "clips[1].clip_id"),
        (&json!(UNKNOWN_ID), "clips[1].clip_id"),
        (&stored["clips"][0]["clip_id"], "clips[1].clip_id"),
    ] {
        sent["clips"][1]["clip_id"] = id.clone();
        server
            .put(&path, &sent)
            .problem_with(422, "validation_failed", field);
    }
    // Also in a set that has no rows yet.
    server
        .put(&CLIPS.of_a_new_job(&server), &stored)
        .problem_with(422, "validation_failed", "clips[0].clip_id");
    server
        .db()
        .sql()
        .execute("DELETE FROM jobs WHERE job_id NOT IN (SELECT job_id FROM clips)")
        .unwrap();
    assert_eq!(
        dump(server.db()).iter().find(|(table, _)| table == "clips"),
        before.iter().find(|(table, _)| table == "clips")
    );
}

/// Stores subtitles for a clip, as a person does.
fn put_subtitles(server: &TestServer, clip: &Value) {
    let path = format!(
        "/api/v1/clips/{}/subtitles",
        clip["clip_id"].as_str().unwrap()
    );
    let body = json!({ "segments": [{ "start_time": 0, "end_time": 2, "text": "Corrected." }] });
    server.put(&path, &body).expect(200);
}

fn a_repeated_set_keeps_the_subtitles_that_a_client_stored_since(server: TestServer) {
    let path = CLIPS.of_a_new_job(&server);
    let body = CLIPS.body(&clips(3));
    let stored = server.put(&path, &body).expect(200).json();
    put_subtitles(&server, &stored["clips"][1]);
    let with_subtitles = server.get(&path).expect(200).json();
    assert_ne!(with_subtitles, stored);
    assert_eq!(server.put(&path, &body).expect(200).json(), with_subtitles);
    assert_eq!(server.get(&path).expect(200).json(), with_subtitles);

    // A different set replaces them.
    let mut other = body.clone();
    other["clips"][1]["title"] = json!("Another clip");
    let replaced = server.put(&path, &other).expect(200).json();
    assert_eq!(replaced["clips"][1]["subtitle_s3_key"], "clips/1.vtt");
}

fn an_item_with_an_id_removes_subtitles(server: TestServer) {
    let path = CLIPS.of_a_new_job(&server);
    let stored = server.put(&path, &CLIPS.body(&clips(1))).expect(200).json();
    put_subtitles(&server, &stored["clips"][0]);
    let mut sent = server.get(&path).expect(200).json();
    sent["clips"][0]["subtitle_s3_key"] = Value::Null;
    assert_eq!(server.put(&path, &sent).expect(200).json(), sent);
}

fn a_large_set_keeps_ids(server: TestServer) {
    let path = CLIPS.of_a_new_job(&server);
    let stored = server
        .put(&path, &CLIPS.body(&clips(2_500)))
        .expect(200)
        .json();
    let mut sent = stored.clone();
    sent["clips"].as_array_mut().unwrap().reverse();
    sent["clips"][0]["start_time"] = json!(0);
    let changed = server.put(&path, &sent).expect(200).json();
    let mut expected = stored;
    expected["clips"][2_499]["start_time"] = json!(0.0);
    expected["clips"][2_499]["stale"] = json!(true);
    expected["clips"][2_499]["duration"] = expected["clips"][2_499]["end_time"].clone();
    assert_eq!(changed, expected);
}

fn numbers_in_any_spelling_keep_ids(server: TestServer) {
    let path = CLIPS.of_a_new_job(&server);
    let put = |numbers: &str| {
        let body = format!(
            r#"{{"clips": [{{"title": "a", "start_time": 1, "end_time": 31,
                             "extra_metadata": {{"n": {numbers}}}}}]}}"#
        );
        let request = server.request("PUT", &path);
        let response = request.body("application/json", body).send().expect(200);
        response.text().to_owned()
    };
    let stored = put("[1e16, -1.5E+17, -0.0, -0, 1.0, 1, 1e-7, 1e20]");
    let spelled = "[10000000000000000,-150000000000000000,0.0,0.0,1.0,1,1e-7,1e+20]";
    assert!(stored.contains(spelled), "{stored}");
    let other = "[10000000000000000, -150000000000000000, 0.0, 0.0, 1.00, 1, 0.0000001, 100000000000000000000]";
    for numbers in [
        "[1e16, -1.5E+17, -0.0, -0, 1.0, 1, 1e-7, 1e20]",
        spelled,
        other,
    ] {
        assert_eq!(put(numbers), stored, "{numbers}");
    }
    assert_eq!(server.get(&path).expect(200).text(), stored);
    assert_ne!(
        put("[1e16, -1.5E+17, -0.0, -0, 1.0, 1.0, 1e-7, 1e20]"),
        stored
    );
}
