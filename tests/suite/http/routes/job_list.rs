use std::collections::HashSet;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use lectern_domain::{JobId, JobStatus, Stage};
use lectern_tests::{
    Body, Client, Response, TestServer, a_job, a_report, on_both_backends, snapshot,
};
use serde_json::{Value, json};

use crate::http::support::{JOBS, a_recording, concurrently, job_path, percent_encoded};
use crate::many_jobs::insert_jobs;

on_both_backends!(
    an_empty_list_has_no_next_page,
    jobs_are_listed_newest_first_in_the_shape_of_a_single_job,
    a_page_of_jobs_matches_the_snapshot,
    the_default_limit_is_fifty_jobs,
    pages_lead_to_the_end_of_the_list,
    a_filter_applies_to_every_page,
    pages_neither_repeat_nor_miss_jobs_during_changes,
    pages_read_during_inserts_hold_each_older_job_once,
    a_list_read_with_others_has_every_job_that_was_created_before,
    jobs_are_filtered_by_status_and_stage,
    jobs_are_filtered_by_creation_time,
    times_may_have_any_utc_offset,
    the_total_covers_all_pages_and_is_returned_on_request,
    a_total_of_more_than_ten_thousand_is_a_lower_bound,
    query_names_and_values_may_be_percent_encoded,
    several_statuses_are_separated_by_commas,
    jobs_are_found_by_name_and_metadata,
    a_date_is_the_start_of_its_day_in_utc,
    jobs_are_filtered_by_the_times_of_their_last_change_and_completion,
    a_list_may_be_sorted_by_another_time_and_begin_with_the_oldest,
    a_cursor_of_another_order_is_rejected,
    the_link_header_leads_to_the_next_page,
    the_link_header_has_the_address_that_the_client_used,
    metadata_is_listed_on_request,
    an_offset_is_rejected_with_the_name_of_the_cursor,
);

/// The filenames of the jobs in the response to a query.
fn names(client: &Client, query: &str) -> Vec<String> {
    names_in(&client.get(&format!("{JOBS}?{query}")).expect(200).json())
}

fn names_in(page: &Value) -> Vec<String> {
    let jobs = page["jobs"].as_array().unwrap().iter();
    jobs.map(|job| job["filename"].as_str().unwrap().to_owned())
        .collect()
}

/// The filenames on each page of a list; `between` is called after each page.
fn pages(client: &Client, query: &str, mut between: impl FnMut()) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = client
            .get(&format!("{JOBS}?{query}{cursor}"))
            .expect(200)
            .json();
        pages.push(names_in(&page));
        if page["next_cursor"].is_null() {
            return pages;
        }
        cursor = format!("&cursor={}", page["next_cursor"].as_str().unwrap());
        between();
    }
}

/// Concurrent equal requests share a response, which must not be older than any of them.
fn a_list_read_with_others_has_every_job_that_was_created_before(server: TestServer) {
    concurrently(6, |i| {
        for n in 0..15 {
            let name = format!("{i}-{n}");
            let mut body = a_recording();
            body["filename"] = json!(name);
            server.post(JOBS, &body).expect(201);
            assert!(names(&server, "limit=100").contains(&name), "{name}");
        }
    });
}

