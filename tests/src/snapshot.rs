//! Snapshots of JSON without ids and times.

use std::collections::HashMap;

use serde_json::Value;

/// Compares a JSON value, [`redacted`], with the committed snapshot of this
/// name. Both backends share one snapshot.
///
/// ```no_run
/// # use lectern_tests::{Client, snapshot};
/// # let client = Client::new("http://127.0.0.1:8080");
/// snapshot!("a_job_that_does_not_exist", client.get("/api/v1/jobs/x").json());
/// ```
#[macro_export]
macro_rules! snapshot {
    ($name:literal, $value:expr) => {
        $crate::insta::assert_json_snapshot!($name, $crate::redacted(&$value))
    };
}

/// The same JSON with `[id 1]`, `[id 2]`, … for UUIDs, numbered by first
/// appearance so that equal ids stay equal, `[time]` for timestamps, and
/// `[url]` for signed URLs.
pub fn redacted(value: &Value) -> Value {
    redact(value, &mut HashMap::new())
}

fn redact(value: &Value, ids: &mut HashMap<String, usize>) -> Value {
    match value {
        Value::String(text) if uuid::Uuid::try_parse(text).is_ok() => {
            let next = ids.len() + 1;
            let number = ids.entry(text.to_lowercase()).or_insert(next);
            Value::String(format!("[id {number}]"))
        }
        Value::String(text) if chrono::DateTime::parse_from_rfc3339(text).is_ok() => {
            Value::String("[time]".to_owned())
        }
        Value::String(text) if text.contains("/api/v1/objects/") => {
            Value::String("[url]".to_owned())
        }
        Value::Array(items) => items.iter().map(|item| redact(item, ids)).collect(),
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key.clone(), redact(value, ids)))
            .collect(),
        other => other.clone(),
    }
}
