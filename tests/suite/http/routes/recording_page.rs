//! The page of one recording.

use lectern_domain::{JobId, JobStatus, NewApiKey, OwnerName, Role, Stage};
use lectern_tests::{
    Client, Response, TestDb, TestServer, a_completed_job, a_job, a_segment, on_both_backends,
    on_both_backends_and_with_row_security, segments, store_output,
};
use serde_json::json;

use crate::http::support::api_key::{Key, serve_with_keys};
use crate::http::support::worker::{claim, create_job};
use crate::http::support::{UNKNOWN_ID, job_path};

on_both_backends!(
    the_page_shows_what_the_stages_have_found,
    texts_of_others_are_no_markup,
    a_long_transcript_is_shown_in_part,
    the_transcript_is_searched_by_the_address,
    an_invalid_address_is_a_page_with_the_reason,
    an_unknown_recording_is_a_page,
    other_clients_get_a_problem,
    the_page_is_in_the_language_of_the_reader,
    only_resources_of_the_server_are_allowed,
    the_recording_is_played_from_a_signed_url,
    the_stages_of_a_job_are_rows,
    the_list_leads_to_the_page,
    a_viewer_has_no_buttons_that_would_be_refused,
);

on_both_backends_and_with_row_security!(an_owner_sees_no_recordings_of_others);

/// The media types that a browser accepts for a page.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn page_at(server: &Client, path: &str) -> Response {
    let request = server.request("GET", path);
    request.header("Accept", BROWSER).send().without_styles()
}

pub(super) fn page(server: &Client, job_id: JobId) -> Response {
    page_at(server, &format!("/jobs/{job_id}")).expect(200)
}

/// The values of an attribute, in their order.
pub(super) fn values<'p>(page: &'p Response, attribute: &str) -> Vec<&'p str> {
    let start = format!(" {attribute}=\"");
    let parts = page.text().split(start.as_str()).skip(1);
    parts.map(|rest| rest.split('"').next().unwrap()).collect()
}

/// The number of lines of the transcript on the page.
fn lines(page: &Response) -> usize {
    page.text().matches("<li data-id=").count()
}

fn the_page_shows_what_the_stages_have_found(server: TestServer) {
    let job = a_completed_job(server.db());
    let page = page(&server, job.job_id);
    assert_eq!(
        page.header("Content-Type"),
        Some("text/html; charset=utf-8")
    );
    let html = page.text();
    assert!(html.contains("<h1>lecture.mp4</h1>"), "{page}");
    assert!(html.contains("class=\"status completed\""), "{page}");
    assert_eq!(lines(&page), 12);
    let (clips, topics) = server
        .db()
        .read(|conn| {
            let clips = conn.clips().for_job(job.job_id)?;
            let topics = conn.content_segments().for_job(job.job_id)?;
            Ok::<_, lectern_db::Error>((clips, topics))
        })
        .unwrap();
    let ids: Vec<_> = clips.iter().map(|clip| clip.clip_id.to_string()).collect();
    assert_eq!(values(&page, "data-clip-id"), ids);
    for topic in &topics {
        assert!(html.contains(&format!("<strong>{}</strong>", topic.topic)));
    }
    // The description of a clip is that of the topic it was made of.
    let description = topics[0].description.as_ref().unwrap();
    let card = html.split("data-clip-id").nth(1).unwrap();
    assert!(card.contains(description.as_str()), "{card}");
    // Regions are drawn in seconds.
    assert!(
        html.contains("d=\"M0 0H0.5V1H0ZM60 0H60.625V1H60Z"),
        "{page}"
    );
    assert_eq!(
        html.matches("worker-1").count(),
        Stage::ALL.len(),
        "the log"
    );
}

