//! Cross-origin requests of web pages.

use actix_cors::Cors;
use actix_web::http::header::{CONTENT_RANGE, ETAG, HeaderName, LINK, LOCATION, RETRY_AFTER};

use crate::http::address::{CORS_METHODS, CorsOrigins};
use crate::http::rate_limit::RateLimiter;
use crate::http::request_id::X_REQUEST_ID;

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Headers of responses that clients of tus read.
const TUS_HEADERS: [&str; 9] = [
    "Tus-Checksum-Algorithm",
    "Tus-Extension",
    "Tus-Max-Size",
    "Tus-Resumable",
    "Tus-Version",
    "Upload-Expires",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Offset",
];

/// Allows pages of `origins`, with `allow_credentials` also requests with cookies or
/// `Authorization` that the browser adds.
pub(crate) fn cors(origins: &CorsOrigins, allow_credentials: bool) -> Cors {
    let cors = Cors::default()
        .allowed_methods(CORS_METHODS)
        .allow_any_header()
        .expose_headers([
            CONTENT_RANGE,
            ETAG,
            LINK,
            LOCATION,
            PREFERENCE_APPLIED,
            RETRY_AFTER,
            X_REQUEST_ID,
        ])
        .expose_headers(RateLimiter::HEADERS)
        .expose_headers(TUS_HEADERS)
        .max_age(3600);
    // Browsers refuse the wildcard together with credentials.
    if origins.allow_any() && !allow_credentials {
        return cors.allow_any_origin().send_wildcard();
    }
    let origins = origins.clone();
    let cors = cors.allowed_origin_fn(move |origin, _| {
        origin.to_str().is_ok_and(|origin| origins.allow(origin))
    });
    if allow_credentials {
        cors.supports_credentials()
    } else {
        cors
    }
}
