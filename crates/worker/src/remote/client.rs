//! Requests to the API of a server.

use std::thread;
use std::time::{Duration, Instant};

use lectern_domain::LeaseId;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use ureq::http::request::Builder;
use ureq::http::{Method, Request, Response};
use ureq::{Agent, Body};

use crate::work_source::WorkError;

/// How long the server may take to answer, besides the time that a request asks it to wait.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long the server may take to store or to send an output.
const OUTPUT_TIMEOUT: Duration = Duration::from_mins(5);
/// Greatest size of a response: the transcript of a day with the times of its words.
const MAX_RESPONSE_BYTES: u64 = 256 << 20;
/// How long a read is retried while the server does not answer.
const READ_RETRY_TIME: Duration = Duration::from_secs(30);
/// The first pause before a retry. It doubles with each retry.
const MIN_RETRY_PAUSE: Duration = Duration::from_millis(200);
/// The greatest number of characters of a response in an error.
const MAX_REPORTED_CHARS: usize = 500;

/// Whether a request is repeated while the server does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retry {
    /// The caller repeats it.
    Never,
    /// For a while.
    Soon,
}

/// Sends requests to one server.
pub(super) struct Client {
    agent: Agent,
    /// URL of the API, without a slash at its end.
    api: String,
    /// The header `Authorization`, if there is a key.
    authorization: Option<HeaderValue>,
}

impl std::fmt::Debug for Client {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("api", &self.api)
            .finish_non_exhaustive()
    }
}

/// The members of an error response that matter here.
#[derive(Deserialize)]
struct Problem {
    code: String,
    title: String,
    detail: Option<String>,
    #[serde(default)]
    errors: Vec<FieldError>,
}

#[derive(Deserialize)]
struct FieldError {
    field: String,
    message: String,
}

impl Problem {
    fn text(&self) -> String {
        let mut text = self.title.clone();
        if let Some(detail) = &self.detail {
            text = format!("{text}: {detail}");
        }
        for error in &self.errors {
            text = format!("{text}; {} {}", error.field, error.message);
        }
        text
    }
}

impl Client {
    pub(super) fn new(server: &str, api_key: Option<&str>) -> Result<Self, WorkError> {
        let authorization = match api_key {
            Some(key) => {
                let value = HeaderValue::try_from(format!("Bearer {key}"));
                let not_a_key = |_| WorkError::NotAllowed("the key is malformed".to_owned());
                let mut value = value.map_err(not_a_key)?;
                value.set_sensitive(true);
                Some(value)
            }
            None => None,
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("lectern/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(TIMEOUT));
        Ok(Self {
            agent: config.build().into(),
            api: format!("{}/api/v1", server.trim_end_matches('/')),
            authorization,
        })
    }

    /// For URLs that are no paths of the API, which get no key.
    pub(super) fn agent(&self) -> &Agent {
        &self.agent
    }

    /// The resource at a path, which may be large. `None` if the server says that the job has
    /// none.
    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, WorkError> {
        let request = || self.request(Method::GET, path).body(Vec::new());
        match self.send(request, OUTPUT_TIMEOUT, Retry::Soon) {
            Ok(body) => self.parse(&body).map(Some),
            Err(Refusal::NotThere) => Ok(None),
            Err(Refusal::Error(error)) => Err(error),
        }
    }

    /// Posts a body. The server may wait for `wait` before it answers.
    pub(super) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
        wait: Duration,
    ) -> Result<T, WorkError> {
        let body = body.to_string().into_bytes();
        let request = || {
            self.request(Method::POST, path)
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone())
        };
        let response = self.send(request, TIMEOUT + wait, Retry::Never)?;
        self.parse(&response)
    }

    /// Puts the output of a stage, under its lease.
    pub(super) fn put(&self, path: &str, lease_id: LeaseId, body: &Value) -> Result<(), WorkError> {
        let body = body.to_string().into_bytes();
        let request = || {
            self.request(Method::PUT, path)
                .header(CONTENT_TYPE, "application/json")
                .header("Lease-Id", lease_id.to_string())
                .body(body.clone())
        };
        self.send(request, OUTPUT_TIMEOUT, Retry::Never)?;
        Ok(())
    }

