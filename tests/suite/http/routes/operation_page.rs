//! The page for operators.

use chrono::TimeDelta;
use lectern_domain::Stage::{SilenceDetection, Transcription};
use lectern_domain::{JobStatus, NewApiKey, OwnerName, Role};
use lectern_tests::{Client, Response, TestDb, TestServer, a_job, on_both_backends};
use serde_json::json;

use crate::http::support::api_key::{Key, serve_with_keys};
use crate::http::support::job_path;
use crate::http::support::worker::{claim, create_job};

on_both_backends!(
    the_page_shows_stages_workers_failures_and_the_service,
    the_charts_show_the_period_of_the_address,
    a_period_out_of_bounds_is_a_page,
    failures_of_more_than_a_day_ago_are_not_shown,
    a_button_pauses_and_resumes_and_leads_back,
    an_unknown_stage_is_a_page,
    the_page_is_in_the_language_of_the_reader,
    the_page_shows_each_role_what_it_may_see,
    an_owner_may_not_see_the_page,
    the_link_is_shown_to_those_who_may_see_the_page,
);

/// The media types that a browser accepts for a page.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn page(server: &Client) -> Response {
    let request = server.request("GET", "/operation");
    request.header("Accept", BROWSER).send().without_styles()
}

fn page_of(server: &Client, key: &Key, path: &str) -> Response {
    let request = key.request(server, "GET", path);
    request.header("Accept", BROWSER).send().without_styles()
}

fn press(server: &Client, stage: &str, action: &str) -> Response {
    let request = server.request("POST", &format!("/operation/{stage}/{action}"));
    request
        .header("Accept", BROWSER)
        .body("application/x-www-form-urlencoded", "")
        .send()
}

fn fail(server: &TestServer, filename: &str, error: &str) {
    let job = a_job()
        .filename(filename)
        .status(JobStatus::Running)
        .create(server.db());
    let failed = json!({ "status": "failed", "error_message": error });
    server.patch(&job_path(job.job_id, ""), &failed).expect(200);
}

fn the_page_shows_stages_workers_failures_and_the_service(server: TestServer) {
    let empty = page(&server).expect(200);
    for text in [
        "No worker is processing anything",
        "No recording has failed",
    ] {
        assert!(empty.text().contains(text), "{text}: {empty}");
    }
    let job_id = create_job(&server, json!({}));
    create_job(&server, json!({}));
    claim(&server, &[Transcription]).unwrap();
    fail(&server, "<b>broken.mp4", "no audio & no picture");
    server.db().clock().advance(TimeDelta::seconds(20));

    let shown = page(&server).expect(200);
    assert_eq!(
        shown.header("Content-Type"),
        Some("text/html; charset=utf-8")
    );
    assert!(
        shown
            .header("Content-Security-Policy")
            .is_some_and(|policy| policy.contains("default-src 'self'")),
        "{shown}"
    );
    let html = shown.text();
    assert!(
        !html.contains("<script>") && !html.contains(" style="),
        "{shown}"
    );
    let (_, row) = html.split_once("data-stage=\"transcription\"").unwrap();
    let (row, _) = row.split_once("</tr>").unwrap();
    for text in [
        "aria-label=\"Running 1, Ready 1, Waiting 0\"",
        "data-label=\"Ready for\">20 s</td>",
        "action=\"operation/transcription/pause\"",
    ] {
        assert!(row.contains(text), "{text}: {row}");
    }
    for text in [
        "worker-1",
        &format!("href=\"jobs/{job_id}\""),
        "in 40 s",
        "&lt;b&gt;broken.mp4",
        "no audio &amp; no picture",
        concat!("Lectern ", env!("CARGO_PKG_VERSION")),
        &server.db().backend().to_string(),
    ] {
        assert!(html.contains(text), "{text}: {html}");
    }
}

fn page_at(server: &Client, path: &str) -> Response {
    let request = server.request("GET", path);
    request.header("Accept", BROWSER).send().without_styles()
}

fn the_charts_show_the_period_of_the_address(server: TestServer) {
    let none = page(&server).expect(200);
    assert!(
        none.text().contains("Without runs in this period: "),
        "{none}"
    );
    create_job(&server, json!({}));
    let claimed = claim(&server, &[Transcription]).unwrap();
    server.db().clock().advance(TimeDelta::seconds(50));
    claimed.send(&server, "complete", &json!({})).expect(200);
    server.db().clock().advance(TimeDelta::hours(3));
    let day = page(&server).expect(200);
    for text in [
        "id=\"history-transcription\"",
        "id=\"history-silence_detection\"",
        "1 completed, at most 1 in a step.",
        "On average 50 s, at most 50 s.",
        "href=\"?hours=24\" aria-current=\"true\"",
    ] {
        assert!(day.text().contains(text), "{text}: {day}");
    }
    assert!(!day.text().contains("id=\"history-compilation\""), "{day}");
    // What was completed three hours ago is not in the last one; what is ready is.
    let hour = page_at(&server, "/operation?hours=1").expect(200);
    assert!(
        !hour.text().contains("id=\"history-transcription\""),
        "{hour}"
    );
    assert!(
        hour.text().contains("id=\"history-silence_detection\""),
        "{hour}"
    );
    let without = page_at(&server, "/operation?hours=1&charts=no").expect(200);
    assert!(!without.text().contains("<figure"), "{without}");
    assert!(without.text().contains("data-part=\"stages\""), "{without}");
}

