//! Cross-origin requests of web pages.

use actix_cors::Cors;
use actix_web::http::header::{ETAG, LOCATION, RETRY_AFTER};

use crate::http::request::request_id::X_REQUEST_ID;

/// Allows pages of `origins`, or all pages if one of them is `*`.
pub(crate) fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allow_any_header()
        .expose_headers([ETAG, LOCATION, RETRY_AFTER, X_REQUEST_ID])
        .max_age(3600);
    if origins.iter().any(|origin| origin == "*") {
        cors.allow_any_origin().send_wildcard()
    } else {
        origins
            .iter()
            .fold(cors, |cors, origin| cors.allowed_origin(origin))
    }
}
