//! What a signed URL gives access to, and for how long.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use chrono::TimeDelta;
use lectern_tests::{Lectern, TestDb, TestServer, on_both_backends};

use crate::http::support::recordings::{
    Announced, StoredRecording, announce, confirm, files, recording, results, send, upload,
};
use crate::http::support::{concurrently, job_path, raw_http};

on_both_backends!(
    a_signed_url_is_valid_for_its_method_and_key_only,
    a_signed_url_expires,
    no_url_escapes_the_storage_directory,
    symlinks_are_not_followed,
    objects_of_another_job_are_not_served,
    servers_with_one_secret_accept_each_others_urls,
);

/// The URL with another value of one parameter.
fn with_parameter(path: &str, name: &str, value: &str) -> String {
    let (start, rest) = path.split_once(&format!("{name}=")).unwrap();
    let rest = rest
        .split_once('&')
        .map_or(String::new(), |(_, rest)| format!("&{rest}"));
    format!("{start}{name}={value}{rest}")
}

fn a_signed_url_is_valid_for_its_method_and_key_only(server: TestServer) {
    let get = StoredRecording::on(&server, 1000);
    let put = announce(&server, 1000);
    let signature = |path: &str| path.rsplit_once('=').unwrap().1.to_owned();
    let reversed: String = signature(&get.path).chars().rev().collect();
    let without_query = |path: &str| path.split_once('?').unwrap().0.to_owned();
    let query = |path: &str| path.split_once('?').unwrap().1.to_owned();
    for path in [
        without_query(&get.path),
        format!("{}?", without_query(&get.path)),
        with_parameter(&get.path, "signature", &reversed),
        with_parameter(&get.path, "signature", ""),
        with_parameter(&get.path, "signature", &signature(&put.path)),
        with_parameter(&get.path, "expires", "9999999999"),
        with_parameter(&get.path, "expires", "-1"),
        format!("{}?{}", without_query(&put.path), query(&get.path)),
        format!("{}?{}", without_query(&get.path), query(&put.path)),
        format!("{}&size=1000", get.path),
        format!("{}&a=b", get.path),
        format!("{0}&{1}", get.path, query(&get.path)),
        get.path.replace("Lecture", "lecture"),
        put.path.clone(),
    ] {
        server.get(&path).problem(404, "not_found");
        assert_eq!(server.request("HEAD", &path).send().status, 404);
    }
    for path in [
        without_query(&put.path),
        with_parameter(&put.path, "size", "999"),
        with_parameter(&put.path, "size", "1001"),
        with_parameter(&put.path, "expires", "9999999999"),
        with_parameter(&put.path, "signature", &reversed),
        put.path.replace("&size=1000", ""),
        put.path.replace("Lecture", "lecture"),
        get.path.clone(),
        format!("{}?{}", without_query(&get.path), query(&put.path)),
    ] {
        for size in [999, 1000, 1001] {
            send(&server, &path, &recording(size)).problem(404, "not_found");
        }
    }
    for method in ["POST", "PATCH", "DELETE"] {
        let refused = server.request(method, &get.path).send();
        refused.problem(405, "method_not_allowed");
        assert_eq!(refused.header("Allow"), Some("GET, HEAD, PUT"));
    }
    assert_eq!(files(server.objects()), [get.announced.key.as_str()]);
    assert!(server.get(&get.path).expect(200).body == get.bytes);
    send(&server, &put.path, &recording(1000)).expect(200);
}

fn a_signed_url_expires(server: TestServer) {
    let get = StoredRecording::on(&server, 1000);
    let put = announce(&server, 1000);
    server.db().clock().advance(TimeDelta::seconds(3599));
    server.get(&get.path).expect(200);
    server.db().clock().advance(TimeDelta::seconds(1));
    server.get(&get.path).problem(404, "not_found");
    server
        .db()
        .clock()
        .advance(TimeDelta::seconds(23 * 3600 - 1));
    send(&server, &put.path, &recording(1000)).expect(200);
    server.db().clock().advance(TimeDelta::seconds(1));
    send(&server, &put.path, &recording(1000)).problem(410, "upload_expired");
}

fn no_url_escapes_the_storage_directory(server: TestServer) {
    let stored = StoredRecording::on(&server, 1000);
    let secret = server.objects().join("../secret");
    let (_, query) = stored.path.split_once('?').unwrap();
    let job = stored.announced.job_id;
    for key in [
        "",
        "/",
        ".",
        "..",
        "../secret",
        "jobs/../../secret",
        "%2e%2e/secret",
        "%2E%2E%2Fsecret",
        "..%2fsecret",
        "jobs/%2e%2e/%2e%2e/secret",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "//etc/passwd",
        "jobs//x",
        "..\\secret",
        "%5c..%5csecret",
        "jobs/%00",
        "a%00.mp4",
        "%252e%252e/secret",
        "%ff",
        "%",
        "%zz",
        "jobs/./x",
        &format!("jobs/{job}/original/..%2foriginal/Lecture_7.mp4"),
        &format!("jobs/{job}/original//Lecture_7.mp4"),
        &format!("jobs/{job}/original/Lecture_7.mp4/"),
        &format!("jobs/{job}/original/Lecture_7.mp4%00"),
        &format!("jobs/{job}/original/Lecture_7.mp4%23%31"),
        &"a".repeat(2000),
    ] {
        for method in ["GET", "PUT"] {
            let request = raw_http::request(
                method,
                &format!("/api/v1/objects/{key}?{query}"),
                &["Content-Length: 1"],
                "x",
            );
            let answer = raw_http::exchange(&server, request);
            assert_eq!(answer.status, 404, "{method} {key}: {answer:?}");
            answer.problem(404, "not_found");
        }
    }
    assert_eq!(files(server.objects()), [stored.announced.key.as_str()]);
    assert!(!secret.exists());
}