fn a_period_out_of_bounds_is_a_page(server: TestServer) {
    for (hours, status) in [("0", 422), ("721", 422), ("x", 400), ("1%262", 400)] {
        let refused = page_at(&server, &format!("/operation?hours={hours}")).expect(status);
        let html = Some("text/html; charset=utf-8");
        assert_eq!(refused.header("Content-Type"), html, "{refused}");
    }
}

fn failures_of_more_than_a_day_ago_are_not_shown(server: TestServer) {
    fail(&server, "old.mp4", "broken");
    server.db().clock().advance(TimeDelta::hours(23));
    assert!(page(&server).text().contains("old.mp4"));
    for i in 0..21 {
        fail(&server, &format!("new-{i}.mp4"), "broken");
    }
    let many = page(&server);
    assert_eq!(many.text().matches("class=\"filename\"").count(), 20);
    assert!(many.text().contains("status=failed&amp;order=updated_at"));
    server.db().clock().advance(TimeDelta::hours(2));
    assert!(!page(&server).text().contains("old.mp4"));
}

fn a_button_pauses_and_resumes_and_leads_back(server: TestServer) {
    create_job(&server, json!({}));
    let paused = press(&server, "transcription", "pause").expect(303);
    assert_eq!(paused.header("Location"), Some("../../operation"));
    assert_eq!(claim(&server, &[Transcription]), None);
    let shown = page(&server).expect(200);
    assert!(
        shown
            .text()
            .contains("action=\"operation/transcription/resume\"")
    );
    assert_eq!(shown.text().matches("status paused").count(), 1);
    press(&server, "transcription", "resume").expect(303);
    assert!(claim(&server, &[Transcription]).is_some());
    assert!(!page(&server).text().contains("status paused"));
}

fn an_unknown_stage_is_a_page(server: TestServer) {
    for stage in ["uploading", "x"] {
        let refused = press(&server, stage, "pause").expect(404);
        assert_eq!(
            refused.header("Content-Type"),
            Some("text/html; charset=utf-8")
        );
    }
    assert_eq!(server.db().sql().count("stage_pauses"), 0);
}

fn the_page_is_in_the_language_of_the_reader(server: TestServer) {
    let request = server.request("GET", "/operation");
    let request = request.header("Accept-Language", "de-AT,de;q=0.9,en;q=0.8");
    let german = request
        .header("Accept", BROWSER)
        .send()
        .without_styles()
        .expect(200);
    assert!(
        german.text().contains("<title>Betrieb – Lectern</title>"),
        "{german}"
    );
}

fn the_page_shows_each_role_what_it_may_see(db: TestDb) {
    let admin = Key::create(&db, Role::Admin);
    let viewer = Key::create(&db, Role::Viewer);
    let metrics = Key::create(&db, Role::Metrics);
    let server = serve_with_keys(db);
    let of_admin = page_of(&server, &admin, "/operation").expect(200);
    assert!(
        of_admin.text().contains("<form method=\"post\""),
        "{of_admin}"
    );
    assert!(of_admin.text().contains("id=\"service\""), "{of_admin}");
    let of_viewer = page_of(&server, &viewer, "/operation").expect(200);
    assert!(of_viewer.text().contains("data-stage=\"transcription\""));
    assert!(!of_viewer.text().contains("<form"), "{of_viewer}");
    assert!(!of_viewer.text().contains("id=\"service\""), "{of_viewer}");
    page_of(&server, &metrics, "/operation").expect(403);
    page(&server).expect(401);
    let press = |key: &Key| {
        let path = format!("/operation/{SilenceDetection}/pause");
        key.request(&server, "POST", &path).send()
    };
    press(&viewer).expect(403);
    assert_eq!(server.db().sql().count("stage_pauses"), 0);
    press(&admin).expect(303);
    assert_eq!(server.db().sql().count("stage_pauses"), 1);
}

fn owned(db: &TestDb, role: Role) -> Key {
    let new = NewApiKey {
        owner: Some(OwnerName::new("library").unwrap()),
        ..NewApiKey::new(role)
    };
    Key::create_as(db, &new)
}

fn an_owner_may_not_see_the_page(db: TestDb) {
    let keys = [Role::Admin, Role::Client, Role::Viewer].map(|role| owned(&db, role));
    let job = a_job().filename("secret.mp4").create(&db);
    let server = serve_with_keys(db);
    for key in &keys {
        let refused = page_of(&server, key, "/operation").expect(403);
        assert!(refused.text().contains("Not allowed"), "{refused}");
        assert!(!refused.text().contains("secret.mp4"), "{refused}");
        let path = format!("/operation/{Transcription}/pause");
        key.request(&server, "POST", &path).send().expect(403);
        let found = key
            .request(&server, "GET", &job_path(job.job_id, ""))
            .send();
        found.expect(404);
    }
    assert_eq!(server.db().sql().count("stage_pauses"), 0);
}

fn the_link_is_shown_to_those_who_may_see_the_page(db: TestDb) {
    let (viewer, of_owner) = (Key::create(&db, Role::Viewer), owned(&db, Role::Viewer));
    let server = serve_with_keys(db);
    let has_link = |key| {
        let list = page_of(&server, key, "/").expect(200);
        list.text().contains("href=\"./operation\"")
    };
    assert!(has_link(&viewer));
    assert!(!has_link(&of_owner));
}
