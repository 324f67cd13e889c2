//! The page with the list of recordings, and its assets.

use lectern_domain::{JobStatus, NewApiKey, OwnerName, Role, Stage};
use lectern_tests::{
    Client, Response, TestDb, TestServer, a_job, a_report, clips, on_both_backends,
    on_both_backends_and_with_row_security,
};

use crate::http::support::api_key::{Key, serve_with_keys};
use crate::http::support::issuer::Issuer;
use crate::many_jobs::insert_jobs;

on_both_backends!(
    the_list_shows_the_jobs_with_their_state,
    the_list_is_filtered_and_searched_by_the_address,
    pages_follow_each_other_by_links,
    an_invalid_address_is_a_page_with_the_reason,
    an_unknown_address_is_a_page_for_browsers_only,
    many_recordings_take_as_many_queries_as_one,
    other_clients_are_led_to_the_documentation,
    the_page_is_in_the_language_of_the_reader,
    only_resources_of_the_server_are_allowed,
    assets_are_cached_for_ever,
    without_a_key_the_page_asks_for_one,
    without_a_session_the_page_leads_to_the_identity_provider,
    recordings_have_the_picture_of_their_first_clip_that_has_one,
    a_viewer_has_no_controls_that_would_be_refused,
);

on_both_backends_and_with_row_security!(an_owner_sees_its_own_recordings);

/// The media types that a browser accepts for a page.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn page(server: &Client, path: &str) -> Response {
    let request = server.request("GET", path);
    request.header("Accept", BROWSER).send().without_styles()
}

/// The names of the recordings on a page, in their order.
fn filenames(page: &Response) -> Vec<String> {
    let rows = page.text().split("<tr data-job-id=").skip(1);
    let names = rows.map(|row| {
        let (_, name) = row.split_once("class=\"filename\" title=\"").unwrap();
        name.split_once('"').unwrap().0.to_owned()
    });
    names.collect()
}

/// The target of the first link whose tag contains `mark`.
fn link(page: &Response, mark: &str) -> Option<String> {
    let tags = page.text().split("<a ").skip(1);
    let mut tags = tags.map(|rest| rest.split_once('>').unwrap().0);
    let tag = tags.find(|tag| tag.contains(mark))?;
    let (_, target) = tag.split_once("href=\"").unwrap();
    Some(target.split_once('"').unwrap().0.replace("&amp;", "&"))
}

