//! Errors in the format of RFC 9457.

use schemars::JsonSchema;
use serde::Serialize;

use crate::wire::validation::{FieldError, cut};

/// Defines the error codes with their status and title.
macro_rules! codes {
    ($( $(#[doc = $doc:literal])+ $variant:ident = $status:literal $word:literal $title:literal, )+) => {
        /// A stable, machine-readable error code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
        pub enum Code {
            $( $(#[doc = $doc])+ #[serde(rename = $word)] $variant, )+
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code in JSON.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The HTTP status of a response with this code.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status),+ }
            }

            /// The error in a few words, the same for every occurrence.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }

            /// The URI that identifies the code.
            pub fn type_uri(self) -> &'static str {
                match self { $(Self::$variant => concat!("urn:lectern:problem:", $word)),+ }
            }
        }
    };
}

codes! {
    /// The body is not JSON in UTF-8.
    MalformedBody = 400 "malformed_body" "The body is not well-formed JSON",
    /// The query string has an unknown parameter or a value that cannot be read.
    MalformedQuery = 400 "malformed_query" "The query string cannot be read",
    /// The algorithm of `Upload-Checksum` is not supported.
    ChecksumNotSupported = 400 "checksum_not_supported" "The checksum algorithm is not supported",
    /// The request has no key.
    AuthenticationRequired = 401 "authentication_required" "A key is required",
    /// The key is malformed, unknown, expired or revoked.
    InvalidKey = 401 "invalid_key" "The key is not accepted",
    /// A token is malformed, is for another job or audience, has expired, or its key has ended.
    InvalidToken = 401 "invalid_token" "The token is not accepted",
    /// The key is accepted, but not for this request.
    ScopeMissing = 403 "scope_missing" "The key may not do this",
    /// The request is for a host that is none of the server's.
    HostNotAllowed = 403 "host_not_allowed" "The server has another name",
    /// A page of another site may not do this.
    OriginNotAllowed = 403 "origin_not_allowed" "The page is of another site",
    /// A browser asks whether a page of another site may send a request, and it may not.
    PreflightRefused = 403 "preflight_refused" "The page may not call this server",
    /// A worker stores the output of a stage under its lease only.
    LeaseRequired = 403 "lease_required" "A lease of the stage is needed",
    /// There is nothing at this path.
    NotFound = 404 "not_found" "There is nothing at this path",
    /// There is no such job.
    JobNotFound = 404 "job_not_found" "There is no such job",
    /// There is no such clip.
    ClipNotFound = 404 "clip_not_found" "There is no such clip",
    /// There is no such segment.
    SegmentNotFound = 404 "segment_not_found" "There is no such segment",
    /// The job has no layout analysis.
    LayoutAnalysisNotFound = 404 "layout_analysis_not_found" "The job has no layout analysis",
    /// The job has no waveform.
    WaveformNotFound = 404 "waveform_not_found" "The job has no waveform",
    /// The job has no thumbnails.
    ThumbnailsNotFound = 404 "thumbnails_not_found" "The job has no thumbnails",
    /// There is no such resumable upload.
    UploadNotFound = 404 "upload_not_found" "There is no such upload",
    /// The path does not support this method.
    MethodNotAllowed = 405 "method_not_allowed" "The method is not allowed here",
    /// The job cannot change from its status to the requested one.
    IllegalTransition = 409 "illegal_transition" "The job cannot change to this status",
    /// The job is not completed, so it has no results.
    JobNotCompleted = 409 "job_not_completed" "The job is not completed",
    /// The job is not running, so no progress can be reported.
    JobNotRunning = 409 "job_not_running" "The job is not running",
    /// The lease is unknown, has expired, or was replaced by another.
    LeaseLost = 409 "lease_lost" "The lease is invalid or has expired",
    /// Another request with this `Idempotency-Key` is still being processed.
    IdempotencyInProgress = 409 "idempotency_in_progress" "The same request is already being processed",
    /// Events after the cursor have been deleted, or it is one of another database.
    CursorExpired = 410 "cursor_expired" "The events after the cursor are no longer there",
    /// `Upload-Offset` is not the number of bytes that have arrived.
    UploadOffsetMismatch = 409 "upload_offset_mismatch" "The upload continues at another offset",
    /// The address was valid, or the upload could be resumed, until some time ago.
    UploadExpired = 410 "upload_expired" "The time for the upload is over",
    /// The job has changed since the version given in `If-Match`.
    VersionMismatch = 412 "version_mismatch" "The job has changed in the meantime",
    /// The version in `Tus-Resumable` is not supported.
    TusVersionNotSupported = 412 "tus_version_not_supported" "The version of tus is not supported",
    /// The body is larger than allowed.
    BodyTooLarge = 413 "body_too_large" "The body is too large",
    /// The media type of the body is not supported here.
    UnsupportedMediaType = 415 "unsupported_media_type" "The media type of the body is not supported",
    /// The request breaks a rule; `errors` lists the fields.
    ValidationFailed = 422 "validation_failed" "The request breaks a rule",
    /// This `Idempotency-Key` was sent before, with another request.
    IdempotencyMismatch = 422 "idempotency_mismatch" "The idempotency key belongs to another request",
    /// Another request is uploading this recording.
    UploadInProgress = 423 "upload_in_progress" "The recording is being uploaded already",
    /// The caller has as much as it may have of something.
    QuotaExceeded = 429 "quota_exceeded" "A quota is exceeded",
    /// The caller has sent too many requests.
    RateLimited = 429 "rate_limited" "Too many requests",
    /// The body does not have the checksum in `Upload-Checksum`.
    ChecksumMismatch = 460 "checksum_mismatch" "The checksum does not match",
    /// An error of the server, not of the request.
    Internal = 500 "internal" "Something went wrong on the server",
    /// The database does not answer.
    DatabaseUnavailable = 503 "database_unavailable" "The database does not answer",
    /// The identity provider does not respond, so its tokens cannot be checked.
    IdentityProviderUnavailable = 503 "identity_provider_unavailable" "The identity provider does not respond",
    /// The server cannot handle the request in time.
    Overloaded = 503 "overloaded" "The server is overloaded",
    /// The disk is too full for the upload.
    InsufficientStorage = 507 "insufficient_storage" "The disk is almost full",
}

