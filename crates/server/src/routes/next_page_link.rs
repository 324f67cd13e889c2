//! The header `Link` with the URL of the next page of a list (RFC 8288).

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::LINK;
use actix_web::{FromRequest, HttpRequest};
use lectern_api::JobPageCursor;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::http::error::ApiError;
use crate::http::request::mount;
use crate::http::response::{ApiResponse, ApiResult};
use crate::objects::signed_urls::SignedUrls;

/// Characters that may not occur between the angle brackets of a link. Text that is not
/// ASCII is always escaped.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');

/// Makes the link from one page of a list to the next.
#[derive(Debug, Clone)]
pub(super) struct NextPageLink {
    /// The address at which the client reaches this server; its path only if the request
    /// names none that could be part of a URL.
    base: String,
    path: String,
    /// The query string of the request, without its cursor.
    query: String,
}

impl NextPageLink {
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Adds the link to the page at `cursor`.
    pub(super) fn add_to(&self, response: ApiResponse, cursor: &JobPageCursor) -> ApiResult {
        let Self { base, path, query } = self;
        let separator = if query.is_empty() { "" } else { "&" };
        let link = format!("<{base}{path}?{query}{separator}cursor={cursor}>; rel=\"next\"");
        response.with_header(LINK, &link)
    }

    fn of(request: &HttpRequest, urls: Result<SignedUrls, ApiError>) -> Self {
        let prefix = mount::prefix(request);
        let base = urls.map_or_else(|_| prefix.to_owned(), |urls| urls.base().to_owned());
        let is_cursor = |part: &&str| {
            let name = part.split('=').next().unwrap_or_default();
            percent_decode_str(name).eq(*b"cursor")
        };
        let query = request.query_string().split('&');
        let query: Vec<_> = query.filter(|part| !is_cursor(part)).collect();
        Self {
            base: base.trim_end_matches('/').to_owned(),
            path: request.path()[prefix.len()..].to_owned(),
            query: utf8_percent_encode(&query.join("&"), ESCAPED).to_string(),
        }
    }
}

impl FromRequest for NextPageLink {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let urls = SignedUrls::from_request(request, payload).into_inner();
        ready(Ok(Self::of(request, urls)))
    }
}
