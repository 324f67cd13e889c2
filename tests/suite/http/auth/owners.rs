//! Keys with an owner: what they find, and that jobs of other owners do not exist for them.

use lectern_domain::{Access, JobId, NewApiKey, OwnerName, Role};
use lectern_server::routes::routes;
use lectern_tests::{
    Client, Response, TestDb, a_job, on_both_backends_and_with_row_security, store_output,
};
use serde_json::{Value, json};

use crate::http::support::api_key::{Key, serve_with_keys, wait_for_claims};
use crate::http::support::{JOBS, UNKNOWN_ID};

on_both_backends_and_with_row_security!(
    every_route_with_an_id_of_another_owner_responds_as_to_an_unknown_id,
    lists_statistics_and_events_are_those_of_the_owner,
    a_waiting_claim_is_woken_although_another_owners_waits_before_it,
    the_responses_of_equal_requests_are_shared_by_one_owner_only,
    a_key_of_an_owner_names_only_objects_of_its_jobs_and_of_the_owner,
    an_object_of_another_owner_that_a_stored_job_names_has_no_url,
);

fn key_of(db: &TestDb, role: Role, owner: &str) -> Key {
    let new = NewApiKey {
        owner: Some(OwnerName::new(owner).unwrap()),
        ..NewApiKey::new(role)
    };
    Key::create_as(db, &new)
}

/// Ids of one job, and of what belongs to it.
struct Ids {
    job: String,
    /// A pending job with a resumable upload.
    upload: String,
    clip: String,
    segment: String,
    topic: String,
    lease: String,
}

impl Ids {
    fn unknown() -> Self {
        let id = || UNKNOWN_ID.to_owned();
        Self {
            job: id(),
            upload: id(),
            clip: id(),
            segment: id(),
            topic: id(),
            lease: id(),
        }
    }

    fn in_path(&self, path: &str) -> String {
        let segment = if path.contains("/content-segments/") {
            &self.topic
        } else {
            &self.segment
        };
        path.replace("{job_id}", &self.job)
            .replace("{upload_id}", &self.upload)
            .replace("{clip_id}", &self.clip)
            .replace("{segment_id}", segment)
            .replace("{lease_id}", &self.lease)
    }

    fn all(&self) -> [&str; 6] {
        [
            &self.job,
            &self.upload,
            &self.clip,
            &self.segment,
            &self.topic,
            &self.lease,
        ]
        .map(String::as_str)
    }
}

/// Creates a job over HTTP, stores its output and leases one of its stages.
fn a_leased_job(server: &Client, db: &lectern_db::Database, client: &Key, worker: &Key) -> Ids {
    let post =
        |key: &Key, path: &str, body: Value| key.request(server, "POST", path).json(&body).send();
    let job = post(client, JOBS, client.recording()).expect(201).json();
    let job_id: JobId = job["job_id"].as_str().unwrap().parse().unwrap();
    store_output(db, job_id);
    let claim = json!({ "worker": "w", "stages": ["silence_detection"] });
    let claims = post(worker, "/api/v1/work/claim", claim).expect(200).json();
    let upload = client
        .request(server, "POST", "/api/v1/uploads/tus")
        .header("Tus-Resumable", "1.0.0")
        .header("Upload-Length", "5")
        .header("Upload-Metadata", "filename YS5tcDQ=")
        .send();
    let location = upload.expect(201).header("Location").unwrap().to_owned();
    let row_ids = db.read(|conn| {
        Ok::<_, lectern_db::Error>([
            conn.clips().for_job(job_id)?[0].clip_id.to_string(),
            conn.transcripts().for_job(job_id)?[0]
                .segment_id
                .to_string(),
            conn.content_segments().for_job(job_id)?[0]
                .segment_id
                .to_string(),
        ])
    });
    let [clip, segment, topic] = row_ids.unwrap();
    assert_eq!(claims["claims"][0]["job"]["job_id"], job["job_id"]);
    Ids {
        job: job_id.to_string(),
        upload: location.rsplit_once('/').unwrap().1.to_owned(),
        clip,
        segment,
        topic,
        lease: claims["claims"][0]["lease_id"].as_str().unwrap().to_owned(),
    }
}

