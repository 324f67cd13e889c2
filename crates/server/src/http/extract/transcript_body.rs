//! Transcripts in requests and responses: JSON or a subtitle file.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, Header as _, HeaderMap, Quality};
use actix_web::{FromRequest, HttpRequest, web};
use lectern_api::{Code, FieldError, Request as _, TranscriptSegmentsBody};
use lectern_domain::{Invalid, NewTranscriptSegment, TranscriptFormat};
use lectern_formats::{
    Charset, Cue, Format, FormatError, InputFormat, ParsedFile, Transcript, json, negotiate,
};

use crate::http::error::ApiError;
use crate::http::extract::json_body::{self, BodyFuture};
use crate::http::extract::receive_body::{self, BodyBounds, ReceivedBody};
use crate::http::memory_budget::WithPermit;

/// The transcript in a body, in any supported format.
#[derive(Debug)]
pub(crate) struct TranscriptBody(pub(crate) WithPermit<DecodedTranscript>);

/// A transcript whose body was decoded.
#[derive(Debug)]
pub(crate) enum DecodedTranscript {
    Segments(Vec<NewTranscriptSegment>),
    /// A file, whose times are compared with the length of the recording, and the upper bound of
    /// its segments.
    File(Box<ParsedFile>, usize),
}

/// The declared format of a body.
#[derive(Debug, Clone, Copy)]
pub(super) enum DeclaredFormat {
    /// Lectern's JSON, or that of another program.
    Json,
    File(InputFormat, Option<Charset>),
}

impl WithPermit<DecodedTranscript> {
    /// The segments, and notes about them, also about times that do not fit the recording. Asks
    /// for the length of the recording in seconds only for files, because segments in Lectern's
    /// JSON are stored as they are.
    pub(crate) async fn for_recording(
        self,
        recording_seconds: impl Future<Output = Result<Option<f64>, ApiError>>,
    ) -> Result<(WithPermit<Vec<NewTranscriptSegment>>, Vec<String>), ApiError> {
        let fit =
            |transcript: Transcript, seconds: f64| transcript.compared_with_recording(seconds);
        self.segments(recording_seconds, fit).await
    }

    /// As [`Self::for_recording`], of a clip of this length in seconds. Players show no subtitles
    /// after its end, so nothing is noted about them.
    pub(crate) async fn for_clip(
        self,
        clip_seconds: impl Future<Output = Result<Option<f64>, ApiError>>,
    ) -> Result<(WithPermit<Vec<NewTranscriptSegment>>, Vec<String>), ApiError> {
        self.segments(clip_seconds, |transcript, _| transcript)
            .await
    }

    async fn segments(
        self,
        seconds: impl Future<Output = Result<Option<f64>, ApiError>>,
        fit: impl FnOnce(Transcript, f64) -> Transcript + Send + 'static,
    ) -> Result<(WithPermit<Vec<NewTranscriptSegment>>, Vec<String>), ApiError> {
        let (decoded, permit) = self.into_parts();
        let (file, max_rows) = match decoded {
            DecodedTranscript::Segments(segments) => {
                return Ok((WithPermit::new(segments, permit), Vec::new()));
            }
            DecodedTranscript::File(file, max_rows) => (file, max_rows),
        };
        let seconds = seconds.await?;
        let read = move || {
            let transcript = file.transcript(seconds).map_err(format_error)?;
            let transcript = match seconds {
                Some(seconds) => fit(transcript, seconds),
                None => transcript,
            };
            check_count(transcript.cues.len(), max_rows)?;
            let notes = transcript.notes.messages();
            Ok::<_, ApiError>((self::segments(transcript.cues)?, notes))
        };
        let (segments, notes) = web::block(read).await??;
        Ok((WithPermit::new(segments, permit), notes))
    }
}

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
        let format = receive_body::media_type(headers).and_then(InputFormat::from_media_type);
        let unsupported = |detail| ApiError::new(Code::UnsupportedMediaType, detail);
        let format = format.ok_or_else(|| unsupported(unsupported_type()))?;
        // Text decoded with the wrong charset would be stored corrupted.
        let charset = receive_body::charset(headers).map(|label| {
            Charset::from_label(label).ok_or_else(|| {
                let detail = "the charset must be one that browsers know, such as utf-8, utf-16, \
                    windows-1252, windows-1251 or shift_jis";
                unsupported(detail.to_owned())
            })
        });
        Ok(Self::File(format, charset.transpose()?))
    }

    /// Reads the segments of a body of this format.
    pub(super) async fn decode(
        self,
        body: ReceivedBody,
    ) -> Result<WithPermit<DecodedTranscript>, ApiError> {
        let max_rows = body.bounds.max_rows;
        let memory = move |body: &[u8]| self.memory(body, max_rows);
        let read = move |body: &[u8]| self.read(body, max_rows);
        json_body::decode_with(body, memory, read).await
    }

    /// Upper bound of the memory for the segments and for reading them.
    fn memory(self, body: &[u8], max_rows: usize) -> usize {
        match self {
            Self::Json if is_large_and_of_lectern(body, max_rows) => {
                TranscriptSegmentsBody::BODY_SHAPE.memory(body, max_rows)
            }
            Self::Json => InputFormat::Json.memory(body),
            Self::File(format, _) => format.memory(body),
        }
    }

    fn read(self, body: &[u8], max_rows: usize) -> Result<DecodedTranscript, ApiError> {
        let file = match self {
            // Lectern's JSON is tried first, because it is far more frequent.
            Self::Json => match json_body::parse::<TranscriptSegmentsBody>(body, max_rows) {
                Ok(segments) => {
                    check_count(segments.len(), max_rows)?;
                    return Ok(DecodedTranscript::Segments(segments));
                }
                Err(error) if is_large_and_of_lectern(body, max_rows) || !json::detect(body) => {
                    return Err(error);
                }
                Err(_) => InputFormat::Json.read(body),
            },
            Self::File(format, None) => format.read(body),
            Self::File(format, Some(charset)) => format.read_in(charset, body),
        };
        let file = file.map_err(format_error)?;
        Ok(DecodedTranscript::File(Box::new(file), max_rows))
    }
}

/// Bodies of more bytes are large.
const LARGE_BODY: usize = 4 << 20;

/// Whether a body is Lectern's JSON by its first bytes, and is large or has many segments. The
/// memory for such a body does not suffice to read it as the JSON of another program.
fn is_large_and_of_lectern(body: &[u8], max_rows: usize) -> bool {
    let start = &body[..body.len().min(1_024)];
    let has = |name: &[u8]| start.windows(name.len()).any(|part| part == name);
    let objects = || body.split(|byte| *byte == b'{').count();
    let is_large = || body.len() > LARGE_BODY || objects() > max_rows / 10;
    has(b"\"segments\"") && has(b"\"start_time\"") && is_large()
}

fn unsupported_type() -> String {
    let types = InputFormat::ALL.map(|format| format.media_types()[0]);
    let (last, others) = types
        .split_last()
        .map_or(("", &[][..]), |(last, others)| (*last, others));
    format!(
        "the header Content-Type must be {} or {last}",
        others.join(", ")
    )
}

fn check_count(count: usize, max_rows: usize) -> Result<(), ApiError> {
    if count <= max_rows {
        return Ok(());
    }
    let message = format!("must have at most {max_rows} items, not {count}");
    let error = FieldError::new("segments", message);
    Err(ApiError::fields(Code::ValidationFailed, error))
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
