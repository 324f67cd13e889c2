//! How callers share what is scarce.

use lectern_domain::Role;
use lectern_server::{LiveConfig, ServerConfig};
use lectern_tests::{TestDb, TestServer, a_job, on_both_backends};
use serde_json::json;

use crate::http::live::channel::Stream;
use crate::http::support::api_key::{Key, wait_for_claims, wait_for_watchers, with_keys};
use crate::http::support::job_path;

on_both_backends!(
    a_caller_that_waits_for_work_gets_the_place_of_one_with_many,
    a_caller_that_watches_gets_the_place_of_one_with_many,
);

/// A server with two places of each kind, a key of a caller that takes them all, and one of
/// another caller.
fn with_two_places(db: TestDb) -> (TestServer, Key, Key) {
    let (many, few) = (
        Key::create(&db, Role::Admin),
        Key::create(&db, Role::Worker),
    );
    let config = ServerConfig {
        max_waiting_claims: 2,
        live: LiveConfig {
            max_watchers: 2,
            ..LiveConfig::default()
        },
        ..with_keys()
    };
    (TestServer::serve(db, config), many, few)
}

fn a_caller_that_waits_for_work_gets_the_place_of_one_with_many(db: TestDb) {
    let (server, many, few) = with_two_places(db);
    let wait = |key: &Key| {
        let claim = key.request(&server, "POST", "/api/v1/work/claim");
        let body = json!({ "worker": "w", "stages": ["silence_detection"], "wait_seconds": 60 });
        claim.json(&body).send()
    };
    std::thread::scope(|scope| {
        let first = scope.spawn(|| wait(&many));
        wait_for_claims(&server, &many, 1);
        let second = scope.spawn(|| wait(&many));
        wait_for_claims(&server, &many, 2);
        wait(&many).problem(503, "overloaded");
        let other = scope.spawn(|| wait(&few));
        second.join().unwrap().problem(503, "overloaded");
        for _ in 0..2 {
            a_job().create(server.db());
        }
        for waited in [first, other] {
            let claims = waited.join().unwrap().expect(200).json();
            assert_eq!(claims["claims"].as_array().unwrap().len(), 1);
        }
    });
}

fn a_caller_that_watches_gets_the_place_of_one_with_many(db: TestDb) {
    let job = a_job().create(&db);
    let (server, many, few) = with_two_places(db);
    let events = job_path(job.job_id, "/events");
    let watch = |key: &Key| {
        let bearer = key.bearer();
        let mut stream = Stream::open_with(&server, &events, &[("Authorization", &bearer)])?;
        stream.next_with_id().expect("a snapshot");
        Ok::<_, u16>(stream)
    };
    let _first = watch(&many).unwrap();
    let mut second = watch(&many).unwrap();
    assert_eq!(watch(&many).err(), Some(503));
    let other = watch(&few).unwrap();
    while second.line().is_some() {}
    assert_eq!(watch(&few).err(), Some(503), "each has one");
    drop((other, second));
    std::thread::scope(|scope| {
        let page = scope.spawn(|| {
            let path = format!("{events}?after={}", job.last_seq);
            let page = many.request(&server, "GET", &path);
            page.header("Prefer", "wait=60").send()
        });
        wait_for_watchers(&server, &many, 2);
        let _other = watch(&few).unwrap();
        let page = page.join().unwrap().expect(200).json();
        assert_eq!(page["events"], json!([]), "a long poll is answered at once");
    });
}