fn the_list_shows_the_jobs_with_their_state(server: TestServer) {
    let empty = page(&server, "/").expect(200);
    assert!(empty.text().contains("No recordings yet"), "{empty}");
    let job = a_job().filename("<script>.mp4").create(server.db());
    a_job().status(JobStatus::Completed).create(server.db());
    let report = a_report(Stage::Transcription, 41.0);
    let reported = server.db().report_progress(job.job_id, None, report);
    assert_eq!(reported.unwrap().status, JobStatus::Running);

    let page = page(&server, "/").expect(200);
    assert_eq!(
        page.header("Content-Type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(filenames(&page), ["lecture.mp4", "&lt;script&gt;.mp4"]);
    let html = page.text();
    assert!(!html.contains("<script>"), "{page}");
    assert!(html.contains(&format!(
        "data-job-id=\"{}\" data-status=\"running\"",
        job.job_id
    )));
    assert!(html.contains("<progress max=\"100\" value=\"41\" aria-label=\"Transcribing\">"));
    assert!(html.contains("class=\"status completed\""), "{page}");
    assert!(html.contains("2 recordings"), "{page}");
}

fn the_list_is_filtered_and_searched_by_the_address(server: TestServer) {
    for (name, status) in [
        ("a.mp4", JobStatus::Queued),
        ("b.mp4", JobStatus::Failed),
        ("ab.mp4", JobStatus::Failed),
    ] {
        a_job().filename(name).status(status).create(server.db());
    }
    for (query, expected) in [
        ("", &["ab.mp4", "b.mp4", "a.mp4"][..]),
        ("?status=failed", &["ab.mp4", "b.mp4"]),
        ("?status=failed&filename=A", &["ab.mp4"]),
        (
            "?status=queued,failed&direction=asc",
            &["a.mp4", "b.mp4", "ab.mp4"],
        ),
        // As a form sends fields that were not filled in.
        (
            "?filename=&status=&order=created_at&direction=desc",
            &["ab.mp4", "b.mp4", "a.mp4"],
        ),
        ("?status=cancelled", &[]),
    ] {
        let page = page(&server, &format!("/{query}")).expect(200);
        assert_eq!(filenames(&page), expected, "{query}");
    }
    let none = page(&server, "/?status=cancelled").expect(200);
    assert!(none.text().contains("No recording matches"), "{none}");
}

fn pages_follow_each_other_by_links(server: TestServer) {
    let names: Vec<_> = (0..5).map(|i| format!("{i}.mp4")).collect();
    for name in &names {
        a_job().filename(name).create(server.db());
    }
    let mut path = "/?limit=2&direction=asc".to_owned();
    let mut found = Vec::new();
    let mut pages = 0;
    loop {
        let page = page(&server, &path).expect(200);
        found.extend(filenames(&page));
        pages += 1;
        let first = link(&page, "class=\"first\"");
        assert_eq!(first.is_some(), pages > 1, "the way back: {page}");
        match link(&page, "rel=\"next\"") {
            Some(next) => path = format!("/{next}"),
            None => break,
        }
    }
    assert_eq!((found, pages), (names, 3));
}

fn an_invalid_address_is_a_page_with_the_reason(server: TestServer) {
    let unknown = page(&server, "/?status=lost").expect(400);
    assert!(
        unknown.text().contains("This address is not valid"),
        "{unknown}"
    );
    assert!(unknown.text().contains("status"), "{unknown}");
    let limit = page(&server, "/?limit=0").expect(422);
    assert!(limit.text().contains("limit must be"), "{limit}");
    assert_eq!(
        limit.header("Content-Type"),
        Some("text/html; charset=utf-8")
    );
}

fn an_unknown_address_is_a_page_for_browsers_only(server: TestServer) {
    let unknown = page(&server, "/recordings/1").expect(404);
    let html = unknown.text();
    assert!(html.contains("There is no page at this address"), "{html}");
    assert!(html.contains("href=\"../assets/"), "{html}");
    server.get("/recordings/1").problem(404, "not_found");
}

fn many_recordings_take_as_many_queries_as_one(server: TestServer) {
    a_job().create(server.db());
    let log = server.db().record_statements();
    let asked = || {
        let counts = || ["filename", "thumbnail_s3_key"].map(|column| log.count(column));
        let before = counts();
        let page = page(&server, "/").expect(200);
        let [names, pictures] = counts();
        (page, [names - before[0], pictures - before[1]])
    };
    let (_, of_one) = asked();
    assert_eq!(of_one[1], 1, "the pictures are read at once");
    insert_jobs(server.db(), 10_000, "status", "'failed'");
    let (page, of_many) = asked();
    assert_eq!(of_many, of_one);
    assert_eq!(filenames(&page).len(), 50);
    assert!(
        page.text().contains("more than 10,000 recordings"),
        "{page}"
    );
}

fn other_clients_are_led_to_the_documentation(server: TestServer) {
    for accept in [
        None,
        Some("*/*"),
        Some("application/json"),
        Some("text/html;q=0"),
    ] {
        let mut request = server.request("GET", "/");
        if let Some(accept) = accept {
            request = request.header("Accept", accept);
        }
        let response = request.send().expect(307);
        assert_eq!(response.header("Location"), Some("docs"), "{accept:?}");
    }
    let delete = server.request("DELETE", "/").header("Accept", BROWSER);
    delete.send().problem(405, "method_not_allowed");
}

fn the_page_is_in_the_language_of_the_reader(server: TestServer) {
    for (accepted, tag, heading) in [
        ("de-CH,de;q=0.9,en;q=0.8", "de", "<h1>Aufnahmen</h1>"),
        ("fr,en;q=0.8,de;q=0.7", "en", "<h1>Recordings</h1>"),
        ("fr", "en", "<h1>Recordings</h1>"),
    ] {
        let request = server.request("GET", "/").header("Accept", BROWSER);
        let page = request.header("Accept-Language", accepted).send();
        let page = page.expect(200);
        assert!(page.text().contains(&format!("<html lang=\"{tag}\">")));
        assert!(page.text().contains(heading), "{page}");
    }
}

fn only_resources_of_the_server_are_allowed(server: TestServer) {
    let page = page(&server, "/").expect(200);
    let policy = page.header("Content-Security-Policy").unwrap();
    assert!(policy.starts_with("default-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(page.header("X-Content-Type-Options"), Some("nosniff"));
    assert_eq!(page.header("Cache-Control"), Some("private, no-cache"));
    let html = page.text();
    for inline in [" style=", " onclick=", "javascript:"] {
        assert!(!html.contains(inline), "{inline}: {page}");
    }
    for script in html.split("<script").skip(1) {
        let (tag, rest) = script.split_once('>').unwrap();
        assert!(tag.contains(" src=\"./assets/"), "{tag}");
        assert!(rest.starts_with("</script>"), "{rest}");
    }
}

fn assets_are_cached_for_ever(server: TestServer) {
    let page = page(&server, "/").expect(200);
    let attributes = page.text().split(['"', ' ']);
    let assets: Vec<_> = attributes
        .filter_map(|value| value.strip_prefix("./assets/"))
        .collect();
    assert!(assets.len() >= 2, "{page}");
    for name in assets {
        let asset = server.get(&format!("/assets/{name}")).expect(200);
        assert_eq!(
            asset.header("Cache-Control"),
            Some("public, max-age=31536000, immutable"),
            "{name}"
        );
        let media_type = match name.rsplit_once('.').unwrap().1 {
            "js" => "text/javascript; charset=utf-8",
            _ => "image/svg+xml",
        };
        assert_eq!(asset.header("Content-Type"), Some(media_type), "{name}");
    }
    server.get("/assets/page.js").problem(404, "not_found");
}

fn without_a_key_the_page_asks_for_one(db: TestDb) {
    let viewer = Key::create(&db, Role::Viewer);
    let metrics = Key::create(&db, Role::Metrics);
    let server = serve_with_keys(db);
    let refused = page(&server, "/").expect(401);
    assert_eq!(
        refused.header("WWW-Authenticate"),
        Some("Bearer realm=\"lectern\"")
    );
    assert!(refused.text().contains("<h1>Sign in</h1>"), "{refused}");
    let with = |key: &Key| {
        key.request(&server, "GET", "/")
            .header("Accept", BROWSER)
            .send()
            .without_styles()
    };
    with(&viewer).expect(200);
    let forbidden = with(&metrics).expect(403);
    assert!(
        forbidden.text().contains("<h1>Not allowed</h1>"),
        "{forbidden}"
    );
}

fn without_a_session_the_page_leads_to_the_identity_provider(db: TestDb) {
    let issuer = Issuer::start();
    let server = TestServer::serve(db, issuer.server_config());
    let response = page(&server, "/?status=failed").expect(303);
    assert_eq!(
        response.header("Location"),
        Some("login?return_to=%2F%3Fstatus%3Dfailed")
    );
    let viewer = format!("Bearer {}", issuer.token(&issuer.claims("viewer")));
    let request = server.request("GET", "/").header("Accept", BROWSER);
    request.header("Authorization", &viewer).send().expect(200);
}

fn an_owner_sees_its_own_recordings(db: TestDb) {
    let key_of = |owner: &str| {
        let new = NewApiKey {
            owner: Some(OwnerName::new(owner).unwrap()),
            ..NewApiKey::new(Role::Client)
        };
        Key::create_as(&db, &new)
    };
    let (exams, library) = (key_of("exams"), key_of("library"));
    let all = Key::create(&db, Role::Viewer);
    let server = serve_with_keys(db);
    let job = exams.request(&server, "POST", "/api/v1/jobs");
    job.json(&exams.recording()).send().expect(201);
    let page = |key: &Key| {
        let request = key.request(&server, "GET", "/").header("Accept", BROWSER);
        request.send().expect(200)
    };
    assert_eq!(filenames(&page(&exams)), ["lecture.mp4"]);
    assert!(
        !page(&exams).text().contains("Owner"),
        "one owner needs no column"
    );
    assert_eq!(filenames(&page(&library)), [""; 0]);
    assert!(page(&all).text().contains(">exams<"));
}

fn recordings_have_the_picture_of_their_first_clip_that_has_one(server: TestServer) {
    let without = a_job().create(server.db()).job_id;
    let job = a_job().create(server.db()).job_id;
    let mut new = clips(3);
    new[0].media.thumbnail_s3_key = None;
    server
        .db()
        .write(|tx| tx.clips().replace_for_job(job, &new))
        .unwrap();
    let html = page(&server, "/").expect(200);
    let row = |job_id| {
        let (_, row) = html
            .text()
            .split_once(&format!("data-job-id=\"{job_id}\""))
            .unwrap();
        row.split("</tr>").next().unwrap().to_owned()
    };
    assert!(!row(without).contains("<img"), "{html}");
    let shown = row(job);
    let (_, url) = shown.split_once("<img class=\"picture\" src=\"").unwrap();
    let url = url.split('"').next().unwrap();
    assert!(
        url.contains("/api/v1/objects/clips/1.jpg?expires="),
        "{url}"
    );
    let policy = html.header("Content-Security-Policy").unwrap();
    let (origin, _) = url.split_once("/api/").unwrap();
    assert!(
        policy.contains(&format!("img-src 'self' {origin}")),
        "{policy}"
    );
}

fn a_viewer_has_no_controls_that_would_be_refused(db: TestDb) {
    let [viewer, client, other] =
        [Role::Viewer, Role::Client, Role::Client].map(|role| Key::create(&db, role));
    a_job().create(&db);
    let server = serve_with_keys(db);
    let page = |key: &Key| {
        let request = key.request(&server, "GET", "/").header("Accept", BROWSER);
        request.send().expect(200)
    };
    let seen = page(&viewer);
    for control in ["type=\"file\"", "type=\"checkbox\"", "data-action"] {
        assert!(!seen.text().contains(control), "{control}: {seen}");
        assert!(page(&client).text().contains(control), "{control}");
    }
    let caller = |key: &Key| {
        let page = page(key);
        let (_, rest) = page.text().split_once("data-caller=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    assert_eq!(caller(&client), caller(&client));
    assert_ne!(caller(&client), caller(&other));
}
