//! What one caller may have, and how many requests it may send.

use std::num::NonZeroU32;

use lectern_domain::{JobQuota, NewApiKey, OwnerName, Role, Stage};
use lectern_server::{Quotas, RateLimit, ServerConfig};
use lectern_tests::{Body as _, Response, TestDb, TestServer, a_job, on_both_backends, segments};
use serde_json::{Value, json};

use crate::http::live::channel::Stream;
use crate::http::support::api_key::{Key, wait_for_claims, with_keys};
use crate::http::support::worker::example_output;
use crate::http::support::{JOBS, concurrently, dump};

on_both_backends!(
    an_owner_has_no_more_open_jobs_than_its_quota,
    concurrent_creations_stop_exactly_at_the_quota,
    a_finished_job_is_opened_again_within_the_quota_only,
    the_recordings_of_an_owner_have_no_more_bytes_than_its_quota,
    jobs_without_an_owner_have_one_quota_together,
    outputs_beyond_the_rows_of_an_owner_are_refused,
    large_sets_beyond_the_rows_of_an_owner_are_refused,
    a_worker_may_store_no_more_rows_than_its_jobs_owner,
    watchers_and_waiting_claims_of_a_caller_are_bounded,
    a_caller_that_sends_too_many_requests_is_refused_until_it_waits,
    without_a_rate_limit_responses_do_not_tell_of_one,
);

fn key_of(db: &TestDb, role: Role, owner: &str) -> Key {
    let new = NewApiKey {
        owner: Some(OwnerName::new(owner).unwrap()),
        ..NewApiKey::new(role)
    };
    Key::create_as(db, &new)
}

fn serve(db: TestDb, quotas: Quotas) -> TestServer {
    let config = ServerConfig {
        quotas,
        ..with_keys()
    };
    TestServer::serve(db, config)
}

fn open_jobs(max: u64) -> Quotas {
    let jobs = JobQuota {
        open_jobs: Some(max),
        ..JobQuota::default()
    };
    Quotas {
        jobs,
        ..Quotas::default()
    }
}

fn create(server: &TestServer, key: &Key) -> Response {
    let create = key.request(server, "POST", JOBS);
    create.json(&key.recording()).send()
}

fn id_of(created: &Response) -> String {
    created.json()["job_id"].as_str().unwrap().to_owned()
}

fn post(server: &TestServer, key: &Key, job: &str, action: &str) -> Response {
    let path = format!("{JOBS}/{job}/{action}");
    key.request(server, "POST", &path).send()
}

fn an_owner_has_no_more_open_jobs_than_its_quota(db: TestDb) {
    let (exams, library) = (
        key_of(&db, Role::Client, "exams"),
        key_of(&db, Role::Client, "library"),
    );
    let server = serve(db, open_jobs(2));
    let first = id_of(&create(&server, &exams).expect(201));
    // A pending job is open, too.
    let upload = json!({ "filename": "talk.mp4", "file_size": 5 });
    let request_upload = || {
        let request = exams.request(&server, "POST", "/api/v1/upload");
        request.json(&upload).send()
    };
    request_upload().expect(201);
    let refused = create(&server, &exams);
    refused.problem(429, "quota_exceeded");
    assert_eq!(refused.header("Retry-After"), Some("30"));
    assert!(refused.text().contains("at most 2 jobs"), "{refused}");
    request_upload().problem(429, "quota_exceeded");
    let tus = exams.request(&server, "POST", "/api/v1/uploads/tus");
    tus.header("Tus-Resumable", "1.0.0")
        .header("Upload-Length", "5")
        .header("Upload-Metadata", "filename dGFsay5tcDQ=")
        .send()
        .problem(429, "quota_exceeded");
    let source = exams.request(&server, "POST", JOBS);
    let of_source = source.json(&json!({ "source_job_id": first })).send();
    of_source.problem(429, "quota_exceeded");
    // With an idempotency key, the refusal is not remembered.
    let with_key = || {
        let create = exams.request(&server, "POST", JOBS);
        create
            .header("Idempotency-Key", "k-1")
            .json(&exams.recording())
            .send()
    };
    with_key().problem(429, "quota_exceeded");
    create(&server, &library).expect(201);
    post(&server, &exams, &first, "cancel").expect(200);
    with_key().expect(201);
    create(&server, &exams).problem(429, "quota_exceeded");
}

