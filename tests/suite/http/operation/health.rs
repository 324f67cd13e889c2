//! `/healthz` and `/readyz`.

use lectern_tests::{TestServer, on_both_backends};
use serde_json::json;

use crate::http::support::{JOBS, UNKNOWN_ID};

on_both_backends!(
    a_running_server_is_healthy_and_ready,
    a_server_with_a_pending_migration_is_healthy_but_not_ready,
    a_server_without_tables_is_not_ready,
    missing_tables_are_named_in_the_log_only,
);

fn a_running_server_is_healthy_and_ready(server: TestServer) {
    for path in ["/healthz", "/readyz"] {
        assert_eq!(
            server.get(path).expect(200).json(),
            json!({ "status": "ok" })
        );
        assert_eq!(
            server.request("HEAD", path).send().expect(200).body.len(),
            0
        );
    }
}

fn a_server_with_a_pending_migration_is_healthy_but_not_ready(server: TestServer) {
    server.db().migrations().down(1).unwrap();
    server.get("/readyz").problem(503, "database_unavailable");
    server.get("/healthz").expect(200);
    server.db().migrations().up().unwrap();
    server.get("/readyz").expect(200);
}

fn a_server_without_tables_is_not_ready(server: TestServer) {
    server.db().migrations().down(usize::MAX).unwrap();
    server
        .db()
        .sql()
        .batch("DROP TABLE __diesel_schema_migrations")
        .unwrap();
    server.get("/readyz").problem(503, "database_unavailable");
    server.get("/healthz").expect(200);
    server.db().init().unwrap();
    server.get("/readyz").expect(200);
}

fn missing_tables_are_named_in_the_log_only(server: TestServer) {
    server.db().migrations().down(usize::MAX).unwrap();
    let answer = server.get(&format!("{JOBS}/{UNKNOWN_ID}"));
    answer.problem(500, "internal");
    assert!(!answer.text().contains("jobs"), "{answer}");
}
