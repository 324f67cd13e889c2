//! Pages for people: their language, headers and errors.

use std::sync::LazyLock;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT, ACCEPT_LANGUAGE, Accept, AcceptLanguage, CACHE_CONTROL, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, Header as _, HeaderMap, HeaderValue, LOCATION, Quality, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _};
use data_encoding::BASE64;
use lectern_api::Code;
use lectern_web::assets::STYLES;
use lectern_web::{Language, Message, PageHeader, message_page, sign_in_page};
use ring::digest::{SHA256, digest};
use url::{Url, form_urlencoded};

use crate::http::auth::{Authenticator, ServerCookie};
use crate::http::error::ApiError;
use crate::http::middleware::access_log::ErrorPage;
use crate::http::request::app_data::app_data;
use crate::http::request::mount::public_prefix;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// Allows only resources of this server, no inline scripts, and no styles but those of the pages.
static CONTENT_POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let styles = STYLES.map(|style| {
        let hash = digest(&SHA256, style.as_bytes());
        format!(" 'sha256-{}'", BASE64.encode(hash.as_ref()))
    });
    let policy = format!(
        "default-src 'self'; style-src{}; object-src 'none'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'",
        styles.concat()
    );
    // Hashes are no reason to fail; if there were one, pages would be without styles and scripts.
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// [`CONTENT_POLICY`], with pictures and media also from the origin of `url`: objects may be in
/// a bucket. `None` if the URL has no origin.
fn policy_with_media(url: &str) -> Option<HeaderValue> {
    let origin = Url::parse(url).ok()?.origin();
    let origin = origin.is_tuple().then(|| origin.ascii_serialization())?;
    let policy = CONTENT_POLICY.to_str().ok()?;
    let policy = format!("{policy}; img-src 'self' {origin}; media-src 'self' {origin}");
    HeaderValue::try_from(policy).ok()
}

/// Whether the client accepts HTML by name, as browsers do. A wildcard is not enough.
pub(crate) fn is_html_accepted(accept: &Accept) -> bool {
    accept
        .iter()
        .any(|range| range.item.essence_str() == "text/html" && range.quality > Quality::ZERO)
}

fn accepts_html(request: &HttpRequest) -> bool {
    Accept::parse(request).is_ok_and(|accept| is_html_accepted(&accept))
}

/// The language that the reader prefers.
pub(crate) fn language(request: &HttpRequest) -> Language {
    let preferences = AcceptLanguage::parse(request).map_or_else(|_| Vec::new(), |found| found.0);
    let mut preferences: Vec<_> = preferences
        .iter()
        .filter(|preference| preference.quality > Quality::ZERO)
        .filter_map(|preference| Some((preference.quality, preference.item.item()?)))
        .collect();
    // Stable: of equal qualities, the first counts.
    preferences.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
    Language::preferred(preferences.iter().map(|(_, tag)| tag.primary_language()))
}

/// What the header of a page offers the browser that requests it.
pub(crate) fn header(request: &HttpRequest, sees_operation: bool) -> PageHeader {
    PageHeader {
        operation: sees_operation,
        sign_out: has_session(request),
    }
}

/// Whether the browser has a session, which need not be accepted any more.
pub(crate) fn has_session(request: &HttpRequest) -> bool {
    ServerCookie::Session
        .read(request)
        .is_ok_and(|cookie| cookie.is_some())
}

/// The response to a browser: the page, or a page about what went wrong.
pub(crate) fn respond(request: &HttpRequest, page: Result<String, ApiError>) -> HttpResponse {
    match page {
        Ok(page) => as_page(HttpResponse::Ok().finish(), page),
        Err(error) => refuse(request, &error),
    }
}