/// A body that the route accepts.
fn body_of(method: &str, path: &str) -> Value {
    let after_id = path.rsplit_once('}').map_or("", |(_, rest)| rest);
    match (method, after_id) {
        ("PATCH", "") if path.contains("/jobs/") => json!({ "priority": 3 }),
        ("PATCH", "") if path.contains("/transcripts/") => json!({ "text": "changed" }),
        ("PATCH", "") if path.contains("/clips/") => json!({ "title": "Changed" }),
        ("PATCH", "") => json!({ "topic": "Changed" }),
        ("PUT", "/clips") => json!({ "clips": [] }),
        ("POST", "/clips") => json!({
            "title": "New", "start_time": 0.0, "end_time": 1.0, "clip_order": 99
        }),
        ("PUT", "/content-segments" | "/transcripts") | ("POST", "/transcripts") => {
            json!({ "segments": [] })
        }
        ("PUT", "/silence-regions") => json!({ "regions": [] }),
        ("PUT", "/layout-analysis") => {
            json!({ "layout_type": "screen_only", "confidence_score": 0.5 })
        }
        ("POST", "/logs") => json!({ "stage": "transcription", "status": "started" }),
        ("POST", "/progress") => json!({ "stage": "transcription", "percent": 5.0 }),
        ("POST", "/rerun") => json!({ "from_stage": "transcription" }),
        ("POST", "/objects") => json!({ "filename": "a", "file_size": 1 }),
        ("POST", "/fail") => json!({ "error": "disk full", "retryable": true }),
        _ => json!({}),
    }
}

fn send(server: &Client, key: &Key, method: &str, path: &str, body: &Value) -> Response {
    let mut request = key.request(server, method, path);
    if path.starts_with("/ws/") {
        request = request
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    }
    if path.contains("/uploads/tus/") {
        request = request
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Offset", "0");
        if method == "PATCH" {
            return request.body("application/offset+octet-stream", "ab").send();
        }
        if method == "POST" {
            request = request.header("X-HTTP-Method-Override", "DELETE");
        }
        return request.send();
    }
    if path.ends_with("/subtitles") && method == "PUT" {
        return request.body("text/vtt", "WEBVTT\n").send();
    }
    match method {
        "GET" | "HEAD" | "DELETE" => request.send(),
        _ => request.json(body).send(),
    }
}

/// The status and the body, with the ids of the request replaced.
fn told(response: &Response, ids: &Ids) -> (u16, String) {
    let mut body = String::from_utf8_lossy(&response.body).into_owned();
    for id in ids.all() {
        body = body.replace(id, "{id}");
    }
    let mut body: Value = serde_json::from_str(&body).unwrap_or(Value::String(body));
    if let Some(body) = body.as_object_mut() {
        body.remove("request_id");
    }
    (response.status, body.to_string())
}

