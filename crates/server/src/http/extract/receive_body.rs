//! Receives request bodies within bounds of size, time and memory, and reads the headers
//! that describe them.

use std::io::{self, Read as _, Write};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName,
};
use actix_web::web::{self, Bytes, BytesMut, Data};
use actix_web::{Error, FromRequest as _, HttpRequest};
use flate2::read::MultiGzDecoder;
use futures_util::StreamExt as _;
use lectern_api::Code;
use tokio::time::timeout;

use crate::http::error::ApiError;
use crate::http::memory_budget::{MemoryBudget, MemoryPermit};
use crate::http::request::app_data::app_data;

/// Upper bound of the time to receive a body: enough for 32 MiB over a slow connection.
/// Also ends the requests of clients that stop sending.
const RECEIVE_TIMEOUT: Duration = Duration::from_mins(1);

/// Bodies of up to this size need no permit for their memory, because every connection
/// occupies about as much memory without a body.
pub(crate) const MAX_BYTES_WITHOUT_PERMIT: usize = 16 << 10;

/// Estimated memory for a body and its values, as a multiple of the body's size. Once the
/// body has been received, a better estimate replaces this one.
const BODY_FACTOR: usize = 4;

/// Upper bounds of request bodies.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// Bytes of a body, unless the body is the output of a stage; 1 MiB by default.
    pub general: usize,
    /// Bytes of a body with the output of a stage; 32 MiB by default.
    pub output: usize,
    /// Rows of a job per kind of output: segments of its transcript, clips and so on;
    /// 100,000 by default.
    pub rows: usize,
    /// Memory for all large requests in progress, in bytes; 96 MiB by default.
    pub memory: usize,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            general: 1 << 20,
            output: 32 << 20,
            rows: 100_000,
            memory: 96 << 20,
        }
    }
}

/// The bounds of the body of a request.
#[derive(Debug, Clone)]
pub(crate) struct BodyBounds {
    /// Upper bound of the size, in bytes.
    pub(crate) limit: usize,
    /// Upper bound of the rows in the body.
    pub(crate) max_rows: usize,
    pub(crate) memory: Data<MemoryBudget>,
}

impl BodyBounds {
    /// The bounds of a body that is not the output of a stage.
    pub(crate) fn general(request: &HttpRequest) -> Result<Self, ApiError> {
        Self::of(request, |limits| limits.general)
    }

    /// The bounds of the output of a stage.
    pub(crate) fn output(request: &HttpRequest) -> Result<Self, ApiError> {
        Self::of(request, |limits| limits.output)
    }

    fn of(request: &HttpRequest, limit: fn(&BodyLimits) -> usize) -> Result<Self, ApiError> {
        let limits = app_data::<BodyLimits>(request)?;
        Ok(Self {
            limit: limit(limits),
            max_rows: limits.rows,
            memory: app_data::<MemoryBudget>(request)?.clone(),
        })
    }
}

/// A received body, with permits for its memory.
#[derive(Debug)]
pub(crate) struct ReceivedBody {
    pub(crate) bytes: Bytes,
    pub(crate) permit: MemoryPermit,
    pub(crate) bounds: BodyBounds,
}

/// Receives a JSON body within its bounds.
pub(crate) fn receive_json(
    request: &HttpRequest,
    payload: &mut Payload,
    bounds: Result<BodyBounds, ApiError>,
) -> impl Future<Output = Result<ReceivedBody, ApiError>> + use<> {
    let is_json = check_json(request.headers());
    receive(request, payload, is_json.and(bounds))
}

/// Receives a JSON body with the changes of something, within its bounds; and whether its
/// objects are to be merged (RFC 7396) instead of replaced.
pub(crate) fn receive_patch(
    request: &HttpRequest,
    payload: &mut Payload,
    bounds: Result<BodyBounds, ApiError>,
) -> impl Future<Output = Result<(ReceivedBody, bool), ApiError>> + use<> {
    let headers = request.headers();
    let declared = media_type(headers);
    let is_merge = declared.is_some_and(|declared| declared.eq_ignore_ascii_case(MERGE_PATCH));
    let is_patch = if is_merge || is_json(headers) {
        Ok(())
    } else {
        Err(ApiError::not_a_patch())
    };
    let body = receive(request, payload, is_patch.and(bounds));
    async move { Ok((body.await?, is_merge)) }
}

/// Receives a body of any type.
pub(crate) fn receive(
    request: &HttpRequest,
    payload: &mut Payload,
    bounds: Result<BodyBounds, ApiError>,
) -> impl Future<Output = Result<ReceivedBody, ApiError>> + use<> {
    let checked = bounds.and_then(|bounds| {
        check_headers(request.headers(), bounds.limit)?;
        Ok(bounds)
    });
    let announced = announced_length(request.headers());
    let is_gzip = is_gzip(request.headers());
    let payload = web::Payload::from_request(request, payload);
    async move {
        let body = collect(payload, checked?, announced).await?;
        if is_gzip {
            inflate(body).await
        } else {
            Ok(body)
        }
    }
}

