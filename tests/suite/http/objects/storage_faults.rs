//! Storage that is full, damaged or unreachable.

use std::fs;
use std::net::TcpListener;

use lectern_server::ServerConfig;
use lectern_storage::{Secret, Storage, StorageConfig};
use lectern_tests::{Lectern, TestDb, TestServer, on_both_backends};

use crate::http::support::recordings::{
    PartialTransfer, a_lecture, announce, confirm, files, path_of, recording, results, send, upload,
};
use crate::http::support::{JOBS, a_recording, job_path};

on_both_backends!(
    an_unreachable_storage_does_not_block_other_requests,
    a_storage_that_does_not_answer_times_out,
    a_full_disk_is_reported_and_left_clean,
    a_removed_storage_directory_is_recreated,
    a_truncated_file_aborts_the_response,
);

/// A bucket of the service at this address.
fn bucket(address: &str) -> Storage {
    let config: StorageConfig = format!("s3://lectures?endpoint=http://{address}")
        .parse()
        .unwrap();
    let config = config.with_environment(|name| {
        name.starts_with("AWS_ACCESS")
            .then(|| "key".to_owned())
            .or_else(|| name.starts_with("AWS_SECRET").then(|| "secret".to_owned()))
    });
    Storage::open(&config.unwrap(), Secret::random().unwrap()).unwrap()
}

/// Checks which requests succeed while the bucket at this address is unreachable.
fn assert_degraded_service(db: TestDb, address: &str) {
    let config = ServerConfig {
        storage: Some(bucket(address)),
        ..ServerConfig::default()
    };
    let server = TestServer::serve(db, config);
    let announced = server
        .post("/api/v1/upload", &a_lecture(1000))
        .expect(201)
        .json();
    let url = announced["upload_url"].as_str().unwrap();
    assert!(
        url.starts_with(&format!("http://{address}/lectures/jobs/")),
        "{url}"
    );
    let job_id = announced["job_id"].as_str().unwrap().parse().unwrap();
    confirm(&server, job_id).problem(503, "overloaded");
    assert_eq!(
        server.get(&job_path(job_id, "")).expect(200).json()["status"],
        "pending"
    );
    // The job is deleted; gc removes its objects later.
    server.delete(&job_path(job_id, "")).expect(204);
    server
        .get(&job_path(job_id, ""))
        .problem(404, "job_not_found");
    server.post(JOBS, &a_recording()).expect(201);
    server.get("/readyz").expect(200);
    for method in ["GET", "PUT"] {
        let path = format!("/api/v1/objects/jobs/{job_id}/original/a.mp4?expires=1&signature=00");
        server
            .request(method, &path)
            .send()
            .problem(404, "not_found");
    }
}

fn an_unreachable_storage_does_not_block_other_requests(db: TestDb) {
    assert_degraded_service(db, "127.0.0.1:1");
}

fn a_storage_that_does_not_answer_times_out(db: TestDb) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    assert_degraded_service(db, &listener.local_addr().unwrap().to_string());
}

fn a_full_disk_is_reported_and_left_clean(db: TestDb) {
    let server = Lectern::serve_with_file_limit(db.url(), 4 << 10);
    let objects = server.dir().join("lectern-data/objects");
    let large = recording(6 << 20);
    let announced = announce(&server, large.len());
    send(&server, &announced.path, &large).problem(503, "overloaded");
    while !server.log().contains("could not write") {
        std::thread::yield_now();
    }
    assert_eq!(files(&objects), [""; 0]);
    confirm(&server, announced.job_id).problem(409, "illegal_transition");
    let fits = upload(&server, &recording(3 << 20));
    assert_eq!(files(&objects), [fits.key]);
}

fn a_removed_storage_directory_is_recreated(server: TestServer) {
    let bytes = recording(1000);
    let (first, second) = (upload(&server, &bytes), announce(&server, bytes.len()));
    let url = results(&server, first.job_id)["metadata"]["original_video"]["url"].clone();
    fs::remove_dir_all(server.objects()).unwrap();
    server.get(path_of(&server, &url)).problem(404, "not_found");
    confirm(&server, second.job_id).problem(409, "illegal_transition");
    send(&server, &second.path, &bytes).expect(200);
    confirm(&server, second.job_id).expect(200);
}

fn a_truncated_file_aborts_the_response(server: TestServer) {
    let bytes = recording(64 << 20);
    let announced = upload(&server, &bytes);
    let url = results(&server, announced.job_id)["metadata"]["original_video"]["url"].clone();
    let partial = PartialTransfer::download(&server, path_of(&server, &url));
    let file = fs::File::options()
        .write(true)
        .open(server.objects().join(&announced.key))
        .unwrap();
    file.set_len(1 << 20).unwrap();
    let received = partial.read();
    assert!(received < bytes.len(), "{received}");
    server.get("/readyz").expect(200);
}
