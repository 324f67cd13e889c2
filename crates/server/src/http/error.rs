//! The error type of all handlers. It is sent as a problem document (RFC
//! 9457).

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use actix_web::error::BlockingError;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpResponse, ResponseError};
use lectern_api::{Code, FieldError, FieldErrors, Problem};
use lectern_db::{Error as DbError, Outage};
use lectern_domain::{ClipId, Invalid, Job, JobId, error_chain};

use crate::http::request_id::{RequestId, X_REQUEST_ID};

pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// `Retry-After` where a quota is exceeded. When something of the caller ends is not known; it
/// takes longer than what a server that is overloaded works off.
const QUOTA_RETRY_SECONDS: &str = "30";

/// Why a request was refused or failed.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    code: Code,
    detail: String,
    errors: FieldErrors,
    /// A header that says what would have been allowed.
    header: Option<Box<(HeaderName, String)>>,
    cause: Option<Arc<dyn StdError + Send + Sync>>,
    request_id: Option<Box<RequestId>>,
}

impl ApiError {
    /// `detail` says what went wrong in this request.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: FieldErrors::default(),
            header: None,
            cause: None,
            request_id: None,
        }
    }

    /// One or more invalid fields.
    pub(crate) fn fields(code: Code, errors: impl Into<FieldErrors>) -> Self {
        let errors = errors.into();
        let listed = errors.len();
        let detail = match (&*errors, errors.unlisted()) {
            ([FieldError { field, message }], 0) if !field.is_empty() => {
                format!("{field} {message}")
            }
            ([FieldError { message, .. }], 0) => message.clone(),
            (_, 0) => format!("{listed} fields are invalid"),
            (_, more) => {
                let all = listed + more;
                format!("{all} fields are invalid; the first {listed} are in \"errors\"")
            }
        };
        Self::new(code, detail).with_field_errors(errors)
    }

    /// Adds the invalid parts of the request.
    pub(crate) fn with_field_errors(self, errors: impl Into<FieldErrors>) -> Self {
        Self {
            errors: errors.into(),
            ..self
        }
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// What went wrong in this request.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn no_job(job_id: JobId) -> Self {
        Self::new(Code::JobNotFound, format!("there is no job {job_id}"))
    }

    /// Distinguishes empty results from unknown jobs: returns an error unless the job was
    /// found.
    pub(crate) fn unless_found(job_id: JobId, found: bool) -> Result<(), Self> {
        found.then_some(()).ok_or_else(|| Self::no_job(job_id))
    }

    pub(crate) fn no_clip(clip_id: ClipId) -> Self {
        Self::new(Code::ClipNotFound, format!("there is no clip {clip_id}"))
    }

    pub(crate) fn no_segment(segment_id: impl fmt::Display) -> Self {
        let detail = format!("there is no segment {segment_id}");
        Self::new(Code::SegmentNotFound, detail)
    }

    /// The same response for missing objects and invalid signatures, so that it does
    /// not reveal which objects exist.
    pub(crate) fn no_object() -> Self {
        Self::new(Code::NotFound, "there is nothing at this path")
    }

    pub(crate) fn not_completed(job: &Job) -> Self {
        let detail = format!(
            "job {} is {}; results are there once it is completed",
            job.job_id, job.status
        );
        Self::new(Code::JobNotCompleted, detail)
    }

    /// The body of a PATCH has a media type that is not taken (RFC 5789, section 2.2).
    pub(crate) fn not_a_patch() -> Self {
        let detail = "the header Content-Type must be application/json or \
                      application/merge-patch+json";
        Self {
            header: Some(Box::new((
                HeaderName::from_static("accept-patch"),
                "application/json, application/merge-patch+json".to_owned(),
            ))),
            ..Self::new(Code::UnsupportedMediaType, detail)
        }
    }

    /// The path exists, but only for the methods in `allow`.
    pub(crate) fn method_not_allowed(allow: String) -> Self {
        let detail = format!("allowed here: {allow}");
        Self {
            header: Some(Box::new((ALLOW, allow))),
            ..Self::new(Code::MethodNotAllowed, detail)
        }
    }

    /// Adds `WWW-Authenticate`, which says how to authenticate (RFC 6750, section 3).
    pub(crate) fn with_challenge(self, challenge: String) -> Self {
        Self {
            header: Some(Box::new((WWW_AUTHENTICATE, challenge))),
            ..self
        }
    }

    /// The caller may send its next request after this time.
    pub(crate) fn rate_limited(retry_after_seconds: u64) -> Self {
        let detail = format!("this caller may send a request in {retry_after_seconds} s again");
        Self {
            header: Some(Box::new((RETRY_AFTER, retry_after_seconds.to_string()))),
            ..Self::new(Code::RateLimited, detail)
        }
    }

    /// Whether the status is 503: the database or the storage is unavailable, or the
    /// server is overloaded.
    pub(crate) fn is_unavailable(&self) -> bool {
        self.status_code() == StatusCode::SERVICE_UNAVAILABLE
    }

    /// Replaces the detail.
    pub(crate) fn with_detail(self, detail: impl Into<String>) -> Self {
        Self {
            detail: detail.into(),
            ..self
        }
    }

    /// Adds a cause, which is logged and not sent.
    pub(crate) fn with_cause(self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            cause: Some(cause.into().into()),
            ..self
        }
    }

    /// A failure whose cause is logged and not sent.
    pub(crate) fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let detail = "the cause is in the server's log under this request id";
        Self {
            cause: Some(cause.into().into()),
            ..Self::new(Code::Internal, detail)
        }
    }

    /// Converts an error of actix, which has a status but no [`Code`].
    pub(crate) fn from_status(status: StatusCode, detail: String) -> Self {
        let code = match status {
            StatusCode::UNAUTHORIZED => Code::AuthenticationRequired,
            StatusCode::NOT_FOUND => Code::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Code::BodyTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
            status if status.is_client_error() => Code::MalformedQuery,
            _ => return Self::internal(detail),
        };
        Self::new(code, detail)
    }

    /// Sets the request id, for a response that is built where [`RequestId::current`] has
    /// none.
    pub(crate) fn with_request_id(self, request_id: RequestId) -> Self {
        Self {
            request_id: Some(Box::new(request_id)),
            ..self
        }
    }

    /// The error and all its causes in one line, for the log.
    pub(crate) fn chain(&self) -> String {
        let Some(cause) = &self.cause else {
            return self.to_string();
        };
        let chain = error_chain(&**cause);
        chain.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Why the database was not available, if that was the cause.
    pub(crate) fn outage(&self) -> Option<Outage> {
        match self.cause.as_deref()?.downcast_ref()? {
            DbError::Unavailable { outage, .. } => Some(*outage),
            _ => None,
        }
    }

    fn log(&self, request_id: &str) {
        if self.cause.is_none() {
            return;
        }
        let chain = self.chain();
        match self.code {
            Code::Internal => log::error!(request_id; "{chain}"),
            _ => log::warn!(request_id; "{chain}"),
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl StdError for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let request_id = self
            .request_id
            .as_deref()
            .cloned()
            .or_else(RequestId::current);
        let id = request_id
            .as_ref()
            .map(RequestId::as_str)
            .unwrap_or_default();
        self.log(id);
        let problem = Problem::new(self.code, &self.detail, id).with_errors(self.errors.to_vec());
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((CONTENT_TYPE, PROBLEM_JSON));
        response.insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"));
        if let Some(request_id) = &request_id {
            response.insert_header((X_REQUEST_ID, request_id.to_header()));
        }
        if let Some(header) = &self.header {
            let (name, value) = &**header;
            response.insert_header((name.clone(), value.as_str()));
        }
        match self.code {
            Code::QuotaExceeded => {
                response.insert_header((RETRY_AFTER, QUOTA_RETRY_SECONDS));
            }
            _ if self.is_unavailable() => {
                response.insert_header((RETRY_AFTER, "1"));
            }
            _ => {}
        }
        response.body(serde_json::to_vec(&problem).unwrap_or_default())
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        let refusal = |code| Self::new(code, error.to_string());
        match error {
            DbError::JobNotFound { .. } => refusal(Code::JobNotFound),
            DbError::ClipNotFound { .. } => refusal(Code::ClipNotFound),
            DbError::SegmentNotFound { .. } => refusal(Code::SegmentNotFound),
            DbError::IllegalTransition { .. } => refusal(Code::IllegalTransition),
            DbError::NotRunning { .. } => refusal(Code::JobNotRunning),
            DbError::LeaseLost { .. } => refusal(Code::LeaseLost),
            DbError::IdempotencyMismatch => refusal(Code::IdempotencyMismatch),
            DbError::PositionExpired => {
                let detail = "events after this cursor have been deleted, or it is one of \
                              another database; take the cursor of a page after `latest`, list \
                              the jobs, and go on with that cursor";
                Self::new(Code::CursorExpired, detail)
            }
            DbError::VersionMismatch { .. } => {
                let detail = "the job has changed since the version given in If-Match";
                Self::new(Code::VersionMismatch, detail)
            }
            DbError::Invalid(invalid) => invalid.into(),
            DbError::QuotaExceeded(_) => refusal(Code::QuotaExceeded),
            DbError::Unavailable { outage, .. } => {
                Self::new(Code::DatabaseUnavailable, outage_detail(outage)).with_cause(error)
            }
            DbError::TransactionConflict { .. } => {
                let detail = "the change conflicts with another one; try again";
                Self::new(Code::DatabaseUnavailable, detail).with_cause(error)
            }
            _ => Self::internal(error),
        }
    }
}

fn outage_detail(outage: Outage) -> &'static str {
    match outage {
        Outage::Commit => {
            "the connection to the database was lost; it is unknown whether the change was made"
        }
        Outage::Locked => "another change takes long; try again",
        Outage::Cancelled => "the database took too long; try again",
        Outage::Disk => "the disk of the database is full or cannot be used",
        Outage::ReadOnly => "the database accepts no writes",
        Outage::Resources => "the database lacks memory or connections; try again",
        _ => "the database does not answer; try again",
    }
}

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> Self {
        Self::fields(Code::ValidationFailed, invalid)
    }
}

impl From<BlockingError> for ApiError {
    /// The closure panicked; the panic hook has logged the cause.
    fn from(error: BlockingError) -> Self {
        Self::internal(error)
    }
}
