//! A service that speaks as OpenAI's does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use lectern_media::CancellationToken;
use serde_json::{Map, json};
use ureq::http::{HeaderMap, Response, Uri, header::RETRY_AFTER};
use ureq::typestate::WithBody;
use ureq::{Agent, Body, Error, RequestBuilder};

use crate::Failure;

/// How long the service may take for one request.
const LIMIT: Duration = Duration::from_mins(30);
/// How much of an answer is read.
const MAX_BYTES: u64 = 64 << 20;
/// How long it is left alone after each try but the last.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];
/// The longest it may ask to be left alone for.
const LONGEST_PAUSE: Duration = Duration::from_mins(2);
/// Parts of an address that are shorter are no secrets.
const SHORTEST_SECRET: usize = 6;

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
            .field("url", &self.place())
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// Why there is no good answer.
struct Refusal {
    failure: Failure,
    /// Whether it may be another one in a moment.
    passes: bool,
    /// How long the service wants to be left alone until then.
    after: Option<Duration>,
}

impl Endpoint {
    /// Has `send` send a request, and answers the body of what came back. What may
    /// be over in a moment is tried again a few times. Nobody who cancels waits:
    /// what is under way then is left to itself.
    pub(super) fn ask<S>(&self, cancel: &CancellationToken, send: S) -> Result<Vec<u8>, Failure>
    where
        S: Fn(RequestBuilder<WithBody>) -> Result<Response<Body>, Error> + Clone + Send + 'static,
    {
        let mut pauses = PAUSES.into_iter();
        loop {
            let (endpoint, send) = (self.clone(), send.clone());
            let refusal = match abandon(cancel, move || endpoint.exchange(send))? {
                Ok(body) => return Ok(body),
                Err(refusal) => refusal,
            };
            let pause = pauses.next().filter(|_| refusal.passes);
            let pause = pause.map(|pause| refusal.after.unwrap_or(pause));
            let Some(pause) = pause.filter(|pause| *pause <= LONGEST_PAUSE) else {
                return Err(refusal.failure);
            };
            log::warn!("{}; asking again", refusal.failure);
            if cancel.wait(pause) {
                return Err(Failure::Cancelled);
            }
        }
    }

    fn exchange(
        &self,
        send: impl FnOnce(RequestBuilder<WithBody>) -> Result<Response<Body>, Error>,
    ) -> Result<Vec<u8>, Refusal> {
        let unreachable = |error: Error| Refusal {
            failure: Failure::transient(self.hide(&format!("{}: {error}", self.place()))),
            passes: matches!(
                error,
                Error::Io(_) | Error::Protocol(_) | Error::HostNotFound | Error::ConnectionFailed
            ),
            after: None,
        };
        let mut answer = send(self.request()).map_err(unreachable)?;
        let body = answer
            .body_mut()
            .with_config()
            .limit(MAX_BYTES)
            .read_to_vec();
        let body = body.map_err(unreachable)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(body);
        }
        let text = self.hide(&String::from_utf8_lossy(&body));
        let text: String = text.chars().take(1000).collect();
        let message = format!("{} answered {status}", self.place());
        let details = Map::from_iter([
            ("status".to_owned(), json!(status.as_u16())),
            ("body".to_owned(), json!(text)),
        ]);
        // A refusal stays one; too many requests and trouble of its own pass.
        let passes = status.is_server_error() || [408, 409, 425, 429].contains(&status.as_u16());
        Err(Refusal {
            failure: if passes {
                Failure::Transient { message, details }
            } else {
                Failure::Permanent { message, details }
            },
            passes,
            after: retry_after(answer.headers()),
        })
    }

    /// A request with the key, which waits for as long as it may take.
    fn request(&self) -> RequestBuilder<WithBody> {
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

    /// Where it is, for all who follow a job: the address without what may be
    /// secret in it.
    pub(super) fn place(&self) -> String {
        let told = |uri: Uri| {
            let (scheme, host) = (uri.scheme_str()?, uri.host()?);
            let port = uri.port_u16().map(|port| format!(":{port}"));
            let port = port.unwrap_or_default();
            Some(format!("{scheme}://{host}{port}{}", uri.path()))
        };
        let told = self.url.parse().ok().and_then(told);
        told.unwrap_or_else(|| "the service".to_owned())
    }

    /// A text without the secrets that are in it.
    pub(super) fn hide(&self, text: &str) -> String {
        let text = text.replace(&self.url, &self.place());
        let key = self.key.as_deref().filter(|key| !key.is_empty());
        let (address, query) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let address = address.split_once("://").map_or(address, |(_, rest)| rest);
        let host = address.split('/').next().unwrap_or_default();
        let user = host.rsplit_once('@').map_or("", |(user, _)| user);
        let parts = user.split(':').chain(query.split(['&', '=', '#']));
        let parts = parts.filter(|part| part.len() >= SHORTEST_SECRET);
        key.into_iter()
            .chain(parts)
            .fold(text, |text, secret| text.replace(secret, "…"))
    }
}

/// How many seconds a service wants to be left alone, if it says so.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    Some(Duration::from_secs(seconds.parse().ok()?))
}

/// Acts on another thread, which is left to itself when somebody cancels.
fn abandon<T: Send + 'static>(
    cancel: &CancellationToken,
    act: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let (tell, told) = mpsc::channel();
    let wake = tell.clone();
    let _link = cancel.on_cancel(move || {
        let _ = wake.send(None);
    });
    thread::Builder::new()
        .name("request".into())
        .spawn(move || {
            // Whoever listens would do so for ever otherwise.
            let _ = tell.send(Some(catch_unwind(AssertUnwindSafe(act))));
        })?;
    match told.recv() {
        Ok(Some(Ok(done))) => Ok(done),
        Ok(Some(Err(_))) => Err(Failure::transient("a request panicked")),
        Ok(None) | Err(_) => Err(Failure::Cancelled),
    }
}

#[cfg(test)]
mod tests;