fn texts_of_others_are_no_markup(server: TestServer) {
    let hostile = "<script>alert(1)</script>";
    let job = a_job().filename(hostile).create(server.db());
    store_output(server.db(), job.job_id);
    let lines = [a_segment(1.0, 2.0, hostile)];
    let db = server.db();
    db.write(|tx| tx.transcripts().replace_for_job(job.job_id, &lines))
        .unwrap();
    let clips = db.read(|conn| conn.clips().for_job(job.job_id)).unwrap();
    let clip = format!("/api/v1/clips/{}", clips[0].clip_id);
    server
        .patch(&clip, &json!({ "title": hostile }))
        .expect(200);
    let page = page(&server, job.job_id);
    assert!(!page.text().contains("<script>"), "{page}");
    let escaped = "&lt;script&gt;alert(1)&lt;/script&gt;";
    for element in ["<title>", "<h1>", "<h3>", "class=\"text\">"] {
        let expected = format!("{element}{escaped}");
        assert!(page.text().contains(&expected), "{element}: {page}");
    }
}

fn a_long_transcript_is_shown_in_part(server: TestServer) {
    let job = a_job().create(server.db());
    let store = |tx: &mut lectern_db::Tx<'_>| {
        tx.transcripts()
            .replace_for_job(job.job_id, &segments(10_000))
    };
    server.db().write(store).unwrap();
    let first = page(&server, job.job_id);
    assert_eq!(lines(&first), 200);
    // In lists that a browser lays out by themselves.
    let lists = values(&first, "start");
    assert_eq!(lists, ["1", "26", "51", "76", "101", "126", "151", "176"]);
    assert_eq!(values(&first, "data-total"), ["10000"]);
    assert!(first.text().len() < 200_000, "{} bytes", first.text().len());
    // The 201st segment begins after 200 times four seconds.
    assert!(first.text().contains("rel=\"next\" href=\"?from=800\""));
    let next = page_at(&server, &format!("/jobs/{}?from=800", job.job_id)).expect(200);
    assert_eq!(values(&next, "data-start")[0], "800");
    assert_eq!(lines(&next), 200);
    let last = page_at(&server, &format!("/jobs/{}?from=39990", job.job_id)).expect(200);
    assert_eq!(lines(&last), 3);
    assert!(!last.text().contains("rel=\"next\""), "{last}");
}

fn the_transcript_is_searched_by_the_address(server: TestServer) {
    let job = a_job().create(server.db());
    let mut transcript = segments(5_000);
    transcript[4_321] = a_segment(17_284.0, 17_287.0, "Die Übermüdung & der Rest");
    server
        .db()
        .write(|tx| tx.transcripts().replace_for_job(job.job_id, &transcript))
        .unwrap();
    let path = format!("/jobs/{}?q=%C3%9CBERM", job.job_id);
    let found = page_at(&server, &path).expect(200);
    assert_eq!(lines(&found), 1, "{found}");
    assert!(found.text().contains("Die Übermüdung &amp; der Rest"));
    assert!(found.text().contains("value=\"ÜBERM\""), "{found}");
    let none = page_at(&server, &format!("/jobs/{}?q=nowhere", job.job_id)).expect(200);
    assert_eq!(lines(&none), 0);
    assert!(none.text().contains("No line matches"), "{none}");
}

fn an_invalid_address_is_a_page_with_the_reason(server: TestServer) {
    let job = a_job().create(server.db());
    let refused = page_at(&server, &format!("/jobs/{}?from=-1", job.job_id)).expect(422);
    assert!(
        refused.text().contains("This address is not valid"),
        "{refused}"
    );
    page_at(&server, &format!("/jobs/{}?from=soon", job.job_id)).expect(400);
}

fn an_unknown_recording_is_a_page(server: TestServer) {
    for id in [UNKNOWN_ID, "lecture", "%3Cscript%3E"] {
        let page = page_at(&server, &format!("/jobs/{id}")).expect(404);
        assert!(page.text().contains("<h1>Not found</h1>"), "{page}");
        assert!(page.text().contains("href=\"../\""), "{page}");
    }
}

