//! Requests to a server.

use std::time::Duration;

use lectern_domain::ApiKeyText;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use ureq::http::header::{AUTHORIZATION, HeaderValue};
use ureq::http::{Method, Request, Response};
use ureq::{Agent, Body};

use crate::cli::server_address::ServerUrl;

/// How long the server may take to answer, besides the time that a request asks it to wait.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Greatest size of a response. A page of jobs has at most 100 with 16 KiB of settings each.
const MAX_RESPONSE_BYTES: u64 = 16 << 20;

/// A request that was not successful.
#[derive(Debug, Error)]
pub(super) enum Error {
    /// No response, or one of a gateway that cannot reach the server.
    #[error("cannot reach {url}: {reason}")]
    Unreachable { url: String, reason: String },
    /// The server refused the request.
    #[error("{0}")]
    Refused(String),
    /// The response is not one of a Lectern server.
    #[error("{url} is no Lectern server of this version: {reason}")]
    Unreadable { url: String, reason: String },
}

/// The members of an error response that are shown.
#[derive(Deserialize)]
struct Problem {
    title: String,
    detail: Option<String>,
}

impl Problem {
    fn text(self) -> String {
        match self.detail {
            Some(detail) => format!("{}: {detail}", self.title),
            None => self.title,
        }
    }
}

/// Sends requests to one server.
pub(super) struct Client {
    agent: Agent,
    /// URL of the API, without a slash at its end.
    api: String,
    /// The header `Authorization`, if there is a key.
    authorization: Option<HeaderValue>,
}

impl Client {
    pub(super) fn new(server: &ServerUrl, key: Option<&ApiKeyText>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("lectern/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(TIMEOUT));
        Self {
            agent: config.build().into(),
            api: format!("{}/api/v1", server.as_str().trim_end_matches('/')),
            authorization: key.and_then(|key| {
                let mut value = HeaderValue::try_from(format!("Bearer {}", key.reveal())).ok()?;
                value.set_sensitive(true);
                Some(value)
            }),
        }
    }

    /// The URL of a path below `/api/v1`.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.api)
    }

    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.parse(&self.send(Method::GET, path, None)?)
    }

    /// Like [`Client::get`], but lets the server wait for something to return.
    pub(super) fn wait<T: DeserializeOwned>(&self, path: &str, wait: Duration) -> Result<T, Error> {
        self.parse(&self.send(Method::GET, path, Some(wait))?)
    }

    pub(super) fn post(&self, path: &str) -> Result<(), Error> {
        self.send(Method::POST, path, None).map(drop)
    }

    pub(super) fn delete(&self, path: &str) -> Result<(), Error> {
        self.send(Method::DELETE, path, None).map(drop)
    }

    fn parse<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, Error> {
        serde_json::from_slice(body).map_err(|error| Error::Unreadable {
            url: self.api.clone(),
            reason: error.to_string(),
        })
    }

    fn send(&self, method: Method, path: &str, wait: Option<Duration>) -> Result<Vec<u8>, Error> {
        let unreachable = |reason: String| Error::Unreachable {
            url: self.api.clone(),
            reason,
        };
        let mut request = Request::builder()
            .method(method)
            .uri(self.url(path))
            .header("Accept", "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(wait) = wait {
            request = request.header("Prefer", format!("wait={}", wait.as_secs()));
        }
        let request = request
            .body(())
            .map_err(|error| unreachable(error.to_string()))?;
        let request = self.agent.configure_request(request);
        let request = request
            .timeout_global(Some(TIMEOUT + wait.unwrap_or_default()))
            .build();
        let mut response = self
            .agent
            .run(request)
            .map_err(|error| unreachable(error.to_string()))?;
        let body = response.body_mut().with_config().limit(MAX_RESPONSE_BYTES);
        let body = body
            .read_to_vec()
            .map_err(|error| unreachable(error.to_string()))?;
        self.check(&response, &body)?;
        Ok(body)
    }

    fn check(&self, response: &Response<Body>, body: &[u8]) -> Result<(), Error> {
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let url = self.api.clone();
        let is_gateway = matches!(status.as_u16(), 502..=504);
        match serde_json::from_slice::<Problem>(body) {
            Ok(problem) if is_gateway => Err(Error::Unreachable {
                url,
                reason: problem.text(),
            }),
            Ok(problem) => Err(Error::Refused(problem.text())),
            Err(_) if is_gateway => Err(Error::Unreachable {
                url,
                reason: status.to_string(),
            }),
            Err(_) => Err(Error::Unreadable {
                url,
                reason: status.to_string(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(url: &str) -> String {
        Client::new(&url.parse().unwrap(), None).api
    }

    #[test]
    fn a_server_may_be_below_a_path() {
        assert_eq!(api("http://127.0.0.1:8080"), "http://127.0.0.1:8080/api/v1");
        assert_eq!(
            api("https://example.org/lectern/"),
            "https://example.org/lectern/api/v1"
        );
    }
}