/// Upper bound of `detail`, in characters. `detail` may quote the request, whose length has
/// no such bound.
const MAX_DETAIL_CHARS: usize = 1_000;

/// An error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Problem {
    /// A URI that identifies `code`.
    #[serde(rename = "type")]
    #[schemars(with = "String", extend("format" = "uri"))]
    pub type_uri: &'static str,
    /// The error in a few words, the same for every occurrence of `code`.
    pub title: &'static str,
    /// The HTTP status of the response.
    #[schemars(range(min = 400, max = 599))]
    pub status: u16,
    /// What went wrong in this request.
    pub detail: String,
    /// A stable, machine-readable code.
    pub code: Code,
    /// The `X-Request-Id` of the response; the server's log contains it.
    pub request_id: String,
    /// The fields that break rules, if any: at most 100. `detail` says how many there are
    /// in all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

impl Problem {
    /// A problem with the status, title and URI of `code`. A long `detail` is cut.
    pub fn new(code: Code, detail: impl Into<String>, request_id: impl Into<String>) -> Self {
        Self {
            type_uri: code.type_uri(),
            title: code.title(),
            status: code.status(),
            detail: cut(detail.into(), MAX_DETAIL_CHARS),
            code,
            request_id: request_id.into(),
            errors: Vec::new(),
        }
    }

    /// Adds the fields that cause the problem.
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_problem_has_the_format_of_rfc_9457() {
        let errors = vec![FieldError::new(
            "filename",
            "must be 1 to 255 characters long",
        )];
        let problem = Problem::new(Code::ValidationFailed, "one field is wrong", "r-1");
        assert_eq!(serde_json::to_value(&problem).unwrap().get("errors"), None);
        assert_eq!(
            serde_json::to_value(problem.with_errors(errors)).unwrap(),
            json!({
                "type": "urn:lectern:problem:validation_failed",
                "title": "The request breaks a rule",
                "status": 422,
                "detail": "one field is wrong",
                "code": "validation_failed",
                "request_id": "r-1",
                "errors": [
                    { "field": "filename", "message": "must be 1 to 255 characters long" },
                ],
            })
        );
    }
}
