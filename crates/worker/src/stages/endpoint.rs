//! A service that speaks as OpenAI's does.

use std::time::Duration;

use serde_json::{Map, json};
use ureq::Agent;

use crate::Failure;

/// How long the service may take for one request.
const LIMIT: Duration = Duration::from_mins(30);
/// How much of an answer is read.
const MOST: u64 = 64 << 20;

/// Where a service answers, and what it is told.
#[derive(Clone)]
pub struct Endpoint {
    /// Its address, path included.
    pub url: String,
    /// Which of its models is asked.
    pub model: String,
    /// Sent as a bearer token, if there is one.
    pub key: Option<String>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("url", &self.url)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// A request with the key, which waits for as long as it may take.
    pub(super) fn request(&self) -> ureq::RequestBuilder<ureq::typestate::WithBody> {
        let agent: Agent = Agent::config_builder()
            .timeout_global(Some(LIMIT))
            .http_status_as_error(false)
            .build()
            .into();
        let request = agent.post(&self.url);
        match &self.key {
            Some(key) => request.header("Authorization", format!("Bearer {key}")),
            None => request,
        }
    }

    /// The body of an answer, if it is a good one.
    pub(super) fn body(
        &self,
        sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Vec<u8>, Failure> {
        let unreachable = |error| Failure::passing(format!("{}: {error}", self.url));
        let mut answer = sent.map_err(unreachable)?;
        let status = answer.status();
        let body = answer.body_mut().with_config().limit(MOST).read_to_vec();
        let body = body.map_err(unreachable)?;
        if status.is_success() {
            return Ok(body);
        }
        let text = String::from_utf8_lossy(&body);
        let text: String = text.chars().take(1000).collect();
        let message = format!("{} answered {status}", self.url);
        let details = Map::from_iter([
            ("status".to_owned(), json!(status.as_u16())),
            ("body".to_owned(), json!(text)),
        ]);
        // A refusal stays one; too many requests and trouble of its own pass.
        let passes = status.is_server_error() || [408, 409, 425, 429].contains(&status.as_u16());
        Err(if passes {
            Failure::Passing { message, details }
        } else {
            Failure::Final { message, details }
        })
    }
}