/// Jobs `a`, `b`, `c`, …, created one second apart.
fn jobs(server: &TestServer, names: &str) -> Vec<JobId> {
    let make = |name: char| {
        server.db().clock().advance(TimeDelta::seconds(1));
        a_job()
            .filename(&name.to_string())
            .create(server.db())
            .job_id
    };
    names.chars().map(make).collect()
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn an_empty_list_has_no_next_page(server: TestServer) {
    let list = server
        .get(&format!("{JOBS}?include_total=true"))
        .expect(200)
        .json();
    assert_eq!(list, json!({ "jobs": [], "next_cursor": null, "total": 0 }));
}

fn jobs_are_listed_newest_first_in_the_shape_of_a_single_job(server: TestServer) {
    let created = jobs(&server, "abc");
    server
        .post(
            &job_path(created[1], "/progress"),
            &a_report(Stage::Transcription, 7.0).body(),
        )
        .expect(200);
    let list = server.get(JOBS).expect(200).json();
    let mut alone: Vec<_> = created
        .iter()
        .rev()
        .map(|job| server.get(&job_path(*job, "")).json())
        .collect();
    let with_metadata = server.get(&format!("{JOBS}?include=metadata")).expect(200);
    let expected = json!({ "jobs": alone, "next_cursor": null });
    assert_eq!(with_metadata.json(), expected);
    for job in &mut alone {
        for field in ["extra_metadata", "video_metadata"] {
            assert!(job.as_object_mut().unwrap().remove(field).is_some());
        }
    }
    assert_eq!(list, json!({ "jobs": alone, "next_cursor": null }));
}

fn a_page_of_jobs_matches_the_snapshot(server: TestServer) {
    jobs(&server, "abc");
    let mut list = server
        .get(&format!("{JOBS}?limit=2&include_total=true"))
        .expect(200)
        .json();
    assert_eq!(list["next_cursor"].as_str().map(str::len), Some(39));
    list["next_cursor"] = json!("[cursor]");
    snapshot!("a_page_of_jobs", list);
}

fn the_default_limit_is_fifty_jobs(server: TestServer) {
    for _ in 0..101 {
        a_job().create(server.db());
    }
    assert_eq!(names(&server, "").len(), 50);
    assert_eq!(names(&server, "limit=1").len(), 1);
    assert_eq!(names(&server, "limit=100").len(), 100);
}

fn pages_lead_to_the_end_of_the_list(server: TestServer) {
    jobs(&server, "abcdefg");
    let threes = pages(&server, "limit=3", || ());
    assert_eq!(
        threes,
        [vec!["g", "f", "e"], vec!["d", "c", "b"], vec!["a"]]
    );
    assert_eq!(pages(&server, "limit=7", || ()).len(), 1);
    assert_eq!(
        pages(&server, "limit=1", || ()).concat(),
        ["g", "f", "e", "d", "c", "b", "a"]
    );
}

fn a_filter_applies_to_every_page(server: TestServer) {
    for i in 0..9 {
        let status = if i % 3 == 0 {
            JobStatus::Failed
        } else {
            JobStatus::Queued
        };
        a_job()
            .filename(&i.to_string())
            .status(status)
            .create(server.db());
    }
    assert_eq!(
        pages(&server, "status=failed&limit=2", || ()),
        [vec!["6", "3"], vec!["0"]]
    );
}

fn pages_neither_repeat_nor_miss_jobs_during_changes(server: TestServer) {
    let created = jobs(&server, "abcdefghi");
    let mut last_seen = created.iter().rev().skip(1).step_by(2);
    let seen = pages(&server, "limit=2", || {
        jobs(&server, "z");
        // The last job of the page is deleted.
        server
            .delete(&job_path(*last_seen.next().unwrap(), ""))
            .expect(204);
    });
    assert_eq!(seen.concat(), ["i", "h", "g", "f", "e", "d", "c", "b", "a"]);
}

fn pages_read_during_inserts_hold_each_older_job_once(server: TestServer) {
    let older: HashSet<String> = (0..40).map(|i| format!("old-{i}")).collect();
    for name in &older {
        a_job().filename(name).create(server.db());
    }
    let read = concurrently(6, |i| match i {
        0 | 1 => pages(&server, "limit=3", || ()).concat(),
        _ => {
            for n in 0..25 {
                let mut body = a_recording();
                body["filename"] = json!(format!("new-{i}-{n}"));
                server.post(JOBS, &body).expect(201);
            }
            Vec::new()
        }
    });
    for names in &read[..2] {
        let distinct: HashSet<_> = names.iter().cloned().collect();
        assert_eq!(distinct.len(), names.len(), "a job came twice");
        assert!(older.is_subset(&distinct), "{names:?}");
    }
    assert_eq!(pages(&server, "limit=100", || ()).concat().len(), 140);
}

fn jobs_are_filtered_by_status_and_stage(server: TestServer) {
    jobs(&server, "q");
    let running = jobs(&server, "r")[0];
    server
        .post(
            &job_path(running, "/progress"),
            &a_report(Stage::Transcription, 7.0).body(),
        )
        .expect(200);
    a_job()
        .filename("p")
        .status(JobStatus::Pending)
        .create(server.db());
    a_job()
        .filename("c")
        .status(JobStatus::Completed)
        .create(server.db());
    assert_eq!(names(&server, "status=queued"), ["q"]);
    assert_eq!(names(&server, "status=running"), ["r"]);
    assert_eq!(names(&server, "status=cancelled"), [""; 0]);
    assert_eq!(names(&server, "stage=transcription"), ["r"]);
    assert_eq!(names(&server, "stage=uploading"), ["p"]);
    assert_eq!(names(&server, "stage=complete&status=completed"), ["c"]);
    assert_eq!(names(&server, "stage=complete&status=running"), [""; 0]);
}

fn jobs_are_filtered_by_creation_time(server: TestServer) {
    let start = server.db().now();
    jobs(&server, "abcd");
    let after = |seconds| {
        format!(
            "created_after={}",
            rfc3339(start + TimeDelta::seconds(seconds))
        )
    };
    let before = |seconds| {
        format!(
            "created_before={}",
            rfc3339(start + TimeDelta::seconds(seconds))
        )
    };
    assert_eq!(
        names(&server, &after(3)),
        ["d", "c"],
        "the start is included"
    );
    assert_eq!(
        names(&server, &before(3)),
        ["b", "a"],
        "the end is excluded"
    );
    assert_eq!(
        names(&server, &format!("{}&{}", after(2), before(4))),
        ["c", "b"]
    );
    assert_eq!(
        names(&server, &format!("{}&{}", after(4), before(2))),
        [""; 0]
    );
}

fn times_may_have_any_utc_offset(server: TestServer) {
    jobs(&server, "ab");
    assert_eq!(
        names(&server, "created_after=2026-01-01T01:00:02%2B01:00"),
        ["b"]
    );
    assert_eq!(
        names(&server, "created_after=2025-12-31T19:00:02-05:00"),
        ["b"]
    );
    assert_eq!(
        names(&server, "created_after=0001-01-01T00:00:00Z"),
        ["b", "a"]
    );
    assert_eq!(
        names(&server, "created_before=9999-12-31T23:59:59.999999Z"),
        ["b", "a"]
    );
}

fn the_total_covers_all_pages_and_is_returned_on_request(server: TestServer) {
    jobs(&server, "abcde");
    a_job().status(JobStatus::Failed).create(server.db());
    let page = |query: &str| server.get(&format!("{JOBS}?{query}")).expect(200).json();
    assert_eq!(page("limit=2&include_total=true")["total"], json!(6));
    assert_eq!(
        page("limit=2&include_total=true&status=queued")["total"],
        json!(5)
    );
    for query in ["limit=2", "limit=2&include_total=false"] {
        assert_eq!(page(query).get("total"), None, "{query}");
    }
    let cursor = page("limit=2")["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(
        page(&format!("limit=2&include_total=true&cursor={cursor}"))["total"],
        json!(6)
    );
}

fn a_total_of_more_than_ten_thousand_is_a_lower_bound(server: TestServer) {
    insert_jobs(server.db(), 10_000, "status", "'queued'");
    let total = || {
        let page = server.get(&format!("{JOBS}?limit=1&include_total=true"));
        let page = page.expect(200).json();
        (
            page["total"].clone(),
            page.get("total_is_lower_bound").cloned(),
        )
    };
    assert_eq!(total(), (json!(10_000), None));
    a_job().create(server.db());
    assert_eq!(total(), (json!(10_000), Some(json!(true))));
    let page = server
        .get(&format!(
            "{JOBS}?limit=1&created_after=2999-01-01T00:00:00Z&include_total=true"
        ))
        .expect(200)
        .json();
    assert_eq!(page, json!({ "jobs": [], "next_cursor": null, "total": 0 }));
}

fn query_names_and_values_may_be_percent_encoded(server: TestServer) {
    jobs(&server, "ab");
    assert_eq!(names(&server, "%6Cimit=%31&&status=q%75eued&"), ["b"]);
}

fn several_statuses_are_separated_by_commas(server: TestServer) {
    for (name, status) in [
        ("f", JobStatus::Failed),
        ("c", JobStatus::Completed),
        ("p", JobStatus::Pending),
        ("q", JobStatus::Queued),
    ] {
        server.db().clock().advance(TimeDelta::seconds(1));
        a_job().filename(name).status(status).create(server.db());
    }
    assert_eq!(names(&server, "status=failed,queued"), ["q", "f"]);
    assert_eq!(names(&server, "status=queued%2Cfailed,queued"), ["q", "f"]);
    assert_eq!(
        pages(&server, "status=failed,completed,pending&limit=2", || ()),
        [vec!["p", "c"], vec!["f"]]
    );
    let query = format!("{JOBS}?status=failed,queued,cancelled&limit=1&include_total=true");
    assert_eq!(server.get(&query).expect(200).json()["total"], 2);
    let [error] = &server
        .get(&format!("{JOBS}?status=queued,done"))
        .problem_with(400, "malformed_query", "status")[..]
    else {
        panic!("one error")
    };
    assert_eq!(
        error["message"],
        "must be one of pending, queued, running, completed, failed, cancelled, or several of \
         them separated by commas"
    );
}

fn jobs_are_found_by_name_and_metadata(server: TestServer) {
    for (name, extra) in [
        ("Lecture 1.mp4", json!({ "course": "ML 101", "year": 2026 })),
        ("ΟΣΑ.mp4", json!({ "course": "ML 101", "year": "2026" })),
        (
            "lecture 2.mp4",
            json!({ "course": "Ethics", "legacy_id": "7" }),
        ),
    ] {
        let job = a_job().filename(name).extra_metadata(extra);
        job.create(server.db());
        server.db().clock().advance(TimeDelta::seconds(1));
    }
    assert_eq!(
        names(&server, "filename=LECTURE"),
        ["lecture 2.mp4", "Lecture 1.mp4"]
    );
    for beginning in ["οσ", "ος", "ΟΣ"] {
        let query = format!("filename={}", percent_encoded(beginning));
        assert_eq!(names(&server, &query), ["ΟΣΑ.mp4"]);
    }
    assert_eq!(
        names(&server, "metadata.course=ML+101"),
        ["ΟΣΑ.mp4", "Lecture 1.mp4"]
    );
    assert_eq!(
        names(
            &server,
            "metadata.course=ML%20101&metadata.year=2026&filename=.MP4&limit=1"
        ),
        ["ΟΣΑ.mp4"]
    );
    assert_eq!(names(&server, "metadata.legacy_id=7"), ["lecture 2.mp4"]);
    assert_eq!(names(&server, "metadata.legacy_id="), [""; 0]);
    server
        .get(&format!("{JOBS}?metadata=ML"))
        .problem_with(400, "malformed_query", "metadata");
    server
        .get(&format!("{JOBS}?metadata[course]=ML"))
        .problem_with(400, "malformed_query", "metadata[course]");
    let many: Vec<_> = (0..11).map(|i| format!("metadata.k{i}=v")).collect();
    assert_eq!(names(&server, &many[1..].join("&")), [""; 0]);
    server
        .get(&format!("{JOBS}?{}", many.join("&")))
        .problem_with(422, "validation_failed", "metadata");
}

fn a_date_is_the_start_of_its_day_in_utc(server: TestServer) {
    // The clock is at midnight, at the start of 2026.
    a_job().filename("a").create(server.db());
    server
        .db()
        .clock()
        .advance(TimeDelta::days(1) - TimeDelta::microseconds(1));
    a_job().filename("b").create(server.db());
    server.db().clock().advance(TimeDelta::microseconds(1));
    a_job().filename("c").create(server.db());
    assert_eq!(names(&server, "created_after=2026-01-01"), ["c", "b", "a"]);
    assert_eq!(names(&server, "created_after=2026-01-02"), ["c"]);
    assert_eq!(names(&server, "created_before=2026-01-02"), ["b", "a"]);
    assert_eq!(names(&server, "created_before=2026-01-01"), [""; 0]);
    assert_eq!(names(&server, "updated_after=2026-01-02"), ["c"]);
    let [error] = &server
        .get(&format!("{JOBS}?created_after=2026-02-30"))
        .problem_with(400, "malformed_query", "created_after")[..]
    else {
        panic!("one error")
    };
    assert_eq!(
        error["message"],
        "must be a time such as 2026-01-31T08:30:00Z or a date such as 2026-01-31"
    );
}

fn jobs_are_filtered_by_the_times_of_their_last_change_and_completion(server: TestServer) {
    let created = jobs(&server, "abc");
    server.db().clock().advance(TimeDelta::hours(1));
    let before = rfc3339(server.db().now());
    let complete = |job: JobId| {
        for status in ["running", "completed"] {
            server
                .patch(&job_path(job, ""), &json!({ "status": status }))
                .expect(200);
        }
    };
    complete(created[0]);
    server.db().clock().advance(TimeDelta::hours(1));
    let after = rfc3339(server.db().now());
    server
        .patch(&job_path(created[1], ""), &json!({ "priority": 1 }))
        .expect(200);
    assert_eq!(
        names(&server, &format!("updated_after={before}")),
        ["b", "a"]
    );
    assert_eq!(names(&server, &format!("updated_after={after}")), ["b"]);
    assert_eq!(names(&server, &format!("completed_after={before}")), ["a"]);
    assert_eq!(names(&server, &format!("completed_after={after}")), [""; 0]);
}

fn a_list_may_be_sorted_by_another_time_and_begin_with_the_oldest(server: TestServer) {
    let created = jobs(&server, "abcd");
    for job in [created[2], created[0]] {
        server.db().clock().advance(TimeDelta::seconds(1));
        for status in ["running", "completed"] {
            server
                .patch(&job_path(job, ""), &json!({ "status": status }))
                .expect(200);
        }
    }
    for (query, expected) in [
        ("order=created_at", "dcba"),
        ("direction=asc", "abcd"),
        ("order=updated_at", "acdb"),
        ("order=updated_at&direction=asc", "bdca"),
        // The jobs that are not completed follow, by their time of creation.
        ("order=completed_at", "acdb"),
        ("order=completed_at&direction=asc", "cabd"),
        ("order=completed_at&status=completed", "ac"),
        ("order=completed_at&status=queued", "db"),
        (
            "order=updated_at&status=queued,completed&direction=desc",
            "acdb",
        ),
    ] {
        assert_eq!(names(&server, query).concat(), expected, "{query}");
        for limit in 1..4 {
            let pages = pages(&server, &format!("{query}&limit={limit}"), || ());
            assert_eq!(pages.concat().concat(), expected, "{query}");
        }
    }
}

fn a_cursor_of_another_order_is_rejected(server: TestServer) {
    jobs(&server, "abc");
    let orders = [
        "order=created_at&direction=desc",
        "order=created_at&direction=asc",
        "order=updated_at&direction=desc",
        "order=updated_at&direction=asc",
        "order=completed_at&direction=desc",
        "order=completed_at&direction=asc",
    ];
    for own in orders {
        let page = server.get(&format!("{JOBS}?{own}&limit=1")).expect(200);
        let cursor = page.json()["next_cursor"].as_str().unwrap().to_owned();
        for other in orders {
            let answer = server.get(&format!("{JOBS}?{other}&limit=1&cursor={cursor}"));
            if own == other {
                answer.expect(200);
                continue;
            }
            let errors = answer.problem_with(400, "malformed_query", "cursor");
            let expected = own.replace('&', " and ");
            let message = errors[0]["message"].as_str().unwrap();
            assert!(message.contains(&expected), "{message}");
        }
    }
}

/// The URL in the header `Link`.
fn next_link(answer: &Response) -> Option<String> {
    let link = answer.header("Link")?;
    let url = link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"");
    Some(url.unwrap_or_else(|| panic!("{link}")).to_owned())
}

