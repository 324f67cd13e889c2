//! Pages of lists whose rows are large.

use lectern_domain::{JobId, Stage};
use lectern_tests::{TestServer, a_job, on_both_backends};
use serde_json::{Value, json};

use crate::http::support::{JOBS, job_path};

on_both_backends!(
    a_list_of_jobs_leaves_out_large_json,
    a_page_of_jobs_ends_early_when_their_errors_are_long,
    a_page_of_log_entries_ends_early_when_they_are_long,
    a_page_of_events_ends_early_when_they_are_long,
);

/// Upper bound of a page: a megabyte and one more row.
const MAX_PAGE_BYTES: usize = 2 << 20;

fn a_list_of_jobs_leaves_out_large_json(server: TestServer) {
    let db = server.db();
    let small = json!({ "course": "ML 101" });
    let large = json!({ "notes": "x".repeat(900_000) });
    let job_ids: Vec<_> = [&small, &large, &large, &large, &small]
        .map(|json| {
            let job = a_job().extra_metadata(json.clone());
            let job_id = job.processing_config(json.clone()).create(db).job_id;
            let video = json!({ "video_metadata": json });
            server.patch(&job_path(job_id, ""), &video).expect(200);
            job_id
        })
        .into();
    let answer = server.get(&format!("{JOBS}?include=metadata")).expect(200);
    assert!(answer.body.len() < 16 << 10, "{}", answer.body.len());
    let listed = answer.json();
    for field in ["extra_metadata", "video_metadata", "processing_config"] {
        let values: Vec<_> = (0..5).map(|i| listed["jobs"][i][field].clone()).collect();
        let small = small.clone();
        assert_eq!(
            values,
            [small.clone(), Value::Null, Value::Null, Value::Null, small]
        );
        let job = server.get(&job_path(job_ids[1], "")).expect(200).json();
        assert_eq!(job[field], large);
    }
}

/// All items of a list, and the number of its pages.
fn walk(server: &TestServer, path: &str, list: &str) -> (Vec<Value>, usize) {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    for pages in 1.. {
        let answer = server.get(&format!("{path}?limit=100{cursor}")).expect(200);
        assert!(answer.body.len() < MAX_PAGE_BYTES);
        let page = answer.json();
        items.extend(page[list].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (items, pages),
        }
    }
    unreachable!()
}

fn a_page_of_jobs_ends_early_when_their_errors_are_long(server: TestServer) {
    let error = "x".repeat(600_000);
    let mut expected: Vec<String> = (0..5)
        .map(|_| {
            let job_id = a_job().create(server.db()).job_id;
            let update = json!({ "status": "failed", "error_message": error });
            server.patch(&job_path(job_id, ""), &update).expect(200);
            job_id.to_string()
        })
        .collect();
    expected.reverse();
    let (jobs, pages) = walk(&server, JOBS, "jobs");
    let ids: Vec<_> = jobs
        .iter()
        .map(|job| job["job_id"].as_str().unwrap())
        .collect();
    assert_eq!(
        (ids, pages),
        (expected.iter().map(String::as_str).collect(), 3)
    );
}

fn log(server: &TestServer, job_id: JobId, message: &str) {
    let entry = json!({ "stage": Stage::Transcription, "status": "started", "message": message });
    server.post(&job_path(job_id, "/logs"), &entry).expect(201);
}

fn a_page_of_log_entries_ends_early_when_they_are_long(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    for i in 0..5 {
        log(&server, job_id, &format!("{i} {}", "x".repeat(600_000)));
    }
    let (entries, pages) = walk(&server, &job_path(job_id, "/logs"), "logs");
    let firsts = entries
        .iter()
        .filter_map(|entry| entry["message"].as_str()?.get(..2));
    assert_eq!(firsts.collect::<Vec<_>>(), ["0 ", "1 ", "2 ", "3 ", "4 "]);
    assert_eq!(pages, 3);
}

fn a_page_of_events_ends_early_when_they_are_long(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let update = |update: Value| server.patch(&job_path(job_id, ""), &update).expect(200);
    for i in 0..5 {
        let error = format!("{i} {}", "x".repeat(600_000));
        update(json!({ "status": "failed", "error_message": error }));
        update(json!({ "status": "queued" }));
    }
    let (mut after, mut pages, mut seqs) = (0, 0, Vec::new());
    loop {
        let path = job_path(job_id, &format!("/events?after={after}"));
        let answer = server.get(&path).expect(200);
        assert!(answer.body.len() < MAX_PAGE_BYTES);
        let page = answer.json();
        let events = page["events"].as_array().unwrap();
        seqs.extend(events.iter().map(|event| event["seq"].as_i64().unwrap()));
        pages += 1;
        after = *seqs.last().unwrap();
        if after == page["last_seq"].as_i64().unwrap() {
            break;
        }
    }
    assert_eq!(seqs, (1..=11).collect::<Vec<_>>());
    assert_eq!(pages, 3);
}
