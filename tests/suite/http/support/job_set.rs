//! The sets of rows of a job that a PUT replaces as a whole: transcript segments,
//! silence regions, content segments and clips.

use chrono::TimeDelta;
use lectern_tests::{Body, TestServer, a_job};
use serde_json::{Value, json};

use super::{concurrently, job_path};

/// How one of these sets appears in the API.
pub(crate) struct JobSet {
    /// The sub-resource of a job, such as `/clips`.
    pub(crate) path: &'static str,
    /// The field that holds the rows in bodies and responses.
    pub(crate) list: &'static str,
    /// The field that holds the id of a row.
    pub(crate) id: &'static str,
}

impl JobSet {
    /// The path of the set of a new job.
    pub(crate) fn of_a_new_job(&self, server: &TestServer) -> String {
        job_path(a_job().create(server.db()).job_id, self.path)
    }

    /// The body that stores these rows.
    pub(crate) fn body<T: Body>(&self, rows: &[T]) -> Value {
        json!({ (self.list): rows.body() })
    }

    /// The rows of a response; checks its total.
    pub(crate) fn rows<'r>(&self, response: &'r Value) -> &'r [Value] {
        let rows = response[self.list].as_array().unwrap();
        assert_eq!(response["total"], json!(rows.len()));
        rows
    }

    /// A text field of each row of a response.
    pub(crate) fn texts<'r>(&self, response: &'r Value, field: &str) -> Vec<&'r str> {
        let text = |row: &'r Value| row[field].as_str().unwrap();
        self.rows(response).iter().map(text).collect()
    }

    /// A number field of each row of a response.
    pub(crate) fn numbers(&self, response: &Value, field: &str) -> Vec<f64> {
        let number = |row: &Value| row[field].as_f64().unwrap();
        self.rows(response).iter().map(number).collect()
    }

    /// The rows of a response without the fields added by the server.
    pub(crate) fn as_sent(&self, mut response: Value) -> Value {
        let mut rows = response[self.list].take();
        for row in rows.as_array_mut().unwrap() {
            let row = row.as_object_mut().unwrap();
            for added in [self.id, "duration", "created_at"] {
                assert!(row.remove(added).is_some(), "{added}");
            }
            assert_eq!(row.remove("stale").is_some(), self.id == "clip_id");
        }
        rows
    }

    /// Checks that PUT and GET return the rows as they were sent.
    pub(crate) fn assert_returned_as_sent(&self, server: &TestServer, path: &str, sent: &Value) {
        let stored = server.put(path, sent).expect(200).json();
        assert_eq!(server.get(path).expect(200).json(), stored);
        self.rows(&stored);
        assert_eq!(self.as_sent(stored), sent[self.list]);
    }

    /// Checks that a repeated PUT keeps the rows and their ids.
    pub(crate) fn assert_kept_by_an_equal_put(&self, server: &TestServer, body: &Value) {
        let path = self.of_a_new_job(server);
        let stored = server.put(&path, body).expect(200).json();
        server.db().clock().advance(TimeDelta::seconds(1));
        assert_eq!(server.put(&path, body).expect(200).json(), stored);
        assert_eq!(server.get(&path).expect(200).json(), stored);
    }

    /// Checks that a job without rows has an empty list.
    pub(crate) fn assert_empty_without_rows(&self, server: &TestServer) {
        let job_id = a_job().create(server.db()).job_id;
        let response = server.get(&job_path(job_id, self.path)).expect(200).json();
        assert_eq!(
            response,
            json!({ "job_id": job_id, (self.list): [], "total": 0 })
        );
    }

    /// Checks that concurrent PUTs leave the complete set of one of them; `body`
    /// returns a body with this number of rows.
    pub(crate) fn assert_concurrent_puts_leave_one_set(
        &self,
        server: &TestServer,
        body: impl Fn(usize) -> Value + Sync,
    ) {
        let path = self.of_a_new_job(server);
        let count = |i| 10 * (i + 1);
        let responses = concurrently(8, |i| server.put(&path, &body(count(i))).expect(200).json());
        for (i, response) in responses.iter().enumerate() {
            assert_eq!(
                response["total"],
                json!(count(i)),
                "each response is the set of its request"
            );
        }
        assert!(responses.contains(&server.get(&path).expect(200).json()));
    }
}
