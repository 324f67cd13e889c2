//! Headers in which proxies report the scheme and host that the client used.

use actix_web::HttpRequest;
use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName};

use super::ip_network::IpNetwork;

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Proxies whose `X-Forwarded-*` and `Forwarded` headers are believed.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrustedProxies(pub(crate) Vec<IpNetwork>);

impl TrustedProxies {
    /// The scheme and host that the request's peer reports; none when the peer is not one
    /// of these proxies.
    pub(super) fn forwarded<'r>(&self, request: &'r HttpRequest) -> Forwarded<'r> {
        let peer = request.peer_addr().map(|peer| peer.ip());
        let is_trusted = peer.is_some_and(|peer| self.0.iter().any(|proxy| proxy.contains(peer)));
        if is_trusted {
            Forwarded::read(request.headers())
        } else {
            Forwarded::default()
        }
    }
}

/// The scheme and host that a client used, as its proxy reports them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Forwarded<'r> {
    pub(super) scheme: Option<&'r str>,
    pub(super) host: Option<&'r str>,
}

impl<'r> Forwarded<'r> {
    /// Takes the last value of each header, which the nearest proxy has written; earlier
    /// values may come from the client. `X-Forwarded-*` take precedence, because most
    /// proxies that set them pass on a client's `Forwarded`.
    fn read(headers: &'r HeaderMap) -> Self {
        let parameter = |name| forwarded_parameter(headers, name);
        Self {
            scheme: last(headers, &X_FORWARDED_PROTO).or_else(|| parameter("proto")),
            host: last(headers, &X_FORWARDED_HOST).or_else(|| parameter("host")),
        }
    }
}

/// The last value of a header that contains a list.
fn last<'r>(headers: &'r HeaderMap, name: &HeaderName) -> Option<&'r str> {
    let list = headers.get_all(name).last()?.to_str().ok()?;
    let value = list.rsplit(',').next()?.trim();
    (!value.is_empty()).then_some(value)
}

/// A parameter of the last element of `Forwarded` (RFC 7239). Commas and semicolons
/// between quotes need no attention, because no scheme or host contains one.
fn forwarded_parameter<'r>(headers: &'r HeaderMap, name: &str) -> Option<&'r str> {
    last(headers, &FORWARDED)?.split(';').find_map(|pair| {
        let (given, value) = pair.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (given.trim().eq_ignore_ascii_case(name) && !value.is_empty()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn forwarded(trusted: &str, headers: &[(&str, &str)]) -> (Option<String>, Option<String>) {
        let peer = "10.0.0.7:1234".parse().unwrap();
        let mut request = TestRequest::get().peer_addr(peer);
        for header in headers {
            request = request.append_header(*header);
        }
        let request = request.to_http_request();
        let proxies = TrustedProxies(vec![trusted.parse().unwrap()]);
        let Forwarded { scheme, host } = proxies.forwarded(&request);
        (scheme.map(str::to_owned), host.map(str::to_owned))
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let headers = [
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Host", "lectern.example"),
        ];
        let believed = (Some("https".to_owned()), Some("lectern.example".to_owned()));
        assert_eq!(forwarded("10.0.0.0/24", &headers), believed);
        assert_eq!(forwarded("10.0.1.0/24", &headers), (None, None));
    }

    #[test]
    fn the_nearest_proxy_is_believed() {
        let headers = [
            ("X-Forwarded-Host", "evil.example"),
            ("X-Forwarded-Host", "evil.example, lectern.example"),
            ("Forwarded", "proto=http;host=evil.example"),
            (
                "Forwarded",
                "host=evil.example, for=10.1.1.1;Proto=\"https\"",
            ),
        ];
        let believed = (Some("https".to_owned()), Some("lectern.example".to_owned()));
        assert_eq!(forwarded("10.0.0.7", &headers), believed);
    }

    #[test]
    fn empty_values_count_as_absent() {
        let headers = [("X-Forwarded-Proto", ""), ("Forwarded", "host=;proto")];
        assert_eq!(forwarded("10.0.0.7", &headers), (None, None));
    }
}