    /// The server sent something that this version cannot read.
    pub(super) fn unreadable(&self, reason: &str) -> WorkError {
        WorkError::Other(format!(
            "{} is no Lectern server of this version: {reason}",
            self.api
        ))
    }

    fn request(&self, method: Method, path: &str) -> Builder {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.api))
            .header("Accept", "application/json");
        match &self.authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization),
            None => request,
        }
    }

    fn parse<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, WorkError> {
        serde_json::from_slice(body).map_err(|error| self.unreadable(&error.to_string()))
    }

    fn send(
        &self,
        request: impl Fn() -> Result<Request<Vec<u8>>, ureq::http::Error>,
        timeout: Duration,
        retry: Retry,
    ) -> Result<Vec<u8>, Refusal> {
        let (started, mut pause) = (Instant::now(), MIN_RETRY_PAUSE);
        loop {
            let request = request().map_err(|error| WorkError::Refused(error.to_string()))?;
            let error = match self.send_once(request, timeout) {
                Err(Refusal::Error(
                    error @ (WorkError::Unavailable(_) | WorkError::Failing(_)),
                )) => error,
                result => return result,
            };
            if retry == Retry::Never || started.elapsed() + pause >= READ_RETRY_TIME {
                return Err(error.into());
            }
            log::warn!("{error}; trying again");
            thread::sleep(pause);
            pause *= 2;
        }
    }

    fn send_once(&self, request: Request<Vec<u8>>, timeout: Duration) -> Result<Vec<u8>, Refusal> {
        let unavailable = |reason: ureq::Error| {
            WorkError::Unavailable(format!("cannot reach {}: {reason}", self.api))
        };
        let request = self.agent.configure_request(request);
        let request = request.timeout_global(Some(timeout)).build();
        let mut response = self.agent.run(request).map_err(unavailable)?;
        let body = response.body_mut().with_config().limit(MAX_RESPONSE_BYTES);
        let body = body.read_to_vec().map_err(unavailable)?;
        if response.status().is_success() {
            return Ok(body);
        }
        Err(self.refusal(&response, &body))
    }

    fn refusal(&self, response: &Response<Body>, body: &[u8]) -> Refusal {
        let status = response.status();
        let problem = serde_json::from_slice::<Problem>(body).ok();
        let text = if let Some(problem) = &problem {
            format!("{}: {}", self.api, problem.text())
        } else {
            let body = String::from_utf8_lossy(body);
            let body: String = body.chars().take(MAX_REPORTED_CHARS).collect();
            format!("{} answered {status}: {body}", self.api)
        };
        let code = problem.as_ref().map_or("", |problem| problem.code.as_str());
        match (status.as_u16(), code) {
            (_, "lease_lost" | "job_not_found") => WorkError::LeaseLost.into(),
            (_, "layout_analysis_not_found") => Refusal::NotThere,
            (401 | 403, _) => WorkError::NotAllowed(text).into(),
            // Room for the rows is made by people, if at all: later than a lease lasts.
            (429, "quota_exceeded") => WorkError::Other(text).into(),
            (408 | 425 | 429 | 502..=504, _) => WorkError::Unavailable(text).into(),
            (423 | 500..=599, _) | (_, "idempotency_in_progress") => {
                WorkError::Failing(text).into()
            }
            _ => WorkError::Refused(text).into(),
        }
    }
}

/// Why a request was not successful.
pub(super) enum Refusal {
    /// The job does not have what was asked for.
    NotThere,
    /// Any other reason.
    Error(WorkError),
}

impl From<WorkError> for Refusal {
    fn from(error: WorkError) -> Self {
        Self::Error(error)
    }
}

impl From<Refusal> for WorkError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotThere => Self::Refused("there is no such output".to_owned()),
            Refusal::Error(error) => error,
        }
    }
}
