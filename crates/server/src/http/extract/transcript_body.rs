//! Transcripts in requests and responses: JSON or a subtitle file.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, Header as _, HeaderMap, Quality};
use actix_web::{FromRequest, HttpRequest};
use lectern_api::{Code, FieldError, Request as _, TranscriptSegmentsBody};
use lectern_domain::{Invalid, NewTranscriptSegment, TranscriptFormat};
use lectern_formats::{Charset, Cue, Format, FormatError, negotiate, whisper_json};

use crate::http::error::ApiError;
use crate::http::extract::json_body::{self, BodyFuture};
use crate::http::extract::receive_body::{self, BodyBounds, ReceivedBody};
use crate::http::memory_budget::WithPermit;

/// The segments of a body, in any supported format.
#[derive(Debug)]
pub(crate) struct TranscriptBody(pub(crate) WithPermit<Vec<NewTranscriptSegment>>);

/// The declared format of a body.
#[derive(Debug, Clone, Copy)]
pub(super) enum DeclaredFormat {
    /// Lectern's or Whisper's JSON.
    Json,
    File(Format, Option<Charset>),
}

const UNSUPPORTED_TYPE: &str =
    "the header Content-Type must be application/json, text/vtt or application/x-subrip";

impl FromRequest for TranscriptBody {
    type Error = ApiError;
    type Future = BodyFuture<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let received = receive(request, payload);
        Box::pin(async move {
            let (format, body) = received.await?;
            format.decode(body).await.map(Self)
        })
    }
}

