//! Pages of events, and waiting for the next event.

use std::thread;

use lectern_server::{Server, ServerConfig};
use lectern_tests::{Client, Response, TestServer, a_job, on_both_backends};
use serde_json::{Value, json};

use super::{report, report_and_finish, seqs, types, watchers};
use crate::http::support::{UNKNOWN_ID, job_path, wait_until};

on_both_backends!(
    pages_hold_all_events_of_a_job,
    a_page_without_after_begins_with_a_snapshot,
    an_invalid_event_number_is_rejected,
    parameters_of_a_gateway_are_ignored,
    a_waiting_request_is_answered_by_an_event_of_any_server,
    a_waiting_request_times_out_with_an_empty_page,
    a_request_with_available_events_does_not_wait,
    a_waiting_request_ends_when_the_job_is_deleted,
);

fn events(page: &Value) -> &[Value] {
    page["events"].as_array().unwrap()
}

/// Requests a page with this `Prefer: wait` in seconds.
fn get_waiting(client: &Client, path: &str, seconds: u32) -> Response {
    let request = client
        .request("GET", path)
        .header("Accept", "application/json");
    request.header("Prefer", &format!("wait={seconds}")).send()
}

fn pages_hold_all_events_of_a_job(server: TestServer) {
    let job = a_job().create(server.db());
    let last = report_and_finish(&server, &job, 250);
    let (mut after, mut pages) = (0, 0);
    while after < last {
        let page = server
            .get(&job_path(job.job_id, &format!("/events?after={after}")))
            .expect(200)
            .json();
        assert_eq!(
            (&page["job_id"], &page["last_seq"]),
            (&json!(job.job_id), &json!(last))
        );
        let until = last.min(after + 100);
        assert_eq!(seqs(events(&page)), (after + 1..=until).collect::<Vec<_>>());
        (after, pages) = (until, pages + 1);
    }
    assert_eq!(pages, 3);
    let page = server
        .get(&job_path(job.job_id, &format!("/events?after={last}")))
        .expect(200)
        .json();
    assert_eq!(
        page,
        json!({ "job_id": job.job_id, "events": [], "last_seq": last })
    );
}

fn a_page_without_after_begins_with_a_snapshot(server: TestServer) {
    let job = a_job().create(server.db());
    let page = server.get(&job_path(job.job_id, "/events")).expect(200);
    assert_eq!(page.header("Content-Type"), Some("application/json"));
    let page = page.json();
    assert_eq!(
        (types(events(&page)), &page["last_seq"]),
        (vec!["snapshot"], &json!(job.last_seq))
    );
    assert_eq!(
        events(&page)[0]["data"],
        server.get(&job_path(job.job_id, "")).json()
    );
}

fn an_invalid_event_number_is_rejected(server: TestServer) {
    let job = a_job().create(server.db());
    let path = |query: &str| job_path(job.job_id, &format!("/events?{query}"));
    server
        .get(&path("after=-1"))
        .problem_with(422, "validation_failed", "after");
    server
        .get(&path("after=x"))
        .problem_with(400, "malformed_query", "after");
}

fn parameters_of_a_gateway_are_ignored(server: TestServer) {
    let job = a_job().create(server.db());
    let page = |query: &str| {
        let path = job_path(job.job_id, &format!("/events?{query}"));
        server.get(&path).expect(200).json()
    };
    let after = page("after=0");
    assert_eq!(after["events"][0]["seq"], 1);
    for query in [
        "token=%ff&after=0&token=2",
        "after=0&offset=1",
        "after=0&=&x",
    ] {
        assert_eq!(page(query), after, "{query}");
    }
}

fn a_waiting_request_is_answered_by_an_event_of_any_server(server: TestServer) {
    let other = Server::start(ServerConfig::default(), (**server.db()).clone()).unwrap();
    let other = (Client::new(other.url()), other);
    for sender in [&*server, &other.0] {
        let job = a_job().create(server.db());
        let path = job_path(job.job_id, &format!("/events?after={}", job.last_seq));
        thread::scope(|scope| {
            let waiter = scope.spawn(|| get_waiting(&server, &path, 60));
            wait_until(|| watchers(&server) == 1);
            report(sender, job.job_id, 500);
            let answer = waiter.join().unwrap().expect(200);
            assert_eq!(answer.header("Preference-Applied"), Some("wait=60"));
            assert_eq!(seqs(events(&answer.json()))[0], job.last_seq + 1);
        });
        wait_until(|| watchers(&server) == 0);
    }
}

fn a_waiting_request_times_out_with_an_empty_page(server: TestServer) {
    let job = a_job().create(server.db());
    let path = job_path(job.job_id, &format!("/events?after={}", job.last_seq));
    let answer = get_waiting(&server, &path, 1).expect(200);
    assert_eq!(answer.header("Preference-Applied"), Some("wait=1"));
    assert_eq!(events(&answer.json()), [Value::Null; 0]);
}

fn a_request_with_available_events_does_not_wait(server: TestServer) {
    let job = a_job().create(server.db());
    for path in ["/events", "/events?after=0", "/events?after=9999"] {
        let answer = get_waiting(&server, &job_path(job.job_id, path), 60).expect(200);
        assert_eq!(events(&answer.json()).len(), 1, "{path}");
    }
    get_waiting(
        &server,
        &format!("/api/v1/jobs/{UNKNOWN_ID}/events?after=0"),
        60,
    )
    .problem(404, "job_not_found");
    let answer = server
        .request("GET", &job_path(job.job_id, "/events?after=1"))
        .header("Prefer", "wait=soon")
        .send()
        .expect(200);
    assert_eq!(answer.header("Preference-Applied"), None);
}

fn a_waiting_request_ends_when_the_job_is_deleted(server: TestServer) {
    let job = a_job().create(server.db());
    let path = job_path(job.job_id, &format!("/events?after={}", job.last_seq));
    thread::scope(|scope| {
        let waiter = scope.spawn(|| get_waiting(&server, &path, 60));
        wait_until(|| watchers(&server) == 1);
        server.delete(&job_path(job.job_id, "")).expect(204);
        waiter.join().unwrap().problem(404, "job_not_found");
    });
}