fn concurrent_creations_stop_exactly_at_the_quota(db: TestDb) {
    let exams = key_of(&db, Role::Client, "exams");
    let server = serve(db, open_jobs(7));
    let statuses = concurrently(20, |i| {
        let create = exams.request(&server, "POST", JOBS);
        // Some in batches, some in transactions of their own.
        let create = if i % 2 == 0 {
            create.header("Idempotency-Key", &format!("k-{i}"))
        } else {
            create
        };
        create.json(&exams.recording()).send().status
    });
    let count = |status| statuses.iter().filter(|of| **of == status).count();
    assert_eq!((count(201), count(429)), (7, 13), "{statuses:?}");
}

fn a_finished_job_is_opened_again_within_the_quota_only(db: TestDb) {
    let exams = key_of(&db, Role::Client, "exams");
    let server = serve(db, open_jobs(1));
    let first = id_of(&create(&server, &exams).expect(201));
    post(&server, &exams, &first, "cancel").expect(200);
    let second = id_of(&create(&server, &exams).expect(201));
    let retry = || post(&server, &exams, &first, "retry");
    retry().problem(429, "quota_exceeded");
    let rerun = exams.request(&server, "POST", &format!("{JOBS}/{first}/rerun"));
    let rerun = rerun.json(&json!({ "from_stage": "transcription" })).send();
    rerun.problem(429, "quota_exceeded");
    let update = exams.request(&server, "PATCH", &format!("{JOBS}/{first}"));
    let update = update.json(&json!({ "status": "queued" })).send();
    update.problem(429, "quota_exceeded");
    // A retry of a job that is open already changes nothing.
    post(&server, &exams, &second, "retry").expect(200);
    post(&server, &exams, &second, "cancel").expect(200);
    retry().expect(200);
}

fn the_recordings_of_an_owner_have_no_more_bytes_than_its_quota(db: TestDb) {
    let exams = key_of(&db, Role::Client, "exams");
    // More than the gibibyte by which bytes are counted.
    let jobs = JobQuota {
        stored_bytes: Some(5_000_000_000),
        ..JobQuota::default()
    };
    let quotas = Quotas {
        jobs,
        ..Quotas::default()
    };
    let server = serve(db, quotas);
    let create = |size: u64| {
        let mut recording = exams.recording();
        recording["file_size"] = size.into();
        let create = exams.request(&server, "POST", JOBS);
        create.json(&recording).send()
    };
    let first = id_of(&create(4_000_000_000).expect(201));
    create(1_000_000_001).problem(429, "quota_exceeded");
    create(1_000_000_000).expect(201);
    create(1).problem(429, "quota_exceeded");
    // Finished jobs count until they are deleted.
    post(&server, &exams, &first, "cancel").expect(200);
    create(1).problem(429, "quota_exceeded");
    let delete = exams.request(&server, "DELETE", &format!("{JOBS}/{first}"));
    delete.send().expect(204);
    create(4_000_000_000).expect(201);
}

fn jobs_without_an_owner_have_one_quota_together(db: TestDb) {
    let exams = key_of(&db, Role::Client, "exams");
    let [one, other] = [Role::Client, Role::Admin].map(|role| Key::create(&db, role));
    let server = serve(db, open_jobs(2));
    create(&server, &exams).expect(201);
    create(&server, &one).expect(201);
    create(&server, &other).expect(201);
    create(&server, &one).problem(429, "quota_exceeded");
    create(&server, &exams).expect(201);
    create(&server, &exams).problem(429, "quota_exceeded");
}

fn rows(max: u64) -> Quotas {
    let jobs = JobQuota {
        stored_rows: Some(max),
        ..JobQuota::default()
    };
    Quotas {
        jobs,
        ..Quotas::default()
    }
}

/// An example of the output of a stage, whose clips have no files: those of the example belong to
/// nobody.
fn output_without_files(stage: Stage) -> (&'static str, Value) {
    let (below, mut body) = example_output(stage);
    let clips = body.get_mut("clips").and_then(Value::as_array_mut);
    for clip in clips.into_iter().flatten() {
        let clip = clip.as_object_mut().unwrap();
        clip.retain(|field, _| !field.ends_with("s3_key"));
    }
    (below, body)
}

/// Everything that is stored but when keys were used, which is recorded later.
fn stored(server: &TestServer) -> Vec<(String, Vec<Vec<Option<String>>>)> {
    let mut tables = dump(server.db());
    tables.retain(|(name, _)| name != "api_keys");
    tables
}

