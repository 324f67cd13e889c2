//! The URLs of uploads, and their settings.

use lectern_server::ServerConfig;
use lectern_tests::{Lectern, TestDb, TestServer, on_both_backends};

use crate::http::support::recordings::{UPLOAD, a_lecture, files, recording, send};

on_both_backends!(
    urls_begin_with_the_host_of_the_request,
    urls_begin_with_the_configured_public_url,
    environment_variables_configure_uploads,
);

fn urls_begin_with_the_host_of_the_request(db: TestDb) {
    let config = ServerConfig {
        hosts: vec!["*".to_owned()],
        ..ServerConfig::default()
    };
    let server = TestServer::serve(db, config);
    let announce = |host| {
        server
            .request("POST", UPLOAD)
            .header("Host", host)
            .json(&a_lecture(1))
            .send()
    };
    let url = |host| {
        announce(host).expect(201).json()["upload_url"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(
        url("lectern.example:81").starts_with("http://lectern.example:81/api/v1/objects/jobs/")
    );
    assert!(url("[::1]:81").starts_with("http://[::1]:81/api/v1/objects/jobs/"));
    for host in ["a/b", "a?b", "me@a", ":"] {
        announce(host).problem_with(400, "malformed_query", "Host");
    }
}

fn urls_begin_with_the_configured_public_url(db: TestDb) {
    let config = ServerConfig {
        public_url: Some("https://example.org/lectern/".parse().unwrap()),
        ..ServerConfig::default()
    };
    let server = TestServer::serve(db, config);
    let announce = || {
        let request = server
            .request("POST", UPLOAD)
            .header("Idempotency-Key", "lecture-7");
        request.json(&a_lecture(1)).send().expect(201)
    };
    let first = announce();
    let location = first.header("Location").unwrap();
    let path = location.strip_prefix("/lectern").unwrap();
    let job = server.get(path).expect(200).json();
    assert_eq!(job["job_id"], first.json()["job_id"]);
    // A stored response has the prefix once, too.
    assert_eq!(announce().header("Location"), Some(location));
    let response = first.json();
    let url = response["upload_url"].as_str().unwrap();
    let path = url.strip_prefix("https://example.org/lectern").unwrap();
    assert!(path.starts_with("/api/v1/objects/jobs/"), "{url}");
    // The proxy at the public URL removes the prefix.
    send(&server, path, b"!").expect(200);
}

fn environment_variables_configure_uploads(db: TestDb) {
    let server = Lectern::serve_with(
        db.url(),
        &[
            ("LECTERN_MAX_UPLOAD", "1000"),
            ("LECTERN_UPLOAD_TTL", "60"),
            ("LECTERN_PUBLIC_URL", "https://example.org/lectern/"),
            ("LECTERN_STORAGE", ""),
            ("LECTERN_SECRET", ""),
        ],
    );
    server
        .post(UPLOAD, &a_lecture(1001))
        .problem_with(422, "validation_failed", "file_size");
    let announced = server.post(UPLOAD, &a_lecture(1000)).expect(201).json();
    assert_eq!(announced["expires_in"], 60);
    let url = announced["upload_url"].as_str().unwrap();
    let path = url.strip_prefix("https://example.org/lectern").unwrap();
    send(&server, path, &recording(1000)).expect(200);
    assert_eq!(
        files(&server.dir().join("lectern-data/objects")),
        [announced["s3_key"].as_str().unwrap()]
    );
}
