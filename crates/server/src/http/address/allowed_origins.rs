//! The web pages that may change something.
//!
//! A browser lets a page of any site send requests to this server, except requests that
//! need a preflight; the browser only withholds the responses. So a request that changes
//! something, and a WebSocket, to which CORS does not apply, is refused unless the page's
//! origin is allowed. Clients that are not browsers send neither `Origin` nor
//! `Sec-Fetch-Site` and are not affected.

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderName, HeaderValue, ORIGIN};
use lectern_api::Code;
use url::Url;

use super::request_address::RequestAddress;
use crate::http::error::ApiError;

/// The methods that pages of other sites may use.
pub(crate) const CORS_METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Origins whose pages may call the server, besides its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct AllowedOrigins {
    cors: CorsOrigins,
    public: Option<String>,
}

/// The origins configured for CORS: `https://example.org`, `https://*.example.org` for all
/// of its subdomains, `*` for all.
#[derive(Debug, Clone, Default)]
pub(crate) struct CorsOrigins(Vec<String>);

impl CorsOrigins {
    pub(crate) fn new(origins: &[String]) -> Self {
        Self(origins.to_vec())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all origins are allowed.
    pub(crate) fn allow_any(&self) -> bool {
        self.0.iter().any(|allowed| allowed == "*")
    }

    /// Whether the origin that a browser sent is allowed.
    pub(crate) fn allow(&self, origin: &str) -> bool {
        self.0
            .iter()
            .any(|allowed| allowed == "*" || allowed == origin || is_subdomain(origin, allowed))
    }
}

/// Whether `origin` is at a subdomain, such as `https://a.example.org`, of a pattern, such
/// as `https://*.example.org`.
fn is_subdomain(origin: &str, pattern: &str) -> bool {
    let Some((scheme, domain)) = pattern.split_once("://*.") else {
        return false;
    };
    let host = origin
        .strip_prefix(scheme)
        .and_then(|rest| rest.strip_prefix("://"));
    let subdomain = host
        .and_then(|host| host.strip_suffix(domain))
        .and_then(|rest| rest.strip_suffix('.'));
    // Without these characters, the rest of the origin is part of the host.
    subdomain.is_some_and(|name| !name.is_empty() && !name.contains(['/', ':', '@']))
}

impl AllowedOrigins {
    /// The origins configured for CORS, and that of the public URL.
    pub(crate) fn new(cors_origins: &[String], public_url: Option<&Url>) -> Self {
        Self {
            cors: CorsOrigins::new(cors_origins),
            public: public_url.map(|url| url.origin().ascii_serialization()),
        }
    }

    /// Refuses a preflight request for a page that may not send the request. Browsers
    /// send preflights only for pages of other origins.
    pub(crate) fn check_preflight(&self, origin: &str, method: &str) -> Result<(), ApiError> {
        let detail = if !self.cors.allow(origin) {
            format!(
                "pages of {origin} may not call this server; LECTERN_CORS_ORIGINS lists the \
                 origins that may"
            )
        } else if !CORS_METHODS.contains(&method) {
            format!("pages of other sites may not send {method} requests")
        } else {
            return Ok(());
        };
        Err(ApiError::new(Code::PreflightRefused, detail))
    }

    /// Refuses a request that was made by a page of an origin that is not allowed.
    /// `address` is the scheme and host of the URL that the client used.
    pub(crate) fn check(
        &self,
        request: &HttpRequest,
        address: RequestAddress<'_>,
    ) -> Result<(), ApiError> {
        let headers = request.headers();
        let origin = headers.get(ORIGIN).map(HeaderValue::to_str);
        let site = headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes);
        let is_allowed = match (site, origin) {
            // A page cannot set `Sec-Fetch-Site`, so it is believed even if the origin
            // does not match `Host`, which a proxy may have changed.
            (Some(b"same-origin" | b"none"), _) | (None, None) => true,
            (_, Some(Ok(origin))) => {
                let is_own_page = || site != Some(b"cross-site") && is_own(origin, address);
                self.contains(origin) || is_own_page()
            }
            // The browser hides the origin, or the origin is not ASCII.
            (Some(_), None) | (_, Some(Err(_))) => false,
        };
        if is_allowed {
            return Ok(());
        }
        let detail = "pages of other sites may not do this; LECTERN_CORS_ORIGINS lists the \
                      origins that may";
        Err(ApiError::new(Code::OriginNotAllowed, detail))
    }

