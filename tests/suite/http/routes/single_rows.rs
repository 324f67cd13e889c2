//! Clips, transcript segments and content segments that clients correct one by one.

use chrono::TimeDelta;
use lectern_domain::{JobId, Stage};
use lectern_tests::{
    Body, Client, Response, TestServer, a_completed_job, a_job, clips, content_segments,
    on_both_backends, segments, snapshot, store_output,
};
use serde_json::{Value, json};

use crate::http::support::worker::{claim, create_job};
use crate::http::support::{UNKNOWN_ID, concurrently, dump, job_path};

on_both_backends!(
    a_row_is_read_by_its_id,
    a_change_keeps_the_other_fields,
    null_clears_what_may_be_missing,
    an_empty_change_changes_nothing,
    every_change_has_another_entity_tag,
    a_change_of_an_older_version_is_rejected,
    of_concurrent_changes_of_one_version_one_succeeds,
    a_set_and_a_change_at_the_same_time_leave_a_state_of_one_after_the_other,
    a_deleted_row_is_gone,
    unknown_rows_are_not_found,
    a_row_cannot_be_changed_while_its_stage_is_leased,
    a_clip_is_stale_until_it_has_another_file,
    two_clips_cannot_have_the_same_position,
    clips_of_a_deleted_content_segment_lose_the_reference,
    a_clip_is_added_after_the_last_one,
    a_clip_is_added_at_a_free_position,
    a_clip_is_added_once_per_idempotency_key,
    clips_added_at_the_same_time_have_different_positions,
    a_clip_cannot_be_added_while_its_stage_is_leased,
    a_clip_after_the_greatest_position_needs_a_position,
    a_found_transcript_contains_a_correction,
);

/// A kind of row: its path, the set of a job that holds it, and the stage that stores it.
#[derive(Clone, Copy)]
struct Kind {
    path: &'static str,
    set: &'static str,
    list: &'static str,
    id: &'static str,
    stage: Stage,
    missing: &'static str,
}

const CLIP: Kind = Kind {
    path: "/api/v1/clips",
    set: "/clips",
    list: "clips",
    id: "clip_id",
    stage: Stage::Compilation,
    missing: "clip_not_found",
};
const SEGMENT: Kind = Kind {
    path: "/api/v1/transcripts",
    set: "/transcripts",
    list: "segments",
    id: "segment_id",
    stage: Stage::Transcription,
    missing: "segment_not_found",
};
const CONTENT: Kind = Kind {
    path: "/api/v1/content-segments",
    set: "/content-segments",
    list: "segments",
    id: "segment_id",
    stage: Stage::ContentAnalysis,
    missing: "segment_not_found",
};
const KINDS: [Kind; 3] = [CLIP, SEGMENT, CONTENT];

impl Kind {
    /// The rows of a job.
    fn rows(&self, client: &Client, job_id: JobId) -> Vec<Value> {
        let set = client.get(&job_path(job_id, self.set)).expect(200).json();
        set[self.list].as_array().unwrap().clone()
    }

    fn path_of(&self, row: &Value) -> String {
        format!("{}/{}", self.path, row[self.id].as_str().unwrap())
    }

    /// A body that replaces the set.
    fn a_set(&self) -> Value {
        let rows = match self.set {
            "/clips" => clips(4).body(),
            "/transcripts" => segments(4).body(),
            _ => content_segments(4).body(),
        };
        json!({ self.list: rows })
    }

    /// A change and the field that it changes.
    fn a_change(&self, text: &str) -> (&'static str, Value) {
        let field = match self.set {
            "/clips" => "title",
            "/transcripts" => "text",
            _ => "topic",
        };
        (field, json!({ field: text }))
    }
}

/// A job with output of every stage.
fn a_full_job(server: &TestServer) -> JobId {
    a_completed_job(server.db()).job_id
}

fn tag(answer: &Response) -> String {
    answer.header("ETag").unwrap().to_owned()
}

fn change_if(client: &Client, path: &str, tags: &str, change: &Value) -> Response {
    let request = client.request("PATCH", path).header("If-Match", tags);
    request.json(change).send()
}

