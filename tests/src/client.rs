//! An HTTP client that checks every response.

use std::time::Duration;

use serde_json::Value;
use ureq::http::Request;

use crate::response::{Response, assert_no_internal_keys};

/// A blocking HTTP client. It panics on a response with an internal key; see
/// [`Response::problem`] for errors.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
}

impl Client {
    /// A client of the server at `base`, such as `http://127.0.0.1:8080`.
    pub fn new(base: impl Into<String>) -> Self {
        Self {
            agent: agent(Duration::from_mins(1)),
            base: base.into(),
        }
    }

    /// The same client with another timeout.
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self {
            agent: agent(timeout),
            base: self.base.clone(),
        }
    }

    /// The server's URL, such as `http://127.0.0.1:8080`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Sends a GET.
    pub fn get(&self, path: &str) -> Response {
        self.request("GET", path).send()
    }

    /// Sends a DELETE.
    pub fn delete(&self, path: &str) -> Response {
        self.request("DELETE", path).send()
    }

    /// Sends a POST with a JSON body.
    pub fn post(&self, path: &str, body: &Value) -> Response {
        self.request("POST", path).json(body).send()
    }

    /// Sends a PUT with a JSON body.
    pub fn put(&self, path: &str, body: &Value) -> Response {
        self.request("PUT", path).json(body).send()
    }

    /// Sends a PATCH with a JSON body.
    pub fn patch(&self, path: &str, body: &Value) -> Response {
        self.request("PATCH", path).json(body).send()
    }

    /// Starts to build a request; `path` is path and query.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder<'_> {
        RequestBuilder {
            client: self,
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: None,
        }
    }
}

fn agent(timeout: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .max_redirects(0)
        .timeout_global(Some(timeout))
        .build()
        .new_agent()
}

/// Builds a request; see [`Client::request`].
#[derive(Debug)]
pub struct RequestBuilder<'c> {
    client: &'c Client,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl RequestBuilder<'_> {
    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.header("Content-Type", content_type)
    }

    /// Sets a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// Sends the request and waits for the response.
    ///
    /// # Panics
    ///
    /// If no response arrives, or one with an internal key in its JSON.
    pub fn send(self) -> Response {
        let name = format!("{} {}", self.method, self.path);
        let mut request = Request::builder()
            .method(self.method.as_str())
            .uri(format!("{}{}", self.client.base, self.path));
        for (header, value) in &self.headers {
            request = request.header(header, value);
        }
        let agent = &self.client.agent;
        let result = match self.body {
            Some(body) => agent.run(request.body(body).expect("a request")),
            None => agent.run(request.body(()).expect("a request")),
        };
        let (head, mut body) = result
            .unwrap_or_else(|error| panic!("{name}: {error}"))
            .into_parts();
        let response = Response {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body
                .with_config()
                .limit(u64::MAX)
                .read_to_vec()
                .expect("a whole body"),
            request: name,
        };
        // The OpenAPI document also describes request fields, which may have
        // such names, and those of a waveform are of a format that others define.
        let has_other_names = self.path == "/openapi.json" || self.path.ends_with("/waveform");
        if !has_other_names && response.is_json() {
            assert_no_internal_keys(&response.json(), "", &response);
        }
        response
    }
}