/// Inflates a body. The limit applies to the compressed and to the inflated body. The size
/// of the latter is found first, without keeping it, to wait for its memory.
pub(crate) async fn inflate(body: ReceivedBody) -> Result<ReceivedBody, ApiError> {
    let ReceivedBody {
        bytes: compressed,
        mut permit,
        bounds,
    } = body;
    let (limit, measured) = (bounds.limit, compressed.clone());
    let size = web::block(move || inflate_to(&measured, limit, &mut io::sink())).await??;
    if size > MAX_BYTES_WITHOUT_PERMIT {
        let needed = compressed.len() + BODY_FACTOR * size;
        permit = bounds.memory.resize(permit, needed).await?;
    }
    let inflated = web::block(move || {
        let mut inflated = Vec::with_capacity(size);
        inflate_to(&compressed, limit, &mut inflated).map(|_| inflated)
    });
    Ok(ReceivedBody {
        bytes: inflated.await??.into(),
        permit,
        bounds,
    })
}

/// Writes the content of a gzip body to `output`, and returns its size.
fn inflate_to(compressed: &[u8], limit: usize, output: &mut impl Write) -> Result<usize, ApiError> {
    let max = u64::try_from(limit).unwrap_or(u64::MAX);
    let mut inflated = MultiGzDecoder::new(compressed).take(max.saturating_add(1));
    let size = io::copy(&mut inflated, output)
        .map_err(|error| malformed(format!("the body is not valid gzip: {error}")))?;
    if size > max {
        return Err(too_large(limit));
    }
    usize::try_from(size).map_err(ApiError::internal)
}

/// Receives a body of the `announced` length, or of any length up to the limit.
pub(crate) async fn collect(
    payload: impl Future<Output = Result<web::Payload, Error>>,
    bounds: BodyBounds,
    announced: Option<usize>,
) -> Result<ReceivedBody, ApiError> {
    let mut payload = payload
        .await
        .map_err(|error| malformed(error.to_string()))?;
    let expected = announced.unwrap_or(bounds.limit);
    let mut permit = MemoryPermit::default();
    let mut needs_permit = expected.min(bounds.limit) > MAX_BYTES_WITHOUT_PERMIT;
    if announced.is_some() && needs_permit {
        permit = bounds.memory.for_request(BODY_FACTOR * expected).await?;
        needs_permit = false;
    }
    let mut bytes = BytesMut::with_capacity(announced.unwrap_or_default().min(bounds.limit));
    let receiving = async {
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| malformed("the connection ended before the body did"))?;
            let length = bytes.len() + chunk.len();
            if length > bounds.limit {
                return Err(too_large(bounds.limit));
            }
            // The length of a chunked body is known only at its end, so the permit is for
            // a body of the maximum length.
            if needs_permit && length > MAX_BYTES_WITHOUT_PERMIT {
                permit = bounds
                    .memory
                    .for_request(BODY_FACTOR * bounds.limit)
                    .await?;
                needs_permit = false;
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(())
    };
    match timeout(RECEIVE_TIMEOUT, receiving).await {
        Ok(received) => received?,
        Err(_) => return Err(malformed("the body did not arrive in time")),
    }
    Ok(ReceivedBody {
        bytes: bytes.freeze(),
        permit,
        bounds,
    })
}

// The media type is parsed here, because the parser of actix refuses white space before
// the `;`, which RFC 9110 (8.3.1) allows, and the charset would be lost.

/// The media type of a JSON merge patch (RFC 7396).
const MERGE_PATCH: &str = "application/merge-patch+json";

/// The media type of the body, without parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<&str> {
    let declared = text(headers, CONTENT_TYPE)?;
    declared.split(';').next().map(str::trim)
}

/// The declared charset of the body.
pub(crate) fn charset(headers: &HeaderMap) -> Option<&str> {
    let parameters = text(headers, CONTENT_TYPE)?.split(';').skip(1);
    parameters
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .map(|(_, charset)| charset.trim().trim_matches('"'))
}

pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|declared| declared.eq_ignore_ascii_case("application/json"))
}

pub(crate) fn check_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let detail = "the header Content-Type must be application/json";
    is_json(headers)
        .then_some(())
        .ok_or_else(|| ApiError::new(Code::UnsupportedMediaType, detail))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

pub(crate) fn announced_length(headers: &HeaderMap) -> Option<usize> {
    text(headers, CONTENT_LENGTH).and_then(|length| length.parse().ok())
}

/// Whether the body is compressed with gzip, once.
pub(crate) fn is_gzip(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(CONTENT_ENCODING);
    let only = lines.next().filter(|_| lines.next().is_none());
    let coding = only.and_then(|coding| coding.to_str().ok()).map(str::trim);
    // Both names mean the same (RFC 9110, 8.4.1.3).
    coding.is_some_and(|coding| {
        coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip")
    })
}

/// Whether the body is not compressed.
pub(crate) fn is_identity(headers: &HeaderMap) -> bool {
    !headers.contains_key(CONTENT_ENCODING)
        || text(headers, CONTENT_ENCODING)
            .is_some_and(|coding| coding.trim().eq_ignore_ascii_case("identity"))
}

/// Checks the headers before the body is read; returns `limit`.
pub(crate) fn check_headers(headers: &HeaderMap, limit: usize) -> Result<usize, ApiError> {
    if !is_gzip(headers) && !is_identity(headers) {
        let detail = "the body must be in gzip or not compressed";
        return Err(ApiError::new(Code::UnsupportedMediaType, detail));
    }
    let declared = text(headers, CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    match declared {
        Some(length) if length > limit => Err(too_large(limit)),
        _ => Ok(limit),
    }
}

pub(crate) fn malformed(detail: impl Into<String>) -> ApiError {
    ApiError::new(Code::MalformedBody, detail)
}

fn too_large(limit: usize) -> ApiError {
    ApiError::new(
        Code::BodyTooLarge,
        format!("at most {limit} bytes are allowed here"),
    )
}