fn a_row_is_read_by_its_id(server: TestServer) {
    let job_id = a_full_job(&server);
    for kind in KINDS {
        for row in kind.rows(&server, job_id) {
            let answer = server.get(&kind.path_of(&row)).expect(200);
            assert_eq!(answer.json(), row);
            let known = server
                .request("GET", &kind.path_of(&row))
                .header("If-None-Match", &tag(&answer))
                .send();
            assert!(known.expect(304).body.is_empty());
        }
    }
    let clip = CLIP.rows(&server, job_id).remove(0);
    snapshot!("clip", server.get(&CLIP.path_of(&clip)).json());
}

fn a_change_keeps_the_other_fields(server: TestServer) {
    let job_id = a_full_job(&server);
    for kind in KINDS {
        let [row, others @ ..] = &kind.rows(&server, job_id)[..] else {
            panic!("rows")
        };
        let path = kind.path_of(row);
        server.db().clock().advance(TimeDelta::seconds(1));
        let (field, change) = kind.a_change("Corrected");
        let mut expected = row.clone();
        expected[field] = json!("Corrected");
        let changed = server.patch(&path, &change).expect(200);
        assert_eq!(changed.json(), expected);
        assert_eq!(server.get(&path).json(), expected);
        assert_eq!(tag(&changed), tag(&server.get(&path)));

        // The times, one of them or both.
        let (start, end) = (row["start_time"].as_f64().unwrap(), 5_000.5);
        server
            .patch(&path, &json!({ "start_time": 5_000 }))
            .problem_with(422, "validation_failed", "start_time");
        server.patch(&path, &json!({ "end_time": end })).expect(200);
        let moved = server
            .patch(&path, &json!({ "start_time": 5_000 }))
            .expect(200)
            .json();
        assert_eq!(moved["duration"], json!(0.5));
        let back = json!({ "start_time": start, "end_time": row["end_time"] });
        server.patch(&path, &back).expect(200);
        assert_eq!(kind.rows(&server, job_id)[1..], *others);
    }
}

fn null_clears_what_may_be_missing(server: TestServer) {
    let job_id = a_full_job(&server);
    for (kind, fields) in [
        (
            CLIP,
            &[
                "topic",
                "importance_score",
                "content_segment_id",
                "s3_key",
                "thumbnail_s3_key",
                "subtitle_s3_key",
            ][..],
        ),
        (SEGMENT, &["confidence", "speaker_id"]),
        (CONTENT, &["description"]),
    ] {
        let row = kind.rows(&server, job_id).remove(0);
        let change: Value = fields
            .iter()
            .map(|field| ((*field).to_owned(), Value::Null))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let changed = server
            .patch(&kind.path_of(&row), &change)
            .expect(200)
            .json();
        let mut expected = row;
        for field in fields {
            expected[*field] = Value::Null;
        }
        assert_eq!(changed, expected);
    }
}

fn an_empty_change_changes_nothing(server: TestServer) {
    let job_id = a_full_job(&server);
    let before = dump(server.db());
    for kind in KINDS {
        let row = kind.rows(&server, job_id).remove(0);
        let (field, _) = kind.a_change("");
        for change in [json!({}), json!({ field: row[field] })] {
            let answer = server.patch(&kind.path_of(&row), &change).expect(200);
            assert_eq!(answer.json(), row);
        }
    }
    assert_eq!(dump(server.db()), before);
}

fn every_change_has_another_entity_tag(server: TestServer) {
    let job_id = a_full_job(&server);
    for kind in KINDS {
        let path = kind.path_of(&kind.rows(&server, job_id)[0]);
        let first = tag(&server.get(&path));
        let mut tags = vec![first.clone()];
        for text in ["one", "two", "three"] {
            let (_, change) = kind.a_change(text);
            let last = tags.last().unwrap().clone();
            tags.push(tag(&change_if(&server, &path, &last, &change).expect(200)));
        }
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), 4);
        // A replaced set with the same row has the same tag.
        assert!(tags.contains(&tag(&server.get(&path))) && first.starts_with('"'));
    }
}