fn outputs_beyond_the_rows_of_an_owner_are_refused(db: TestDb) {
    let (exams, library) = (
        key_of(&db, Role::Client, "exams"),
        key_of(&db, Role::Client, "library"),
    );
    let server = serve(db, rows(9));
    let jobs = [&exams, &exams, &library].map(|key| id_of(&create(&server, key).expect(201)));
    let send = |key: &Key, method: &str, path: &str, body: &Value| {
        key.request(&server, method, path).json(body).send()
    };
    let put = |key, job: &str, stage| {
        let (below, body) = output_without_files(stage);
        send(key, "PUT", &format!("{JOBS}/{job}{below}"), &body)
    };
    let [first, second, other] = &jobs;
    put(&exams, first, Stage::Transcription).expect(200);
    put(&exams, second, Stage::SilenceDetection).expect(200);
    // There are eight rows, and may be nine.
    let before = stored(&server);
    let refused = put(&exams, second, Stage::Transcription);
    refused.problem(429, "quota_exceeded");
    assert_eq!(refused.header("Retry-After"), Some("30"));
    assert!(refused.text().contains("at most 9 rows"), "{refused}");
    for stage in [Stage::ContentAnalysis, Stage::Segmentation] {
        put(&exams, second, stage).problem(429, "quota_exceeded");
    }
    let (below, segments) = example_output(Stage::Transcription);
    let transcript = format!("{JOBS}/{first}{below}");
    send(&exams, "POST", &transcript, &segments).problem(429, "quota_exceeded");
    assert_eq!(stored(&server), before);
    put(&exams, second, Stage::LayoutAnalysis).expect(200);
    put(&exams, second, Stage::LayoutAnalysis).expect(200);
    // Now there are nine.
    let entry = json!({ "stage": "transcription", "status": "started" });
    let (_, clips) = output_without_files(Stage::Segmentation);
    let refused_as_well = [
        (format!("{JOBS}/{first}/logs"), &entry),
        (format!("{JOBS}/{first}/clips"), &clips["clips"][0]),
    ];
    for (path, body) in refused_as_well {
        send(&exams, "POST", &path, body).problem(429, "quota_exceeded");
    }
    // The same set again changes nothing, and another owner has a quota of its own.
    put(&exams, first, Stage::Transcription).expect(200);
    put(&library, other, Stage::Transcription).expect(200);
    // Fewer rows, and the deletion of one, make room at once.
    send(&exams, "PUT", &transcript, &json!({ "segments": [] })).expect(200);
    put(&exams, second, Stage::Transcription).expect(200);
    put(&exams, first, Stage::ContentAnalysis).problem(429, "quota_exceeded");
    let delete = exams.request(&server, "DELETE", &format!("{JOBS}/{second}"));
    delete.send().expect(204);
    put(&exams, first, Stage::ContentAnalysis).expect(200);
}

fn large_sets_beyond_the_rows_of_an_owner_are_refused(db: TestDb) {
    let exams = key_of(&db, Role::Client, "exams");
    let server = serve(db, rows(3_000));
    let job = id_of(&create(&server, &exams).expect(201));
    let put = |count: usize| {
        let path = format!("{JOBS}/{job}/transcripts");
        let body = json!({ "segments": segments(count).body() });
        exams.request(&server, "PUT", &path).json(&body).send()
    };
    put(3_001).problem(429, "quota_exceeded");
    assert_eq!(server.db().sql().count("transcripts"), 0);
    put(2_900).expect(200);
    let before = stored(&server);
    put(3_001).problem(429, "quota_exceeded");
    assert_eq!(stored(&server), before);
    put(2_900).expect(200);
    put(3_000).expect(200);
}

fn a_worker_may_store_no_more_rows_than_its_jobs_owner(db: TestDb) {
    let exams = key_of(&db, Role::Client, "exams");
    let worker = Key::create(&db, Role::Worker);
    let server = serve(db, rows(4));
    let job = id_of(&create(&server, &exams).expect(201));
    let claim = json!({ "worker": "w", "stages": ["transcription"] });
    let claimed = worker.request(&server, "POST", "/api/v1/work/claim");
    let claimed = claimed.json(&claim).send().expect(200).json();
    let lease = claimed["claims"][0]["lease_id"].as_str().unwrap();
    let put = |count: usize| {
        let path = format!("{JOBS}/{job}/transcripts");
        let request = worker.request(&server, "PUT", &path);
        let body = json!({ "segments": segments(count).body() });
        request.header("Lease-Id", lease).json(&body).send()
    };
    put(5).problem(429, "quota_exceeded");
    // The lease goes on: the worker may send less, or report that the attempt has failed.
    put(4).expect(200);
    let fail = worker.request(&server, "POST", &format!("/api/v1/work/{lease}/fail"));
    let failure = json!({ "error": "quota_exceeded" });
    fail.json(&failure).send().expect(200);
}