fn the_link_header_leads_to_the_next_page(server: TestServer) {
    jobs(&server, "abcde");
    for query in [
        "limit=2",
        "limit=2&include_total=true&filename=",
        "%6Cimit=2&order=updated_at&direction=asc&",
        "metadata.x=%C3%A9%26cursor&limit=2&filename=%3C%3E%22",
    ] {
        let expected = pages(&server, query, || ());
        let mut seen = Vec::new();
        let mut path = format!("{JOBS}?{query}");
        loop {
            let answer = server.get(&path).expect(200);
            let page = answer.json();
            seen.push(names_in(&page));
            let Some(url) = next_link(&answer) else {
                assert_eq!(page["next_cursor"], Value::Null);
                break;
            };
            assert!(
                url.ends_with(page["next_cursor"].as_str().unwrap()),
                "{url}"
            );
            assert_eq!(url.matches("cursor=").count(), 1, "{url}");
            url.strip_prefix(server.base())
                .unwrap()
                .clone_into(&mut path);
        }
        assert_eq!(seen, expected, "{query}");
    }
}

fn the_link_header_has_the_address_that_the_client_used(server: TestServer) {
    jobs(&server, "ab");
    let path = format!("{JOBS}?limit=1");
    let link = |host: &str| {
        let request = server.request("GET", &path).header("Host", host);
        next_link(&request.send().expect(200)).unwrap()
    };
    let port = server.base().rsplit(':').next().unwrap();
    let local = format!("localhost:{port}");
    let link = link(&local);
    assert!(
        link.starts_with(&format!("http://{local}{path}&cursor=")),
        "{link}"
    );
}

