//! Responses, and checks of what the API promises of every response.

use std::fmt;

use serde_json::{Value, json};
use ureq::http::HeaderMap;

/// A complete response.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as received, before decompression.
    pub body: Vec<u8>,
    pub(crate) request: String,
}

impl Response {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as text.
    ///
    /// # Panics
    ///
    /// If it is not.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_else(|_| panic!("no text: {self}"))
    }

    /// The response to a request for a page, without the contents of its `style` elements, whose
    /// words say nothing about what is on the page. Responses that are no text are returned as
    /// they are.
    #[must_use]
    pub fn without_styles(mut self) -> Self {
        const START: &[u8] = b"<style>";
        const END: &[u8] = b"</style>";
        let position = |body: &[u8], of: &[u8]| body.windows(of.len()).position(|at| at == of);
        let mut at = 0;
        while let Some(start) = position(&self.body[at..], START) {
            let start = at + start + START.len();
            let Some(length) = position(&self.body[start..], END) else {
                break;
            };
            self.body.drain(start..start + length);
            at = start + END.len();
        }
        self
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// If it is not.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// Checks the status.
    ///
    /// # Panics
    ///
    /// If it is another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// Checks everything the API promises of an error; returns its `errors`, or
    /// an empty list.
    ///
    /// # Panics
    ///
    /// If this is another response, or does not keep a promise.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Vec<Value> {
        let known = CODES
            .iter()
            .any(|(s, codes)| *s == status && codes.contains(&code));
        assert!(known, "no error {status} {code} is documented");
        assert_eq!(self.status, status, "{self}");
        assert_eq!(
            self.header("Content-Type"),
            Some("application/problem+json"),
            "{self}"
        );
        assert_eq!(
            self.header("Retry-After").is_some(),
            [429, 503].contains(&status),
            "{self}"
        );

        let body = self.json();
        let mut keys: Vec<_> = body
            .as_object()
            .into_iter()
            .flat_map(|o| o.keys())
            .collect();
        keys.retain(|key| *key != "errors");
        assert_eq!(
            keys,
            ["code", "detail", "request_id", "status", "title", "type"],
            "{self}"
        );
        assert_eq!(body["status"], json!(status), "{self}");
        assert_eq!(body["code"], json!(code), "{self}");
        assert_eq!(
            body["request_id"].as_str(),
            self.header("X-Request-Id"),
            "{self}"
        );
        for key in ["type", "title", "detail"] {
            assert!(
                body[key].as_str().is_some_and(|text| !text.is_empty()),
                "{key}: {self}"
            );
        }

        let errors = match &body["errors"] {
            Value::Null => Vec::new(),
            Value::Array(errors) => errors.clone(),
            _ => panic!("errors is no list: {self}"),
        };
        for error in &errors {
            let keys: Vec<_> = error
                .as_object()
                .into_iter()
                .flat_map(|o| o.keys())
                .collect();
            assert_eq!(keys, ["field", "message"], "{self}");
            assert!(
                error["field"].is_string() && error["message"].is_string(),
                "{self}"
            );
        }
        let names_fields = ["validation_failed", "malformed_query"].contains(&code);
        assert!(
            !names_fields || !errors.is_empty(),
            "names no field: {self}"
        );
        errors
    }

    /// Checks an error with exactly one invalid field.
    ///
    /// # Panics
    ///
    /// As [`Response::problem`], or if the invalid fields are others.
    #[track_caller]
    pub fn problem_with(&self, status: u16, code: &str, field: &str) -> Vec<Value> {
        let errors = self.problem(status, code);
        let fields: Vec<_> = errors
            .iter()
            .filter_map(|error| error["field"].as_str())
            .collect();
        assert_eq!(fields, [field], "{self}");
        errors
    }

    pub(crate) fn is_json(&self) -> bool {
        !self.body.is_empty()
            && self
                .header("Content-Encoding")
                .is_none_or(|coding| coding == "identity")
            && self
                .header("Content-Type")
                .is_some_and(|kind| kind.starts_with("application/json") || kind.contains("+json"))
    }
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body: String = String::from_utf8_lossy(&self.body)
            .chars()
            .take(2_000)
            .collect();
        write!(f, "{} answered {}: {body}", self.request, self.status)
    }
}

/// The documented error codes by status.
const CODES: &[(u16, &[&str])] = &[
    (
        400,
        &[
            "malformed_body",
            "malformed_query",
            "checksum_not_supported",
        ],
    ),
    (
        401,
        &["authentication_required", "invalid_key", "invalid_token"],
    ),
    (
        403,
        &[
            "scope_missing",
            "lease_required",
            "host_not_allowed",
            "origin_not_allowed",
            "preflight_refused",
        ],
    ),
    (
        404,
        &[
            "not_found",
            "job_not_found",
            "layout_analysis_not_found",
            "waveform_not_found",
            "thumbnails_not_found",
            "clip_not_found",
            "segment_not_found",
            "upload_not_found",
        ],
    ),
    (405, &["method_not_allowed"]),
    (
        409,
        &[
            "illegal_transition",
            "job_not_completed",
            "job_not_running",
            "lease_lost",
            "idempotency_in_progress",
            "upload_offset_mismatch",
        ],
    ),
    (410, &["cursor_expired", "upload_expired"]),
    (412, &["version_mismatch", "tus_version_not_supported"]),
    (413, &["body_too_large"]),
    (415, &["unsupported_media_type"]),
    (422, &["validation_failed", "idempotency_mismatch"]),
    (423, &["upload_in_progress"]),
    (429, &["quota_exceeded", "rate_limited"]),
    (460, &["checksum_mismatch"]),
    (500, &["internal"]),
    (
        503,
        &[
            "database_unavailable",
            "identity_provider_unavailable",
            "overloaded",
        ],
    ),
    (507, &["insufficient_storage"]),
];

/// Panics if a response holds a key that is internal. Objects whose keys the
/// client chooses are skipped.
pub(crate) fn assert_no_internal_keys(value: &Value, path: &str, response: &Response) {
    const INTERNAL: [&str; 3] = ["id", "celery_task_id", "version"];
    const CHOSEN_BY_CLIENTS: [&str; 4] = [
        "extra_metadata",
        "video_metadata",
        "processing_config",
        "error_details",
    ];
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                assert!(
                    !INTERNAL.contains(&key.as_str()),
                    "{path}.{key} in {response}"
                );
                if !CHOSEN_BY_CLIENTS.contains(&key.as_str()) {
                    assert_no_internal_keys(value, &format!("{path}.{key}"), response);
                }
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                assert_no_internal_keys(item, &format!("{path}[{i}]"), response);
            }
        }
        _ => {}
    }
}