fn a_change_of_an_older_version_is_rejected(server: TestServer) {
    let job_id = a_full_job(&server);
    for kind in KINDS {
        let row = kind.rows(&server, job_id).remove(0);
        let path = kind.path_of(&row);
        let old = tag(&server.get(&path));
        let (_, change) = kind.a_change("Corrected");
        let new = tag(&server.patch(&path, &change).expect(200));
        let before = dump(server.db());
        let (_, other) = kind.a_change("Again");
        for tags in [&old, &format!("W/{new}"), "\"x\"", "x", ""] {
            change_if(&server, &path, tags, &other).problem(412, "version_mismatch");
            let delete = server.request("DELETE", &path).header("If-Match", tags);
            delete.send().problem(412, "version_mismatch");
        }
        assert_eq!(dump(server.db()), before);
        for tags in ["*", &format!("{old}, {new}")] {
            change_if(&server, &path, tags, &change).expect(200);
        }
        let delete = server.request("DELETE", &path).header("If-Match", &new);
        delete.send().expect(204);
    }
}

fn of_concurrent_changes_of_one_version_one_succeeds(server: TestServer) {
    let job_id = a_full_job(&server);
    for kind in KINDS {
        let path = kind.path_of(&kind.rows(&server, job_id)[0]);
        let old = tag(&server.get(&path));
        let answers = concurrently(8, |i| {
            let (_, change) = kind.a_change(&format!("change {i}"));
            change_if(&server, &path, &old, &change)
        });
        let (succeeded, rejected): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer.status == 200);
        let [only] = &succeeded[..] else {
            panic!("{succeeded:?}")
        };
        assert_eq!(server.get(&path).json(), only.json());
        for answer in rejected {
            answer.problem(412, "version_mismatch");
        }
    }
}

fn a_set_and_a_change_at_the_same_time_leave_a_state_of_one_after_the_other(server: TestServer) {
    for round in 0..10 {
        for kind in KINDS {
            let job_id = a_job().create(server.db()).job_id;
            let set = job_path(job_id, kind.set);
            server.put(&set, &kind.a_set()).expect(200);
            let old = kind.rows(&server, job_id);
            let (field, change) = kind.a_change(&format!("change {round}"));
            let mut body = kind.a_set();
            body[kind.list].as_array_mut().unwrap().truncate(3);
            let answers = concurrently(2, |i| match i {
                0 => server.put(&set, &body),
                _ => server.patch(&kind.path_of(&old[0]), &change),
            });
            let [put, patch] = <[Response; 2]>::try_from(answers).unwrap();
            // The set is different, so its rows have new ids.
            let replaced = put.expect(200).json();
            assert_eq!(
                kind.rows(&server, job_id),
                *replaced[kind.list].as_array().unwrap()
            );
            assert_eq!(replaced["total"], 3);
            if patch.status == 200 {
                assert_eq!(patch.json()[field], change[field]);
            } else {
                patch.problem(404, kind.missing);
            }
        }
    }
}

fn a_deleted_row_is_gone(server: TestServer) {
    let job_id = a_full_job(&server);
    for kind in KINDS {
        let rows = kind.rows(&server, job_id);
        let path = kind.path_of(&rows[1]);
        assert!(server.delete(&path).expect(204).body.is_empty());
        let mut left = rows;
        left.remove(1);
        assert_eq!(kind.rows(&server, job_id), left);
        server.get(&path).problem(404, kind.missing);
        server.delete(&path).problem(404, kind.missing);
        server.patch(&path, &json!({})).problem(404, kind.missing);
    }
}

fn unknown_rows_are_not_found(server: TestServer) {
    a_full_job(&server);
    let before = dump(server.db());
    for kind in KINDS {
        for id in [UNKNOWN_ID, "1", "%00"] {
            let path = format!("{}/{id}", kind.path);
            server.get(&path).problem(404, kind.missing);
            server.delete(&path).problem(404, kind.missing);
            change_if(&server, &path, "*", &json!({})).problem(404, kind.missing);
        }
    }
    assert_eq!(dump(server.db()), before);
}

