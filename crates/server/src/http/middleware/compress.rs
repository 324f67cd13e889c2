//! Compression of responses: only gzip, and only when it saves packets.

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCEPT_ENCODING, AcceptEncoding, CONTENT_ENCODING, Encoding, Header as _, HeaderValue,
    Preference, Quality,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};

/// Smaller bodies fit into a packet or two uncompressed.
const MIN_COMPRESSED_BYTES: u64 = 1024;

/// Runs outside `Compress` and reduces `Accept-Encoding` to gzip or nothing, because
/// `Compress` responds 406 to a client that accepts neither gzip nor identity.
pub(crate) async fn negotiate_gzip<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let gzip = accepts_gzip(&request);
    let headers = request.headers_mut();
    headers.remove(ACCEPT_ENCODING);
    if gzip {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    if headers
        .get(CONTENT_ENCODING)
        .is_some_and(|coding| coding == "identity")
    {
        headers.remove(CONTENT_ENCODING);
    }
    Ok(response)
}

/// Runs inside `Compress` and excludes small bodies by `Content-Encoding: identity`,
/// which [`negotiate_gzip`] removes again.
pub(crate) async fn skip_small_bodies<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    if matches!(response.response().body().size(), BodySize::Sized(size) if size < MIN_COMPRESSED_BYTES)
    {
        let identity = HeaderValue::from_static("identity");
        response.headers_mut().insert(CONTENT_ENCODING, identity);
    }
    Ok(response)
}

fn accepts_gzip(request: &impl HttpMessage) -> bool {
    let Ok(AcceptEncoding(items)) = AcceptEncoding::parse(request) else {
        return false;
    };
    items.iter().any(|item| {
        let is_gzip = match &item.item {
            Preference::Any => true,
            Preference::Specific(encoding) => *encoding == Encoding::gzip(),
        };
        is_gzip && item.quality > Quality::ZERO
    })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn gzip_is_accepted_by_name_or_wildcard_unless_its_quality_is_zero() {
        let accepts = |list| {
            let request = TestRequest::get().insert_header((ACCEPT_ENCODING, list));
            accepts_gzip(&request.to_http_request())
        };
        for yes in ["gzip", "deflate, gzip;q=0.5", "br, *", "GZIP"] {
            assert!(accepts(yes), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "gzip; q=0.000", "identity", "*;q=0"] {
            assert!(!accepts(no), "{no}");
        }
    }
}