fn every_route_with_an_id_of_another_owner_responds_as_to_an_unknown_id(db: TestDb) {
    let owners = (
        key_of(&db, Role::Client, "exams"),
        key_of(&db, Role::Worker, "exams"),
    );
    let strangers: Vec<(Role, Key)> = Role::ALL
        .iter()
        .map(|role| (*role, key_of(&db, *role, "library")))
        .collect();
    let database = lectern_db::Database::clone(&db);
    let server = serve_with_keys(db);
    let ids = a_leased_job(&server, &database, &owners.0, &owners.1);
    let unknown = Ids::unknown();
    let job_id: JobId = ids.job.parse().unwrap();
    let before = database.find_job(job_id).unwrap();
    let mut checked = 0;
    for (method, path, access) in routes() {
        let Access::Scope(scope) = access else {
            continue;
        };
        if ids.in_path(path) == path {
            continue;
        }
        let body = body_of(&method, path);
        let methods = if method == "GET" {
            vec!["GET", "HEAD"]
        } else {
            vec![method.as_str()]
        };
        for method in methods {
            for (role, key) in strangers.iter().filter(|(role, _)| role.has(scope)) {
                let name = format!("{method} {path} as {role}");
                let of = |ids: &Ids| {
                    let response = send(&server, key, method, &ids.in_path(path), &body);
                    told(&response, ids)
                };
                let (foreign, expected) = (of(&ids), of(&unknown));
                assert_eq!(foreign, expected, "{name}");
                let expected_status = if path.contains("/work/") { 409 } else { 404 };
                assert!(
                    [404, expected_status].contains(&foreign.0),
                    "{name}: {foreign:?}"
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 100, "{checked}");
    assert_eq!(database.find_job(job_id).unwrap(), before);

    // An id in a body.
    let client = &strangers
        .iter()
        .find(|(role, _)| *role == Role::Client)
        .unwrap()
        .1;
    for (path, field) in [
        ("/api/v1/upload/confirm", "job_id"),
        (JOBS, "source_job_id"),
    ] {
        let of = |ids: &Ids| {
            let body = json!({ field: ids.job });
            told(&send(&server, client, "POST", path, &body), ids)
        };
        assert_eq!(of(&ids), of(&unknown), "{path}");
    }
    // The owner finds everything, as does a key without owner.
    let own = send(
        &server,
        &owners.0,
        "GET",
        &format!("{JOBS}/{}", ids.job),
        &Value::Null,
    );
    assert_eq!(own.expect(200).json()["owner_id"], "exams");
}

fn lists_statistics_and_events_are_those_of_the_owner(db: TestDb) {
    let keys = ["exams", "library"].map(|owner| key_of(&db, Role::Client, owner));
    let all = Key::create(&db, Role::Admin);
    let server = serve_with_keys(db);
    for (key, count) in [(&keys[0], 2), (&keys[1], 1), (&all, 1)] {
        for _ in 0..count {
            let body = key.recording();
            key.request(&server, "POST", JOBS)
                .json(&body)
                .send()
                .expect(201);
        }
    }
    for (key, count) in [(&keys[0], 2), (&keys[1], 1), (&all, 4)] {
        let get = |path: &str| key.request(&server, "GET", path).send().expect(200).json();
        let list = get(&format!("{JOBS}?include_total=true"));
        assert_eq!(list["jobs"].as_array().unwrap().len(), count);
        assert_eq!(list["total"], count);
        let stats = get("/api/v1/stats");
        assert_eq!(stats["by_status"]["queued"], count, "{stats}");
        let events = || get("/api/v1/events")["events"].as_array().unwrap().len();
        // On PostgreSQL, a transaction of another test may hold events back for a moment.
        crate::http::support::wait_until(|| events() >= count);
        assert_eq!(events(), count);
    }
}

fn a_waiting_claim_is_woken_although_another_owners_waits_before_it(db: TestDb) {
    let workers = ["library", "exams"].map(|owner| key_of(&db, Role::Worker, owner));
    let client = key_of(&db, Role::Client, "exams");
    let admin = Key::create(&db, Role::Admin);
    let server = serve_with_keys(db);
    let claim = |worker: &Key| {
        let body = json!({ "worker": "w", "stages": ["silence_detection"], "wait_seconds": 60 });
        let response = worker
            .request(&server, "POST", "/api/v1/work/claim")
            .json(&body)
            .send();
        response.expect(200).json()["claims"]
            .as_array()
            .unwrap()
            .len()
    };
    std::thread::scope(|scope| {
        let first = scope.spawn(|| claim(&workers[0]));
        wait_for_claims(&server, &admin, 1);
        let second = scope.spawn(|| claim(&workers[1]));
        wait_for_claims(&server, &admin, 2);
        let body = client.recording();
        client
            .request(&server, "POST", JOBS)
            .json(&body)
            .send()
            .expect(201);
        assert_eq!(second.join().unwrap(), 1);
        // Ends the wait of the other one.
        let library = OwnerName::new("library").unwrap();
        a_job().create(&server.db().as_owner(library));
        assert_eq!(first.join().unwrap(), 1);
    });
}

fn the_responses_of_equal_requests_are_shared_by_one_owner_only(db: TestDb) {
    let keys = ["exams", "library"].map(|owner| key_of(&db, Role::Viewer, owner));
    for owner in ["exams", "exams", "library"] {
        a_job().create(&db.as_owner(OwnerName::new(owner).unwrap()));
    }
    let server = serve_with_keys(db);
    std::thread::scope(|scope| {
        for i in 0..12 {
            let (server, key) = (&server, &keys[i % 2]);
            scope.spawn(move || {
                for _ in 0..20 {
                    let list = key.request(server, "GET", JOBS).send().expect(200).json();
                    assert_eq!(list["jobs"].as_array().unwrap().len(), 2 - i % 2);
                }
            });
        }
    });
}

/// Requests that name the object `key`, each with the field in which they do, for a job of the
/// owner and one of its clips.
fn naming(ids: &Ids, key: &str) -> Vec<(&'static str, String, Value, &'static str)> {
    let clip =
        |field: &str| json!({ "title": "t", "start_time": 0.0, "end_time": 1.0, field: key });
    let clips = format!("{JOBS}/{}/clips", ids.job);
    let one = format!("/api/v1/clips/{}", ids.clip);
    let job = json!({ "filename": "a.mp4", "file_size": 5, "s3_key": key });
    vec![
        ("POST", JOBS.to_owned(), job, "s3_key"),
        ("POST", clips.clone(), clip("s3_key"), "s3_key"),
        (
            "POST",
            clips.clone(),
            clip("thumbnail_s3_key"),
            "thumbnail_s3_key",
        ),
        (
            "PUT",
            clips,
            json!({ "clips": [clip("topic"), clip("subtitle_s3_key")] }),
            "clips[1].subtitle_s3_key",
        ),
        ("PATCH", one.clone(), json!({ "s3_key": key }), "s3_key"),
        (
            "PATCH",
            one,
            json!({ "subtitle_s3_key": key }),
            "subtitle_s3_key",
        ),
    ]
}

fn a_key_of_an_owner_names_only_objects_of_its_jobs_and_of_the_owner(db: TestDb) {
    let keys = ["exams", "library"].map(|owner| {
        let roles = [Role::Client, Role::Worker];
        roles.map(|role| key_of(&db, role, owner))
    });
    let unlimited = Key::create(&db, Role::Admin);
    let database = lectern_db::Database::clone(&db);
    let server = serve_with_keys(db);
    let [own, foreign] = keys
        .each_ref()
        .map(|[client, worker]| a_leased_job(&server, &database, client, worker));
    let [client, _] = &keys[0];
    // With a lease, no set of clips would be refused for the lack of it.
    let existing = server.objects().join(format!("jobs/{}/clips", foreign.job));
    std::fs::create_dir_all(&existing).unwrap();
    std::fs::write(existing.join("1.mp4"), "clip").unwrap();
    let of_others = [
        format!("jobs/{}/clips/1.mp4", foreign.job),
        format!("jobs/{}/clips/2.mp4", foreign.job),
        format!("jobs/{UNKNOWN_ID}/clips/1.mp4"),
        "uploads/lecture.mp4".to_owned(),
        "owners/library/lecture.mp4".to_owned(),
        "owners/exams/../library/lecture.mp4".to_owned(),
    ];
    for (i, (method, path, ..)) in naming(&own, "").into_iter().enumerate() {
        let mut answers = Vec::new();
        for key in &of_others {
            let (.., body, field) = naming(&own, key).swap_remove(i);
            let refused = send(&server, client, method, &path, &body);
            refused.problem_with(422, "validation_failed", field);
            answers.push(told(&refused, &own));
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{method} {path}: {answers:?}");
    }
    let allowed = [
        "owners/exams/lecture.mp4".to_owned(),
        format!("jobs/{}/clips/x.mp4", own.job),
    ];
    for (i, key) in allowed.iter().enumerate() {
        for (method, path, body, _) in naming(&own, key) {
            // A new job has no objects yet.
            let expected = match (method, path.as_str()) {
                ("POST", JOBS) if i == 1 => 422,
                ("POST", _) => 201,
                _ => 200,
            };
            // The set of clips replaces the clip of the other requests.
            if method != "PUT" {
                send(&server, client, method, &path, &body).expect(expected);
            }
        }
    }
    for (method, path, body, _) in naming(&own, "uploads/lecture.mp4") {
        if method == "POST" {
            send(&server, &unlimited, method, &path, &body).expect(201);
        }
    }
}

fn an_object_of_another_owner_that_a_stored_job_names_has_no_url(db: TestDb) {
    let admin = Key::create(&db, Role::Admin);
    let exams = OwnerName::new("exams").unwrap();
    let owned = db.as_owner(exams);
    let job_id = a_job()
        .status(lectern_domain::JobStatus::Completed)
        .create(&owned)
        .job_id;
    store_output(&owned, job_id);
    let keys = [
        ("owners/library/lecture.mp4", false),
        ("uploads/lecture.mp4", false),
        ("owners/exams/lecture.mp4", true),
    ];
    let client = key_of(&db, Role::Client, "exams");
    let server = serve_with_keys(db);
    for (object, is_signed) in keys {
        let sql = format!(
            "UPDATE jobs SET original_s3_key = '{object}'; UPDATE clips SET s3_key = '{object}'"
        );
        server.db().sql().batch(&sql).unwrap();
        // What the worker of all owners gets must not become the output of this one.
        for key in [&client, &admin] {
            let path = format!("/api/v1/results/{job_id}");
            let results = key.request(&server, "GET", &path).send().expect(200).json();
            assert_eq!(
                results["metadata"]["original_video"]["url"].is_string(),
                is_signed,
                "{results}"
            );
            assert_eq!(
                results["clips"][0]["url"].is_string(),
                is_signed,
                "{results}"
            );
        }
    }
}