/// The response to a browser with a page that shows objects. `object_url` is the signed URL of
/// one of them.
pub(crate) fn respond_with_media(page: String, object_url: Option<&str>) -> HttpResponse {
    let mut response = as_page(HttpResponse::Ok().finish(), page);
    if let Some(policy) = object_url.and_then(policy_with_media) {
        let headers = response.headers_mut();
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The response to a request for a page that is refused. A browser without a session is sent
/// to the identity provider, if people sign in at one.
pub(crate) fn refuse(request: &HttpRequest, error: &ApiError) -> HttpResponse {
    let response = error.error_response();
    if !accepts_html(request) {
        return response;
    }
    let status = response.status();
    if status == StatusCode::UNAUTHORIZED && signs_in(request) {
        return redirect_to_sign_in(request);
    }
    let language = language(request);
    if status == StatusCode::UNAUTHORIZED {
        let page = sign_in_page(language, depth(request));
        return as_error_page(response, page);
    }
    let words = language.words();
    let mut detail = None;
    let (title, text) = match status {
        StatusCode::FORBIDDEN => (words.forbidden_title, words.forbidden),
        _ if error.code() == Code::NotFound => (words.not_found_title, words.no_page),
        StatusCode::NOT_FOUND => (words.not_found_title, words.not_found),
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
            detail = Some(error.detail());
            (words.invalid_title, words.invalid)
        }
        _ => (words.failure_title, words.failure),
    };
    let header = header(request, false);
    let message = Message {
        title,
        text,
        detail,
    };
    let page = message_page(language, depth(request), header, message);
    as_error_page(response, page)
}

fn as_error_page(response: HttpResponse, page: String) -> HttpResponse {
    let mut response = as_page(response, page);
    response.extensions_mut().insert(ErrorPage);
    response
}

fn signs_in(request: &HttpRequest) -> bool {
    app_data::<Authenticator>(request).is_ok_and(|authenticator| authenticator.provider().is_ok())
}

fn redirect_to_sign_in(request: &HttpRequest) -> HttpResponse {
    let prefix = public_prefix(request);
    let path = request.uri().path_and_query();
    let path = path.map_or("/", |path| path.as_str());
    let mut query = form_urlencoded::Serializer::new(String::new());
    let query = query
        .append_pair("return_to", &format!("{prefix}{path}"))
        .finish();
    let root = "../".repeat(depth(request));
    let mut response = HttpResponse::SeeOther()
        .insert_header((LOCATION, format!("{root}login?{query}")))
        .finish();
    add_caching(response.headers_mut());
    response
}

/// How many path segments the page is below the root of the service.
fn depth(request: &HttpRequest) -> usize {
    request.path().matches('/').count().saturating_sub(1)
}

/// The response with the page as its body, and the headers of pages.
fn as_page(response: HttpResponse, page: String) -> HttpResponse {
    let mut response = response.set_body(BoxBody::new(page));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HTML);
    headers.insert(CONTENT_SECURITY_POLICY, CONTENT_POLICY.clone());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    add_caching(headers);
    response
}

fn add_caching(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.append(VARY, ACCEPT.into());
    headers.append(VARY, ACCEPT_LANGUAGE.into());
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_a_client_that_names_html_accepts_it() {
        let accepts = |accept: &str| {
            let request = TestRequest::get().insert_header((ACCEPT, accept));
            accepts_html(&request.to_http_request())
        };
        assert!(accepts("text/html,application/xhtml+xml,*/*;q=0.8"));
        assert!(accepts("application/json, Text/HTML;q=0.5"));
        for other in ["", "*/*", "text/*", "text/html;q=0", "application/json"] {
            assert!(!accepts(other), "{other}");
        }
        assert!(!accepts_html(&TestRequest::get().to_http_request()));
    }

    #[test]
    fn the_styles_of_a_page_are_allowed_by_their_hashes_only() {
        let message = Message {
            title: "Title",
            text: "Text",
            detail: None,
        };
        let page = message_page(Language::English, 0, PageHeader::default(), message);
        let policy = CONTENT_POLICY.to_str().unwrap();
        let (_, styles) = policy.split_once("style-src ").unwrap();
        let (styles, _) = styles.split_once(';').unwrap();
        let contents: Vec<&str> = page.split("<style>").skip(1).collect();
        assert!(!contents.is_empty(), "{page}");
        for content in contents {
            let (content, _) = content.split_once("</style>").unwrap();
            let hash = BASE64.encode(digest(&SHA256, content.as_bytes()).as_ref());
            assert!(styles.contains(&format!("'sha256-{hash}'")), "{policy}");
        }
        let is_hash = |style: &str| style.starts_with("'sha256-");
        assert!(styles.split(' ').all(is_hash), "{policy}");
    }

    #[test]
    fn media_are_allowed_from_the_origin_of_objects_only() {
        let policy =
            policy_with_media("https://s3.example:9000/bucket/a.mp4?signature=1;x").unwrap();
        let policy = policy.to_str().unwrap();
        assert!(
            policy.starts_with(CONTENT_POLICY.to_str().unwrap()),
            "{policy}"
        );
        let ends = "; media-src 'self' https://s3.example:9000";
        assert!(policy.ends_with(ends), "{policy}");
        assert!(policy_with_media("data:text/html,a").is_none());
    }

    #[test]
    fn the_preferred_language_has_the_highest_quality() {
        let language = |accept: &str| {
            let request = TestRequest::get().insert_header((ACCEPT_LANGUAGE, accept));
            super::language(&request.to_http_request())
        };
        assert_eq!(language("de-AT,de;q=0.9,en;q=0.8"), Language::German);
        assert_eq!(language("en;q=0.4, de;q=0.5"), Language::German);
        assert_eq!(language("de;q=0, en"), Language::English);
        assert_eq!(language("fr, de;q=0.5, *;q=0.1"), Language::German);
        assert_eq!(language("*"), Language::English);
        assert_eq!(language("???"), Language::English);
    }
}
