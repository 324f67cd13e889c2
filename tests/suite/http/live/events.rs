//! What those who follow a job are told.

use chrono::TimeDelta;
use lectern_domain::JobStatus;
use lectern_server::{Server, ServerConfig};
use lectern_tests::{Client, TestServer, a_job, on_both_backends};
use serde_json::{Value, json};

use super::channel::{Channel, Stream};
use super::{finish, report, seqs, types, work_through};
use crate::http::support::{NOBODY, at};

on_both_backends!(
    one_who_begins_is_told_where_the_job_stands_and_then_what_happens,
    everybody_is_told_the_same_whatever_the_channel_and_the_server,
    one_who_comes_back_is_told_exactly_the_rest_from_every_point,
    one_who_has_seen_everything_of_a_finished_job_is_not_asked_to_come_back,
    one_who_has_seen_everything_of_a_running_job_is_told_what_comes_next,
    one_who_has_seen_what_there_never_was_begins_anew,
    one_who_has_missed_what_is_not_kept_any_more_begins_anew,
    a_job_that_fails_or_is_cancelled_ends_with_an_error,
    a_job_that_is_tried_again_can_be_followed_on,
    who_follows_a_job_that_is_deleted_is_sent_away,
    who_follows_nobody_is_told_so_before_anything_else,
    a_stream_is_not_to_be_kept_gathered_or_packed_on_its_way,
    a_browser_that_comes_back_goes_on_where_it_was_not_where_it_began,
);

/// A second server on the same database, as another process is.
fn another(server: &TestServer) -> (Server, Client) {
    let other = Server::start(ServerConfig::default(), (**server.db()).clone()).unwrap();
    let client = Client::new(other.url());
    (other, client)
}

fn one_who_begins_is_told_where_the_job_stands_and_then_what_happens(server: TestServer) {
    for channel in Channel::BOTH {
        let job = a_job().create(server.db());
        let mut watcher = channel.follow(&server, job.job_id, None);
        let snapshot = watcher.next().unwrap();
        assert_eq!(snapshot["type"], "snapshot");
        assert_eq!(snapshot["job_id"], json!(job.job_id));
        assert_eq!(snapshot["seq"], json!(job.last_seq));
        assert_eq!(snapshot["data"], server.get(&at(job.job_id, "")).json());

        let last = work_through(&server, &job, 3);
        let told = watcher.rest();
        assert_eq!(seqs(&told), (job.last_seq + 1..=last).collect::<Vec<_>>());
        assert_eq!(types(&told).last(), Some(&"complete"));
        assert_eq!(told.last().unwrap()["data"]["status"], "completed");
        let percents: Vec<_> = told
            .iter()
            .filter(|told| told["type"] == "progress")
            .map(|told| told["data"]["progress"]["percent"].clone())
            .collect();
        assert_eq!(percents, [json!(0.1), json!(0.2), json!(0.3)]);
    }
}

fn everybody_is_told_the_same_whatever_the_channel_and_the_server(server: TestServer) {
    let (_other, other) = another(&server);
    let job = a_job().create(server.db());
    let mut watchers: Vec<_> = [&*server, &other]
        .into_iter()
        .flat_map(|server| Channel::BOTH.map(|channel| channel.follow(server, job.job_id, Some(0))))
        .collect();
    let last = work_through(&server, &job, 5);
    let page = server
        .get(&at(job.job_id, "/events?after=0"))
        .expect(200)
        .json();
    assert_eq!(
        page["events"].as_array().unwrap().len(),
        usize::try_from(last).unwrap()
    );
    for watcher in &mut watchers {
        assert_eq!(Value::from(watcher.rest()), page["events"]);
    }
}

fn one_who_comes_back_is_told_exactly_the_rest_from_every_point(server: TestServer) {
    let job = a_job().create(server.db());
    let last = work_through(&server, &job, 120);
    assert!(last > 100, "more than a page");
    for channel in Channel::BOTH {
        for after in 0..last {
            let told = channel.follow(&server, job.job_id, Some(after)).rest();
            assert_eq!(
                seqs(&told),
                (after + 1..=last).collect::<Vec<_>>(),
                "after {after}"
            );
        }
    }
}

fn one_who_has_seen_everything_of_a_finished_job_is_not_asked_to_come_back(server: TestServer) {
    let job = a_job().create(server.db());
    let last = work_through(&server, &job, 1);
    assert_eq!(
        Stream::open(&server, job.job_id, Some(last)).err(),
        Some(204)
    );
    let mut socket = Channel::Socket.follow(&server, job.job_id, Some(last));
    assert_eq!(socket.next(), None);
    for channel in Channel::BOTH {
        let told = channel.follow(&server, job.job_id, None).rest();
        assert_eq!((types(&told), seqs(&told)), (vec!["snapshot"], vec![last]));
    }
}

fn one_who_has_seen_everything_of_a_running_job_is_told_what_comes_next(server: TestServer) {
    for channel in Channel::BOTH {
        let job = a_job().create(server.db());
        let mut watcher = channel.follow(&server, job.job_id, Some(job.last_seq));
        report(&server, job.job_id, 500);
        assert_eq!(seqs(&watcher.take(1)), [job.last_seq + 1]);
    }
}