    /// Whether a page of this server has made a request that only such pages may make.
    pub(crate) fn is_own_page(&self, request: &HttpRequest, address: RequestAddress<'_>) -> bool {
        let headers = request.headers();
        let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
        match headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes) {
            Some(site) => site == b"same-origin",
            // A browser that does not send `Sec-Fetch-Site`.
            None => origin.is_some_and(|origin| {
                self.public.as_deref() == Some(origin) || is_own(origin, address)
            }),
        }
    }

    fn contains(&self, origin: &str) -> bool {
        self.cors.allow(origin) || self.public.as_deref() == Some(origin)
    }
}

/// Whether the origin has the host and port of the request. The schemes are not compared,
/// because a proxy may have added TLS.
fn is_own(origin: &str, address: RequestAddress<'_>) -> bool {
    let (Some((scheme, authority)), Some(host)) = (origin.split_once("://"), address.host) else {
        return false;
    };
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let without_default = |host: &str| {
        let host = host.strip_suffix(default_port).unwrap_or(host);
        host.to_ascii_lowercase()
    };
    without_default(authority) == without_default(host)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::http::address::TrustedProxies;

    /// Whether a server at `lectern.example:8080` accepts a request with these headers.
    fn accepts(allowed: &[&str], headers: &[(&str, &str)]) -> bool {
        let mut request = TestRequest::post().insert_header(("Host", "lectern.example:8080"));
        for header in headers {
            request = request.insert_header(*header);
        }
        let request = request.to_http_request();
        let allowed: Vec<_> = allowed.iter().map(|&origin| origin.to_owned()).collect();
        let public_url = Url::parse("https://talks.example/app").unwrap();
        let address = RequestAddress::of(&request, &TrustedProxies::default());
        AllowedOrigins::new(&allowed, Some(&public_url))
            .check(&request, address)
            .is_ok()
    }

    #[test]
    fn pages_of_the_same_or_an_allowed_origin_are_accepted() {
        assert!(accepts(&[], &[]), "no browser");
        for origin in [
            "http://lectern.example:8080",
            "https://Lectern.example:8080",
            "https://talks.example",
        ] {
            assert!(accepts(&[], &[("Origin", origin)]), "{origin}");
        }
        let other = ("Origin", "https://other.example");
        assert!(accepts(&["https://other.example"], &[other]));
        assert!(accepts(&["*"], &[("Origin", "null")]));
        let cross_site = ("Sec-Fetch-Site", "cross-site");
        assert!(accepts(&["https://other.example"], &[other, cross_site]));
        for site in ["same-origin", "none"] {
            // As behind a proxy that changes `Host`.
            assert!(accepts(&[], &[other, ("Sec-Fetch-Site", site)]), "{site}");
        }
        let own = ("Origin", "http://lectern.example:8080");
        assert!(accepts(&[], &[own, ("Sec-Fetch-Site", "same-site")]));
    }

    #[test]
    fn pages_of_other_origins_are_refused() {
        for origin in [
            "https://other.example",
            "http://lectern.example",
            "http://lectern.example:8081",
            "http://lectern.example:8080.evil.example",
            "file://lectern.example:8080",
            "null",
            "",
            "\u{e9}",
        ] {
            let allowed = ["https://third.example"];
            assert!(!accepts(&allowed, &[("Origin", origin)]), "{origin}");
        }
        let own = ("Origin", "http://lectern.example:8080");
        assert!(!accepts(&[], &[own, ("Sec-Fetch-Site", "cross-site")]));
        for site in ["cross-site", "same-site", "unknown"] {
            assert!(!accepts(&[], &[("Sec-Fetch-Site", site)]), "{site}");
        }
    }

    #[test]
    fn a_pattern_allows_the_subdomains_of_a_host() {
        let allow =
            |pattern: &str, origin: &str| CorsOrigins::new(&[pattern.to_owned()]).allow(origin);
        for origin in ["https://a.example.org", "https://a.b.example.org"] {
            assert!(allow("https://*.example.org", origin), "{origin}");
        }
        assert!(allow("http://*.localhost:3000", "http://a.localhost:3000"));
        for origin in [
            "https://example.org",
            "https://.example.org",
            "http://a.example.org",
            "https://a.example.org:8443",
            "https://a.example.org.evil.net",
            "https://evil.net/.example.org",
            "https://evil.net:80@a.example.org",
            "https://aexample.org",
            "null",
        ] {
            assert!(!allow("https://*.example.org", origin), "{origin}");
        }
    }

    #[test]
    fn a_default_port_may_be_left_out() {
        let request = TestRequest::post()
            .insert_header(("Host", "lectern.example"))
            .insert_header((ORIGIN, "https://lectern.example:443"))
            .to_http_request();
        let address = RequestAddress::of(&request, &TrustedProxies::default());
        assert!(AllowedOrigins::default().check(&request, address).is_ok());
    }
}
