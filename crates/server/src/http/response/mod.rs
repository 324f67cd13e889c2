//! Responses of handlers, serialized in advance or part by part.

pub(crate) mod etag;
pub(crate) mod long_lived;
pub(crate) mod range;
pub(crate) mod shared;
pub(crate) mod streamed_body;

use actix_web::body::BoxBody;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, Responder};
use lectern_api::JobResponse;
use lectern_domain::{ClipId, DownloadName, Job, JobId};
use lectern_formats::Format;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::error::ApiError;
use crate::http::memory_budget::MemoryPermit;
use crate::http::request::mount;
use crate::http::response::etag::{IfNoneMatch, content_etag, etag};
use crate::http::response::streamed_body::{Part, StreamedBody};

pub(crate) type ApiResult = Result<ApiResponse, ApiError>;

/// A serialized response, JSON unless stated otherwise. Serializing happens in
/// the handler's blocking closure, which keeps it off the HTTP threads.
#[derive(Debug, Clone)]
pub(crate) struct ApiResponse {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// `None` when there is no body.
    content_type: Option<&'static str>,
    body: Part,
}

pub(crate) const JSON: &str = "application/json";

impl ApiResponse {
    fn new(status: StatusCode, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content_type: (!body.is_empty()).then_some(JSON),
            body: Part::new(body, None),
        }
    }

    /// 200 with `content` as JSON.
    pub(crate) fn ok(content: &impl Serialize) -> ApiResult {
        let body = serde_json::to_vec(content).map_err(ApiError::internal)?;
        Ok(Self::new(StatusCode::OK, body))
    }

    /// 200 with a body that may have more parts.
    pub(crate) fn parts(content_type: &'static str, body: Part) -> Self {
        Self {
            content_type: Some(content_type),
            body,
            ..Self::new(StatusCode::OK, Vec::new())
        }
    }

    /// 200 with a file, which may be empty.
    pub(crate) fn file(format: Format, content: String) -> Self {
        Self {
            content_type: Some(format.content_type()),
            ..Self::new(StatusCode::OK, content.into_bytes())
        }
    }

    /// 200 with a job, and its version as `ETag`.
    pub(crate) fn job(job: Job) -> ApiResult {
        let version = etag(job.version);
        Self::ok(&JobResponse::from(job))?.with_header(header::ETAG, &version)
    }

    /// 200 with `content` as JSON, and a hash of it as `ETag`.
    pub(crate) fn with_content_etag(content: &impl Serialize) -> ApiResult {
        let body = serde_json::to_vec(content).map_err(ApiError::internal)?;
        let tag = content_etag(&body);
        Self::new(StatusCode::OK, body).with_header(header::ETAG, &tag)
    }

    /// Changes the status to 201.
    pub(crate) fn created(self) -> Self {
        Self {
            status: StatusCode::CREATED,
            ..self
        }
    }

    /// Adds the job's `Location`, without the path under which clients reach the service.
    pub(crate) fn with_location(self, job_id: JobId) -> ApiResult {
        self.with_header(header::LOCATION, &format!("/api/v1/jobs/{job_id}"))
    }

    /// Adds the `Location` of a clip, without the path as above.
    pub(crate) fn with_clip_location(self, clip_id: ClipId) -> ApiResult {
        self.with_header(header::LOCATION, &format!("/api/v1/clips/{clip_id}"))
    }

    /// Becomes 304 when the client has this version already.
    pub(crate) fn not_modified_if(self, known: &IfNoneMatch) -> Self {
        let etag = self.headers.iter().find(|(name, _)| name == header::ETAG);
        let is_known =
            etag.is_some_and(|(_, etag)| etag.to_str().is_ok_and(|etag| known.matches(etag)));
        if is_known {
            Self {
                status: StatusCode::NOT_MODIFIED,
                content_type: None,
                body: Part::new(Vec::new(), None),
                ..self
            }
        } else {
            self
        }
    }

    /// 204 without a body.
    pub(crate) fn no_content() -> Self {
        Self::new(StatusCode::NO_CONTENT, Vec::new())
    }

    /// Serializes the response for [`ApiResponse::restore`].
    pub(crate) fn store(&self) -> Result<Value, ApiError> {
        let headers = self.headers.iter().map(|(name, value)| {
            let value = value.to_str().map_err(ApiError::internal)?;
            Ok((name.to_string(), value.to_owned()))
        });
        let stored = StoredResponse {
            status: self.status.as_u16(),
            headers: headers.collect::<Result<_, ApiError>>()?,
            body: self.body.to_text()?,
        };
        serde_json::to_value(stored).map_err(ApiError::internal)
    }

    /// Rebuilds a stored response.
    pub(crate) fn restore(stored: Value) -> ApiResult {
        let stored: StoredResponse = serde_json::from_value(stored).map_err(ApiError::internal)?;
        let status = StatusCode::from_u16(stored.status).map_err(ApiError::internal)?;
        let response = Self::new(status, stored.body.into_bytes());
        let mut headers = stored.headers.into_iter();
        headers.try_fold(response, |response, (name, value)| {
            response.with_header(name.parse().map_err(ApiError::internal)?, &value)
        })
    }

    /// The body as text.
    pub(crate) fn text(&self) -> Result<String, ApiError> {
        self.body.to_text()
    }

    /// Keeps `permit` until the body is sent.
    pub(crate) fn with_permit(self, permit: MemoryPermit) -> Self {
        Self {
            body: self.body.with_permit(permit),
            ..self
        }
    }

    /// Adds the name under which browsers save the body.
    pub(crate) fn saved_as(self, name: &DownloadName) -> ApiResult {
        self.with_header(header::CONTENT_DISPOSITION, &name.content_disposition())
    }

    /// Adds a header.
    pub(crate) fn with_header(mut self, name: HeaderName, value: &str) -> ApiResult {
        let value = HeaderValue::from_str(value).map_err(ApiError::internal)?;
        self.headers.push((name, value));
        Ok(self)
    }
}

/// A stored response. The body is text rather than nested JSON, because a
/// database may change the format of numbers and the order of fields.
#[derive(Serialize, Deserialize)]
struct StoredResponse {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Responder for ApiResponse {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for (name, value) in self.headers {
            // Stored responses have no prefix, so that they are correct wherever the
            // routes are mounted.
            if name == header::LOCATION
                && let Ok(path) = value.to_str()
            {
                response.insert_header((name, format!("{}{path}", mount::public_prefix(request))));
            } else {
                response.insert_header((name, value));
            }
        }
        match self.content_type {
            None => response.finish(),
            Some(content_type) => {
                let body = StreamedBody::new(self.body);
                let body = match *request.method() {
                    Method::HEAD => body.first_part_only(),
                    _ => body,
                };
                response.content_type(content_type).body(body)
            }
        }
    }
}