fn one_who_has_seen_what_there_never_was_begins_anew(server: TestServer) {
    for channel in Channel::BOTH {
        let job = a_job().create(server.db());
        let mut watcher = channel.follow(&server, job.job_id, Some(9_999));
        report(&server, job.job_id, 500);
        finish(&server, job.job_id);
        let told = watcher.rest();
        assert_eq!(told[0]["type"], "snapshot");
        let first = told[0]["seq"].as_i64().unwrap();
        assert!(
            seqs(&told)
                .into_iter()
                .eq(first..=super::last_seq(&server, job.job_id))
        );
    }
}

fn one_who_has_missed_what_is_not_kept_any_more_begins_anew(server: TestServer) {
    let job = a_job().create(server.db());
    let last = work_through(&server, &job, 3);
    server.db().clock().advance(TimeDelta::days(31));
    let retention = TimeDelta::days(30);
    let pruned = server
        .db()
        .write(|tx| tx.job_events().prune(retention))
        .unwrap();
    assert_eq!(i64::try_from(pruned).unwrap(), last);
    for channel in Channel::BOTH {
        for after in [0, last - 1] {
            let told = channel.follow(&server, job.job_id, Some(after)).rest();
            assert_eq!((types(&told), seqs(&told)), (vec!["snapshot"], vec![last]));
        }
    }
    let page = server
        .get(&at(job.job_id, "/events?after=0"))
        .expect(200)
        .json();
    assert_eq!(types(page["events"].as_array().unwrap()), ["snapshot"]);
    assert_eq!(
        Stream::open(&server, job.job_id, Some(last)).err(),
        Some(204)
    );
}

fn a_job_that_fails_or_is_cancelled_ends_with_an_error(server: TestServer) {
    for (status, channel) in [JobStatus::Failed, JobStatus::Cancelled]
        .into_iter()
        .zip(Channel::BOTH)
    {
        let job = a_job().status(JobStatus::Running).create(server.db());
        let mut watcher = channel.follow(&server, job.job_id, Some(job.last_seq));
        server
            .patch(&at(job.job_id, ""), &json!({ "status": status }))
            .expect(200);
        let told = watcher.rest();
        assert_eq!(types(&told).last(), Some(&"error"));
        assert_eq!(told.last().unwrap()["data"]["status"], json!(status));
    }
}

fn a_job_that_is_tried_again_can_be_followed_on(server: TestServer) {
    let job = a_job().status(JobStatus::Failed).create(server.db());
    server
        .post(&at(job.job_id, "/retry"), &json!({}))
        .expect(200);
    for channel in Channel::BOTH {
        let mut watcher = channel.follow(&server, job.job_id, Some(job.last_seq));
        let told = watcher.take(1);
        assert_eq!(told[0]["data"]["status"], "queued");
    }
    let mut watcher = Channel::Socket.follow(&server, job.job_id, Some(0));
    let last = work_through(&server, &job, 1);
    assert_eq!(seqs(&watcher.rest()), (1..=last).collect::<Vec<_>>());
}

fn who_follows_a_job_that_is_deleted_is_sent_away(server: TestServer) {
    let (_other, other) = another(&server);
    for deleter in [&*server, &other] {
        for channel in Channel::BOTH {
            let job = a_job().create(server.db());
            let mut watcher = channel.follow(&server, job.job_id, None);
            watcher.take(1);
            deleter.delete(&at(job.job_id, "")).expect(204);
            assert_eq!(watcher.next(), None);
        }
    }
}

fn who_follows_nobody_is_told_so_before_anything_else(server: TestServer) {
    let nobody = NOBODY.parse().unwrap();
    assert_eq!(Stream::open(&server, nobody, None).err(), Some(404));
    server
        .get(&at(nobody, "/events"))
        .problem(404, "job_not_found");
    let path = format!("/ws/jobs/{NOBODY}");
    assert_eq!(
        super::channel::handshake(&server, &path, &[]).err(),
        Some(404)
    );
}

fn a_stream_is_not_to_be_kept_gathered_or_packed_on_its_way(server: TestServer) {
    let job = a_job().create(server.db());
    let events = at(job.job_id, "/events");
    let stream = server
        .request("HEAD", &events)
        .header("Accept", "text/event-stream")
        .header("Accept-Encoding", "gzip");
    let head = stream.send().expect(200);
    let stream = Stream::open(&server, job.job_id, None).unwrap();
    for headers in [&head.headers, &stream.headers] {
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("Content-Type"), Some("text/event-stream"));
        assert_eq!(header("Cache-Control"), Some("no-store"));
        assert_eq!(header("X-Accel-Buffering"), Some("no"));
        assert_eq!(header("Content-Encoding"), None);
        assert!(header("X-Request-Id").is_some());
    }
    assert_eq!(head.body.len(), 0);
}

fn a_browser_that_comes_back_goes_on_where_it_was_not_where_it_began(server: TestServer) {
    let job = a_job().create(server.db());
    let last = work_through(&server, &job, 3);
    let path = at(job.job_id, "/events?after=1");
    let stream = server
        .request("GET", &path)
        .header("Accept", "text/event-stream")
        .header("Last-Event-ID", &(last - 1).to_string());
    let text = stream.send().expect(200);
    assert_eq!(text.text().matches("\ndata: ").count(), 1, "{text}");
    assert!(
        text.text()
            .contains(&format!("id: {last}\nevent: complete\n")),
        "{text}"
    );
}
