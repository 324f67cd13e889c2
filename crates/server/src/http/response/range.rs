//! Objects as responses, whole or in part (RFC 9110, 13 and 14).

use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::SystemTime;

use actix_web::body::{BodySize, MessageBody, SizedStream};
use actix_web::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_RANGE, ETAG,
    Header as _, HttpDate, IF_RANGE, IfRange, LAST_MODIFIED, RANGE,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use futures_util::TryStreamExt as _;
use lectern_domain::{DownloadName, recording_media_type};
use lectern_formats::Format;
use lectern_storage::{ByteRange, Object, ObjectInfo};

use crate::http::request_id::RequestId;

/// Images among the objects of a job, by extension.
const IMAGES: [(&str, &str); 4] = [
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("webp", "image/webp"),
];

/// 200 with the whole object, or 206 with a part, streamed.
pub(crate) fn send(object: Object, is_part: bool, name: Option<&DownloadName>) -> HttpResponse {
    let Range { start, end } = object.range;
    let mut response = if is_part {
        HttpResponse::PartialContent()
    } else {
        HttpResponse::Ok()
    };
    insert_metadata(&mut response, &object.info, name);
    if is_part && let Some(last) = end.checked_sub(1) {
        let range = format!("bytes {start}-{last}/{}", object.info.size);
        response.insert_header((CONTENT_RANGE, range));
    }
    let request_id = RequestId::current();
    let bytes = object.stream.inspect_err(move |error| {
        let request_id = request_id.as_ref().map(RequestId::as_str);
        log::warn!(request_id; "reading an object failed during its response: {error}");
    });
    response.body(SizedStream::new(end - start, bytes))
}

/// 200 without the body, for HEAD.
pub(crate) fn send_head(info: &ObjectInfo, name: Option<&DownloadName>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    insert_metadata(&mut response, info, name);
    response.body(HeadBody(info.size))
}

/// 304 with the object's validators.
pub(crate) fn not_modified(info: &ObjectInfo) -> HttpResponse {
    let mut response = HttpResponse::NotModified();
    insert_validators(&mut response, info);
    response.finish()
}

/// `name` is the name under which browsers save the object; by default, the last part of
/// its key.
fn insert_metadata(
    response: &mut HttpResponseBuilder,
    info: &ObjectInfo,
    name: Option<&DownloadName>,
) {
    let last_segment = info.key.rsplit('/').next().unwrap_or_default();
    let disposition = match name {
        Some(name) => name.content_disposition(),
        None => DownloadName::of_file(last_segment).content_disposition(),
    };
    insert_validators(response, info)
        .insert_header((ACCEPT_RANGES, "bytes"))
        // Not compressed: byte ranges refer to the stored bytes.
        .insert_header((CONTENT_ENCODING, "identity"))
        .content_type(media_type(last_segment))
        .insert_header((CONTENT_DISPOSITION, disposition));
}

fn insert_validators<'r>(
    response: &'r mut HttpResponseBuilder,
    info: &ObjectInfo,
) -> &'r mut HttpResponseBuilder {
    if let Some(etag) = &info.etag {
        response.insert_header((ETAG, etag.as_str()));
    }
    response
        .insert_header((LAST_MODIFIED, http_date(info)))
        .insert_header((CACHE_CONTROL, "private"))
}

/// The media type of an object, by the extension of its name. An object with an unknown
/// extension is an octet stream, so that no browser runs an upload as a page of this
/// origin.
fn media_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let subtitles = || match Format::from_filename(name) {
        Some(format @ (Format::Vtt | Format::Srt)) => Some(format.media_type()),
        _ => None,
    };
    let image = || {
        let mut images = IMAGES.iter();
        let image = images.find(|(known, _)| known.eq_ignore_ascii_case(extension));
        image.map(|(_, media_type)| *media_type)
    };
    recording_media_type(extension)
        .or_else(subtitles)
        .or_else(image)
        .unwrap_or("application/octet-stream")
}

fn http_date(info: &ObjectInfo) -> HttpDate {
    SystemTime::from(info.last_modified).into()
}

/// The requested part, if `Range` is a single range and satisfiable. Any other `Range` is
/// ignored, as RFC 9110 (14.2) permits, and the whole object is sent.
pub(crate) fn requested_range(request: &HttpRequest, info: &ObjectInfo) -> Option<ByteRange> {
    let headers = request.headers();
    let is_current = !headers.contains_key(IF_RANGE)
        || match IfRange::parse(request) {
            Ok(IfRange::EntityTag(tag)) => {
                let current = info.etag.as_deref().and_then(|etag| etag.parse().ok());
                current.is_some_and(|current| tag.strong_eq(&current))
            }
            Ok(IfRange::Date(date)) => date.to_string() == http_date(info).to_string(),
            Err(_) => false,
        };
    let range = headers.get(RANGE).filter(|_| is_current)?.to_str().ok()?;
    parse_range(range).filter(|range| range.resolve(info.size).is_some())
}

/// Parses a `Range` of one range of bytes. (actix's parser takes the unit in
/// lower case only, and drops ends beyond `u64` instead of clamping them.)
fn parse_range(range: &str) -> Option<ByteRange> {
    let (unit, range) = range.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = range.trim().split_once('-')?;
    match (first, last) {
        ("", last) => number(last).map(ByteRange::Last),
        (first, "") => number(first).map(ByteRange::From),
        (first, last) => {
            let end = number(last)?.saturating_add(1);
            number(first).map(|first| ByteRange::Between(first, end))
        }
    }
}

/// Parses digits without a sign; a number beyond `u64` becomes its maximum.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

/// A body that has a length but no content, for HEAD.
struct HeadBody(u64);

impl MessageBody for HeadBody {
    type Error = actix_web::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0)
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_single_range_of_bytes_is_parsed() {
        for (text, range) in [
            ("bytes=0-99", ByteRange::Between(0, 100)),
            ("BYTES=7-7", ByteRange::Between(7, 8)),
            ("bytes=7-", ByteRange::From(7)),
            ("bytes=-7", ByteRange::Last(7)),
            ("bytes= 0-1 ", ByteRange::Between(0, 2)),
            (
                "bytes=1-99999999999999999999999",
                ByteRange::Between(1, u64::MAX),
            ),
        ] {
            assert_eq!(parse_range(text), Some(range), "{text}");
        }
        for text in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=1-2,4-5",
            "bytes=1--2",
            "lines=1-2",
            "bytes=1",
            "0-1",
        ] {
            assert_eq!(parse_range(text), None, "{text}");
        }
    }

    #[test]
    fn unknown_extensions_are_octet_streams() {
        assert_eq!(media_type("Lecture 7.MP4"), "video/mp4");
        assert_eq!(media_type("subtitles.vtt"), "text/vtt");
        for name in ["page.html", "picture.svg", "mp4", "script.js", ""] {
            assert_eq!(media_type(name), "application/octet-stream", "{name}");
        }
    }
}
