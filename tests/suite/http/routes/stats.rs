use chrono::TimeDelta;
use lectern_domain::JobStatus;
use lectern_tests::{TestServer, a_job, on_both_backends, snapshot};
use serde_json::json;

use crate::http::support::job_path;

on_both_backends!(
    without_jobs_every_count_is_zero,
    jobs_are_counted_by_status_size_and_age,
    a_deleted_job_is_not_counted,
    sizes_that_no_float_has_are_added_exactly,
    a_sum_of_sizes_over_the_limit_saturates,
);

const STATS: &str = "/api/v1/stats";

fn without_jobs_every_count_is_zero(server: TestServer) {
    snapshot!("stats_without_jobs", server.get(STATS).expect(200).json());
}

fn jobs_are_counted_by_status_size_and_age(server: TestServer) {
    let (db, clock) = (server.db(), server.db().clock());
    a_job().file_size(1_000).create(db);
    clock.advance(TimeDelta::days(20));
    a_job()
        .file_size(200)
        .status(JobStatus::Completed)
        .create(db);
    clock.advance(TimeDelta::days(5));
    a_job()
        .file_size(None)
        .status(JobStatus::Running)
        .create(db);
    clock.advance(TimeDelta::hours(25));
    a_job().file_size(30).status(JobStatus::Running).create(db);
    let expected = json!({
        "total": 4,
        "by_status": {
            "pending": 0, "queued": 1, "running": 2, "completed": 1, "failed": 0, "cancelled": 0,
        },
        "bytes_stored": 1_230,
        "created_last_24h": 1,
        "created_last_7d": 3,
        "created_last_30d": 4,
    });
    assert_eq!(server.get(STATS).expect(200).json(), expected);
}

fn a_deleted_job_is_not_counted(server: TestServer) {
    let job = a_job().create(server.db());
    server.delete(&job_path(job.job_id, "")).expect(204);
    let stats = server.get(STATS).expect(200).json();
    assert_eq!(
        (&stats["total"], &stats["bytes_stored"]),
        (&json!(0), &json!(0))
    );
}

fn sizes_that_no_float_has_are_added_exactly(server: TestServer) {
    let size = (1 << 53) + 1;
    for _ in 0..3 {
        a_job().file_size(size).create(server.db());
    }
    let stats = server.get(STATS).expect(200).json();
    assert_eq!(stats["bytes_stored"], json!(3 * size));
}

fn a_sum_of_sizes_over_the_limit_saturates(server: TestServer) {
    for _ in 0..3 {
        a_job().file_size(i64::MAX).create(server.db());
    }
    assert_eq!(
        server.get(STATS).expect(200).json()["bytes_stored"],
        json!(i64::MAX)
    );
}