fn a_row_cannot_be_changed_while_its_stage_is_leased(server: TestServer) {
    for kind in KINDS {
        let job_id = create_job(&server, json!({}));
        store_output(server.db(), job_id);
        let row = kind.rows(&server, job_id).remove(0);
        let path = kind.path_of(&row);
        let (_, change) = kind.a_change("Corrected");
        server.patch(&path, &change).expect(200);
        let mut claimed = claim(&server, Stage::WORK).unwrap();
        while claimed.stage != kind.stage {
            claimed.send(&server, "complete", &json!({})).expect(200);
            claimed = claim(&server, Stage::WORK).unwrap();
        }
        let before = dump(server.db());
        let (_, other) = kind.a_change("Stolen");
        server.patch(&path, &other).problem(409, "lease_lost");
        server.delete(&path).problem(409, "lease_lost");
        let foreign = server
            .request("PATCH", &path)
            .header("Lease-Id", UNKNOWN_ID);
        foreign.json(&other).send().problem(409, "lease_lost");
        assert_eq!(dump(server.db()), before);
        let own = server
            .request("PATCH", &path)
            .header("Lease-Id", &claimed.lease);
        own.json(&other).send().expect(200);
        let delete = server
            .request("DELETE", &path)
            .header("Lease-Id", &claimed.lease);
        delete.send().expect(204);
        server
            .request("POST", &job_path(job_id, "/cancel"))
            .send()
            .expect(200);
    }
}

fn a_clip_is_stale_until_it_has_another_file(server: TestServer) {
    let job_id = a_full_job(&server);
    let path = CLIP.path_of(&CLIP.rows(&server, job_id)[0]);
    let stale = |change: Value| server.patch(&path, &change).expect(200).json()["stale"].clone();
    assert_eq!(stale(json!({ "title": "Renamed" })), false);
    assert_eq!(stale(json!({ "end_time": 90 })), true);
    assert_eq!(stale(json!({ "thumbnail_s3_key": "clips/new.jpg" })), true);
    assert_eq!(stale(json!({ "s3_key": null })), true);
    assert_eq!(CLIP.rows(&server, job_id)[0]["stale"], true);
    assert_eq!(stale(json!({ "s3_key": "clips/new.mp4" })), false);
    // With the times of the new file.
    let moved = json!({ "start_time": 8, "s3_key": "clips/newer.mp4" });
    assert_eq!(stale(moved), false);
}

fn two_clips_cannot_have_the_same_position(server: TestServer) {
    let job_id = a_full_job(&server);
    let other_job = a_full_job(&server);
    for kind in [CLIP, CONTENT] {
        let field = if kind.set == "/clips" {
            "clip_order"
        } else {
            "segment_order"
        };
        let rows = kind.rows(&server, job_id);
        let path = kind.path_of(&rows[0]);
        let before = dump(server.db());
        server
            .patch(&path, &json!({ field: 2 }))
            .problem_with(422, "validation_failed", field);
        assert_eq!(dump(server.db()), before);
        server.patch(&path, &json!({ field: 3 })).expect(200);
        let ids = |rows: &[Value]| {
            rows.iter()
                .map(|row| row[kind.id].clone())
                .collect::<Vec<_>>()
        };
        let moved = kind.rows(&server, job_id);
        assert_eq!(ids(&moved), [&ids(&rows)[1..], &ids(&rows)[..1]].concat());
        // Another job has positions of its own.
        let path = kind.path_of(&kind.rows(&server, other_job)[0]);
        server.patch(&path, &json!({ field: 3 })).expect(200);
    }
}

fn clips_of_a_deleted_content_segment_lose_the_reference(server: TestServer) {
    let job_id = a_full_job(&server);
    let segment = CONTENT.rows(&server, job_id).remove(0);
    assert_eq!(
        CLIP.rows(&server, job_id)[0]["content_segment_id"],
        segment["segment_id"]
    );
    server
        .patch(&CONTENT.path_of(&segment), &json!({ "topic": "Heat" }))
        .expect(200);
    assert_eq!(
        CLIP.rows(&server, job_id)[0]["content_segment_id"],
        segment["segment_id"],
        "a changed segment is still the same"
    );
    server.delete(&CONTENT.path_of(&segment)).expect(204);
    assert_eq!(
        CLIP.rows(&server, job_id)[0]["content_segment_id"],
        Value::Null
    );
}