/// Receives a transcript, and its declared format.
pub(super) fn receive(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<(DeclaredFormat, ReceivedBody), ApiError>> + use<> {
    let bounds = BodyBounds::output(request);
    let (declared, bounds) = match DeclaredFormat::from_headers(request.headers()) {
        Ok(declared) => (declared, bounds),
        // Given an error in place of the bounds, `receive` drops the body and returns
        // the error, as for a body that is too large. The format is not used.
        Err(error) => (DeclaredFormat::Json, Err(error)),
    };
    let body = receive_body::receive(request, payload, bounds);
    async move { Ok((declared, body.await?)) }
}

impl DeclaredFormat {
    fn from_headers(headers: &HeaderMap) -> Result<Self, ApiError> {
        if receive_body::is_json(headers) {
            return Ok(Self::Json);
        }
        let format = receive_body::media_type(headers).and_then(Format::from_media_type);
        let format = format.filter(|format| matches!(format, Format::Vtt | Format::Srt));
        let unsupported = |detail| ApiError::new(Code::UnsupportedMediaType, detail);
        let format = format.ok_or_else(|| unsupported(UNSUPPORTED_TYPE))?;
        // Text decoded with the wrong charset would be stored corrupted.
        let charset = receive_body::charset(headers).map(|label| {
            Charset::from_label(label).ok_or_else(|| {
                unsupported("the charset must be utf-8, utf-16 or windows-1252 (iso-8859-1)")
            })
        });
        Ok(Self::File(format, charset.transpose()?))
    }

    /// Reads the segments of a body of this format.
    pub(super) async fn decode(
        self,
        body: ReceivedBody,
    ) -> Result<WithPermit<Vec<NewTranscriptSegment>>, ApiError> {
        let max_rows = body.bounds.max_rows;
        let memory = move |body: &[u8]| self.memory(body, max_rows);
        let read = move |body: &[u8]| self.read(body, max_rows);
        json_body::decode_with(body, memory, read).await
    }

    /// Upper bound of the memory for the segments and for reading them.
    fn memory(self, body: &[u8], max_rows: usize) -> usize {
        match self {
            Self::Json => TranscriptSegmentsBody::BODY_SHAPE.memory(body, max_rows),
            Self::File(..) => lectern_formats::memory(body),
        }
    }

    fn read(self, body: &[u8], max_rows: usize) -> Result<Vec<NewTranscriptSegment>, ApiError> {
        let segments = self.read_any_length(body, max_rows)?;
        if segments.len() > max_rows {
            let message = format!("must have at most {max_rows} items, not {}", segments.len());
            let error = FieldError::new("segments", message);
            return Err(ApiError::fields(Code::ValidationFailed, error));
        }
        Ok(segments)
    }

    fn read_any_length(
        self,
        body: &[u8],
        max_rows: usize,
    ) -> Result<Vec<NewTranscriptSegment>, ApiError> {
        match self {
            // Lectern's JSON is tried first, because it is far more frequent.
            Self::Json => {
                json_body::parse::<TranscriptSegmentsBody>(body, max_rows).or_else(|error| {
                    if whisper_json::detect(body) {
                        read(Format::WhisperJson, body)
                    } else {
                        Err(error)
                    }
                })
            }
            Self::File(format, None) => read(format, body),
            Self::File(format, Some(charset)) => read(
                format,
                charset.decode(body).map_err(format_error)?.as_bytes(),
            ),
        }
    }
}

fn read(format: Format, body: &[u8]) -> Result<Vec<NewTranscriptSegment>, ApiError> {
    Ok(segments(format.read(body).map_err(format_error)?)?)
}

/// Converts cues to new segments.
pub(crate) fn segments(cues: Vec<Cue>) -> Result<Vec<NewTranscriptSegment>, Invalid> {
    cues.into_iter()
        .map(NewTranscriptSegment::try_from)
        .collect()
}

fn format_error(error: FormatError) -> ApiError {
    let detail = error.to_string();
    let line = FieldError::new(format!("line {}", error.line), error.message);
    ApiError::new(Code::ValidationFailed, detail).with_field_errors(line)
}

/// `Accept`: the format of the response.
#[derive(Debug)]
pub(crate) struct TranscriptAccept(header::Accept);

/// The media types of responses with segments, in order of preference. `None`
/// is JSON.
fn offers() -> Vec<(&'static str, Option<Format>)> {
    let files = [Format::Vtt, Format::Srt, Format::Text];
    let preferred = files.map(|format| (format.media_type(), Some(format)));
    let aliases = files.iter().flat_map(|format| {
        let aliases = &format.media_types()[1..];
        aliases.iter().map(|alias| (*alias, Some(*format)))
    });
    let mut offers = vec![("application/json", None)];
    offers.extend(preferred);
    offers.extend(aliases);
    offers
}

/// Value of the response header `Vary`. Includes `accept-encoding`, although the
/// compression middleware adds a separate `Vary` line with this value: the CORS middleware
/// keeps only the first line.
pub(crate) const VARY: &str = "accept, accept-encoding";

impl TranscriptAccept {
    /// The format of the response; `None` is JSON. `requested` takes precedence over
    /// `Accept`. If no format is acceptable, the response is JSON and not an error, as
    /// RFC 9110 (12.4.1) allows.
    pub(crate) fn file_format(&self, requested: Option<TranscriptFormat>) -> Option<Format> {
        match requested {
            None => {
                let ranges = self.0.iter().map(|range| {
                    let quality = Some(range.quality).filter(|quality| *quality > Quality::ZERO);
                    (range.item.clone(), quality)
                });
                negotiate(&ranges.collect::<Vec<_>>(), &offers()).flatten()
            }
            Some(TranscriptFormat::Json) => None,
            Some(TranscriptFormat::Vtt) => Some(Format::Vtt),
            Some(TranscriptFormat::Srt) => Some(Format::Srt),
            Some(TranscriptFormat::Text) => Some(Format::Text),
        }
    }
}

impl FromRequest for TranscriptAccept {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let accept = header::Accept::parse(request);
        ready(Ok(Self(
            accept.unwrap_or_else(|_| header::Accept(Vec::new())),
        )))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::ACCEPT;
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_format_comes_from_the_query_then_accept_then_json() {
        let accept = |line: &str| {
            let request = TestRequest::default().insert_header((ACCEPT, line));
            TranscriptAccept(header::Accept::parse(&request.to_http_request()).unwrap())
        };
        let subrip = accept("application/x-subrip");
        assert_eq!(subrip.file_format(None), Some(Format::Srt));
        assert_eq!(subrip.file_format(Some(TranscriptFormat::Json)), None);
        assert_eq!(
            subrip.file_format(Some(TranscriptFormat::Vtt)),
            Some(Format::Vtt)
        );
        assert_eq!(accept("text/srt").file_format(None), Some(Format::Srt));
        assert_eq!(accept("text/*").file_format(None), Some(Format::Vtt));
        for line in ["", "*/*", "image/png", "text/html, */*;q=0.8"] {
            assert_eq!(accept(line).file_format(None), None, "{line}");
        }
        let text = accept("text/vtt;q=0.5,text/plain");
        assert_eq!(text.file_format(None), Some(Format::Text));
    }
}
