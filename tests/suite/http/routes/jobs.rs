use chrono::TimeDelta;
use lectern_domain::{JobId, Stage, TaskId};
use lectern_tests::{
    Body, Response, TestServer, a_completed_job, a_job, a_report, on_both_backends, segments,
    snapshot,
};
use serde_json::{Value, json};

use crate::http::support::{JOBS, UNKNOWN_ID, a_recording, concurrently, job_path};

on_both_backends!(
    creating_a_job_returns_its_location,
    a_job_is_returned_as_sent,
    omitted_fields_may_be_null,
    a_media_type_that_is_missing_follows_from_the_name,
    an_integer_may_have_a_decimal_point,
    a_charset_parameter_is_accepted,
    a_running_job_has_progress,
    an_update_changes_only_the_given_fields,
    null_clears_a_field,
    no_response_holds_the_task_id,
    concurrent_updates_lose_no_change,
    deleting_a_job_deletes_its_resources,
    a_job_deleted_during_writes_leaves_no_rows,
    an_unknown_job_is_not_found,
);

/// The tables of the sub-resources of a job.
const CHILDREN: [&str; 6] = [
    "transcripts",
    "silence_regions",
    "layout_analysis",
    "content_segments",
    "clips",
    "processing_logs",
];

fn id_of(response: &Response) -> JobId {
    response.json()["job_id"].as_str().unwrap().parse().unwrap()
}

fn creating_a_job_returns_its_location(server: TestServer) {
    let created = server.post(JOBS, &a_recording()).expect(201);
    assert_eq!(created.header("Content-Type"), Some("application/json"));
    assert_eq!(
        created.header("Location"),
        Some(job_path(id_of(&created), "").as_str())
    );
    let found = server.get(created.header("Location").unwrap()).expect(200);
    assert_eq!(found.json(), created.json());
    assert_eq!(found.header("ETag"), created.header("ETag"));
    snapshot!("a_new_job", created.json());
}

fn a_job_is_returned_as_sent(server: TestServer) {
    let body = a_job()
        .filename("Vorlesung №1 – Entropie 🎓.mp4")
        .file_size(i64::MAX)
        .content_type("audio/mpeg")
        .processing_config(
            json!({ "processing_mode": "audio", "resolution": "1440p", "model": "x" }),
        )
        .priority(-3)
        .extra_metadata(
            json!({ "id": 7, "version": "b", "deep": { "a": [1, 2.5, null, "\\%_'\""] } }),
        )
        .build()
        .body();
    let created = server.post(JOBS, &body).expect(201).json();
    for field in [
        "filename",
        "file_size",
        "s3_key",
        "content_type",
        "processing_config",
        "priority",
        "extra_metadata",
    ] {
        assert_eq!(created[field], body[field], "{field}");
    }
    assert_eq!(created["video_metadata"], json!({}));
    assert_eq!(created["processing_mode"], "audio");
}

fn omitted_fields_may_be_null(server: TestServer) {
    let mut body = a_recording();
    for field in ["content_type", "processing_config", "extra_metadata"] {
        body[field] = Value::Null;
    }
    let created = server.post(JOBS, &body).expect(201).json();
    assert_eq!(created["content_type"], "video/mp4");
    assert_eq!(created["processing_mode"], "vision");
    assert_eq!(created["extra_metadata"], json!({}));
}

fn a_media_type_that_is_missing_follows_from_the_name(server: TestServer) {
    let created = |filename: &str, content_type: Value| {
        let mut body = a_recording();
        body["filename"] = json!(filename);
        body["content_type"] = content_type;
        server.post(JOBS, &body).expect(201).json()["content_type"].clone()
    };
    for missing in [Value::Null, json!("")] {
        assert_eq!(created("talk.FLAC", missing.clone()), "audio/flac");
        assert_eq!(created("talk.mts", missing.clone()), "video/mp2t");
        assert_eq!(created("talk", missing), "video/mp4");
    }
    let with_parameters = "video/webm; codecs=\"vp8, opus\"";
    assert_eq!(created("talk", json!(with_parameters)), with_parameters);
}

fn an_integer_may_have_a_decimal_point(server: TestServer) {
    let body = r#"{"filename":"a","file_size":5000000000.0,"s3_key":"k"}"#;
    let created = server
        .request("POST", JOBS)
        .body("application/json", body)
        .send()
        .expect(201);
    assert_eq!(created.json()["file_size"], json!(5_000_000_000_i64));
}

fn a_charset_parameter_is_accepted(server: TestServer) {
    let request = server.request("POST", JOBS);
    request
        .body("Application/JSON; charset=utf-8", a_recording().to_string())
        .send()
        .expect(201);
}

fn a_running_job_has_progress(server: TestServer) {
    let job = a_job().create(server.db());
    server.db().clock().advance(TimeDelta::seconds(30));
    let report = a_report(Stage::Transcription, 42.5);
    server
        .post(&job_path(job.job_id, "/progress"), &report.body())
        .expect(200);
    snapshot!(
        "a_running_job",
        server.get(&job_path(job.job_id, "")).expect(200).json()
    );
}