/// A clip with the required fields only.
fn titled(title: &str) -> Value {
    json!({ "title": title, "start_time": 1, "end_time": 31 })
}

fn a_clip_is_added_after_the_last_one(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let path = job_path(job_id, "/clips");
    for (i, title) in ["a", "b", "c"].into_iter().enumerate() {
        let added = server.post(&path, &titled(title)).expect(201);
        let clip = added.json();
        assert_eq!(clip["clip_order"], json!(i));
        assert_eq!(clip["stale"], json!(false));
        let location = added.header("Location").unwrap();
        assert_eq!(location, CLIP.path_of(&clip));
        let read = server.get(location).expect(200);
        assert_eq!(read.json(), clip);
        assert_eq!(tag(&read), tag(&added));
    }
    assert_eq!(CLIP.rows(&server, job_id).len(), 3);
    let unknown = job_path(UNKNOWN_ID.parse().unwrap(), "/clips");
    server
        .post(&unknown, &titled("d"))
        .problem(404, "job_not_found");
}

fn a_clip_is_added_at_a_free_position(server: TestServer) {
    let job_id = a_full_job(&server);
    let path = job_path(job_id, "/clips");
    let at = |position: i32| {
        let mut clip = clips(1).body()[0].take();
        clip["clip_order"] = json!(position);
        clip
    };
    server
        .post(&path, &at(1))
        .problem_with(422, "validation_failed", "clip_order");
    let added = server.post(&path, &at(9)).expect(201).json();
    let rows = CLIP.rows(&server, job_id);
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[3], added);
}

fn a_clip_is_added_once_per_idempotency_key(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let add = |title: &str| {
        let request = server.request("POST", &job_path(job_id, "/clips"));
        let request = request.header("Idempotency-Key", "clip-1");
        request.json(&titled(title)).send()
    };
    let first = add("a").expect(201);
    let again = add("a").expect(201);
    assert_eq!(again.json(), first.json());
    assert_eq!(again.header("Location"), first.header("Location"));
    add("b").problem(422, "idempotency_mismatch");
    assert_eq!(CLIP.rows(&server, job_id).len(), 1);
}

fn clips_added_at_the_same_time_have_different_positions(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let path = job_path(job_id, "/clips");
    let mut positions = concurrently(8, |i| {
        let added = server.post(&path, &titled(&i.to_string())).expect(201);
        added.json()["clip_order"].as_i64().unwrap()
    });
    positions.sort_unstable();
    assert_eq!(positions, [0, 1, 2, 3, 4, 5, 6, 7]);
}

fn a_clip_cannot_be_added_while_its_stage_is_leased(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let mut claimed = claim(&server, Stage::WORK).unwrap();
    while claimed.stage != Stage::Segmentation {
        claimed.send(&server, "complete", &json!({})).expect(200);
        claimed = claim(&server, Stage::WORK).unwrap();
    }
    let path = job_path(job_id, "/clips");
    server.post(&path, &titled("a")).problem(409, "lease_lost");
    let own = server
        .request("POST", &path)
        .header("Lease-Id", &claimed.lease);
    own.json(&titled("a")).send().expect(201);
}

fn a_clip_after_the_greatest_position_needs_a_position(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let path = job_path(job_id, "/clips");
    let mut last = titled("last");
    last["clip_order"] = json!(i32::MAX);
    server.post(&path, &last).expect(201);
    server
        .post(&path, &titled("next"))
        .problem_with(422, "validation_failed", "clip_order");
    let mut first = titled("first");
    first["clip_order"] = json!(0);
    server.post(&path, &first).expect(201);
}

fn a_found_transcript_contains_a_correction(server: TestServer) {
    let job_id = a_full_job(&server);
    let row = SEGMENT.rows(&server, job_id).remove(3);
    let change = json!({ "text": "Zymurgy, said twice" });
    server.patch(&SEGMENT.path_of(&row), &change).expect(200);
    let found = server
        .get(&job_path(job_id, "/transcripts?q=zymurgy"))
        .expect(200)
        .json();
    assert_eq!(found["total"], 1);
    assert_eq!(found["segments"][0]["segment_id"], row["segment_id"]);
}