fn metadata_is_listed_on_request(server: TestServer) {
    let extra = json!({ "course": "ML 101" });
    let job = a_job().extra_metadata(extra.clone()).create(server.db());
    let video = json!({ "codec": "h264" });
    server
        .patch(
            &job_path(job.job_id, ""),
            &json!({ "video_metadata": video }),
        )
        .expect(200);
    let list = |query: &str| server.get(&format!("{JOBS}?{query}")).expect(200).json();
    let without = &list("")["jobs"][0];
    assert_eq!(without.get("extra_metadata"), None);
    assert_eq!(without.get("video_metadata"), None);
    let with = &list("include=metadata")["jobs"][0];
    assert_eq!(with["extra_metadata"], extra);
    assert_eq!(with["video_metadata"], video);
    let [error] = &server.get(&format!("{JOBS}?include=clips")).problem_with(
        400,
        "malformed_query",
        "include",
    )[..] else {
        panic!("one error")
    };
    assert_eq!(error["message"], "must be one of metadata");
}

fn an_offset_is_rejected_with_the_name_of_the_cursor(server: TestServer) {
    let job = jobs(&server, "a")[0];
    for path in [JOBS.to_owned(), job_path(job, "/logs")] {
        for name in ["offset", "skip"] {
            let errors = server
                .get(&format!("{path}?limit=10&{name}=10"))
                .problem_with(400, "malformed_query", name);
            let message = errors[0]["message"].as_str().unwrap();
            assert!(message.contains("cursor"), "{message}");
        }
    }
}
