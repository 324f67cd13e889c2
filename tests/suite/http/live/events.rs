//! Events on all live channels.

use chrono::TimeDelta;
use lectern_domain::JobStatus;
use lectern_server::{Server, ServerConfig};
use lectern_tests::{Client, TestServer, a_job, on_both_backends};
use serde_json::{Value, json};

use super::channel::{Channel, Stream};
use super::{finish, report, report_and_finish, seqs, types};
use crate::http::support::{UNKNOWN_ID, job_path};

on_both_backends!(
    a_new_subscriber_gets_a_snapshot_and_then_events,
    all_channels_of_all_servers_send_the_same_events,
    a_reconnecting_subscriber_gets_exactly_the_missed_events,
    a_subscription_after_the_last_event_of_a_finished_job_ends_at_once,
    a_subscriber_with_all_events_of_a_running_job_gets_the_next_event,
    a_subscriber_ahead_of_the_last_event_gets_a_snapshot,
    a_subscriber_that_missed_pruned_events_gets_a_snapshot,
    a_failed_or_cancelled_job_ends_with_an_error_event,
    a_retried_job_sends_further_events,
    a_subscription_ends_when_its_job_is_deleted,
    a_subscription_to_an_unknown_job_is_rejected,
    a_stream_is_not_cached_buffered_or_compressed,
    last_event_id_overrides_after,
);

/// A second server on the same database, like another process.
fn another_server(server: &TestServer) -> (Server, Client) {
    let other = Server::start(ServerConfig::default(), (**server.db()).clone()).unwrap();
    let client = Client::new(other.url());
    (other, client)
}

fn a_new_subscriber_gets_a_snapshot_and_then_events(server: TestServer) {
    for channel in Channel::BOTH {
        let job = a_job().create(server.db());
        let mut watcher = channel.follow(&server, job.job_id, None);
        let snapshot = watcher.next().unwrap();
        assert_eq!(snapshot["type"], "snapshot");
        assert_eq!(snapshot["job_id"], json!(job.job_id));
        assert_eq!(snapshot["seq"], json!(job.last_seq));
        assert_eq!(
            snapshot["data"],
            server.get(&job_path(job.job_id, "")).json()
        );

        let last = report_and_finish(&server, &job, 3);
        let received = watcher.rest();
        assert_eq!(
            seqs(&received),
            (job.last_seq + 1..=last).collect::<Vec<_>>()
        );
        assert_eq!(types(&received).last(), Some(&"complete"));
        assert_eq!(received.last().unwrap()["data"]["status"], "completed");
        let percents: Vec<_> = received
            .iter()
            .filter(|received| received["type"] == "progress")
            .map(|received| received["data"]["progress"]["percent"].clone())
            .collect();
        assert_eq!(percents, [json!(0.1), json!(0.2), json!(0.3)]);
    }
}

