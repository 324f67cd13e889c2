//! Cross-origin requests of web pages.

use actix_cors::Cors;
use actix_web::http::header::{ETAG, LOCATION, RETRY_AFTER};

use crate::http::request::request_id::X_REQUEST_ID;

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

/// Allows pages of `origins`, or all pages if one of them is `*`.
pub(crate) fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allow_any_header()
        .expose_headers([ETAG, LOCATION, RETRY_AFTER, X_REQUEST_ID])
        .expose_headers(TUS_HEADERS)
        .max_age(3600);
    if origins.iter().any(|origin| origin == "*") {
        cors.allow_any_origin().send_wildcard()
    } else {
        origins
            .iter()
            .fold(cors, |cors, origin| cors.allowed_origin(origin))
    }
}