fn an_update_changes_only_the_given_fields(server: TestServer) {
    let job = a_job()
        .extra_metadata(json!({ "course": "physics" }))
        .create(server.db());
    let mut expected = server.get(&job_path(job.job_id, "")).expect(200).json();
    server.db().clock().advance(TimeDelta::seconds(5));
    let metadata = json!({ "codec": "h264" });
    let change = json!({ "filename": "renamed.mp4", "video_duration": 5400.1, "video_metadata": metadata.clone() });
    let changed = server
        .patch(&job_path(job.job_id, ""), &change)
        .expect(200)
        .json();
    expected["filename"] = json!("renamed.mp4");
    expected["video_duration"] = json!(5400.1);
    expected["video_metadata"] = metadata.clone();
    expected["updated_at"] = json!("2026-01-01T00:00:05Z");
    assert_eq!(changed, expected);
    assert_eq!(server.get(&job_path(job.job_id, "")).json(), expected);
    let stored = server
        .db()
        .read(|conn| conn.jobs().find(job.job_id))
        .unwrap()
        .unwrap();
    assert_eq!(stored.video_metadata.into_value(), metadata);
}

fn null_clears_a_field(server: TestServer) {
    let path = job_path(a_job().create(server.db()).job_id, "");
    let set = json!({ "error_message": "late", "video_duration": 1.5, "celery_task_id": "t-1" });
    let returned = server.patch(&path, &set).expect(200).json();
    assert_eq!(
        (&returned["error_message"], &returned["video_duration"]),
        (&json!("late"), &json!(1.5))
    );
    let cleared = json!({ "error_message": null, "video_duration": null, "celery_task_id": null });
    let returned = server.patch(&path, &cleared).expect(200).json();
    assert_eq!(
        (&returned["error_message"], &returned["video_duration"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        server
            .db()
            .sql()
            .value("SELECT count(celery_task_id) FROM jobs"),
        "0"
    );
}

fn no_response_holds_the_task_id(server: TestServer) {
    let job_id = a_completed_job(server.db()).job_id;
    let task = "e5d1c0de-celery";
    let returned = server
        .patch(&job_path(job_id, ""), &json!({ "celery_task_id": task }))
        .expect(200);
    let find =
        |tx: &mut lectern_db::Reader<'_>| tx.jobs().find_by_celery_task_id(&TaskId::new(task)?);
    assert_eq!(
        server
            .db()
            .read::<_, lectern_db::Error>(find)
            .unwrap()
            .unwrap()
            .job_id,
        job_id
    );
    let paths = [
        job_path(job_id, ""),
        job_path(job_id, "/transcripts"),
        job_path(job_id, "/silence-regions"),
        job_path(job_id, "/layout-analysis"),
        job_path(job_id, "/content-segments"),
        job_path(job_id, "/clips"),
        job_path(job_id, "/logs"),
        format!("{JOBS}?include_total=true"),
        format!("/api/v1/results/{job_id}"),
        "/api/v1/stats".to_owned(),
        "/metrics".to_owned(),
    ];
    for answer in paths
        .iter()
        .map(|path| server.get(path).expect(200))
        .chain([returned])
    {
        assert!(!answer.text().contains("celery"), "{answer}");
        let headers = format!("{:?}", answer.headers);
        assert!(!headers.contains("celery"), "{headers}");
    }
}

fn concurrent_updates_lose_no_change(server: TestServer) {
    let job = a_job().create(server.db());
    let answers = concurrently(20, |i| {
        let change = match i % 2 {
            0 => json!({ "filename": format!("{i}.mp4") }),
            _ => json!({ "extra_metadata": { "i": i } }),
        };
        server.patch(&job_path(job.job_id, ""), &change).expect(200)
    });
    let mut versions: Vec<_> = answers
        .iter()
        .map(|answer| answer.header("ETag").unwrap())
        .collect();
    versions.sort_by_key(|tag| tag.trim_matches('"').parse::<u32>().unwrap());
    let expected: Vec<_> = (2..=21).map(|version| format!("\"{version}\"")).collect();
    assert_eq!(versions, expected);
}

fn deleting_a_job_deletes_its_resources(server: TestServer) {
    let (deleted, kept) = (
        a_completed_job(server.db()).job_id,
        a_completed_job(server.db()).job_id,
    );
    let count = |table: &str| server.db().sql().count(table);
    let before = CHILDREN.map(count);
    let answer = server.delete(&job_path(deleted, "")).expect(204);
    assert_eq!(
        (answer.body.len(), answer.header("Content-Type")),
        (0, None)
    );
    server
        .get(&job_path(deleted, ""))
        .problem(404, "job_not_found");
    server
        .delete(&job_path(deleted, ""))
        .problem(404, "job_not_found");
    assert_eq!(CHILDREN.map(count), before.map(|rows| rows / 2));
    server.get(&format!("/api/v1/results/{kept}")).expect(200);
}

fn a_job_deleted_during_writes_leaves_no_rows(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let body = json!({ "segments": segments(50).body() });
    let answers = concurrently(16, |i| match i {
        8 => server.delete(&job_path(job_id, "")),
        _ => server.put(&job_path(job_id, "/transcripts"), &body),
    });
    for (i, answer) in answers.iter().enumerate() {
        match answer.status {
            204 => assert_eq!(i, 8),
            200 => assert_ne!(i, 8),
            _ => assert_eq!(answer.problem(404, "job_not_found"), [Value::Null; 0]),
        }
    }
    assert_eq!(
        ["jobs", "transcripts"].map(|table| server.db().sql().count(table)),
        [0, 0]
    );
}

fn an_unknown_job_is_not_found(server: TestServer) {
    let path = format!("{JOBS}/{UNKNOWN_ID}");
    server.get(&path).problem(404, "job_not_found");
    server
        .patch(&path, &json!({ "filename": "a.mp4" }))
        .problem(404, "job_not_found");
    server.delete(&path).problem(404, "job_not_found");
}