fn other_clients_get_a_problem(server: TestServer) {
    let job = a_job().create(server.db());
    let path = format!("/jobs/{}", job.job_id);
    server.get(&path).problem(404, "not_found");
    let head = server.request("HEAD", &path).header("Accept", BROWSER);
    assert_eq!(head.send().expect(200).body.len(), 0);
    let delete = server.request("DELETE", &path).header("Accept", BROWSER);
    delete.send().problem(405, "method_not_allowed");
}

fn the_page_is_in_the_language_of_the_reader(server: TestServer) {
    let job = a_completed_job(server.db());
    let request = server.request("GET", &format!("/jobs/{}", job.job_id));
    let request = request.header("Accept", BROWSER);
    let page = request.header("Accept-Language", "de-AT,en;q=0.5").send();
    let page = page.expect(200);
    for part in [
        "<html lang=\"de\">",
        ">Fertig</span>",
        "Verlauf",
        "Wichtigkeit",
    ] {
        assert!(page.text().contains(part), "{part}: {page}");
    }
}

fn only_resources_of_the_server_are_allowed(server: TestServer) {
    let job = a_completed_job(server.db());
    let page = page(&server, job.job_id);
    let policy = page.header("Content-Security-Policy").unwrap();
    assert!(policy.starts_with("default-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("Cache-Control"), Some("private, no-cache"));
    let html = page.text();
    for inline in [" style=", " onclick=", "javascript:"] {
        assert!(!html.contains(inline), "{inline}: {page}");
    }
    for script in html.split("<script").skip(1) {
        let (tag, rest) = script.split_once('>').unwrap();
        assert!(tag.contains(" src=\"../assets/"), "{tag}");
        assert!(rest.starts_with("</script>"), "{rest}");
    }
    let assets: Vec<_> = html
        .split(['"', ' '])
        .filter_map(|value| value.strip_prefix("../assets/"))
        .collect();
    assert!(assets.len() >= 8, "{assets:?}");
    for name in assets {
        server.get(&format!("/assets/{name}")).expect(200);
    }
}

fn the_recording_is_played_from_a_signed_url(server: TestServer) {
    let bytes = vec![7_u8; 1_000];
    let upload = json!({
        "filename": "talk.mp4", "file_size": bytes.len(), "content_type": "video/mp4",
    });
    let announced = server.post("/api/v1/upload", &upload).expect(201).json();
    let job_id: JobId = announced["job_id"].as_str().unwrap().parse().unwrap();
    let pending = page(&server, job_id);
    assert!(pending.text().contains("still being uploaded"), "{pending}");
    assert!(!pending.text().contains("<video"), "{pending}");
    let path = |url: &str| url.replace("&amp;", "&").replacen(server.base(), "", 1);
    let upload_url = path(announced["upload_url"].as_str().unwrap());
    let put = server.request("PUT", &upload_url);
    put.body("video/mp4", bytes.clone()).send().expect(200);
    let confirm = json!({ "job_id": job_id });
    server.post("/api/v1/upload/confirm", &confirm).expect(200);

    let page = page(&server, job_id);
    let (_, player) = page
        .text()
        .split_once("<video id=\"media\" src=\"")
        .unwrap();
    let url = path(player.split('"').next().unwrap());
    let part = server.request("GET", &url).header("Range", "bytes=10-19");
    assert_eq!(part.send().expect(206).body, bytes[10..20]);
    let policy = page.header("Content-Security-Policy").unwrap();
    let origin = server.base().trim_end_matches('/');
    assert!(
        policy.contains(&format!("media-src 'self' {origin}")),
        "{policy}"
    );
}

fn the_stages_of_a_job_are_rows(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let claimed = claim(&server, &[Stage::Transcription]).unwrap();
    let failure = json!({ "error": "no speech <b>", "retryable": false });
    claimed.send(&server, "fail", &failure).expect(200);
    let page = page(&server, job_id);
    assert!(page.text().contains("class=\"trouble failed\""), "{page}");
    assert!(page.text().contains("no speech &lt;b&gt;"), "{page}");
    let stages = server.get(&job_path(job_id, "/stages")).expect(200).json();
    let stages: Vec<_> = stages["stages"].as_array().unwrap().clone();
    let names: Vec<_> = stages
        .iter()
        .map(|run| run["stage"].as_str().unwrap())
        .collect();
    assert_eq!(values(&page, "data-stage"), names);
    assert_eq!(page.text().matches("class=\"gantt\"").count(), 1, "{page}");
    assert!(page.text().contains("data-action=\"retry\""), "{page}");
}

fn the_list_leads_to_the_page(server: TestServer) {
    let job = a_job().create(server.db());
    let list = page_at(&server, "/").expect(200);
    let link = format!("href=\"jobs/{}\"", job.job_id);
    assert!(list.text().contains(&link), "{list}");
}

fn a_viewer_has_no_buttons_that_would_be_refused(db: TestDb) {
    let job = a_completed_job(&db);
    let running = a_job().status(JobStatus::Running).create(&db);
    let keys = Role::ALL
        .iter()
        .map(|role| (*role, Key::create(&db, *role)));
    let keys: Vec<_> = keys.collect();
    let clip = db
        .read(|conn| conn.clips().for_job(job.job_id))
        .unwrap()
        .remove(0);
    let server = serve_with_keys(db);
    let mut with_buttons = Vec::new();
    for (role, key) in keys.iter().filter(|(role, _)| *role != Role::Metrics) {
        let get = |job_id| {
            let request = key.request(&server, "GET", &format!("/jobs/{job_id}"));
            request
                .header("Accept", BROWSER)
                .send()
                .without_styles()
                .expect(200)
        };
        let (finished, running) = (get(job.job_id), get(running.job_id));
        let has_buttons = finished.text().contains(" data-edit");
        for button in [" data-delete", "clip-form", " data-may-change"] {
            assert_eq!(
                finished.text().contains(button),
                has_buttons,
                "{role}: {button}"
            );
        }
        assert_eq!(
            running.text().contains(" data-action="),
            has_buttons,
            "{role}"
        );
        // The page has exactly the buttons that the API does not refuse.
        let path = format!("/api/v1/clips/{}", clip.clip_id);
        let change = key
            .request(&server, "PATCH", &path)
            .json(&json!({ "title": "New" }));
        assert_eq!(change.send().status == 200, has_buttons, "{role}");
        if has_buttons {
            with_buttons.push(*role);
        }
    }
    assert_eq!(with_buttons, [Role::Admin, Role::Client]);
}

fn an_owner_sees_no_recordings_of_others(db: TestDb) {
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
    let create = exams.request(&server, "POST", "/api/v1/jobs");
    let created = create.json(&exams.recording()).send().expect(201).json();
    let path = format!("/jobs/{}", created["job_id"].as_str().unwrap());
    let get = |key: &Key| {
        let request = key.request(&server, "GET", &path).header("Accept", BROWSER);
        request.send()
    };
    let own = get(&exams).expect(200);
    assert!(own.text().contains("<h1>lecture.mp4</h1>"), "{own}");
    assert!(
        !own.text().contains("Owner"),
        "one owner needs no fact: {own}"
    );
    let of_all = get(&all).expect(200);
    assert!(of_all.text().contains("<dd>exams</dd>"), "{of_all}");
    let link = "href=\"../operation\"";
    assert!(of_all.text().contains(link), "{of_all}");
    assert!(!own.text().contains(link), "{own}");
    let others = get(&library).expect(404);
    assert!(others.text().contains("<h1>Not found</h1>"), "{others}");
    assert!(!others.text().contains("lecture.mp4"), "{others}");
}