fn watchers_and_waiting_claims_of_a_caller_are_bounded(db: TestDb) {
    let admin = Key::create(&db, Role::Admin);
    let other = Key::create(&db, Role::Admin);
    let quotas = Quotas {
        watchers: Some(1),
        waiters: Some(1),
        ..Quotas::default()
    };
    let server = serve(db, quotas);
    let job = id_of(&create(&server, &admin).expect(201));
    let events = format!("{JOBS}/{job}/events");
    let watch = |key: &Key| {
        let bearer = key.bearer();
        Stream::open_with(&server, &events, &[("Authorization", &bearer)])
    };
    let first = watch(&admin).unwrap();
    assert_eq!(watch(&admin).err(), Some(429));
    watch(&other).unwrap();
    drop(first);
    let wait = |key: &Key, seconds: u32| {
        let claim = key.request(&server, "POST", "/api/v1/work/claim");
        let body =
            json!({ "worker": "w", "stages": ["silence_detection"], "wait_seconds": seconds });
        claim.json(&body).send()
    };
    // The only job has no other run that is ready.
    wait(&admin, 0).expect(200);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| wait(&admin, 60));
        wait_for_claims(&server, &admin, 1);
        wait(&admin, 60).problem(429, "quota_exceeded");
        wait(&other, 1).expect(200);
        a_job().create(server.db());
        waiting.join().unwrap().expect(200);
    });
}

fn rate_limited(per_second: u32, burst: u32) -> Quotas {
    let number = |number| NonZeroU32::new(number).unwrap();
    let requests = RateLimit {
        per_second: number(per_second),
        burst: number(burst),
    };
    Quotas {
        requests: Some(requests),
        ..Quotas::default()
    }
}

fn limit_of(response: &Response) -> [Option<u32>; 3] {
    ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]
        .map(|name| response.header(name).map(|value| value.parse().unwrap()))
}

fn a_caller_that_sends_too_many_requests_is_refused_until_it_waits(db: TestDb) {
    let (exams, again, library) = (
        key_of(&db, Role::Client, "exams"),
        key_of(&db, Role::Viewer, "exams"),
        key_of(&db, Role::Client, "library"),
    );
    let server = serve(db, rate_limited(1, 60));
    let list = |key: &Key| key.request(&server, "GET", JOBS).send();
    let [limit, remaining, _] = limit_of(&list(&exams).expect(200));
    assert_eq!((limit, remaining), (Some(60), Some(59)));
    // All keys of an owner are one caller, and errors count as well.
    let errors = concurrently(20, |_| {
        let unknown = format!("{JOBS}/none");
        again.request(&server, "GET", &unknown).send().status
    });
    assert_eq!(errors, [404; 20]);
    let [_, remaining, _] = limit_of(&list(&exams).expect(200));
    assert!(remaining.unwrap() < 50, "{remaining:?}");
    let next_refusal = |key: &Key| {
        let mut responses = std::iter::repeat_with(|| list(key));
        responses.find(|response| response.status != 200).unwrap()
    };
    let refused = next_refusal(&exams);
    refused.problem(429, "rate_limited");
    assert_eq!(limit_of(&refused), [Some(60), Some(0), Some(1)]);
    assert_eq!(refused.header("Retry-After"), Some("1"));
    next_refusal(&again).problem(429, "rate_limited");
    // Others are not concerned, and what is public is not limited.
    list(&library).expect(200);
    let health = server.get("/healthz").expect(200);
    assert_eq!(limit_of(&health), [None; 3]);
    crate::http::support::wait_until(|| list(&exams).status == 200);
}

fn without_a_rate_limit_responses_do_not_tell_of_one(db: TestDb) {
    let admin = Key::create(&db, Role::Admin);
    let server = serve(db, Quotas::default());
    let list = admin.request(&server, "GET", JOBS).send().expect(200);
    assert_eq!(limit_of(&list), [None; 3]);
}