fn symlinks_are_not_followed(server: TestServer) {
    let stored = StoredRecording::on(&server, 1000);
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("Lecture_7.mp4"), "a secret").unwrap();
    let original = server
        .objects()
        .join(format!("jobs/{}/original", stored.announced.job_id));
    fs::remove_dir_all(&original).unwrap();
    std::os::unix::fs::symlink(outside.path(), &original).unwrap();
    server.get(&stored.path).problem(404, "not_found");

    let announced = announce(&server, 1000);
    let original = server
        .objects()
        .join(format!("jobs/{}/original", announced.job_id));
    fs::create_dir_all(original.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(outside.path(), &original).unwrap();
    send(&server, &announced.path, &recording(1000)).problem(404, "not_found");
    confirm(&server, announced.job_id).problem(404, "not_found");
    server.delete(&job_path(announced.job_id, "")).expect(204);
    server
        .delete(&job_path(stored.announced.job_id, ""))
        .expect(204);
    assert_eq!(
        fs::read(outside.path().join("Lecture_7.mp4")).unwrap(),
        b"a secret"
    );
}

fn objects_of_another_job_are_not_served(server: TestServer) {
    let (one, other) = (
        upload(&server, &recording(10)),
        upload(&server, &recording(20)),
    );
    let key = |job: &Announced, name: &str| format!("jobs/{}/{name}", job.job_id);
    let clip = |key: &str| serde_json::json!({ "title": "t", "start_time": 0, "end_time": 1, "s3_key": key });
    let keys = [
        (key(&one, "clips/1.mp4"), true),
        ("elsewhere/1.mp4".to_owned(), true),
        (other.key.clone(), false),
        (key(&other, "clips/1.mp4"), false),
        (
            format!("jobs/{}/../{}/clips/1.mp4", one.job_id, other.job_id),
            false,
        ),
        (
            format!("trash/20261127T064501Z/{}", key(&other, "clips/1.mp4")),
            false,
        ),
        ("../secret".to_owned(), false),
        ("https://example.org/1.mp4".to_owned(), false),
    ];
    let clips: Vec<_> = keys.iter().map(|(key, _)| clip(key)).collect();
    server
        .put(
            &job_path(one.job_id, "/clips"),
            &serde_json::json!({ "clips": clips }),
        )
        .expect(200);
    let results = results(&server, one.job_id);
    for (clip, (key, has_url)) in results["clips"].as_array().unwrap().iter().zip(&keys) {
        assert_eq!(clip["s3_key"].as_str(), Some(key.as_str()));
        assert_eq!(clip["url"].is_string(), *has_url, "{key}");
    }
}

fn servers_with_one_secret_accept_each_others_urls(db: TestDb) {
    const SECRET: &str = "correct horse battery staple, and more";
    let dir = tempfile::tempdir().unwrap();
    let storage = format!("file://{}", dir.path().join("objects").display());
    let serve = |settings: &[(&str, &str)]| {
        Lectern::serve_with(
            db.url(),
            &[&[("LECTERN_STORAGE", storage.as_str())], settings].concat(),
        )
    };
    let data = dir.path().join("data");
    let with_secret = [("LECTERN_SECRET", SECRET)];
    let with_data_dir = [("LECTERN_DATA_DIR", data.to_str().unwrap())];
    // Servers without a configured secret read or create one in their data
    // directory.
    let servers = concurrently(4, |i| {
        if i < 2 {
            serve(&with_secret)
        } else {
            serve(&with_data_dir)
        }
    });
    let bytes = recording(1000);
    for (from, accepting) in [(0, [0, 1]), (2, [2, 3])] {
        let announced = announce(&servers[from], bytes.len());
        for (i, server) in servers.iter().enumerate() {
            let answer = send(server, &announced.path, &bytes);
            assert_eq!(
                answer.status,
                if accepting.contains(&i) { 200 } else { 404 },
                "{from} {i}"
            );
        }
    }
    let secret = data.join("secret");
    assert_eq!(
        fs::metadata(&secret).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let secret = fs::read_to_string(secret).unwrap();
    for server in &servers {
        assert!(!server.log().contains(SECRET) && !server.log().contains(secret.trim()));
    }
    let help = Lectern::command()
        .env("LECTERN_SECRET", SECRET)
        .args(["help", "settings"])
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains("LECTERN_SECRET") && !help.contains(SECRET));
}
