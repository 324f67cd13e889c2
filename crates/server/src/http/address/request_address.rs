//! The address in the URL of a request.

use actix_web::HttpRequest;
use actix_web::http::header::HOST;

use super::forwarded::TrustedProxies;

/// Scheme and host of the URL that the client used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestAddress<'r> {
    pub(crate) scheme: &'r str,
    /// Host and optional port; `None` when the client sent none, as HTTP/1.0 permits.
    pub(crate) host: Option<&'r str>,
}

impl<'r> RequestAddress<'r> {
    /// From a trusted proxy's headers, or else from the request itself.
    pub(crate) fn of(request: &'r HttpRequest, proxies: &TrustedProxies) -> Self {
        let forwarded = proxies.forwarded(request);
        // The authority in the request line takes precedence (RFC 9112, 3.2.2).
        let requested = || match request.uri().authority() {
            Some(authority) => Some(authority.as_str()),
            None => request.headers().get(HOST)?.to_str().ok(),
        };
        Self {
            scheme: forwarded.scheme.unwrap_or("http"),
            host: forwarded.host.or_else(requested),
        }
    }
}

/// The host without its port.
pub(super) fn without_port(host: &str) -> &str {
    let end = match host.find(']') {
        Some(bracket) => bracket + 1,
        None => host.find(':').unwrap_or(host.len()),
    };
    &host[..end]
}