fn all_channels_of_all_servers_send_the_same_events(server: TestServer) {
    let (_other, other) = another_server(&server);
    let job = a_job().create(server.db());
    let mut watchers: Vec<_> = [&*server, &other]
        .into_iter()
        .flat_map(|server| Channel::BOTH.map(|channel| channel.follow(server, job.job_id, Some(0))))
        .collect();
    let last = report_and_finish(&server, &job, 5);
    let page = server
        .get(&job_path(job.job_id, "/events?after=0"))
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

fn a_reconnecting_subscriber_gets_exactly_the_missed_events(server: TestServer) {
    let job = a_job().create(server.db());
    let last = report_and_finish(&server, &job, 120);
    assert!(last > 100, "more than a page");
    for channel in Channel::BOTH {
        for after in 0..last {
            let received = channel.follow(&server, job.job_id, Some(after)).rest();
            assert_eq!(
                seqs(&received),
                (after + 1..=last).collect::<Vec<_>>(),
                "after {after}"
            );
        }
    }
}

fn a_subscription_after_the_last_event_of_a_finished_job_ends_at_once(server: TestServer) {
    let job = a_job().create(server.db());
    let last = report_and_finish(&server, &job, 1);
    assert_eq!(
        Stream::open(&server, job.job_id, Some(last)).err(),
        Some(204)
    );
    let mut socket = Channel::Socket.follow(&server, job.job_id, Some(last));
    assert_eq!(socket.next(), None);
    for channel in Channel::BOTH {
        let received = channel.follow(&server, job.job_id, None).rest();
        assert_eq!(
            (types(&received), seqs(&received)),
            (vec!["snapshot"], vec![last])
        );
    }
}

fn a_subscriber_with_all_events_of_a_running_job_gets_the_next_event(server: TestServer) {
    for channel in Channel::BOTH {
        let job = a_job().create(server.db());
        let mut watcher = channel.follow(&server, job.job_id, Some(job.last_seq));
        report(&server, job.job_id, 500);
        assert_eq!(seqs(&watcher.take(1)), [job.last_seq + 1]);
    }
}

fn a_subscriber_ahead_of_the_last_event_gets_a_snapshot(server: TestServer) {
    for channel in Channel::BOTH {
        let job = a_job().create(server.db());
        let mut watcher = channel.follow(&server, job.job_id, Some(9_999));
        report(&server, job.job_id, 500);
        finish(&server, job.job_id);
        let received = watcher.rest();
        assert_eq!(received[0]["type"], "snapshot");
        let first = received[0]["seq"].as_i64().unwrap();
        assert!(
            seqs(&received)
                .into_iter()
                .eq(first..=super::last_seq(&server, job.job_id))
        );
    }
}

fn a_subscriber_that_missed_pruned_events_gets_a_snapshot(server: TestServer) {
    let job = a_job().create(server.db());
    let last = report_and_finish(&server, &job, 3);
    server.db().clock().advance(TimeDelta::days(31));
    let retention = TimeDelta::days(30);
    let pruned = server
        .db()
        .write(|tx| tx.job_events().prune(retention))
        .unwrap();
    assert_eq!(i64::try_from(pruned).unwrap(), last);
    for channel in Channel::BOTH {
        for after in [0, last - 1] {
            let received = channel.follow(&server, job.job_id, Some(after)).rest();
            assert_eq!(
                (types(&received), seqs(&received)),
                (vec!["snapshot"], vec![last])
            );
        }
    }
    let page = server
        .get(&job_path(job.job_id, "/events?after=0"))
        .expect(200)
        .json();
    assert_eq!(types(page["events"].as_array().unwrap()), ["snapshot"]);
    assert_eq!(
        Stream::open(&server, job.job_id, Some(last)).err(),
        Some(204)
    );
}

fn a_failed_or_cancelled_job_ends_with_an_error_event(server: TestServer) {
    for (status, channel) in [JobStatus::Failed, JobStatus::Cancelled]
        .into_iter()
        .zip(Channel::BOTH)
    {
        let job = a_job().status(JobStatus::Running).create(server.db());
        let mut watcher = channel.follow(&server, job.job_id, Some(job.last_seq));
        server
            .patch(&job_path(job.job_id, ""), &json!({ "status": status }))
            .expect(200);
        let received = watcher.rest();
        assert_eq!(types(&received).last(), Some(&"error"));
        assert_eq!(received.last().unwrap()["data"]["status"], json!(status));
    }
}

fn a_retried_job_sends_further_events(server: TestServer) {
    let job = a_job().status(JobStatus::Failed).create(server.db());
    server
        .post(&job_path(job.job_id, "/retry"), &json!({}))
        .expect(200);
    for channel in Channel::BOTH {
        let mut watcher = channel.follow(&server, job.job_id, Some(job.last_seq));
        let received = watcher.take(1);
        assert_eq!(received[0]["data"]["status"], "queued");
    }
    let mut watcher = Channel::Socket.follow(&server, job.job_id, Some(0));
    let last = report_and_finish(&server, &job, 1);
    assert_eq!(seqs(&watcher.rest()), (1..=last).collect::<Vec<_>>());
}

fn a_subscription_ends_when_its_job_is_deleted(server: TestServer) {
    let (_other, other) = another_server(&server);
    for deleter in [&*server, &other] {
        for channel in Channel::BOTH {
            let job = a_job().create(server.db());
            let mut watcher = channel.follow(&server, job.job_id, None);
            watcher.take(1);
            deleter.delete(&job_path(job.job_id, "")).expect(204);
            assert_eq!(watcher.next(), None);
        }
    }
}

fn a_subscription_to_an_unknown_job_is_rejected(server: TestServer) {
    let unknown_job = UNKNOWN_ID.parse().unwrap();
    assert_eq!(Stream::open(&server, unknown_job, None).err(), Some(404));
    server
        .get(&job_path(unknown_job, "/events"))
        .problem(404, "job_not_found");
    let path = format!("/ws/jobs/{UNKNOWN_ID}");
    assert_eq!(
        super::channel::handshake(&server, &path, &[]).err(),
        Some(404)
    );
}

fn a_stream_is_not_cached_buffered_or_compressed(server: TestServer) {
    let job = a_job().create(server.db());
    let events = job_path(job.job_id, "/events");
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

fn last_event_id_overrides_after(server: TestServer) {
    let job = a_job().create(server.db());
    let last = report_and_finish(&server, &job, 3);
    let path = job_path(job.job_id, "/events?after=1");
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
