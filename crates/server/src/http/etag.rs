//! Entity tags and their preconditions (RFC 9110, 8.8.3 and 13.1).

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};
use actix_web::{FromRequest, HttpRequest};
use lectern_db::Error;

use crate::http::error::ApiError;

/// Versions count from 1.
const NONEXISTENT_VERSION: i64 = 0;

/// The entity tag of a job's version.
pub(crate) fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// `If-Match`: the request applies only to these versions of the job; `None` is
/// any version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IfMatch(Option<Vec<i64>>);

impl IfMatch {
    /// Calls `change` with the expected version, or with `None` when any will do.
    /// With several versions, calls it until one matches.
    pub(crate) fn apply<T>(
        &self,
        mut change: impl FnMut(Option<i64>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Some(versions) = &self.0 else {
            return change(None);
        };
        let mut outcome = change(versions.first().copied());
        for version in versions.iter().skip(1) {
            match outcome {
                Err(Error::VersionMismatch { .. }) => outcome = change(Some(*version)),
                _ => break,
            }
        }
        outcome
    }
}

impl From<&HeaderMap> for IfMatch {
    fn from(headers: &HeaderMap) -> Self {
        // Weak and foreign tags match no version.
        let version = |tag: Tag<'_>| match tag {
            Tag::Strong(text) => text.parse().unwrap_or(NONEXISTENT_VERSION),
            Tag::Weak(_) | Tag::Malformed => NONEXISTENT_VERSION,
        };
        match tags(headers, &IF_MATCH) {
            Tags::Absent | Tags::Any => Self(None),
            Tags::These(these) => Self(Some(these.into_iter().map(version).collect())),
        }
    }
}

impl FromRequest for IfMatch {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(request.headers().into()))
    }
}

/// `If-None-Match`: the response is sent only if the client does not have it yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IfNoneMatch {
    /// No tag was sent, or none that is well-formed.
    Nothing,
    /// `*`.
    Anything,
    /// Opaque tags without quotes.
    These(Vec<String>),
}

impl IfNoneMatch {
    /// Whether the client has the representation with this `etag`. The comparison
    /// is weak.
    pub(crate) fn matches(&self, etag: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Anything => true,
            Self::These(tags) => tags.iter().any(|tag| tag == etag.trim_matches('"')),
        }
    }
}

impl From<&HeaderMap> for IfNoneMatch {
    fn from(headers: &HeaderMap) -> Self {
        let text = |tag| match tag {
            Tag::Strong(text) | Tag::Weak(text) => Some(text.to_owned()),
            Tag::Malformed => None,
        };
        match tags(headers, &IF_NONE_MATCH) {
            Tags::Absent => Self::Nothing,
            Tags::Any => Self::Anything,
            Tags::These(these) => Self::These(these.into_iter().filter_map(text).collect()),
        }
    }
}

impl FromRequest for IfNoneMatch {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(request.headers().into()))
    }
}

enum Tags<'h> {
    Absent,
    Any,
    These(Vec<Tag<'h>>),
}

#[derive(Debug, PartialEq, Eq)]
enum Tag<'h> {
    Strong(&'h str),
    Weak(&'h str),
    Malformed,
}

fn tags<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Tags<'h> {
    let mut these = Vec::new();
    for value in headers.get_all(name) {
        let Ok(list) = value.to_str() else {
            these.push(Tag::Malformed);
            continue;
        };
        if list.trim() == "*" {
            return Tags::Any;
        }
        these.extend(list.split(',').map(|tag| read_tag(tag.trim())));
    }
    if these.is_empty() {
        Tags::Absent
    } else {
        Tags::These(these)
    }
}

/// Parses one tag. The list was split at commas, which our own tags do not
/// contain.
fn read_tag(tag: &str) -> Tag<'_> {
    let (weak, quoted) = match tag.strip_prefix("W/") {
        Some(quoted) => (true, quoted),
        None => (false, tag),
    };
    let text = quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match text.filter(|text| !text.contains('"')) {
        Some(text) if weak => Tag::Weak(text),
        Some(text) => Tag::Strong(text),
        None => Tag::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn headers(name: &HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn if_none_match_compares_weakly() {
        let matches =
            |values: &[&str]| IfNoneMatch::from(&headers(&IF_NONE_MATCH, values)).matches("\"7\"");
        assert!(matches(&["\"7\""]) && matches(&["W/\"7\""]) && matches(&["*"]));
        assert!(matches(&["\"6\", \"7\""]) && matches(&["\"6\"", "\"7\""]));
        assert!(
            !matches(&[])
                && !matches(&["7"])
                && !matches(&["\"70\""])
                && !matches(&["\"7"])
                && !matches(&[""])
        );
    }

    #[test]
    fn if_match_compares_strongly_and_what_is_no_version_matches_nothing() {
        let versions = |values: &[&str]| IfMatch::from(&headers(&IF_MATCH, values)).0;
        assert_eq!(versions(&[]), None);
        assert_eq!(versions(&["*"]), None);
        assert_eq!(versions(&["\"7\", \"8\""]), Some(vec![7, 8]));
        for bad in ["7", "W/\"7\"", "\"x\"", "", "\"7"] {
            assert_eq!(versions(&[bad]), Some(vec![NONEXISTENT_VERSION]), "{bad}");
        }
    }
}
