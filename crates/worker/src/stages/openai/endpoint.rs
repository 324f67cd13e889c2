//! The endpoint of a service: requests with retries, and without leaking secrets.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use lectern_media::CancellationToken;
use serde_json::{Map, json};
use ureq::http::{HeaderMap, Response, Uri, header::RETRY_AFTER};
use ureq::typestate::WithBody;
use ureq::{Agent, Body, Error, RequestBuilder};

use crate::failure::Failure;

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(30);
/// Greatest size of a response body.
const MAX_RESPONSE_BYTES: u64 = 64 << 20;
/// Pauses between attempts, if the service does not ask for a different pause.
const RETRY_PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];
/// Longest pause that the service may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_mins(2);
/// Shortest part of a URL's user information or query that is treated as a secret,
/// in bytes.
const MIN_SECRET_LENGTH: usize = 6;
/// How many characters of an error response are reported.
const MAX_REPORTED_CHARS: usize = 1000;

/// The endpoint of a service.
#[derive(Clone)]
pub struct Endpoint {
    /// The URL, with the path of the operation.
    pub url: String,
    /// The name of the model to use.
    pub model: String,
    /// The bearer token, if the service needs one.
    pub key: Option<String>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("url", &self.public_url())
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// An attempt without a usable response.
struct FailedAttempt {
    failure: Failure,
    can_retry: bool,
    /// The pause that the service asked for.
    retry_after: Option<Duration>,
}

impl Endpoint {
    /// Sends a request with `send` and returns the response body. Transient
    /// failures are retried a few times. Cancellation takes effect at once, and
    /// abandons a running request.
    pub(in crate::stages) fn request<S>(
        &self,
        cancellation: &CancellationToken,
        send: S,
    ) -> Result<Vec<u8>, Failure>
    where
        S: Fn(RequestBuilder<WithBody>) -> Result<Response<Body>, Error> + Clone + Send + 'static,
    {
        let mut pauses = RETRY_PAUSES.into_iter();
        loop {
            let (endpoint, send) = (self.clone(), send.clone());
            let attempt = run_until_cancelled(cancellation, move || endpoint.request_once(send))?;
            let failed = match attempt {
                Ok(body) => return Ok(body),
                Err(failed) => failed,
            };
            let pause = pauses.next().filter(|_| failed.can_retry);
            let pause = pause.map(|pause| failed.retry_after.unwrap_or(pause));
            let Some(pause) = pause.filter(|pause| *pause <= MAX_RETRY_AFTER) else {
                return Err(failed.failure);
            };
            log::warn!("{}; trying again", failed.failure);
            if cancellation.wait(pause) {
                return Err(Failure::Cancelled);
            }
        }
    }

    fn request_once(
        &self,
        send: impl FnOnce(RequestBuilder<WithBody>) -> Result<Response<Body>, Error>,
    ) -> Result<Vec<u8>, FailedAttempt> {
        let no_response = |error: Error| FailedAttempt {
            failure: Failure::transient(self.redact(&format!("{}: {error}", self.public_url()))),
            can_retry: matches!(
                error,
                Error::Io(_) | Error::Protocol(_) | Error::HostNotFound | Error::ConnectionFailed
            ),
            retry_after: None,
        };
        let mut response = send(self.request_builder()).map_err(no_response)?;
        let body = response.body_mut().with_config().limit(MAX_RESPONSE_BYTES);
        let body = body.read_to_vec().map_err(no_response)?;
        let status = response.status();
        if status.is_success() {
            return Ok(body);
        }
        let text = self.redact(&String::from_utf8_lossy(&body));
        let text: String = text.chars().take(MAX_REPORTED_CHARS).collect();
        let message = format!("{} answered {status}", self.public_url());
        let details = Map::from_iter([
            ("status".to_owned(), json!(status.as_u16())),
            ("body".to_owned(), json!(text)),
        ]);
        let can_retry = status.is_server_error() || [408, 409, 425, 429].contains(&status.as_u16());
        Err(FailedAttempt {
            failure: if can_retry {
                Failure::Transient { message, details }
            } else {
                Failure::Permanent { message, details }
            },
            can_retry,
            retry_after: retry_after(response.headers()),
        })
    }

    /// A request with the key and the timeout.
    fn request_builder(&self) -> RequestBuilder<WithBody> {
        let agent: Agent = Agent::config_builder()
            .timeout_global(Some(REQUEST_TIMEOUT))
            .http_status_as_error(false)
            .build()
            .into();
        let request = agent.post(&self.url);
        match &self.key {
            Some(key) => request.header("Authorization", format!("Bearer {key}")),
            None => request,
        }
    }

    /// The URL for messages that clients of the job see: without user, password
    /// and query, which may contain secrets.
    pub(in crate::stages) fn public_url(&self) -> String {
        let public = |uri: Uri| {
            let (scheme, host) = (uri.scheme_str()?, uri.host()?);
            let port = uri.port_u16().map(|port| format!(":{port}"));
            let port = port.unwrap_or_default();
            Some(format!("{scheme}://{host}{port}{}", uri.path()))
        };
        let public = self.url.parse().ok().and_then(public);
        public.unwrap_or_else(|| "the service".to_owned())
    }

    /// Replaces the secrets in a text.
    pub(in crate::stages) fn redact(&self, text: &str) -> String {
        let text = text.replace(&self.url, &self.public_url());
        let key = self.key.as_deref().filter(|key| !key.is_empty());
        let (address, query) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let address = address.split_once("://").map_or(address, |(_, rest)| rest);
        let authority = address.split('/').next().unwrap_or_default();
        let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
        let parts = user.split(':').chain(query.split(['&', '=', '#']));
        let parts = parts.filter(|part| part.len() >= MIN_SECRET_LENGTH);
        key.into_iter()
            .chain(parts)
            .fold(text, |text, secret| text.replace(secret, "…"))
    }
}

/// The pause that the service asks for, if it is given in seconds.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    Some(Duration::from_secs(seconds.parse().ok()?))
}

/// Runs `act` on another thread and waits for the result. On cancellation it
/// returns at once and abandons the thread.
fn run_until_cancelled<T: Send + 'static>(
    cancellation: &CancellationToken,
    act: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let (sender, receiver) = mpsc::channel();
    let wake = sender.clone();
    let _callback = cancellation.on_cancel(move || {
        let _ = wake.send(None);
    });
    thread::Builder::new()
        .name("request".into())
        .spawn(move || {
            // A panic has to be sent too: the callback has another sender, so the
            // channel would stay open and the receiver would wait for ever.
            let _ = sender.send(Some(catch_unwind(AssertUnwindSafe(act))));
        })?;
    match receiver.recv() {
        Ok(Some(Ok(result))) => Ok(result),
        Ok(Some(Err(_))) => Err(Failure::transient("a request panicked")),
        Ok(None) | Err(_) => Err(Failure::Cancelled),
    }
}

#[cfg(test)]
mod tests;
